"""One call from the moment FreeSWITCH hands it over: who calls, where the call goes, the way it takes, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final, cast

import gevent
import msgspec
import structlog
from gevent.event import Event

from conf.errors import PointsmanError
from dialplan import feature_codes
from dialplan.destinations import Refuse, ToNumber
from dialplan.feature_codes import FeatureCode
from dialplan.plan import decide
from engine.call.arrival import connected, new_call, taken_over
from engine.call.call import Call
from engine.call.calling_back import CallingBack, call_back
from engine.call.checkpoint import Checkpoint
from engine.call.configuration import Snapshot
from engine.call.feature_codes import run as run_feature
from engine.call.flows import CallFlows
from engine.call.keeping import keep_recording
from engine.call.keypad import Keypad
from engine.call.leg import Attempt, Ringing
from engine.call.mailbox import Bridged, Left, Mailbox, Parted, Pressed
from engine.call.own_phone import OwnPhone
from engine.call.phone import EslPhone
from engine.call.phones import whose
from engine.call.surroundings import Surroundings
from engine.call.terms import AGENT_FIRST, CUT_OFF, LINGER_SECONDS, VARIABLES
from engine.call.waiting import Waiting
from engine.call.ways import asks_whether_blocked, flow_to, leads_to
from engine.esl import names
from engine.esl.errors import CallGone, EslError
from engine.esl.outbound import CallLink
from engine.records.customers import Match
from engine.records.facts import Disposition, EndedBy
from engine.routing.events import Event as RouterEvent
from engine.routing.events import TalkBegan
from engine.routing.telling import tell_router
from ivr.phone import QueueOutcome, QueueRequest, SentOn
from ivr.visit import Checkpoint as FlowCheckpoint
from ivr.visit import Value, outcome_when_gone
from sounds.catalogue import DEFAULT_LANGUAGE

ANSWER_SECONDS: Final = 10.0
GONE_SECONDS: Final = 2.0
LONGEST_CALL_SECONDS: Final = 86_400.0

LOOKUP_SECONDS: Final = 0.5

log = structlog.get_logger(__name__)


class Session:
    """The life of one call in this process. `run` is the whole of it and returns when the call is over."""

    call: Call
    """Known as soon as FreeSWITCH has told of the leg."""

    def __init__(self, around: Surroundings, link: CallLink) -> None:
        self.around = around
        self.link = link
        self.clock = around.clock
        self.snapshot: Snapshot = around.configuration.snapshot
        self.mailbox = Mailbox()
        self._match = Match()
        self._looked_up = Event()
        self._waiting: Waiting | None = None
        self.flows = CallFlows(self)
        self.calling_back: CallingBack | None = None
        """What is done on this call where it is one that calls a customer back."""
        self.talk_of_no_queue: TalkBegan | None = None
        """What the router was told of a talk under way that no queue brought, where it was."""
        self._pretended: datetime | None = None
        self._hung_up_by_us = False
        self._aside = False
        self._closing = False
        self._greenlet = cast("gevent.Greenlet[..., None]", gevent.getcurrent())
        self._gone = Event()
        self.handed_over = False
        """Whether another process has the call from now on; nothing is written of it here any more."""
        self.former_owner: str | None = None
        """The process that the call was taken over from."""
        self._begun = False
        self.keypad = Keypad(link, self._keys_kept)

    def run(self) -> None:
        try:
            self._run()
        finally:
            self._part()

    def _run(self) -> None:
        self._listen()
        checkpoint = self._begin()
        self._begun = True
        log.info("call", call=self.call.call_id, caller=self.call.now.from_number, called=self.call.now.to_number)
        self.around.registry.enter(self)
        try:
            if checkpoint is None:
                self._go()
            else:
                self._go_on(checkpoint)
        except CallGone:
            pass
        except EslError as error:
            log.warning("call given up", call=self.call.call_id, error=str(error))
            self._hang_up_quietly()
        except Exception:
            # The caller must not be left in silence, nor the record open, whatever went wrong in here.
            log.exception("call failed", call=self.call.call_id)
            self._hang_up_quietly()
        finally:
            try:
                self._close()
            finally:
                self.around.registry.leave(self)

    def _part(self) -> None:
        """Undo the circles, for all of the call to be freed at once (see CallLink): its parts hold it as `_session`."""
        self.keypad.part()
        for name, part in tuple(vars(self).items()):
            if getattr(part, "_session", None) is self:
                delattr(self, name)

    # --- the way through ---

    def _begin(self) -> Checkpoint | None:
        """Find out which call this is; the checkpoint of its former owner where it had one."""
        data = connected(self.link)
        self.switch, self.control = self.around.switches.of_core(data.get("Core-UUID"))
        own = whose(self.around.redis, self.control, self.snapshot.plan.extensions, data)
        checkpoint = None
        if data.get("variable_pointsman_recovering") == "true":
            checkpoint = self.around.checkpoints.find(self.link.uuid)
            former = self.around.registry.find(self.link.uuid)
            if checkpoint is None and former is not None:
                checkpoint = msgspec.structs.replace(former.call.now)
        if checkpoint is None:
            self.call = new_call(self.around, self.snapshot, self.link.uuid, self.switch, data, own=own)
            with suppress(ValueError):
                self._pretended = datetime.fromisoformat(data.get("variable_pointsman_at") or "")
        else:
            self.keypad.typed = checkpoint.typed + self.keypad.typed
            self.former_owner = checkpoint.owner
            self.call = taken_over(self.around, checkpoint, data)
        # An agent who calls a customer back is busy with that, as the router knows.
        self.own = OwnPhone(self, "" if self.call.now.callback_id is not None else own)
        feature = feature_codes.match(data.get("Caller-Destination-Number") or "") if self.own.extension else None
        if feature is None:
            self.own.begin()
        self._feature = feature
        # 5 to 8 KB that nobody asks for again.
        self.link.drop_data()
        return checkpoint

    def _listen(self) -> None:
        """Have what happens to the leg told."""
        link, mailbox = self.link, self.mailbox
        link.on(names.CHANNEL_BRIDGE, lambda event: mailbox.put(Bridged(event.get("Bridge-B-Unique-ID") or "")))
        link.on(names.CHANNEL_UNBRIDGE, lambda _: mailbox.put(Parted()))
        link.on(names.DTMF, self.keypad.pressed)
        link.on_gone(self._left)

    def _keys_kept(self, typed: str) -> None:
        if self._begun:
            self.call.now.typed = typed
            self.call.show()

    def _left(self) -> None:
        self._gone.set()
        self.mailbox.put(Left())

    def _go(self) -> None:
        call = self.call
        if call.now.callback_id is not None:
            self._call_back(anew=True)
            return
        if self._feature is not None:
            self._do_feature(*self._feature)
            return
        destination = decide(self.snapshot.plan, call.now.to_number, call.now.from_number, self.now())
        if isinstance(destination, Refuse) and self.own.may_call(call.now.to_number):
            destination = ToNumber(call.now.to_number)
        if isinstance(destination, Refuse):
            call.now.result = "rejected"
            self.hang_up(destination.cause)
        flow = flow_to(destination, self.snapshot, self.now())
        if self.snapshot.is_blocked(call.now.from_number, self.now()) and not asks_whether_blocked(flow):
            call.now.result = "blocked"
            self.hang_up("CALL_REJECTED")
        self._find_customer()
        self._answer()
        self.flows.follow(flow)

    def _do_feature(self, feature: FeatureCode, rest: str) -> None:
        """What an agent dials to have something done."""
        self._answer()
        self.phone = EslPhone(self, self.link, language=DEFAULT_LANGUAGE, catalogue=self.around.catalogue)
        run_feature(self, feature, rest)
        self.hang_up()

    def _answer(self) -> None:
        self.link.execute("multiset", VARIABLES)
        self.link.execute("answer", lock=True).wait(ANSWER_SECONDS)
        self.call.answered()

    def _go_on(self, checkpoint: Checkpoint) -> None:
        """From where the former owner left the call."""
        if checkpoint.callback_id is not None:
            self._call_back(anew=False)
            return
        if self._feature is not None:
            # Some of it is done, and none of it is worth doing twice.
            self.hang_up()
        self._find_customer()
        if checkpoint.offer_id is not None and checkpoint.state == "offer":
            # Its phone still rings for a process that is no more; the router will offer the call again.
            legs = dict.fromkeys((checkpoint.offer_id, *checkpoint.beside), Ringing(""))
            Attempt(self.link, self.control, legs, self.mailbox.put).cancel()
            self.call.offered_to(None, None)
        self.link.execute("multiset", VARIABLES)
        flow = self.flows.of(checkpoint)
        at = None
        if checkpoint.node is not None:
            at = FlowCheckpoint(checkpoint.node, checkpoint.variables, checkpoint.step_entered_at)
        self.flows.follow(flow, at)

    def _call_back(self, *, anew: bool) -> None:
        """The leg is an agent's who calls a customer back."""
        self.around.lookups.ask(self.call.now.to_number, self._found)
        self.link.execute("multiset", f"{VARIABLES};{AGENT_FIRST}")
        call_back(self, anew=anew)

    def _find_customer(self) -> None:
        """Have the caller looked up while they already hear something."""
        number = self.call.now.from_number
        if not number or self.call.now.direction == "internal":
            self._looked_up.set()
            return
        self.around.lookups.ask(number, self._found)

    def _found(self, match: Match) -> None:
        self._match = match
        self._looked_up.set()
        if match.card is not None and not self._gone.is_set():
            self.call.found_customer(match.card)

    # --- what the flow asks for ---

    @property
    def gone(self) -> Event:
        """Set when the caller has left."""
        return self._gone

    def take_for(self, match: Match) -> None:
        """The call is this customer's, whatever its number says."""
        self._found(match)

    @property
    def match(self) -> Match:
        """Who calls. Waits a moment where that is not known yet, and goes on without where it is not to be known."""
        self._looked_up.wait(LOOKUP_SECONDS)
        return self._match

    def now(self) -> datetime:
        """The instant that hours are decided from: the present, or what a call on the virtual switch pretends."""
        return self._pretended or self.clock.now()

    def wait_in_queue(self, request: QueueRequest) -> QueueOutcome | SentOn:
        """Wait, and talk where somebody answers; a call that is moved waits on in the other queue."""
        if self.call.now.entry_id is not None and self.call.now.queue is not None:
            # Taken over in the midst of a wait, and perhaps in a queue it was moved to.
            request = replace(request, queue=self.call.now.queue)
        while True:
            self._waiting = Waiting(self, request)
            # What was pressed before was not meant for those who wait.
            self.keypad.take()
            self.keypad.listener = lambda key: self.mailbox.put(Pressed(key))
            try:
                left = self._waiting.run()
            finally:
                self._waiting = self.keypad.listener = None
            if left.moved_to is not None:
                request = replace(request, queue=left.moved_to)
            elif left.to is not None:
                return self._sent_on(left.outcome, left.to)
            else:
                return left.outcome

    def _sent_on(self, outcome: QueueOutcome, to: Mapping[str, object]) -> QueueOutcome | SentOn:
        """The queue's settings send the call elsewhere; where that is not there, it leaves by the exit of its node."""
        try:
            flow = leads_to(to, self.snapshot, self.now())
        except PointsmanError as error:
            log.error("a queue's way out leads nowhere", call=self.call.call_id, to=dict(to), why=str(error))
            return outcome
        self.call.now.sent_to = dict(to)
        self.flows.sent = flow
        return SentOn(outcome, flow.flow.name)

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call; always raises CallGone."""
        self._end_call(cause)
        raise CallGone(cause)

    def silence(self) -> None:
        """Stop what the caller hears now, and all that was to follow."""
        self.link.post_api(f"uuid_break {self.call.call_id} all")

    # --- what the flow tells (ivr.visit.Watch) ---

    def step_entered(self, flow: str, version: int, node: str, node_type: str, at: datetime) -> None:
        self.call.step_entered(flow, version, node, node_type, at)

    def step_left(self, exit: str, at: datetime) -> None:
        if not self.let_go:
            self.call.step_left(exit, at)

    def checkpoint(self, node: str, variables: Mapping[str, Value]) -> None:
        self.call.now.node = node
        self.call.now.variables = dict(variables)
        self.call.show()

    # --- Redis ---

    def tell_router(self, event: RouterEvent) -> None:
        tell_router(self.around.outbox, event)

    def announce_again(self) -> None:
        """Redis may have forgotten; tell it where this call stands."""
        if self.let_go:
            return
        self.call.show()
        self.own.announce_again()
        if self._waiting is not None:
            self._waiting.announce_again()
        if self.calling_back is not None:
            self.calling_back.announce_again()
        if self.talk_of_no_queue is not None:
            self.tell_router(msgspec.structs.replace(self.talk_of_no_queue, at=self.clock.timestamp()))

    # --- the end ---

    @property
    def cut_off(self) -> bool:
        """Whether the caller's line failed, and nobody hung up."""
        return self.link.hangup_cause in CUT_OFF

    @property
    def let_go(self) -> bool:
        """Whether the call is no more ours though nobody hung up: it was handed over, or its link broke, and FreeSWITCH has
        brought it to another process, or has died with it. Nothing is written of it here any more."""
        lost = self.link.closed and self.link.hangup_cause is None and not self._hung_up_by_us
        return self.handed_over or lost

    def hand_over(self) -> None:
        """Let go of the call without ending it: FreeSWITCH brings it to another process, which goes on from the checkpoint;
        a talk goes on meanwhile, and is brought there when it ends."""
        self.handed_over = True
        self.link.close()

    def step_aside(self) -> None:
        """Another process has the call by now, or may have: go on with nothing, and tell nobody anything."""
        if self._closing or self.handed_over or self.link.closed:
            # Whoever has gone is written down by whoever heard of it.
            return
        self.handed_over = self._aside = True
        self.keypad.part()
        self.call.give_up()
        self._greenlet.kill(CallGone(), block=False)

    def _wait_aside(self) -> None:
        """Were the socket closed, FreeSWITCH would break off what the call does, also for its new owner
        (mod_event_socket.c:2819); so it stays open as long as the call, unless there is no other owner."""
        registry, call_id = self.around.registry, self.call.call_id
        newer = registry.find(call_id) is not self
        registry.leave(self)
        kept = self.around.checkpoints.find(call_id)
        if not newer and kept is not None and kept.owner == self.around.process_id:
            self.link.close()
        else:
            self.link.wait_closed(LONGEST_CALL_SECONDS)

    def end_now(self) -> None:
        """This process ends and the call with it."""
        self._hang_up_quietly()

    def _hang_up_quietly(self) -> None:
        try:
            self._end_call("NORMAL_TEMPORARY_FAILURE")
        except EslError as error:
            log.warning("not hung up", call=self.call.call_id, error=str(error))

    def _end_call(self, cause: str) -> None:
        # The end may be heard of before the reply, and the caller may have been first.
        self._hung_up_by_us = not self.link.gone
        if not self.link.hangup(cause):
            self._hung_up_by_us = False

    def _close(self) -> None:
        """Write the end down, once, whoever hung up first."""
        call, now = self.call, self.call.now
        self._closing = True
        if self._aside:
            self._wait_aside()
        if self.handed_over:
            return
        self._gone.wait(GONE_SECONDS)
        # Of a talk that the caller ends, the agent's own leg may tell first.
        ended_at = now.parted_at or call.instant()
        if self.link.hangup_cause is None and not self._hung_up_by_us:
            # The notice that the channel is down may come before the hangup itself, whose event is on its way.
            self.link.wait_closed(LINGER_SECONDS + 3)
        if self.let_go:
            # FreeSWITCH died, or brings the call back at once, perhaps to this very process. The sweeper finds out.
            if self.around.registry.find(call.call_id) is self:
                now.lost_at = self.clock.now()
                call.show_lost()
            return
        self.own.end()
        ended_by: EndedBy = now.ended_by or ("system" if self._hung_up_by_us else "caller")
        call.step_left("hung_up", ended_at)
        call.ended(
            now.result or cast(Disposition, outcome_when_gone(now.variables)),
            ended_by,
            self.link.hangup_cause or "NORMAL_CLEARING",
            at=ended_at,
        )
        self.link.wait_closed(LINGER_SECONDS + 3)
        if now.recording is not None:
            keep_recording(self.around, call)
            call.forget()
