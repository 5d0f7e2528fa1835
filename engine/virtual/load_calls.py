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


class Caller(Peer):
    """A call: the socket that FreeSWITCH would have opened for it, and the person at its other end."""

    __slots__ = (
        "_answered",
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
        "talks_with",
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
        self.talks_with: AgentLeg | None = None
        self._load = load
        self._key = key
        self._intended = intended
        self._asked_at = 0.0
        self._music = b""
        self._chatty = False
        self._started = self._answered = self._counted = self._ended = self._leaving = False

    # --- what the controller says ---

    def command(self, head: bytes, body: bytes, answers: list[bytes]) -> None:
        if self._asked_at:
            self._load.timed("digit", time.monotonic() - self._asked_at)
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
            self._load.after(plan.answer_seconds, self._bridge, execution)
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
        digits = b"variable_%b: %b\n" % (variable, self._key)
        self.send(self.leg.digit(self._key) + self.leg.executed(application, execution, b"_none_", digits))

    def _waits(self) -> None:
        if not self.queued_at:
            self.queued_at = time.monotonic()
            self._load.waiting += 1

    def _bridge(self, execution: bytes) -> None:
        """The `bridge` application of a bare handler: somebody answers, talks and hangs up."""
        if not self._ended:
            self.send(self.leg.bridged(self.uuid))
            self._load.after(self._load.plan.talk_seconds, self._bridge_over, execution)

    def _bridge_over(self, execution: bytes) -> None:
        if not self._ended:
            self._load.served += 1
            self._counted = True
            self.send(self.leg.bridged(self.uuid, b"CHANNEL_UNBRIDGE") + self.leg.executed(b"bridge", execution))

    def joined(self, agent: AgentLeg) -> None:
        """The controller bridged this call with an agent's leg that has answered."""
        load = self._load
        self.talks_with = agent
        self._stop_waiting()
        music = self.leg.executed(b"playback", self._music, b"PLAYBACK%20ERROR") if self._music else b""
        self._music = b""
        self.send(music + self.leg.bridged(agent.leg.uuid))
        load.after(load.plan.talk_seconds, self._talk_over, agent)

    def _talk_over(self, agent: AgentLeg) -> None:
        if self._ended or self.talks_with is not agent:
            return
        self._load.served += 1
        self._counted = True
        if agent.number & 1:
            agent.gone()
            self.talks_with = None
            self.send(self.leg.bridged(agent.leg.uuid, b"CHANNEL_UNBRIDGE"))
        else:
            self.hang_up()

    def hang_up(self) -> None:
        """The caller puts the receiver down."""
        if not self._ended:
            self._ended = True
            self._note_end()
            agent, self.talks_with = self.talks_with, None
            data = self.leg.hung_up()
            if agent is not None:
                data += self.leg.bridged(agent.leg.uuid, b"CHANNEL_UNBRIDGE")
                agent.gone()
            self.send(data + self.leg.completely() + self.leg.lingering())
            self._load.after(LINGER_SECONDS, self._linger_over)

    def lose_patience(self) -> None:
        if not self._ended and not self.closed and not self._counted and not self._load.holding:
            self._load.failed["not served within the caller's patience"] += 1
            self._counted = True
            self.hang_up()

    # --- the end ---

    def _hangs_up(self, answers: list[bytes], cause: bytes, answer: bytes = b"") -> None:
        """The controller ends the call."""
        if self._ended:
            answers.append(answer)
            return
        self._ended = True
        self._note_end()
        if self.talks_with is not None:
            self.talks_with.gone()
            self.talks_with = None
        answers += (self.leg.hung_up(cause), answer, self.leg.completely(cause), self.leg.lingering())
        self._load.after(LINGER_SECONDS, self._linger_over)

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
        if self.talks_with is not None:
            self.talks_with.gone()
            self.talks_with = None
        self._load.callers.pop(self.uuid, None)


class AgentLeg:
    """The leg to an agent's phone. `number` is the extension as a number."""

    __slots__ = ("_control", "_load", "answered_at", "extension", "job", "leg", "number", "over")

    def __init__(self, load: Load, control: ControlPeer, uuid: bytes, extension: bytes, job: bytes) -> None:
        self._load = load
        self._control = control
        self.leg = frames.Leg(uuid, b"+4500000000", extension)
        self.extension = extension
        self.number = int(extension)
        self.job = job
        self.answered_at = 0.0
        self.over = False

    def answer(self) -> None:
        if not self.over:
            self.answered_at = time.monotonic()
            done = frames.job_done(self.job, b"originate", b"+OK %b\n" % self.leg.uuid)
            self._control.send(self.leg.event(b"CHANNEL_ANSWER") + done)

    def gone(self) -> None:
        """The leg ends, whoever ended it."""
        if self.over:
            return
        self.over = True
        self._load.agents[self.extension] = time.monotonic()
        self._control.legs.pop(self.leg.uuid, None)
        end = self.leg.hung_up() + self.leg.completely() + self.leg.event(b"CHANNEL_DESTROY")
        if not self.answered_at:
            end += frames.job_done(self.job, b"originate", b"-ERR ORIGINATOR_CANCEL\n")
        self._control.send(end)


class ControlPeer(Peer):
    """An engine's inbound link. It gets the events of the legs that it had originated."""

    __slots__ = ("_load", "legs")

    def __init__(self, load: Load, sock: socket.socket) -> None:
        super().__init__(load.poller, sock)
        self._load = load
        self.legs: dict[bytes, AgentLeg] = {}
        self.send(frames.ASK_PASSWORD)

    def command(self, head: bytes, _body: bytes, answers: list[bytes]) -> None:
        if head.startswith(b"bgapi "):
            line, _, job = head[6:].partition(b"\nJob-UUID: ")
            answers.append(frames.job_taken(job))
            self._background(line, job, answers)
        elif head.startswith(b"api "):
            answers.append(frames.answer(self._api(head[4:])))
        elif head.startswith(b"auth "):
            right = head[5:] == self._load.password
            answers.append(
                b"Content-Type: command/reply\nReply-Text: %b\n\n" % (b"+OK accepted" if right else b"-ERR invalid")
            )
        elif head.startswith(b"exit"):
            answers.append(frames.BYE)
        else:
            answers.append(frames.OK)

    def _api(self, line: bytes) -> bytes:
        name, _, argument = line.partition(b" ")
        if name == b"uuid_bridge":
            first, _, second = argument.partition(b" ")
            caller, agent = self._load.callers.get(first), self.legs.get(second)
            if caller is None or agent is None or not agent.answered_at:
                return b"-ERR Invalid uuid\n"
            self._note_bridge(caller, agent)
            # Later in the same turn, as FreeSWITCH bridges in another thread than the one that answers.
            self._load.after(0, caller.joined, agent)
            return b"+OK %b\n" % second
        if name == b"global_getvar":
            return frames.CORE
        if name == b"uuid_kill":
            return self._kill(argument)
        return b"+OK\n"

    def _note_bridge(self, caller: Caller, agent: AgentLeg) -> None:
        load, now = self._load, time.monotonic()
        load.timed("bridge", now - agent.answered_at)
        free = load.free_before.pop(agent.extension, 0.0)
        if caller.queued_at < free:
            load.timed("free", now - free - load.plan.answer_seconds)
        else:
            load.timed("through", now - caller.pressed_at - load.plan.answer_seconds)

    def _kill(self, argument: bytes) -> bytes:
        uuid = argument.partition(b" ")[0]
        agent = self.legs.get(uuid)
        if agent is not None:
            self._load.after(0, agent.gone)
            return b"+OK\n"
        caller = self._load.callers.get(uuid)
        if caller is not None:
            self._load.after(0, caller.hang_up)
            return b"+OK\n"
        return b"-ERR No such channel!\n"

    def _background(self, line: bytes, job: bytes, answers: list[bytes]) -> None:
        name, _, argument = line.partition(b" ")
        if name == b"originate":
            self._originate(argument, job, answers)
        elif name == b"show":
            rows = [caller.leg.row() for caller in self._load.callers.values()]
            for control in self._load.controls:
                rows += [agent.leg.row() for agent in control.legs.values()]
            table = b'{"row_count":%d,"rows":[%b]}' % (len(rows), b",".join(rows))
            answers.append(frames.job_done(job, name, table))
        else:
            answers.append(frames.job_done(job, name, self._api(line)))

    def _originate(self, argument: bytes, job: bytes, answers: list[bytes]) -> None:
        load = self._load
        uuid = argument.partition(b"origination_uuid=")[2][:36]
        extension = argument.partition(b"}user/")[2].partition(b" ")[0]
        if not uuid or not extension.isdigit():
            answers.append(frames.job_done(job, b"originate", b"-ERR UNALLOCATED_NUMBER\n"))
            return
        free = load.agents.get(extension, -1.0)
        if free == 0.0:
            load.rung_twice += 1
        load.free_before[extension] = max(0.0, free)
        load.agents[extension] = 0.0
        agent = self.legs[uuid] = AgentLeg(load, self, uuid, extension, job)
        answers.append(agent.leg.event(b"CHANNEL_PROGRESS"))
        load.after(load.plan.answer_seconds, agent.answer)

    def lost(self) -> None:
        self._load.controls.remove(self)
        for agent in list(self.legs.values()):
            agent.gone()
