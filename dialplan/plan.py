"""The whole of what decides a call's first destination, as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from dialplan import hours, numbers
from dialplan.destinations import ByHours, Destination, Refuse, Rule, ToExtension
from dialplan.hours import Calendar
from dialplan.scenarios import Forward, RingGroup


@dataclass(frozen=True, slots=True)
class Number:
    """A number that can be called. `number` is normalised; `name` is what reports call it."""

    number: str
    name: str
    destination: Rule


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that can be called, and when. Keys are normalised numbers, calendars' names, and extensions.

    A calendar that a number names and that does not exist counts as open: a caller is better put through than turned away.
    """

    country: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    extensions: frozenset[str] = frozenset()
    ring_groups: Mapping[str, RingGroup] = field(default_factory=dict)
    forwarding: Mapping[str, tuple[Forward, ...]] = field(default_factory=dict)
    """Extension -> where its calls go, in the order of time."""

    def number(self, called: str) -> Number | None:
        """The number that was called, in any spelling; None where it is none of ours."""
        return self.numbers.get(called) or self.numbers.get(numbers.normalise(called, self.country))


def decide(plan: Plan, number: str, caller: str, now: datetime) -> Destination:
    """Where a call to `number` from `caller` goes at the instant `now`. Both numbers may be in any spelling.

    A number of ours comes first, then an extension; a phone that calls itself is busy; anything else is refused.
    """
    found = plan.number(number)
    if found is not None:
        return resolve(found.destination, plan, now)
    extension = numbers.normalise(number, plan.country)
    if extension not in plan.extensions:
        return Refuse("UNALLOCATED_NUMBER")
    if extension == numbers.normalise(caller, plan.country):
        return Refuse("USER_BUSY")
    return ToExtension(extension)


def resolve(rule: Rule, plan: Plan, now: datetime) -> Destination:
    """What a rule comes to at the instant `now`."""
    while isinstance(rule, ByHours):
        calendar = plan.calendars.get(rule.calendar)
        is_open = calendar is None or isinstance(hours.status(calendar, now), hours.Open)
        rule = rule.open if is_open else rule.closed
    return rule
