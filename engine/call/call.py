"""A call as its owner knows it: what is written down of it, what is shown of it, and what another process would need.

`Call` is the one place where the phases of a call change. Each change goes three ways: into the journal as facts, onto the
boards, and into the checkpoint in Redis from which another process could go on.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from conf.clock import Clock
from engine.call.checkpoint import Checkpoint, Message, beginning
from engine.live import keys
from engine.live.notices import Notices
from engine.live.outbox import Outbox
from engine.records.facts import (
    CallAnswered,
    CallEnded,
    CallerFound,
    Disposition,
    EndedBy,
    MailWanted,
    MessageLeft,
    Phase,
    PhaseBegan,
    QueueEntered,
    QueueLeft,
    QueueResult,
    RecordingMade,
    StepEntered,
    StepLeft,
    SurveyAnswered,
)
from engine.records.journal import Journal
from engine.routing.expected import Expected
from engine.routing.roster import AgentProfile
from engine.routing.wishes import Wishes
from ivr.office import Answer, Mail

_MICROSECOND = timedelta(microseconds=1)
_encode = msgspec.json.Encoder().encode


TALKING_NODES = frozenset({"queue", "ring", "ring_group"})
"""The node types that are left by `answered` when a talk is over."""

_SHOW_LOST = """
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and cjson.decode(known).owner == ARGV[2] then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end"""


def _over() -> str:
    return "null"


class Call:
    """A live call. Not safe to be changed from two greenlets at once; its session's greenlet alone does."""

    def __init__(
        self, checkpoint: Checkpoint, *, journal: Journal, outbox: Outbox, notices: Notices, clock: Clock
    ) -> None:
        self.now = checkpoint
        self._journal = journal
        self._outbox = outbox
        self._notices = notices
        self._clock = clock
        self._last = checkpoint.since
        self._ended = False

    @property
    def call_id(self) -> str:
        return self.now.call_id

    def instant(self) -> datetime:
        """The present, later than every instant this call was given before."""
        self._last = max(self._clock.now(), self._last + _MICROSECOND)
        return self._last

    def show(self) -> None:
        """Put the call as it is onto the boards and into the checkpoint."""
        if self._ended:
            return
        self._outbox.put_latest(self.call_id, self._command)
        self._notices.tell("call", self.call_id, self._item)

    def show_lost(self) -> None:
        """The same, unless another process has the call by now."""
        self._outbox.drop_latest(self.call_id)
        self._outbox.put("EVAL", _SHOW_LOST, 1, keys.CALLS, self.call_id, self.now.owner, self._item())

    def _command(self) -> tuple[str, ...]:
        return ("HSET", keys.CALLS, self.call_id, self._item())

    def _item(self) -> str:
        return _encode(self.now).decode()

    # --- beginning and end ---

    def began(self) -> None:
        self.tell_beginning()
        self.enter("ivr" if self.now.callback_id is None else "callback", at=self.now.started_at)

    def tell_beginning(self) -> None:
        """Write down how the call began; said twice, the record is the same."""
        self._journal.append(beginning(self.now))

    def answered(self) -> None:
        """The caller's leg was answered; said once."""
        if self.now.answered_at is None:
            self.now.answered_at = self.instant()
            self._journal.append(CallAnswered(call_id=self.call_id, at=self.now.answered_at))

    def found_customer(self, customer: Mapping[str, Any]) -> None:
        self.now.customer_id = customer["id"]
        self.now.customer_name = customer["company"] or customer["name"]
        self.now.customer_category = customer["category"]
        self._journal.append(CallerFound(call_id=self.call_id, customer_id=customer["id"]))

    def ended(self, status: Disposition, ended_by: EndedBy, hangup_cause: str, *, at: datetime) -> None:
        """The caller's leg is gone since `at`. Heard twice, the first one counts."""
        if self._ended:
            return
        self._ended = True
        now = self.now
        self._journal.append(
            CallEnded(
                call_id=now.call_id,
                at=at,
                status=status,
                ended_by=ended_by,
                hangup_cause=hangup_cause,
                queue=now.last_queue,
                agent_id=now.agent_id,
                extension=now.extension,
                flow=now.flow,
                flow_version=now.flow_version,
            )
        )
        self._notices.tell("call", self.call_id, _over)
        if now.recording is None:
            self.forget()

    def give_up(self) -> None:
        """Another process has the call: nothing is written or shown of it here any more."""
        self._ended = True
        self._outbox.drop_latest(self.call_id)

    def forget(self) -> None:
        """All is written down: nobody needs to go on with this call any more."""
        self._outbox.drop_latest(self.call_id)
        self._outbox.put("HDEL", keys.CALLS, self.call_id)

    # --- phases ---

    def enter(self, phase: Phase, *, at: datetime | None = None, state: str | None = None) -> datetime:
        """The caller's leg passes into `phase`; the one before ends at that instant, which is returned."""
        began = at or self.instant()
        now = self.now
        now.state, now.since = state or phase, began
        with_agent = phase in ("talk", "hold")
        self._journal.append(
            PhaseBegan(
                call_id=now.call_id,
                at=began,
                phase=phase,
                queue=now.queue,
                agent_id=now.agent_id if with_agent else None,
                extension=now.extension if with_agent else None,
            )
        )
        self.show()
        return began

    # --- steps of a flow ---

    def step_entered(self, flow: str, version: int, node: str, node_type: str, at: datetime) -> None:
        now = self.now
        now.flow, now.flow_version, now.node, now.node_type = flow, version, node, node_type
        now.step_entered_at = at
        now.ivr_path.append(node)
        self._journal.append(
            StepEntered(
                call_id=now.call_id,
                entered_at=now.step_entered_at,
                flow=flow,
                flow_version=version,
                node=node,
                node_type=node_type,
            )
        )

    def step_left(self, exit_name: str, at: datetime) -> None:
        """The step is over. Without an open step nothing is said. A caller who hangs up after a talk has not left the step:
        it did what it is for, and the step is left by `answered`, as when the agent hangs up."""
        now = self.now
        if now.step_entered_at is None:
            return
        if exit_name == "hung_up" and now.result == "answered" and now.node_type in TALKING_NODES:
            exit_name = "answered"
        self._journal.append(StepLeft(call_id=now.call_id, entered_at=now.step_entered_at, left_at=at, exit=exit_name))
        now.step_entered_at = None

    # --- queue ---

    def entered_queue(self, queue: str, priority: int, wishes: Wishes) -> str:
        """The call begins to wait; returns the entry's id."""
        now = self.now
        now.queue = now.last_queue = queue
        now.entry_id, now.priority, now.wishes = str(uuid.uuid4()), priority, wishes
        now.entered_at = self.enter("queue")
        self._say_entry(None)
        return now.entry_id

    def placed(self, position: int, expected: Expected | None = None) -> None:
        """The router has found the entry's place, counted from 1, and how long the wait may be."""
        self._say_entry(position, expected)
        # Where it stands is in the queue's set, which the boards read anew once they hear of the call.
        self._notices.tell("call", self.call_id, self._item)

    def _say_entry(self, position: int | None, expected: Expected | None = None) -> None:
        now = self.now
        if now.entry_id is None or now.queue is None or now.entered_at is None:
            return
        self._journal.append(
            QueueEntered(
                entry_id=now.entry_id,
                call_id=now.call_id,
                queue=now.queue,
                at=now.entered_at,
                priority=now.priority,
                position=position,
                estimated_wait_seconds=None if expected is None else expected.middle,
                estimated_low_seconds=None if expected is None else expected.low,
                estimated_high_seconds=None if expected is None else expected.high,
            )
        )

    def left_queue(self, result: QueueResult, *, at: datetime | None = None) -> None:
        """The wait is over; the entry is closed with its result."""
        now = self.now
        if now.entry_id is None:
            return
        self._journal.append(
            QueueLeft(
                entry_id=now.entry_id,
                call_id=now.call_id,
                at=at or self.instant(),
                result=result,
                agent_id=now.agent_id if result == "answered" else None,
            )
        )
        since = now.entered_at.timestamp() if now.entered_at is not None else None
        now.place_at = None if result in ("answered", "callback") else now.place_at or since
        self._outbox.put("HDEL", keys.WAITING, now.entry_id)
        self._outbox.put("ZREM", keys.queue(now.queue or ""), now.entry_id)
        now.entry_id = None
        now.entered_at = None

    # --- talk ---

    def offered_to(
        self, agent: AgentProfile | None, offer_id: str | None, *, beside: Mapping[str, AgentProfile] | None = None
    ) -> None:
        """An agent's phone rings for this call (and those of others `beside` it), or (None) does not ring any more."""
        now = self.now
        now.beside = {leg: (each.agent_id, each.name, each.extension) for leg, each in (beside or {}).items()}
        now.offer_id = offer_id
        now.agent_id = agent.agent_id if agent else None
        now.agent = agent.name if agent else None
        now.extension = agent.extension if agent else None
        now.state = "offer" if agent else "queue"
        self.show()

    def talk_found(self, leg_id: str, since: datetime | None) -> None:
        """The checkpoint stands at an offer, but FreeSWITCH says that the caller talks with `leg_id`, or did, `since` then if
        it knows."""
        now = self.now
        if leg_id in now.beside:
            now.agent_id, now.agent, now.extension = now.beside[leg_id]
            now.offer_id = leg_id
        now.beside = {}
        began = max(since or now.since, now.since + _MICROSECOND)
        self.left_queue("answered", at=began)
        now.result, now.ended_by = "answered", "caller"
        self.enter("talk", at=began)

    def parted(self) -> None:
        """The talk ends now, if it has not before, and its agent may be given another call; whoever has this one when that is
        written down goes by this instant."""
        if self.now.parted_at is None:
            self.now.parted_at = self.instant()
            self.show()

    def talk_over(self) -> None:
        """The caller goes on without the agent. Who it was stays on the record, as the agent of the call."""
        now = self.now
        parted_at, now.parted_at = now.parted_at, None
        now.offer_id = None
        now.queue = None
        self.enter("ivr", at=parted_at)

    def recorded(self, seconds: float) -> None:
        """The recording of the talk is whole, and so long; one without sound is forgotten."""
        now = self.now
        recording, now.recording = now.recording, None
        if recording is None or seconds <= 0:
            return
        self._journal.append(
            RecordingMade(
                recording_id=recording.recording_id,
                call_id=now.call_id,
                path=recording.path,
                started_at=recording.began,
                seconds=seconds,
                queue=now.last_queue,
                agent_id=now.agent_id,
            )
        )

    def stated(self, message: Message, seconds: float) -> None:
        """The caller has recorded a statement, which is a recording of the call and in nobody's box."""
        self._journal.append(
            RecordingMade(
                recording_id=message.voicemail_id,
                call_id=self.call_id,
                path=message.path,
                started_at=message.began,
                seconds=seconds,
                queue=self.now.last_queue,
                agent_id=self.now.agent_id,
            )
        )

    def surveyed(self, answer: Answer) -> None:
        """The caller has answered a question of a survey; it is put down to whoever they talked with, if anybody."""
        self._journal.append(
            SurveyAnswered(
                call_id=self.call_id,
                at=self.instant(),
                survey=answer.survey,
                question=answer.question,
                asked=answer.asked,
                answer=answer.answer,
                words=answer.words,
                queue=self.now.last_queue,
                agent_id=self.now.agent_id,
            )
        )

    def wants_mail(self, mail: Mail) -> None:
        """A flow wants an e-mail sent: once for each of its nodes, also where the call comes by again."""
        self._journal.append(
            MailWanted(
                mail_id=str(uuid.uuid5(uuid.UUID(self.call_id), mail.key)),
                call_id=self.call_id,
                at=self.instant(),
                recipients=mail.recipients,
                subject=mail.subject,
                body=mail.body,
            )
        )

    def left_message(self, message: Message, seconds: float) -> None:
        if self.now.result != "answered":
            self.now.result = "voicemail"
        self._journal.append(
            MessageLeft(
                voicemail_id=message.voicemail_id,
                call_id=self.call_id,
                box=message.box,
                path=message.path,
                at=message.began,
                seconds=seconds,
                caller_number=self.now.from_number,
            )
        )
