"""Two legs that talk: the `bridge` application, `uuid_bridge`, and what becomes of each leg afterwards."""

from __future__ import annotations

from engine.virtual import names
from engine.virtual.applications import application
from engine.virtual.channel import Channel
from engine.virtual.encode import line
from engine.virtual.errors import OriginateFailed
from engine.virtual.originate import Origination
from engine.virtual.session import Detour, Join, Originate, Park, Session


class Bridge:
    """One talk between `first`, which runs it and is told of in the events, and `second`."""

    def __init__(self, first: Channel, second: Channel) -> None:
        self.first = first
        self.second = second
        self.joined = False
        self.over = False

    # --- the first leg -----------------------------------------------------------------------------------------------

    def run_first(self) -> None:
        """After `uuid_bridge`: bridge as soon as the other leg has left what it did, then go where the variables say."""
        session = _session(self.first)
        while session.ready() and self.second.up and not self.joined:
            session.idle()
        if not session.ready():
            self._part(session)
        elif not self.second.up:
            self.first.hangup("DESTINATION_OUT_OF_ORDER")
        else:
            for one, other in ((self.first, self.second), (self.second, self.first)):
                one.fire(
                    "CHANNEL_EXECUTE", after=line("Application", "uuid_bridge") + line("Application-Data", other.uuid)
                )
            self.talk(session)
            afterwards(session, self.second)

    def talk(self, session: Session) -> None:
        """The talk itself, in the first leg's greenlet: from BRIDGE to UNBRIDGE."""
        first, second = self.first, self.second
        if second.answered and not first.answered:
            first.answer()
        self._bond()
        ids = line("Bridge-A-Unique-ID", first.uuid) + line("Bridge-B-Unique-ID", second.uuid)
        first.fire("CHANNEL_BRIDGE", before=ids)
        first.ear.bridged(second)
        second.ear.bridged(first)
        self._exchange(session, second)
        self.over = True
        first.partner = second.partner = None
        for one, other in ((first, second), (second, first)):
            if other.hangup_cause:
                one.set_all({"bridge_hangup_cause": other.hangup_cause, "last_bridge_hangup_cause": other.hangup_cause})
        second.set("call_uuid", second.uuid)
        first.set("last_bridge_to", second.uuid)
        first.fire("CHANNEL_UNBRIDGE", before=ids)
        first.ear.unbridged(second)
        second.ear.unbridged(first)
        _session(second).notify()

    def _bond(self) -> None:
        first, second = self.first, self.second
        first.partner, second.partner = second, first
        for one, other in ((first, second), (second, first)):
            one.set_all({"signal_bond": other.uuid, "bridge_uuid": other.uuid, "bridge_channel": other.name})
            one.times.bridged = one.switch.micros()
            one.touch()
        second.set("call_uuid", first.uuid)
        first.remember(second, "originatee")
        second.remember(first, "originator")

    def _exchange(self, session: Session, other: Channel) -> None:
        """One side's share of the talk: does what is sent, takes digits, until either side goes."""
        while session.ready() and other.up and not self.over and (other.session is None or other.session.ready()):
            session.parse_messages()
            while session.channel.next_digit() is not None:
                pass
            if session.ready() and other.up and not self.over and not session.has_work:
                session.idle()
        if other.session is not None:
            other.session.notify()

    def _part(self, session: Session) -> None:
        self.over = True
        if session is not self.second.session and self.second.session is not None:
            self.second.session.notify()

    # --- the second leg ----------------------------------------------------------------------------------------------

    def run_second(self, session: Session) -> None:
        """The other side: talks until the bridge is over, then ends unless its variables say otherwise
        (switch_ivr_bridge.c: audio_bridge_on_exchange_media)."""
        channel = self.second
        channel.enter(names.CS_EXCHANGE_MEDIA)
        self.joined = True
        _session(self.first).notify()
        while session.ready() and not self.over and self.first.up:
            session.parse_messages()
            while channel.next_digit() is not None:
                pass
            if session.ready() and not self.over and self.first.up and not session.has_work:
                session.idle()
        _session(self.first).notify()
        while self.first.partner is channel and session.channel.up:
            session.idle()
        if not session.ready():
            return
        if channel.says_yes("park_after_bridge"):
            session.divert(Park())
        elif (extension := channel.get("transfer_after_bridge")) is not None:
            session.switch.transfer(channel, extension.split(":")[0])
        else:
            channel.hangup("NORMAL_CLEARING" if channel.answered else "ORIGINATOR_CANCEL")


def afterwards(session: Session, other: Channel) -> None:
    """Where the first leg goes when the talk is over and it is still there (switch_ivr_multi_threaded_bridge)."""
    channel = session.channel
    if not session.ready() or not other.answered:
        return
    if channel.says_yes("park_after_bridge"):
        session.divert(Park())
    elif (extension := channel.get("transfer_after_bridge")) is not None:
        session.switch.transfer(channel, extension.split(":")[0])
    elif channel.says_yes("hangup_after_bridge"):
        channel.hangup(other.hangup_cause or "NORMAL_CLEARING")


def bridge_legs(first: Channel, second: Channel) -> bool:
    """`uuid_bridge`: both leave what they do and talk. False where neither has audio or one has gone."""
    if not first.up or not second.up or first is second:
        return False
    if not (first.answered or first.early):
        if not (second.answered or second.early):
            return False
        first, second = second, first
    bridge = Bridge(first, second)
    for channel, detour in ((first, Originate(bridge)), (second, Join(bridge))):
        _send(channel, detour)
    return True


def _send(channel: Channel, detour: Detour) -> None:
    """Have a channel leave what it does, if anything, for this."""
    if channel.session is None or not channel.session.running:
        Session(channel, start=detour).start()
    else:
        channel.session.divert(detour)


def _session(channel: Channel) -> Session:
    if channel.session is None:
        channel.session = Session(channel)
    return channel.session


@application("bridge")
def bridge(session: Session, argument: str) -> None:
    """Ring one or several phones and talk with the first that answers. A failure ends the call with its cause unless
    `continue_on_fail` or `hangup_after_bridge` say otherwise (ESL.md, seen on the wire, 9)."""
    channel = session.channel
    origination = Origination(session.switch, argument, caller=channel)
    origination.ringback = channel.get("transfer_ringback" if channel.answered else "ringback")
    try:
        other = origination.run(session)
    except OriginateFailed as failed:
        channel.set_all({"originate_disposition": failed.cause, "DIALSTATUS": failed.cause})
        channel.set("originate_failed_cause", failed.cause)
        if session.ready() and not _goes_on(channel, failed.cause):
            channel.hangup(failed.cause)
        return
    channel.set_all({"originate_disposition": "SUCCESS", "DIALSTATUS": "SUCCESS"})
    talk = Bridge(channel, other)
    _send(other, Join(talk))
    while session.channel.up and other.up and not talk.joined:
        session.idle()
    if talk.joined and other.up and session.ready():
        before = channel.get("bridge_pre_execute_aleg_app")
        if before is not None:  # switch_ivr_bridge.c:1769
            session.execute(before, channel.get("bridge_pre_execute_aleg_data") or "")
        talk.talk(session)
    talk.over = True
    _session(other).notify()
    afterwards(session, other)


def _goes_on(channel: Channel, cause: str) -> bool:
    """Whether a failed bridge leaves the caller in the dialplan (chan: switch_channel_handle_cause)."""
    chosen = channel.get("continue_on_fail")
    if chosen is None:
        return cause in {"NO_ANSWER", "NO_USER_RESPONSE", "ORIGINATOR_CANCEL"}
    return names.true(chosen) or cause in {each.strip().upper() for each in chosen.split(",")}
