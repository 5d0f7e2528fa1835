"""Who leads to a flow, a queue, an extension or a ring group, so that none of them is taken away while calls are sent there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from admin.forms import Refused
from admin.parts import Parts
from admin.queue_form import ways_out
from conf.database import Database
from dialplan.destinations import (
    Destination,
    ToCallback,
    ToExtension,
    ToFlow,
    ToQueue,
    ToRingGroup,
    ToVoicemail,
    decode,
    leaves,
)
from dialplan.errors import DestinationInvalid
from dialplan.scenarios import decode_forwarding, decode_group
from engine.records.queues import RulesInvalid, decode_queue

Kept = ToFlow | ToQueue | ToExtension | ToRingGroup


@dataclass(frozen=True, slots=True)
class Origin:
    """One that leads there: `who` it is, and the `page` where that is changed."""

    who: str
    page: str


def leads_to(db: Database, kept: Kept) -> Sequence[Origin]:
    """All that leads to it, its voicemail box or its callbacks: numbers, other queues, other ring groups, the forwarding of
    other agents, other flows in force and newer drafts of theirs. What makes no sense leads nowhere."""
    sought = _ways_to(kept)
    found = []
    for source in _SOURCES:
        for name, title, document in db.execute_sql(source.rows).fetchall():
            if source.kind is not None and source.kind(name) == kept:
                continue
            try:
                led = not sought.isdisjoint(source.destinations(document))
            except (DestinationInvalid, RulesInvalid):
                continue
            if led:
                found.append(Origin(source.who.format(name=name, title=title), source.page))
    return [*found, *_flows(db, kept)]


def check_nothing_leads_to(parts: Parts, kept: Kept, otherwise: str, field: str = "") -> None:
    """Refused while anything does; `otherwise` is what becomes of it then, such as `Queue Sales is not deleted`."""
    led = leads_to(parts.db, kept)
    if led:
        raise Refused(field, f"{otherwise}: {in_words(led)}")


def in_words(led: Sequence[Origin]) -> str:
    """`number 5000 (Main line) and queue Sales lead to it. Change these first, under Numbers and Queues.`"""
    one = len(led) == 1
    who, pages = _joined([each.who for each in led]), _joined(list(dict.fromkeys(each.page for each in led)))
    return f"{who} {'leads' if one else 'lead'} to it. Change {'that' if one else 'these'} first, under {pages}."


def _joined(words: Sequence[str]) -> str:
    return " and ".join([*([", ".join(words[:-1])] if words[1:] else []), words[-1]])


def _ways_to(kept: Kept) -> frozenset[Destination]:
    match kept:
        case ToQueue(queue):
            return frozenset({kept, ToCallback(queue), ToVoicemail(queue)})
        case ToExtension(extension):
            return frozenset({kept, ToVoicemail(extension)})
        case _:
            return frozenset({kept})


def _of_number(document: object) -> Iterator[Destination]:
    yield from leaves(decode(document))


def _of_queue(document: object) -> Iterator[Destination]:
    """Its ways out, and the agents it names."""
    settings = decode_queue(document)
    for _, rule in ways_out(settings):
        yield from leaves(rule)
    yield from map(ToExtension, settings.problem_agents)
    yield from (ToExtension(member.extension) for member in settings.members.agents)


def _of_ring_group(document: object) -> Iterator[Destination]:
    group = decode_group("", "", document)
    yield from (ToExtension(phone.extension) for phone in group.phones)
    if group.otherwise is not None:
        yield from leaves(group.otherwise)


def _of_agent(document: object) -> Iterator[Destination]:
    for forward in decode_forwarding(document):
        yield from leaves(forward.to)


@dataclass(frozen=True, slots=True)
class _Source:
    """Things that lead somewhere: of this `kind` where others may lead to them. `rows` are the name, the title and the
    document of each."""

    page: str
    who: str
    rows: str
    destinations: Callable[[object], Iterator[Destination]]
    kind: type[ToQueue | ToExtension | ToRingGroup] | None = None


_SOURCES: Final = (
    _Source(
        "Numbers",
        "number {name}{title}",
        "SELECT number, CASE WHEN name = '' THEN '' ELSE ' (' || name || ')' END, destination FROM number ORDER BY 1",
        _of_number,
    ),
    _Source(
        "Queues",
        "queue {title}",
        "SELECT name, COALESCE(NULLIF(title, ''), name), rules FROM queue ORDER BY 2",
        _of_queue,
        ToQueue,
    ),
    _Source(
        "Ring groups",
        "ring group {title}",
        "SELECT name, COALESCE(NULLIF(title, ''), name), document FROM ring_group ORDER BY 2",
        _of_ring_group,
        ToRingGroup,
    ),
    _Source(
        "Agents",
        "the forwarding of {title}",
        "SELECT extension, name, rules -> 'forwarding' FROM agent ORDER BY 2",
        _of_agent,
        ToExtension,
    ),
)

_FLOWS: Final = """
SELECT f.name, bool_or(v.published_at IS NOT NULL) FROM flow f JOIN flow_version v ON v.flow_id = f.id
WHERE v.version >= (SELECT coalesce(max(version), 0) FROM flow_version p WHERE p.flow_id = f.id AND p.published_at IS NOT NULL)
    AND jsonb_path_exists(v.document, %s::jsonpath, jsonb_build_object('name', %s::text))
GROUP BY f.name ORDER BY f.name"""


def _flows(db: Database, kept: Kept) -> Iterator[Origin]:
    """Drafts too, which may be half-made: so their documents are searched as they are."""
    match kept:
        case ToFlow(name):
            named = "@.flow == $name"
        case ToQueue(name):
            named = "@.queue == $name || @.box == $name"
        case ToExtension(name):
            named = "@.extension == $name || @.extensions[*] == $name || @.box == $name"
        case ToRingGroup():
            return  # no node names one
    for flow, in_force in db.execute_sql(_FLOWS, (f"$.nodes.* ? ({named})", name)).fetchall():
        if ToFlow(flow) != kept:
            yield Origin(f"flow {flow}" if in_force else f"flow {flow} (a draft)", "Flows")
