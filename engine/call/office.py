"""The house behind the telephone, as the flow of one call may ask it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import gevent
import msgspec
import peewee
import structlog

from conf.database import within
from conf.errors import PointsmanError
from engine.call.trunk import Trunk
from engine.esl.errors import CallGone
from engine.live import keys
from engine.live.connection import RedisError
from engine.records.customers import Customers, Match
from engine.records.tickets import Tickets
from engine.records.voicemails import Voicemails
from engine.routing.expected import Pace, expected_wait
from ivr.office import Answer, Mail, QueueStatus, TicketState, WebAnswer, WebRequest
from ivr.web import WebClient
from sounds.library import Library
from sounds.speech import Speech

if TYPE_CHECKING:
    from engine.call.session import Session

GRACE_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 5.0
"""How long the database is waited for, while the caller hears nothing."""
_PRESENT: Final = frozenset({"ready"})
T = TypeVar("T")
_pace = msgspec.json.Decoder(Pace).decode

log = structlog.get_logger(__name__)


class OfficeAway(PointsmanError):
    """What was asked cannot be told now: Postgres or Redis does not answer."""


@dataclass(frozen=True, slots=True)
class House:
    """What the calls of a process share for such questions."""

    customers: Customers
    tickets: Tickets
    web: WebClient
    trunk: Trunk
    speech: Speech
    voicemails: Voicemails
    prompts: Library
    sends_mail: bool


class CallOffice:
    """ivr.office.Office for one call."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._house = session.around.house

    def is_extension(self, number: str) -> bool:
        return number in self._session.snapshot.plan.extensions

    def rested(self, extensions: Sequence[str]) -> list[str]:
        agents = {agent.agent_id: agent.extension for agent in self._session.snapshot.roster.agents}
        ids = [agent_id for agent_id, extension in agents.items() if extension in extensions]
        idle = [
            (state.get("idle_since") or state.get("since") or "", agents[agent_id])
            for agent_id, state in zip(ids, self._states(ids), strict=True)
            if state.get("presence") in _PRESENT and state.get("work") == "idle"
        ]
        free = [extension for _, extension in sorted(idle)]
        return [*free, *(extension for extension in extensions if extension not in free)]

    def queue_status(self, queue: str) -> QueueStatus:
        snapshot = self._session.snapshot
        rule = snapshot.roster.queue(queue)
        if rule is None:
            raise OfficeAway(f"there is no queue {queue!r}")
        able = snapshot.plans.agents(snapshot.plans.plan(rule, snapshot.plans.needs(rule, {}, ())).widest)
        there = [state for state in self._states(list(able)) if state.get("presence") in _PRESENT]
        try:
            pipe = self._session.around.redis.pipeline(transaction=False)
            pipe.zcard(keys.queue(queue))
            pipe.hget(keys.PACES, queue)
            waiting, told = pipe.execute()
            expected = None if told is None else expected_wait(_pace(told), int(waiting) + 1)
        except (RedisError, OSError, msgspec.MsgspecError) as error:
            raise OfficeAway(f"queues cannot be looked at: {error}") from error
        free = sum(state.get("work") == "idle" for state in there)
        wait = None
        if free and not waiting:
            wait = 0.0
        elif expected is not None and expected.honest(rule.settings.expected_wait.largest_error):
            wait = expected.middle
        return QueueStatus(int(waiting), len(there), free, wait)

    def is_blocked(self) -> bool:
        number = self._session.call.now.from_number
        return bool(number) and self._ask(lambda: self._house.customers.is_blocked(number))

    def find_customer(self, number: str) -> bool:
        match = self._ask(lambda: self._house.customers.find(number))
        if match.card is None:
            return False
        self._session.take_for(match)
        return True

    def open_ticket(self, key: str, kind: str, subject: str) -> int | None:
        session, now = self._session, self._session.call.now
        card = session.match.card
        opened = self._ask(
            lambda: self._house.tickets.open(
                session.call.call_id,
                key,
                kind=kind,
                subject=subject,
                at=session.clock.now(),
                customer_id=None if card is None else int(card["id"]),
                number="" if now.direction == "internal" else now.from_number,
                name=now.caller_name,
            )
        )
        if opened is None:
            return None
        number, customer_id = opened
        if card is None:
            found = self._ask(lambda: self._house.customers.card(customer_id))
            if found is not None:
                session.take_for(Match(card=found))
        return number

    def ticket(self, number: int) -> TicketState | None:
        return self._ask(lambda: self._house.tickets.state(number))

    def keep_answer(self, answer: Answer) -> None:
        self._session.call.surveyed(answer)

    def send_mail(self, mail: Mail) -> bool:
        if not self._house.sends_mail:
            return False
        self._session.call.wants_mail(mail)
        return True

    def request(self, request: WebRequest) -> WebAnswer:
        return self._while_here(
            lambda: self._house.web.request(request), request.seconds * request.tries + GRACE_SECONDS
        )

    def _states(self, agent_ids: Sequence[int]) -> list[dict[str, str]]:
        """What the board has of these agents, in their order."""
        try:
            pipe = self._session.around.redis.pipeline(transaction=False)
            for agent_id in agent_ids:
                pipe.hgetall(keys.agent(agent_id))
            return list(pipe.execute())
        except (RedisError, OSError) as error:
            raise OfficeAway(f"agents cannot be looked at: {error}") from error

    @staticmethod
    def _ask(question: Callable[[], T]) -> T:
        try:
            with within(ANSWER_SECONDS):
                return question()
        except peewee.PeeweeException as error:
            raise OfficeAway(f"the database does not answer: {' '.join(str(error).split())}") from error

    def _while_here(self, act: Callable[[], T], seconds: float) -> T:
        """What `act` gives. CallGone as soon as the caller has left, however long it would have taken."""
        came: list[Any] = []
        faults: list[PointsmanError] = []

        def ask() -> None:
            try:
                came.append(act())
            except PointsmanError as error:
                faults.append(error)

        asking = gevent.spawn(ask)
        objects: list[Any] = [asking, self._session.gone]
        gevent.wait(objects, timeout=seconds, count=1)
        if not asking.ready():
            asking.kill(block=False)
        if self._session.gone.is_set():
            raise CallGone(self._session.link.hangup_cause)
        if faults:
            raise faults[0]
        if not came:
            raise OfficeAway(f"no answer within {seconds:.0f} s")
        answer: T = came[0]
        return answer
