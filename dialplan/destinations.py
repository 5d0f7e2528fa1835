"""Where a call can be sent, and how that is stored.

In the database and in documents a destination is an object whose `to` names its kind:
`{"to": "flow", "flow": "main"}`, `{"to": "queue", "queue": "sales"}`, `{"to": "extension", "extension": "1001"}`,
`{"to": "ring_group", "group": "office"}`, `{"to": "voicemail", "box": "reception"}`, `{"to": "callback", "queue": "sales"}`,
`{"to": "number", "number": "+4570101010"}`, `{"to": "hang_up"}`, `{"to": "refuse", "cause": "CALL_REJECTED"}` and
`{"to": "by_hours", "calendar": "Office", "open": {…}, "closed": {…}}`, the last two being destinations again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dialplan.errors import DestinationInvalid

DEEPEST = 8
"""How many `by_hours` may stand inside one another."""


@dataclass(frozen=True, slots=True)
class ToFlow:
    """The caller hears the published flow of this name."""

    flow: str


@dataclass(frozen=True, slots=True)
class ToQueue:
    """The caller waits in this queue at once."""

    queue: str


@dataclass(frozen=True, slots=True)
class ToExtension:
    """One desk phone rings."""

    extension: str


@dataclass(frozen=True, slots=True)
class ToRingGroup:
    """The phones of this group ring, as it says (dialplan.scenarios)."""

    group: str


@dataclass(frozen=True, slots=True)
class ToVoicemail:
    """The caller may leave a message; `box` is the name of a queue or an agent's extension."""

    box: str


@dataclass(frozen=True, slots=True)
class ToNumber:
    """A number outside is called over the trunk, in whatever spelling; the settings say which may be."""

    number: str


@dataclass(frozen=True, slots=True)
class ToCallback:
    """The caller is offered to be called back when their turn in this queue has come."""

    queue: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hears a goodbye, and the call is over."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The call is not taken. `cause` is a hangup cause as FreeSWITCH names them."""

    cause: str = "CALL_REJECTED"


Destination = ToFlow | ToQueue | ToExtension | ToRingGroup | ToVoicemail | ToNumber | ToCallback | HangUp | Refuse


@dataclass(frozen=True, slots=True)
class ByHours:
    """One destination while a calendar is open, another while it is closed, whatever the reason."""

    calendar: str
    open: Rule
    closed: Rule


Rule = Destination | ByHours
"""What a number is given: a destination, or hours that choose one."""

_KINDS: Mapping[str, type[Any]] = {
    "flow": ToFlow,
    "queue": ToQueue,
    "extension": ToExtension,
    "ring_group": ToRingGroup,
    "voicemail": ToVoicemail,
    "number": ToNumber,
    "callback": ToCallback,
    "hang_up": HangUp,
    "refuse": Refuse,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
FIELDS: Mapping[str, str] = {
    "flow": "flow",
    "queue": "queue",
    "extension": "extension",
    "ring_group": "group",
    "voicemail": "box",
    "number": "number",
    "callback": "queue",
    "refuse": "cause",
}
"""What each kind names; one that is not here names nothing."""
_CAUSE = re.compile(r"[A-Z_]{3,60}")


def encode(rule: Rule) -> dict[str, Any]:
    """The JSON object that stores this; `decode` gives the same back."""
    if isinstance(rule, ByHours):
        return {"to": "by_hours", "calendar": rule.calendar, "open": encode(rule.open), "closed": encode(rule.closed)}
    name = _NAMES[type(rule)]
    field = FIELDS.get(name)
    return {"to": name} | ({field: getattr(rule, field)} if field else {})


def decode(value: object) -> Rule:
    """Read what `encode` wrote. DestinationInvalid names what is wrong in anything else."""
    return _decode(value, DEEPEST)


def leaves(rule: Rule) -> Iterator[Destination]:
    """Every destination that this may come to."""
    if isinstance(rule, ByHours):
        yield from leaves(rule.open)
        yield from leaves(rule.closed)
    else:
        yield rule


def _decode(value: object, depth: int) -> Rule:
    if not isinstance(value, Mapping):
        raise DestinationInvalid(f"a destination is an object with `to`, not {value!r:.80}")
    if depth == 0:
        raise DestinationInvalid(f"more than {DEEPEST} `by_hours` inside one another")
    kind = value.get("to")
    if kind == "by_hours":
        _only(value, {"to", "calendar", "open", "closed"})
        return ByHours(
            _text(value, "calendar"), _decode(value.get("open"), depth - 1), _decode(value.get("closed"), depth - 1)
        )
    if not isinstance(kind, str) or kind not in _KINDS:
        raise DestinationInvalid(f"`to` is one of {', '.join([*_KINDS, 'by_hours'])}, not {kind!r:.80}")
    field = FIELDS.get(kind)
    _only(value, {"to", field} if field else {"to"})
    if field is None:
        return HangUp()
    if kind == "refuse":
        cause = _text(value, field) if field in value else Refuse().cause
        if not _CAUSE.fullmatch(cause):
            raise DestinationInvalid(f"`cause` is a hangup cause such as CALL_REJECTED, not {cause!r:.80}")
        return Refuse(cause)
    destination: Destination = _KINDS[kind](_text(value, field))
    return destination


def _text(value: Mapping[object, object], field: str) -> str:
    text = value.get(field)
    if not isinstance(text, str) or not text:
        raise DestinationInvalid(f"`{field}` is missing or no text in {dict(value)!r:.120}")
    return text


def _only(value: Mapping[object, object], fields: set[str]) -> None:
    extra = {str(key) for key in value} - fields
    if extra:
        raise DestinationInvalid(f"a destination to {value['to']} has no `{sorted(extra)[0]}`")
