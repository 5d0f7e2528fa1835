"""What a call brings into a queue beside its flow's wishes: needs of its number, customer and language, and whom it knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.records.queues import Needs, RulesInvalid, decode_needs
from engine.routing.roster import Roster


class Wishes(msgspec.Struct, frozen=True):
    """Needs (skill -> level; of those in `exact` that level and no other serves), and the agents the customer knows."""

    needs: dict[str, int] = {}
    exact: tuple[str, ...] = ()
    responsible: int | None = None
    last_agent: int | None = None


def wishes(
    roster: Roster, further: Mapping[str, int], *, card: Mapping[str, Any] | None, number: str, language: str
) -> Wishes:
    """Of a call to `number` in `language`, with what its flow asks for `further` and its customer's card where it is known. Of
    two levels for one skill the higher one counts."""
    needs, exact = dict(further), set[str]()
    for part in (roster.number_needs.get(number), roster.language_needs.get(language), _of_customer(card)):
        for skill, need in (part or {}).items():
            if need.level > needs.get(skill, 0):
                needs[skill] = need.level
                exact.discard(skill)
            if need.exact and need.level == needs[skill]:
                exact.add(skill)
    known = card or {}
    answered = (call for call in known.get("last_calls", ()) if call.get("status") == "answered")
    last = next((call["agent_id"] for call in answered if call.get("agent_id")), None)
    return Wishes(needs, tuple(sorted(exact)), known.get("responsible_agent_id"), last)


def _of_customer(card: Mapping[str, Any] | None) -> Needs:
    try:
        return decode_needs((card or {}).get("needs") or {})
    except RulesInvalid:
        # The page refuses such; a row that was written by hand must not keep its customer from being served.
        return {}
