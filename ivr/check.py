"""What is wrong with a flow, before callers find out."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from dialplan import hours
from dialplan.hours import Calendar
from ivr.flow import Flow
from ivr.interpreter import APOLOGY
from ivr.node import Reference
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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is for a flow to name. None where that is not known, so that nothing is said about it."""

    catalogue: Catalogue | None = None
    calendars: Mapping[str, Calendar] | None = None
    queues: Collection[str] | None = None
    extensions: Collection[str] | None = None


def check(flow: Flow, around: Surroundings) -> list[Problem]:
    """Every problem of a flow, those of its shape first, then by node in the flow's order."""
    shape = [*_start(flow), *_exits(flow), *_unreachable(flow), *_circles(flow)]
    return [*shape, *_apology(flow, around), *_references(flow, around)]


def is_fit(problems: Collection[Problem]) -> bool:
    """Whether a flow with these problems may be published."""
    return not any(problem.serious for problem in problems)


def _start(flow: Flow) -> Iterator[Problem]:
    if flow.start not in flow.nodes:
        yield Problem("", f"it starts at {flow.start!r}, which does not exist", "set `start` to one of its nodes")


def _exits(flow: Flow) -> Iterator[Problem]:
    for name, node in flow.nodes.items():
        ways = {way.name: way for way in node.every_way()}
        for exit_name, target in node.exits.items():
            if exit_name not in ways:
                known = ", ".join(ways)
                yield Problem(name, f"a {node.type} has no exit {exit_name!r}", f"remove it; its exits are {known}")
            if target not in flow.nodes:
                yield Problem(
                    name,
                    f"exit {exit_name!r} leads to {target!r}, which does not exist",
                    "lead it to a node of the flow",
                )
        for way in ways.values():
            falls = way.falls_to is not None and way.falls_to in ways
            if not way.ends and not falls and node.target(way) is None:
                yield Problem(name, f"exit {way.name!r} leads nowhere", "lead it to a node")
        if node.type == "menu" and not any(way.paced for way in node.ways() if way.name in node.exits):
            yield Problem(name, "the menu has no key to choose", "add an exit named for a key, such as 1")


def _edges(flow: Flow, *, unpaced_only: bool) -> dict[str, list[str]]:
    edges: dict[str, list[str]] = defaultdict(list)
    for name, node in flow.nodes.items():
        for way in node.every_way():
            target = node.target(way)
            if target in flow.nodes and target not in edges[name] and not (unpaced_only and way.paced):
                edges[name].append(target)
    return edges


def _unreachable(flow: Flow) -> Iterator[Problem]:
    if flow.start not in flow.nodes:
        return
    edges = _edges(flow, unpaced_only=False)
    reached, waiting = {flow.start}, deque([flow.start])
    while waiting:
        for target in edges[waiting.popleft()]:
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    for name in flow.nodes:
        if name not in reached:
            yield Problem(name, "no call ever comes here", "lead an exit here, or remove the node", serious=False)


def _circles(flow: Flow) -> Iterator[Problem]:
    """Ways round that a call can take without anybody pressing a key or truly waiting; each is named once, at the node where
    it closes. A depth-first walk without recursion, for a flow may be thousands of nodes long."""
    edges = _edges(flow, unpaced_only=True)
    done: set[str] = set()
    named: set[str] = set()
    for start in flow.nodes:
        if start in done:
            continue
        path, on_path = [start], {start}
        ahead = [iter(edges[start])]
        while ahead:
            target = next(ahead[-1], None)
            if target is None:
                ahead.pop()
                left = path.pop()
                on_path.discard(left)
                done.add(left)
            elif target in on_path:
                if target not in named:
                    named.add(target)
                    circle = [*path[path.index(target) :], target]
                    yield Problem(
                        target,
                        f"a call can go round without a key being pressed: {' > '.join(circle[:12])}",
                        "lead one of these exits to a queue, a message or a hang_up",
                    )
            elif target not in done:
                path.append(target)
                on_path.add(target)
                ahead.append(iter(edges[target]))


def _apology(flow: Flow, around: Surroundings) -> Iterator[Problem]:
    yield from _prompt(Reference("prompt", APOLOGY), "", flow.language, around)


def _references(flow: Flow, around: Surroundings) -> Iterator[Problem]:
    checks: dict[str, Callable[[Reference, str, str, Surroundings], Iterator[Problem]]] = {
        "prompt": _prompt,
        "calendar": _calendar,
        "queue": _queue,
        "extension": _extension,
        "box": _box,
    }
    for name, node in flow.nodes.items():
        for reference in dict.fromkeys(node.references()):
            yield from checks[reference.kind](reference, name, flow.language, around)


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


def _calendar(reference: Reference, node: str, _language: str, around: Surroundings) -> Iterator[Problem]:
    if around.calendars is None:
        return
    calendar = around.calendars.get(reference.name)
    if calendar is None:
        yield Problem(node, f"there is no calendar {reference.name!r}", "make it, or name another")
    elif not hours.ever_opens(calendar):
        yield Problem(node, f"calendar {reference.name!r} never opens", "give it hours", serious=False)


def _queue(reference: Reference, node: str, _language: str, around: Surroundings) -> Iterator[Problem]:
    if around.queues is not None and reference.name not in around.queues:
        yield Problem(node, f"there is no queue {reference.name!r}", "make it, or name another")


def _extension(reference: Reference, node: str, _language: str, around: Surroundings) -> Iterator[Problem]:
    if around.extensions is not None and reference.name not in around.extensions:
        yield Problem(node, f"there is no extension {reference.name!r}", "give it to somebody, or name another")


def _box(reference: Reference, node: str, _language: str, around: Surroundings) -> Iterator[Problem]:
    if around.queues is None or around.extensions is None:
        return
    if reference.name not in around.queues and reference.name not in around.extensions:
        mend = "name a queue or an extension, whose people will hear the messages"
        yield Problem(node, f"nobody looks after voicemail box {reference.name!r}", mend)
