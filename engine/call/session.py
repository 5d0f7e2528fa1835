"""One call from the moment FreeSWITCH hands it over: who calls, where the call goes, the way it takes, and its end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast
from uuid import UUID

import gevent
import structlog
from gevent.event import Event

from conf.clock import Clock
from dialplan import numbers
from dialplan.destinations import Refuse
from dialplan.plan import decide
from engine.call import recovery
from engine.call.audible import MUSIC
from engine.call.call import STATEMENT, Call, Checkpoint, Message
from engine.call.configuration import Configuration, Snapshot
from engine.call.leg import Attempt
from engine.call.mailbox import Bridged, Left, Mailbox, Parted
from engine.call.media import SHORTEST_MESSAGE_SECONDS, Media
from engine.call.office import House
from engine.call.phone import EslPhone
from engine.call.registry import Registry
from engine.call.switches import Switches
from engine.call.waiting import Waiting
from engine.call.ways import flow_to
from engine.esl import names
from engine.esl.awaited import Execution
from engine.esl.errors import CallGone, EslError
from engine.esl.frames import Event as EslEvent
from engine.esl.frames import Frame
from engine.esl.outbound import CallLink
from engine.live import keys
from engine.live.connection import Redis
from engine.live.notices import Notices
from engine.live.outbox import Outbox
from engine.live.screenpop import ScreenPops
from engine.records.customers import Match
from engine.records.facts import Direction, Disposition, EndedBy
from engine.records.journal import Journal
from engine.records.lookups import Lookups
from engine.routing.events import Event as RouterEvent
from engine.routing.events import TakenOver, encode
from ivr.errors import FlowUnknown
from ivr.flow import PublishedFlow
from ivr.interpreter import Interpreter
from ivr.phone import QueueOutcome, QueueRequest
from ivr.visit import Checkpoint as FlowCheckpoint
from ivr.visit import Value, outcome_when_gone
from sounds.catalogue import Catalogue

LINGER_SECONDS: Final = 5
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 10.0
GONE_SECONDS: Final = 2.0
LONGEST_CALL_SECONDS: Final = 86_400.0
SHORTEST_TALK_SECONDS: Final = 2.0
"""From here on a talk without its recording is a fault."""

LOOKUP_SECONDS: Final = 0.5
MOST_TYPED: Final = 32
KEYS: Final = frozenset("0123456789*#ABCD")
UNREAD_SECONDS: Final = 0.3
"""A key that has not ended the `read` for it after this time was not read."""

EVENTS: Final = frozenset(
    {
        names.CHANNEL_BRIDGE,
        names.CHANNEL_EXECUTE_COMPLETE,
        names.CHANNEL_HANGUP,
        names.CHANNEL_HANGUP_COMPLETE,
        names.CHANNEL_UNBRIDGE,
        names.DTMF,
    }
)
"""What the server that hands the calls over asks FreeSWITCH for."""

_VARIABLES: Final = "^^;" + ";".join(
    (
        "playback_terminators=none",
        "RECORD_STEREO=true",
        "continue_on_fail=true",
        "hangup_after_bridge=false",
        f"transfer_ringback={MUSIC}",
        "bridge_pre_execute_aleg_app=set",
        "bridge_pre_execute_aleg_data=socket_resume=false",
    )
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every call of a process needs from it."""

    process_id: str
    clock: Clock
    configuration: Configuration
    journal: Journal
    outbox: Outbox
    notices: Notices
    redis: Redis
    pops: ScreenPops
    lookups: Lookups
    switches: Switches
    registry: Registry
    catalogue: Catalogue
    media: Media
    house: House
    country: str


def printable(text: str) -> str:
    """Foreign text without what cannot be printed; a single NUL in it would keep the call out of Postgres."""
    return "".join(filter(str.isprintable, text))


class Session:
    """The life of one call in this process. `run` is the whole of it and returns when the call is over."""

    def __init__(self, around: Surroundings, link: CallLink) -> None:
        self.around = around
        self.link = link
        self.clock = around.clock
        self.snapshot: Snapshot = around.configuration.snapshot
        self.mailbox = Mailbox()
        self._match = Match()
        self._looked_up = Event()
        self._waiting: Waiting | None = None
        self._pretended: datetime | None = None
        self._hung_up_by_us = False
        self._aside = False
        self._greenlet = cast("gevent.Greenlet[..., None]", gevent.getcurrent())
        self._gone = Event()
        self.handed_over = False
        """Whether another process has the call from now on; nothing is written of it here any more."""
        self._typed = ""
        self._begun = False
        self.gathering: Literal["one", "several"] | None = None
        """Whether FreeSWITCH itself collects the keys that are pressed now. Of several, those that were pressed are kept, for
        another process to go on from there."""
        self.reading: Execution | None = None
        """The `read` that waits for a single key."""

    def run(self) -> None:
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
            self._close()
            self.around.registry.leave(self)

    # --- the way through ---

    def _begin(self) -> Checkpoint | None:
        """Find out which call this is; the checkpoint of its former owner where it had one."""
        data = self.link.connect(CONNECT_SECONDS)
        try:
            UUID(self.link.uuid)
        except ValueError:
            log.error("a call whose name is no uuid is not taken", call=self.link.uuid[:80])
            self.link.close()
            raise CallGone from None
        self.switch, self.control = self.around.switches.of_core(data.get("Core-UUID"))
        checkpoint = None
        if data.get("variable_pointsman_recovering") == "true":
            checkpoint = recovery.find(self.around.redis, self.link.uuid)
        if checkpoint is None:
            self.call = self._call(data)
        else:
            self.call = self._take_over(checkpoint)
            if checkpoint.state == "offer" and data.get("variable_last_bridge_to") == checkpoint.offer_id:
                self.call.talk_found(recovery.bridged_at(data))
            self.call.show()
        # 5 to 8 KB that nobody asks for again.
        self.link.drop_data()
        return checkpoint

    def _call(self, data: Frame) -> Call:
        """The call that FreeSWITCH tells of, with its beginning written down."""
        country = self.around.country
        caller = numbers.normalise(data.get("Caller-Caller-ID-Number") or "", country)
        called = data.get("Caller-Destination-Number") or ""
        number = self.snapshot.plan.number(called)
        extension = numbers.normalise(called, country)
        direction: Direction = "inbound"
        if caller in self.snapshot.plan.extensions:
            direction = "internal" if number is not None or extension in self.snapshot.plan.extensions else "outbound"
        with suppress(ValueError):
            self._pretended = datetime.fromisoformat(data.get("variable_pointsman_at") or "")
        now = self.clock.now()
        checkpoint = Checkpoint(
            call_id=self.link.uuid,
            owner=self.around.process_id,
            started_at=now,
            since=now,
            direction=direction,
            from_number=caller,
            to_number=number.number if number is not None else extension,
            number_name=number.name if number is not None else "",
            caller_name=printable(data.get("Caller-Caller-ID-Name") or "")[:80],
            switch=self.switch,
        )
        call = Call(
            checkpoint,
            journal=self.around.journal,
            outbox=self.around.outbox,
            notices=self.around.notices,
            clock=self.clock,
        )
        call.began()
        return call

    def _take_over(self, checkpoint: Checkpoint) -> Call:
        """The call as its former owner left it, owned by this process from now on."""
        log.warning("call taken over", call=checkpoint.call_id, state=checkpoint.state, from_=checkpoint.owner)
        if checkpoint.owner != self.around.process_id:
            taken = TakenOver(at=self.clock.timestamp(), call_id=checkpoint.call_id, owner=self.around.process_id)
            inbox = keys.inbox(checkpoint.owner)
            self.around.outbox.put("RPUSH", inbox, encode(taken).decode())
            self.around.outbox.put("EXPIRE", inbox, 60)
        checkpoint.owner = self.around.process_id
        checkpoint.lost_at = None
        self._typed = checkpoint.typed + self._typed
        return Call(
            checkpoint,
            journal=self.around.journal,
            outbox=self.around.outbox,
            notices=self.around.notices,
            clock=self.clock,
        )

    def _listen(self) -> None:
        """Have what happens to the leg told."""
        link, mailbox = self.link, self.mailbox
        link.on(names.CHANNEL_BRIDGE, lambda event: mailbox.put(Bridged(event.get("Bridge-B-Unique-ID") or "")))
        link.on(names.CHANNEL_UNBRIDGE, lambda _: mailbox.put(Parted()))
        link.on(names.DTMF, self._pressed)
        link.on_gone(self._left)

    def _pressed(self, event: EslEvent) -> None:
        """A key that nobody asked for yet: whatever plays has swallowed it (switch_channel.c, switch_channel_dequeue_dtmf)."""
        key = (event.get("DTMF-Digit") or "")[:1]
        if self.gathering != "one" and len(self._typed) < MOST_TYPED:
            self.keep_typed(self._typed + key)
        elif self.reading is not None and key and key in KEYS:
            gevent.spawn_later(UNREAD_SECONDS, self._give_back, key, self.reading)

    def _give_back(self, key: str, reading: Execution) -> None:
        """A single key ends the `read` that gets it in that instant. One that is not over was not begun yet when the key was
        pressed, in the 20 to 40 ms after what played before it; it is given the key again."""
        if self.reading is reading and not reading.done:
            try:
                self.link.post_api(f"uuid_recv_dtmf {self.call.call_id} {key}")
            except EslError as error:
                log.info("key not given back", call=self.call.call_id, error=str(error))

    def take_typed(self) -> str:
        """The keys pressed ahead; they are forgotten with that."""
        typed = self._typed
        if typed:
            self.keep_typed("")
        return typed

    def keep_typed(self, keys: str) -> None:
        """These keys were pressed and are to be taken for pressed by whoever has the call."""
        self._typed = keys
        if self._begun:
            self.call.now.typed = keys
            self.call.show()

    def _left(self) -> None:
        self._gone.set()
        self.mailbox.put(Left())

    def _go(self) -> None:
        call = self.call
        destination = decide(self.snapshot.plan, call.now.to_number, call.now.from_number, self.now())
        if isinstance(destination, Refuse):
            call.now.result = "rejected"
            self.hang_up(destination.cause)
        self._find_customer()
        self.link.execute("multiset", _VARIABLES)
        self.link.execute("answer", lock=True).wait(ANSWER_SECONDS)
        call.answered()
        self._follow(flow_to(destination, self.snapshot.flows))

    def _go_on(self, checkpoint: Checkpoint) -> None:
        """From where the former owner left the call."""
        self._find_customer()
        if checkpoint.offer_id is not None and checkpoint.state == "offer":
            # Its phone still rings for a process that is no more; the router will offer the call again.
            Attempt(self.link, self.control, {checkpoint.offer_id: ""}, self.mailbox.put).cancel()
            self.call.offered_to(None, None)
        self.link.execute("multiset", _VARIABLES)
        flow = self._flow(checkpoint)
        at = None
        if checkpoint.node is not None:
            at = FlowCheckpoint(checkpoint.node, checkpoint.variables, checkpoint.step_entered_at)
        self._follow(flow, at)

    def _flow(self, checkpoint: Checkpoint) -> PublishedFlow:
        """The very version the call began with; where it cannot be had, the one that its number has now."""
        flow = self.snapshot.flows.get(checkpoint.flow or "")
        if flow is not None and flow.version == checkpoint.flow_version:
            return flow
        if checkpoint.flow and checkpoint.flow_version:
            earlier = self.around.configuration.flow(checkpoint.flow, checkpoint.flow_version)
            if earlier is not None:
                return earlier
        destination = decide(self.snapshot.plan, checkpoint.to_number, checkpoint.from_number, self.now())
        return flow_to(destination, self.snapshot.flows)

    def _follow(self, flow: PublishedFlow, at: FlowCheckpoint | None = None) -> None:
        self.phone = EslPhone(self, self.link, language=flow.flow.language, catalogue=self.around.catalogue)
        interpreter = Interpreter(
            self.around.catalogue,
            self.snapshot.plan.calendars,
            now=self.call.instant,
            flows=self._other_flow,
            speech=self.around.house.speech.file,
        )
        ending = interpreter.run(flow, self.phone, self, at)
        if self.call.now.result is None:
            self.call.now.result = ending.disposition
        if not ending.hung_up:
            self.hang_up()

    def _other_flow(self, name: str, version: int | None) -> PublishedFlow:
        """A flow that another one calls, as it was published when the call began, or in the version a checkpoint names."""
        flow = self.snapshot.flows.get(name)
        if flow is None or version not in (None, flow.version):
            flow = None if version is None else self.around.configuration.flow(name, version)
        if flow is None:
            raise FlowUnknown(f"flow {name!r} is not published")
        return flow

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

    def wait_in_queue(self, request: QueueRequest) -> QueueOutcome:
        self._waiting = Waiting(self, request)
        try:
            return self._waiting.run()
        finally:
            self._waiting = None

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call; always raises CallGone."""
        self._end_call(cause)
        raise CallGone(cause)

    def silence(self) -> None:
        """Stop what the caller hears now, and all that was to follow."""
        self.link.post_api(f"uuid_break {self.call.call_id} all")

    def keep_message(self, message: Message, silence: float = 0.0) -> bool:
        """Write a recorded message down if it is one; its last `silence` seconds do not make it one."""
        self.call.now.message = None
        seconds = self.around.media.seconds(message.path, most=(self.clock.now() - message.began).total_seconds())
        if seconds - silence < SHORTEST_MESSAGE_SECONDS:
            self.around.media.file(message.path).unlink(missing_ok=True)
            return False
        if message.box == STATEMENT:
            self.call.stated(message, seconds)
        else:
            self.call.left_message(message, seconds)
        return True

    def keep_recording(self) -> None:
        """Write the recording of a talk down, whose file is whole by now."""
        recording = self.call.now.recording
        if recording is not None:
            longest = (self.call.instant() - recording.began).total_seconds()
            seconds = self.around.media.seconds(recording.path, most=longest)
            self.call.recorded(seconds)
            if seconds <= 0 and longest > SHORTEST_TALK_SECONDS:
                log.error("recording missing", call=self.call.call_id, path=recording.path)
            elif seconds <= 0:
                # The talk was over before there was anything to keep.
                self.around.media.file(recording.path).unlink(missing_ok=True)

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
        self.around.outbox.put(
            "XADD", keys.ROUTER_EVENTS, "MAXLEN", "~", keys.ROUTER_EVENTS_KEPT, "*", "data", encode(event).decode()
        )

    def announce_again(self) -> None:
        """Redis may have forgotten; tell it where this call stands."""
        self.call.show()
        if self._waiting is not None:
            self._waiting.announce_again()

    # --- the end ---

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
        if not self.handed_over and not self.link.closed:
            self.handed_over = self._aside = True
            self._greenlet.kill(CallGone(), block=False)

    def _wait_aside(self) -> None:
        """Were the socket closed, FreeSWITCH would break off what the call does, also for its new owner
        (mod_event_socket.c:2819); so it stays open as long as the call, unless there is no other owner."""
        registry, call_id = self.around.registry, self.call.call_id
        newer = registry.find(call_id) is not self
        registry.leave(self)
        kept = recovery.find(self.around.redis, call_id)
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
        if self._aside:
            self._wait_aside()
        if self.handed_over:
            return
        self._gone.wait(GONE_SECONDS)
        ended_at = call.instant()
        if self.link.hangup_cause is None and not self._hung_up_by_us:
            # The notice that the channel is down may come before the hangup itself, whose event is on its way.
            self.link.wait_closed(LINGER_SECONDS + 3)
        if self.let_go:
            # FreeSWITCH died, or brings the call back at once, perhaps to this very process. The sweeper finds out.
            if self.around.registry.find(call.call_id) is self:
                now.lost_at = self.clock.now()
                call.show_lost()
            return
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
            self.keep_recording()
            call.forget()
