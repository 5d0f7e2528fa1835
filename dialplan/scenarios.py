"""Who rings next: groups of phones that ring for one call, and where a call to an extension goes when nobody answers there.

A ring group is stored as an object: `{"order": "together", "seconds": 20, "rounds": 1, "phones": [{"extension": "1001",
"delay_seconds": 0}, …], "otherwise": {a destination} or null}`; an extension's forwarding as a list of
`{"after_seconds": 15, "to": {a destination}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from dialplan import destinations
from dialplan.destinations import Rule
from dialplan.errors import DestinationInvalid

Order = Literal["together", "listed", "shuffled", "longest_idle"]
ORDERS: Mapping[str, str] = {
    "together": "All at once, or each after its delay",
    "listed": "One after the other, as listed",
    "shuffled": "One after the other, in an order drawn for each call",
    "longest_idle": "Whoever has been free for longest first",
}
"""What each order is called on pages."""

MOST_PHONES: Final = 50
MOST_FORWARDS: Final = 10
LONGEST_SECONDS: Final = 300
MOST_ROUNDS: Final = 10


@dataclass(frozen=True, slots=True)
class GroupPhone:
    """A phone of a group. Where all ring together it begins so many seconds after the first."""

    extension: str
    delay_seconds: int = 0


@dataclass(frozen=True, slots=True)
class RingGroup:
    """Phones that ring for one call: `together`, each after its delay; or one after the other for `seconds` each, as `listed`,
    `shuffled` for each call, or whoever has been free for longest first; `rounds` times over. `otherwise` is where the call
    goes when nobody took it; None: the caller hears that nobody is there."""

    name: str
    title: str
    phones: tuple[GroupPhone, ...]
    order: Order = "together"
    seconds: int = 20
    rounds: int = 1
    otherwise: Rule | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """From `after_seconds` of ringing on the call is there instead; 0: it never rings here."""

    after_seconds: int
    to: Rule


def encode_group(group: RingGroup) -> dict[str, Any]:
    """The object that stores all of a group but its name and title; `decode_group` gives the same back."""
    return {
        "order": group.order,
        "seconds": group.seconds,
        "rounds": group.rounds,
        "phones": [{"extension": phone.extension, "delay_seconds": phone.delay_seconds} for phone in group.phones],
        "otherwise": None if group.otherwise is None else destinations.encode(group.otherwise),
    }


def decode_group(name: str, title: str, value: object) -> RingGroup:
    """DestinationInvalid names what is wrong."""
    if not isinstance(value, Mapping):
        raise DestinationInvalid("a ring group is an object")
    order = value.get("order", "together")
    if order not in get_args(Order):
        raise DestinationInvalid(f"`order` is one of {', '.join(get_args(Order))}, not {order!r:.80}")
    listed = value.get("phones")
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_PHONES:
        raise DestinationInvalid(f"a ring group has 1 to {MOST_PHONES} phones")
    phones = tuple(_phone(each) for each in listed)
    if len({phone.extension for phone in phones}) < len(phones):
        raise DestinationInvalid("an extension stands twice in the group")
    otherwise = value.get("otherwise")
    return RingGroup(
        name,
        title,
        phones,
        cast(Order, order),
        _number(value, "seconds", 20, 1, LONGEST_SECONDS),
        _number(value, "rounds", 1, 1, MOST_ROUNDS),
        None if otherwise is None else destinations.decode(otherwise),
    )


def decode_forwarding(value: object) -> tuple[Forward, ...]:
    """In the order of their seconds. DestinationInvalid names what is wrong."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_FORWARDS:
        raise DestinationInvalid(f"forwarding is a list of at most {MOST_FORWARDS} steps")
    found = []
    for each in value:
        if not isinstance(each, Mapping):
            raise DestinationInvalid(
                f"a step of a forwarding is an object with `after_seconds` and `to`, not {each!r:.80}"
            )
        seconds = _number(each, "after_seconds", 0, 0, LONGEST_SECONDS)
        found.append(Forward(seconds, destinations.decode(each.get("to"))))
    return tuple(sorted(found, key=lambda forward: forward.after_seconds))


def _phone(value: object) -> GroupPhone:
    extension = value.get("extension") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(extension, str) or not extension.isdigit():
        raise DestinationInvalid(f"a phone of a group has an `extension`, not {value!r:.80}")
    return GroupPhone(extension, _number(value, "delay_seconds", 0, 0, LONGEST_SECONDS))


def _number(value: Mapping[object, object], field: str, default: int, least: int, most: int) -> int:
    number = value.get(field, default)
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        raise DestinationInvalid(f"`{field}` is a whole number from {least} to {most}, not {number!r:.80}")
    return number
