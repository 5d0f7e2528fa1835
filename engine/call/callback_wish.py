"""A caller who is asked whether, and under which number, they want to be called back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from dialplan import numbers
from engine.call.trunk import NumberForbidden
from engine.live.callbacks import Callback
from engine.routing.events import EntryAdded
from engine.routing.wishes import wishes
from ivr.callback_dialogue import Dialogue, Done
from ivr.phone import CallbackOutcome

if TYPE_CHECKING:
    from engine.call.session import Session


class CallbackWish:
    """For one call and one queue. What the router is told of it is as a call's own entry, `entry` where it waits there."""

    def __init__(
        self,
        session: Session,
        queue: str,
        priority: int = 0,
        needs: Mapping[str, int] | None = None,
        *,
        entry: EntryAdded | None = None,
    ) -> None:
        self._session = session
        self._queue = queue
        self._entry = entry or self._new_entry(priority, needs or {})

    @property
    def possible(self) -> bool:
        """Whether there is any number at all that could be called back."""
        return self._session.around.house.trunk.leads_anywhere or self.may_call(self._caller) is not None

    def dialogue(self, number: str = "") -> Dialogue:
        return Dialogue(number or self._caller, self._session.phone.language, self.may_call)

    def may_call(self, number: str) -> str | None:
        """A number as it will be called: an extension, or a number outside that the settings allow."""
        session = self._session
        wanted = numbers.normalise(number, session.around.country)
        if wanted in session.snapshot.plan.extensions:
            return wanted
        with suppress(NumberForbidden):
            return session.around.house.trunk.endpoint(wanted).number
        return None

    def made(self, done: Done) -> CallbackOutcome:
        """What comes of the dialogue; a callback is noted down where the caller wants one."""
        if done.end != "taken":
            return done.end
        session, now = self._session, self._session.call.now
        at = session.clock.now()
        entry = msgspec.structs.replace(self._entry, kind="callback", caller=done.number)
        record: dict[str, Any] = msgspec.to_builtins(entry)
        outcome = session.around.callbacks.ask(
            Callback(
                callback_id=str(uuid.uuid4()),
                owner=session.around.process_id,
                queue=self._queue,
                number=done.number,
                call_id=now.call_id,
                asked_at=at,
                due_at=at,
                entry=record,
                called=now.to_number,
                # A switch names who has no name by their number.
                name=now.customer_name or (now.caller_name if any(map(str.isalpha, now.caller_name)) else ""),
                customer_id=now.customer_id,
                language=session.phone.language,
                switch=now.switch,
            )
        )
        now.result = "callback"
        return outcome

    @property
    def _caller(self) -> str:
        return self._session.call.now.from_number

    def _new_entry(self, priority: int, needs: Mapping[str, int]) -> EntryAdded:
        session, now = self._session, self._session.call.now
        at = session.clock.timestamp()
        brought = wishes(
            session.snapshot.roster,
            needs,
            card=session.match.card,
            number=now.to_number,
            language=session.phone.language,
        )
        return EntryAdded(
            at=at,
            entry_id="",
            call_id=now.call_id,
            queue=self._queue,
            owner=session.around.process_id,
            entered_at=at,
            priority=priority,
            needs=brought.needs,
            exact=brought.exact,
            place_at=now.place_at,
            customer_id=now.customer_id,
            category=now.customer_category or "",
            responsible=brought.responsible,
            last_agent=brought.last_agent,
        )
