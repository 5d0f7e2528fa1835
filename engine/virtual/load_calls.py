"""The load generator's callers, its agents' phones, and the control link that rings them."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.virtual import load_frames as frames
from engine.virtual.load_peer import Peer

if TYPE_CHECKING:
    from engine.virtual.load import Load

LINGER_SECONDS: Final = 5.5
SILENCE: Final = (
    b"RIFF\x64\x03\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x40\x1f\x00\x00\x00\x7d\x00\x00\x04\x00\x10\x00data"
    + b"\x40\x03\x00\x00"
    + bytes(832)
)
"""A stereo recording of 26 ms, which stands for what FreeSWITCH would have written."""

_MUSIC: Final = b"local_stream://"
_OWNER: Final = b"filter variable_pointsman_owner "


class Caller(Peer):
    """A call: the socket that FreeSWITCH would have opened for it, and the person at its other end."""

    __slots__ = (
        "_answered",
        "_asked",
        "_asked_at",
        "_chatty",
        "_counted",
        "_ended",
        "_intended",
        "_key",
        "_leaving",
        "_load",
        "_music",
        "_started",
        "leg",
        "pressed_at",
        "queued_at",
        "rings",
        "uuid",
    )

    def __init__(
        self, load: Load, sock: socket.socket, uuid: bytes, number: bytes, key: bytes, intended: float
    ) -> None:
        super().__init__(load.poller, sock)
        self.uuid = uuid
        self.leg = frames.Leg(uuid, number, load.plan.number.encode())
        self.pressed_at = 0.0
        self.queued_at = 0.0
        """When the caller began to wait in a queue; 0 for one who does not."""
        self.rings: AgentLeg | None = None
        """The agent's phone that rings for this caller, or is talked to."""
        self._load = load
        self._key = key
        self._intended = intended
        self._asked_at = 0.0
        self._asked = "digit"
        self._music = b""
        self._chatty = False
        self._started = self._answered = self._counted = self._ended = self._leaving = False

    # --- what the controller says ---

    def command(self, head: bytes, body: bytes, answers: list[bytes]) -> None:
        if self._asked_at:
            self._load.timed(self._asked, time.monotonic() - self._asked_at)
            self._asked_at = 0.0
        if head.startswith(b"sendmsg"):
            self._message(head, body, answers)
        elif head.startswith(b"api "):
            self._api(head[4:], answers)
        elif head.startswith(b"connect"):
            if not self._started:
                self._started = True
                self._load.timed("start", time.monotonic() - self._intended)
                self._load.begun(self.uuid)
            answers.append(self.leg.connected())
        elif head.startswith(b"exit"):
            answers += (frames.BYE, self.leg.farewell())
            self.send(b"".join(answers))
            answers.clear()
            self._finish("" if self._ended else "left by the controller")
        elif head.startswith(b"bgapi "):
            line, _, job = head.partition(b"\nJob-UUID: ")
            answers.append(frames.job_taken(job or self.uuid))
            self._api(line[6:], [])
        else:
            # A controller that leaves `myevents` as it is gets all that an application brings.
            self._chatty = head.startswith(b"myevents") or (self._chatty and not head.startswith(b"nixevent"))
            answers.append(frames.OK)

    def _message(self, head: bytes, body: bytes, answers: list[bytes]) -> None:
        answers.append(frames.OK)
        said = dict(line.split(b": ", 1) for line in head.split(b"\n")[1:] if b": " in line)
        if said.get(b"call-command") == b"hangup":
            self._hangs_up(answers, said.get(b"hangup-cause", b"NORMAL_CLEARING"))
            return
        application = said.get(b"execute-app-name", b"")
        argument = body or said.get(b"execute-app-arg", b"")
        execution = said.get(b"Event-UUID", b"none")
        plan = self._load.plan
        if self._chatty:
            answers.append(self.leg.executed(application, execution, name=b"CHANNEL_EXECUTE"))
        if application == b"playback":
            if argument.startswith(_MUSIC):
                self._music = execution
                self._waits()
            else:
                self._load.after(plan.prompt_seconds, self._played, application, execution)
        elif application in (b"read", b"play_and_get_digits"):
            words = argument.split(b" ")
            variable = words[3] if application == b"read" else words[7]
            self._load.after(plan.press_seconds, self._press, application, execution, variable)
        elif application == b"bridge":
            self._ring(argument, execution)
        elif application == b"hangup":
            self._hangs_up(answers, argument or b"NORMAL_CLEARING")
        elif application == b"park":
            return
        else:
            if application == b"answer" and not self._answered:
                self._answered = True
                self._load.timed("answer", time.monotonic() - self._intended)
                if self._chatty:
                    answers.append(self.leg.event(b"CHANNEL_ANSWER"))
            answers.append(self.leg.executed(application, execution))

    def _api(self, line: bytes, answers: list[bytes]) -> None:
        if line.startswith(b"uuid_kill " + self.uuid):
            self._hangs_up(answers, b"NORMAL_CLEARING", frames.answer(b"+OK\n"))
            return
        if line.startswith(b"uuid_break "):
            if self._music:
                answers.append(self.leg.executed(b"playback", self._music, b"FILE%20PLAYED"))
                self._music = b""
            answers.append(frames.answer(b"+OK\n"))
        elif line.startswith(b"uuid_record "):
            _, _, what, path, *_ = [*line.split(b" "), b""]
            if what == b"start":
                Path(path.decode()).write_bytes(SILENCE)
            answers.append(frames.answer(b"+OK Success\n"))
        else:
            answers.append(frames.answer(b"+OK\n"))

    # --- what the caller does ---

    def _played(self, application: bytes, execution: bytes) -> None:
        if not self._ended:
            self.send(self.leg.executed(application, execution, b"FILE%20PLAYED"))

    def _press(self, application: bytes, execution: bytes, variable: bytes) -> None:
        if self._ended:
            return
        self.pressed_at = self._asked_at = time.monotonic()
        self._asked = "digit"
        digits = b"variable_%b: %b\n" % (variable, self._key)
        self.send(self.leg.digit(self._key) + self.leg.executed(application, execution, b"_none_", digits))

    def _waits(self) -> None:
        if not self.queued_at:
            self.queued_at = time.monotonic()
            self._load.waiting += 1

    def _ring(self, argument: bytes, execution: bytes) -> None:
        """`bridge`: the phone of an extension rings, and if it is answered the two talk."""
        load = self._load
        uuid = argument.partition(b"origination_uuid=")[2][:36] or execution
        extension = argument.rpartition(b"user/")[2].partition(b" ")[0].partition(b"@")[0]
        if self.rings is not None or not extension.isdigit():
            load.failed["rung for a call that rings or talks already, or nobody's extension"] += 1
            return
        owner = argument.partition(b"pointsman_owner=")[2].partition(b",")[0].partition(b"}")[0]
        self.rings = AgentLeg(load, self, uuid, extension, execution, owner)
        load.agent_rung(self.rings)
        load.after(load.plan.answer_seconds, self.rings.answer)

    def joined(self, agent: AgentLeg) -> None:
        """The agent has answered: the two talk."""
        if not self._ended:
            self._stop_waiting()
            self._asked_at = time.monotonic()
            self._asked = "answered"
            self.send(self.leg.bridged(agent.uuid))
            self._load.after(self._load.plan.talk_seconds, self._talk_over, agent)

    def _talk_over(self, agent: AgentLeg) -> None:
        if self._ended or agent.over:
            return
        self._load.served += 1
        self._counted = True
        if agent.number & 1:
            agent.gone()
            self.bridge_over(agent, agent.outcome(b"SUCCESS"))
        else:
            self.hang_up()

    def bridge_over(self, agent: AgentLeg, completion: bytes) -> None:
        """The agent is gone, from a talk or from ringing, and the caller stays."""
        if not self._ended and self.rings is agent:
            self.rings = None
            parted = self.leg.bridged(agent.uuid, b"CHANNEL_UNBRIDGE") if agent.answered else b""
            self.send(parted + completion)

    def hang_up(self) -> None:
        """The caller puts the receiver down."""
        if not self._ended:
            self.send(self._end(b"NORMAL_CLEARING", b""))

    def _end(self, cause: bytes, answer: bytes) -> bytes:
        """The caller's leg ends, and with it the agent's. `answer` is to the command that did it."""
        self._ended = True
        agent, self.rings = self.rings, None
        parted = b""
        if agent is not None:
            agent.gone()
            if agent.answered:
                parted = self.leg.bridged(agent.uuid, b"CHANNEL_UNBRIDGE")
        self._note_end()
        self._load.after(LINGER_SECONDS, self._linger_over)
        leg = self.leg
        return b"".join((leg.hung_up(cause), answer, parted, leg.completely(cause), leg.lingering()))

    def lose_patience(self) -> None:
        if not self._ended and not self.closed and not self._counted and not self._load.holding:
            self._load.failed["not served within the caller's patience"] += 1
            self._counted = True
            self.hang_up()

    # --- the end ---

    def _hangs_up(self, answers: list[bytes], cause: bytes, answer: bytes = b"") -> None:
        """The controller ends the call."""
        answers.append(answer if self._ended else self._end(cause, answer))

    def _note_end(self) -> None:
        self._stop_waiting()
        self._load.ended(self.uuid)
        if not self._counted and not self._load.holding:
            self._load.failed["hung up before a talk"] += 1

    def _stop_waiting(self) -> None:
        if self.queued_at:
            self.queued_at = 0.0
            self._load.waiting -= 1

    def _linger_over(self) -> None:
        if not self.closed:
            self.send(self.leg.farewell())
            self._finish("")

    def lost(self) -> None:
        self._finish("" if self._ended else "the controller closed the socket")

    def _finish(self, fault: str) -> None:
        if self._leaving:
            return
        self._leaving = True
        self.close()
        self._stop_waiting()
        self.leg = frames.NOBODY  # 6 KB, while a timer may still hold the caller for a minute
        if fault and not self._counted:
            self._load.failed[fault] += 1
        if self.rings is not None:
            self.rings.gone()
            self.rings = None
        self._load.callers.pop(self.uuid, None)


class AgentLeg:
    """An agent's phone that is rung for `caller` by its `bridge`, `execution`. `number` is the extension as a number; `owner`
    marks the control link that is told of the leg."""

    __slots__ = ("_execution", "_load", "_owner", "answered", "caller", "extension", "number", "over", "uuid")

    def __init__(
        self, load: Load, caller: Caller, uuid: bytes, extension: bytes, execution: bytes, owner: bytes
    ) -> None:
        self._load = load
        self.caller = caller
        self.uuid = uuid
        self.extension = extension
        self.number = int(extension)
        self._execution = execution
        self._owner = owner
        self.answered = False
        self.over = False

    def answer(self) -> None:
        if not self.over:
            self.answered = True
            self.caller.joined(self)

    def gone(self) -> None:
        """The leg ends, whoever ended it."""
        if not self.over:
            self.over = True
            self._load.agent_free(self)
            for control in self._load.controls:
                if self._owner and control.owner == self._owner:
                    control.send(frames.Leg(self.uuid, self.extension, self.extension).hung_up())

    def killed(self) -> None:
        """The controller ends the leg, while it rings or talks."""
        if not self.over:
            self.gone()
            self.caller.bridge_over(self, self.outcome(b"SUCCESS" if self.answered else b"ORIGINATOR_CANCEL"))

    def outcome(self, disposition: bytes) -> bytes:
        """The end of the caller's `bridge`."""
        told = b"variable_originate_disposition: %b\n" % disposition
        return self.caller.leg.executed(b"bridge", self._execution, b"_none_", told)


class ControlPeer(Peer):
    """An engine's inbound link: it is answered, and its commands about calls and legs are carried out."""

    __slots__ = ("_load", "owner")

    def __init__(self, load: Load, sock: socket.socket) -> None:
        super().__init__(load.poller, sock)
        self._load = load
        self.owner = b""
        """What the legs bear whose end this link is told of."""
        self.send(frames.ASK_PASSWORD)

    def command(self, head: bytes, _body: bytes, answers: list[bytes]) -> None:
        if head.startswith(b"bgapi "):
            line, _, job = head[6:].partition(b"\nJob-UUID: ")
            name = line.partition(b" ")[0]
            said = self._channels() if name == b"show" else self._api(line)
            answers += (frames.job_taken(job), frames.job_done(job, name, said))
        elif head.startswith(b"api "):
            answers.append(frames.answer(self._api(head[4:])))
        elif head.startswith(b"auth "):
            said = b"+OK accepted" if head[5:] == self._load.password else b"-ERR invalid"
            answers.append(b"Content-Type: command/reply\nReply-Text: %b\n\n" % said)
        elif head.startswith(b"exit"):
            answers.append(frames.BYE)
        else:
            if head.startswith(_OWNER):
                self.owner = head[len(_OWNER) :]
            answers.append(frames.OK)

    def _api(self, line: bytes) -> bytes:
        name, _, argument = line.partition(b" ")
        if name == b"global_getvar":
            return frames.CORE
        if name == b"originate":
            return b"-ERR CHAN_NOT_IMPLEMENTED\n"
        if name == b"uuid_kill":
            return self._kill(argument.partition(b" ")[0])
        return b"+OK\n"

    def _kill(self, uuid: bytes) -> bytes:
        # Later in the same turn: FreeSWITCH ends a leg in another thread than the one that answers.
        if agent := self._load.legs.get(uuid):
            self._load.after(0, agent.killed)
        elif caller := self._load.callers.get(uuid):
            self._load.after(0, caller.hang_up)
        else:
            return b"-ERR No such channel!\n"
        return b"+OK\n"

    def _channels(self) -> bytes:
        uuids = [*self._load.callers, *self._load.legs]
        return b'{"row_count":%d,"rows":[%b]}' % (len(uuids), b",".join(map(frames.row, uuids)))

    def lost(self) -> None:
        self._load.controls.remove(self)
