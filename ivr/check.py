"""What is wrong with a flow, before callers find out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from dialplan import hours
from dialplan.hours import Calendar
from ivr.flow import Flow
from ivr.interpreter import APOLOGY
from ivr.neighbours import Neighbours, Place, targets
from ivr.node import Reference, node_types
from ivr.values import TOLD
from sounds.catalogue import Catalogue
from sounds.errors import PromptMissing


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a flow: at which node (empty: at the flow itself), what it is, and what mends it. One that is not
    `serious` is worth knowing, and callers get by."""

    node: str
    fault: str
    mend: str
    serious: bool = True
    exit: str = ""
    """The exit it is about, where it is about one."""
    field: str = ""
    """The field it is about, as the way to it (`confirm.after`), where it is about one."""


UNREACHED = "no call ever comes here"
_UNREAD = {"missing": "is missing", "string_too_short": "is empty", "too_short": "is empty"}
"""What is said of a field by the kind of its fault; of all other kinds, what pydantic says."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is for a flow to name. None where that is not known, so that nothing is said about it."""

    catalogue: Catalogue | None = None
    calendars: Mapping[str, Calendar] | None = None
    queues: Collection[str] | None = None
    extensions: Collection[str] | None = None
    flows: Mapping[str, Flow] | None = None
    """The other flows, which this one may call or be called by."""
    staff: Mapping[str, int] | None = None
    """How many people may take each queue's calls."""
    skills: Collection[str] | None = None
    sends_mail: bool | None = None
    calls_out: bool | None = None
    """Whether e-mails are sent from here, and whether flows may call any number outside."""


def check(flow: Flow, around: Surroundings) -> list[Problem]:
    """Every problem of a flow, those of its shape first, then by node in the flow's order."""
    if around.flows is not None:
        around = replace(around, flows={**around.flows, flow.name: flow})
    house = Neighbours(flow, around.flows)
    shape = [*_start(flow), *_exits(flow), *_unreachable(flow), *_circles(house), *_recursion(house)]
    return [*shape, *_apology(flow, around), *_references(flow, around), *_variables(house)]


def check_document(document: object, around: Surroundings) -> tuple[Flow | None, list[Problem]]:
    """As `check`, also for what is no flow yet: then None, and every fault that keeps it from being one, at its node."""
    try:
        flow = Flow.model_validate(document)
    except ValidationError as error:
        return None, [_unread(fault) for fault in error.errors()]
    return flow, check(flow, around)


def _unread(fault: Any) -> Problem:
    place = [str(part) for part in fault["loc"]]
    said = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] in _UNREAD and len(place) > 3:
        said = f"{_titled(place)} {_UNREAD[fault['type']]}"
    if len(place) < 2 or place[0] != "nodes":
        return Problem("", f"{'.'.join(place) or 'the document'}: {said}", "mend it in the flow's own settings")
    # Behind a node's name stands its type, which is the form's and no field of it.
    return Problem(place[1], said, "mend it in the node's form", field=".".join(place[3:]))


def _titled(place: Sequence[str]) -> str:
    """What the form calls the field at a place of a document, `nodes`, name and type of the node before it."""
    node_class = node_types().get(place[2])
    field = None if node_class is None else node_class.model_fields.get(place[3])
    title = (field.title if field is not None else None) or place[3].replace("_", " ")
    return title if len(place) == 4 else f"{title}: {place[-1].replace('_', ' ')}"


def is_fit(problems: Collection[Problem]) -> bool:
    """Whether a flow with these problems may be published."""
    return not any(problem.serious for problem in problems)


def _start(flow: Flow) -> Iterator[Problem]:
    if flow.start not in flow.nodes:
        yield Problem(
            "",
            f"it starts at {flow.start!r}, which does not exist" if flow.start else "it has no first node",
            "set `start` to one of its nodes",
        )


def _exits(flow: Flow) -> Iterator[Problem]:
    for name, node in flow.nodes.items():
        ways = {way.name: way for way in node.every_way()}
        for exit_name, target in node.exits.items():
            if exit_name not in ways:
                known = ", ".join(ways)
                fault = f"a {node.type} has no exit {exit_name!r}"
                yield Problem(name, fault, f"remove it; its exits are {known}", exit=exit_name)
            if target not in flow.nodes:
                where = f"to {target!r}, which does not exist" if target else "nowhere"
                yield Problem(
                    name, f"exit {exit_name!r} leads {where}", "lead it to a node of the flow", exit=exit_name
                )
        for way in ways.values():
            falls = way.falls_to is not None and way.falls_to in ways
            if not way.ends and not way.returns and not falls and node.target(way) is None:
                yield Problem(name, f"exit {way.name!r} leads nowhere", "lead it to a node", exit=way.name)
        if node.type == "menu" and not any(way.paced for way in node.ways() if way.name in node.exits):
            yield Problem(name, "the menu has no key to choose", "add an exit named for a key, such as 1")


def _unreachable(flow: Flow) -> Iterator[Problem]:
    if flow.start not in flow.nodes:
        return
    reached, waiting = {flow.start}, deque([flow.start])
    while waiting:
        for target in targets(flow, waiting.popleft()):
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    for name in flow.nodes:
        if name not in reached:
            yield Problem(name, UNREACHED, "lead an exit here, or remove the node", serious=False)


def _circles(house: Neighbours) -> Iterator[Problem]:
    """Ways round that a call can take without anybody pressing a key or truly waiting, through other flows too; each is named
    once, at the node of this flow where it closes. A depth-first walk without recursion, for a flow may be thousands of nodes
    long."""
    done: set[Place] = set()
    named: set[str] = set()
    for start in house.flow.nodes:
        begin = Place(house.flow.name, start)
        if begin in done:
            continue
        path, on_path = [begin], {begin}
        ahead = [iter(house.unpaced(begin))]
        while ahead:
            target = next(ahead[-1], None)
            if target is None:
                ahead.pop()
                left = path.pop()
                on_path.discard(left)
                done.add(left)
            elif target in on_path:
                circle = [*path[path.index(target) :], target]
                here = next((place.node for place in circle if place.flow == house.flow.name), None)
                if here is not None and here not in named:
                    named.add(here)
                    told = " > ".join(house.told(place) for place in circle[:12])
                    yield Problem(
                        here,
                        f"a call can go round without a key being pressed: {told}",
                        "lead one of these exits to a queue, a message or a hang_up",
                    )
            elif target not in done:
                path.append(target)
                on_path.add(target)
                ahead.append(iter(house.unpaced(target)))


def _recursion(house: Neighbours) -> Iterator[Problem]:
    for name, called in house.calls():
        way = house.way_back(called)
        if way is not None:
            told = " > ".join([house.flow.name, *way])
            yield Problem(name, f"the flow calls itself without end: {told}", "let one of them go_to the other, or end")


def _variables(house: Neighbours) -> Iterator[Problem]:
    joined = list(house.joined())
    secret = {name for flow in joined for node in flow.nodes.values() for name in node.secrets()}
    known = {name for flow in joined for node in flow.nodes.values() for name in node.sets()} | TOLD
    for name, node in house.flow.nodes.items():
        for use in dict.fromkeys(node.uses()):
            if use.seen and use.variable in secret:
                yield Problem(
                    name,
                    f"the secret {use.variable!r} could be read by others {use.seen}",
                    "leave it out there, or do not collect it as a secret",
                )
            if use.variable not in known and house.complete:
                yield Problem(name, f"nothing sets {use.variable!r}", "set or collect it before", serious=False)


def _apology(flow: Flow, around: Surroundings) -> Iterator[Problem]:
    for language in _languages(flow):
        yield from _prompt(Reference("prompt", APOLOGY), "", language, around)


def _languages(flow: Flow) -> list[str]:
    """Those that callers may be spoken to in, the flow's own first."""
    chosen = (language for node in flow.nodes.values() for language in node.languages())
    return list(dict.fromkeys((flow.language, *chosen)))


def _references(flow: Flow, around: Surroundings) -> Iterator[Problem]:
    checks: dict[str, Callable[[Reference, str, Surroundings], Iterator[Problem]]] = {
        "calendar": _calendar,
        "queue": _queue,
        "extension": _extension,
        "box": _box,
        "flow": _flow,
        "skill": _skill,
        "mail": _mail,
        "trunk": _trunk,
    }
    languages = _languages(flow)
    for name, node in flow.nodes.items():
        for reference in dict.fromkeys(node.references()):
            if reference.kind == "prompt":
                for language in (reference.language,) if reference.language else languages:
                    yield from _prompt(reference, name, language, around)
            else:
                yield from checks[reference.kind](reference, name, around)


def _prompt(reference: Reference, node: str, language: str, around: Surroundings) -> Iterator[Problem]:
    if around.catalogue is None:
        return
    mend = f"record or synthesise {reference.name!r} in {language!r}, or name another prompt"
    try:
        prompt = around.catalogue.find(reference.name, language)
    except PromptMissing:
        yield Problem(node, f"there is no prompt {reference.name!r}", mend)
        return
    if prompt.language.partition("-")[0] != language.partition("-")[0]:
        fault = f"prompt {reference.name!r} is there in {prompt.language!r} only and will be spoken in that"
        yield Problem(node, fault, mend, serious=False)


def _calendar(reference: Reference, node: str, around: Surroundings) -> Iterator[Problem]:
    if around.calendars is None:
        return
    calendar = around.calendars.get(reference.name)
    if calendar is None:
        yield Problem(node, f"there is no calendar {reference.name!r}", "make it, or name another")
    elif not hours.ever_opens(calendar):
        yield Problem(node, f"calendar {reference.name!r} never opens", "give it hours", serious=False)


def _queue(reference: Reference, node: str, around: Surroundings) -> Iterator[Problem]:
    if around.queues is not None and reference.name not in around.queues:
        yield Problem(node, f"there is no queue {reference.name!r}", "make it, or name another")
    elif around.staff is not None and not around.staff.get(reference.name):
        mend = "give somebody the skills it needs"
        yield Problem(node, f"nobody may take the calls of queue {reference.name!r}", mend, serious=False)


def _extension(reference: Reference, node: str, around: Surroundings) -> Iterator[Problem]:
    if around.extensions is not None and reference.name not in around.extensions:
        yield Problem(node, f"there is no extension {reference.name!r}", "give it to somebody, or name another")


def _box(reference: Reference, node: str, around: Surroundings) -> Iterator[Problem]:
    if around.queues is None or around.extensions is None:
        return
    if reference.name not in around.queues and reference.name not in around.extensions:
        mend = "name a queue or an extension, whose people will hear the messages"
        yield Problem(node, f"nobody looks after voicemail box {reference.name!r}", mend)


def _skill(reference: Reference, node: str, around: Surroundings) -> Iterator[Problem]:
    if around.skills is not None and reference.name not in around.skills:
        fault = f"there is no skill {reference.name!r}, so nobody could take these calls"
        yield Problem(node, fault, "make it, or name another", field="skills")


def _mail(_reference: Reference, node: str, around: Surroundings) -> Iterator[Problem]:
    if around.sends_mail is False:
        mend = "set POINTSMAN_SMTP_SERVER and POINTSMAN_SMTP_FROM"
        yield Problem(node, "no e-mails are sent from here, so it is always refused", mend, serious=False)


def _trunk(_reference: Reference, node: str, around: Surroundings) -> Iterator[Problem]:
    if around.calls_out is False:
        mend = "set POINTSMAN_TRUNK and POINTSMAN_OUTSIDE_PREFIXES"
        yield Problem(node, "no number outside may be called from here, so it is always forbidden", mend, serious=False)


def _flow(reference: Reference, node: str, around: Surroundings) -> Iterator[Problem]:
    if around.flows is not None and reference.name not in around.flows:
        yield Problem(node, f"there is no flow {reference.name!r}", "publish it, or name another")
