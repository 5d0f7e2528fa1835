"""One SIP telephone in a process of its own, told what to do by JSON lines on its standard input.

The first line of its standard input is a JSON object: `user`, `password` (empty: it never registers), `server` (HOST:PORT),
`folder` (for what it hears), `hertz` and `loudness` of the tone it speaks with, or `speech`, an 8 kHz mono WAV it says over
and over instead. Orders are objects with `order`, `id` and `with` (the arguments); each is answered by an object with the
same `id` and `fault` (null where it went well). What happens to the phone comes as objects with `event`.
"""

from __future__ import annotations

import array
import asyncio
import json
import math
import sys
import time
import wave
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from baresip import Account, BaresipError, Call, CallState, Config, Event, Runtime, StackEvent, UserAgent
from baresip.errors import AudioNotActive, AudioRestarted

RATE = 8000
FRAME = 0.02
AHEAD = RATE
"""How many bytes of speech lie ready, half a second: for so long this process may get no turn and is still heard."""


class Handset:
    def __init__(self, wanted: dict[str, Any]) -> None:
        self.server: str = wanted["server"]
        self.folder = Path(wanted["folder"])
        self.account = Account(
            user=wanted["user"],
            domain=self.server,
            password=wanted["password"],
            reg_interval=60 if wanted["password"] else 0,
            audio_codecs=("pcmu", "pcma"),
            dtmf_mode="rtpevent",
        )
        self.voice = _speech(wanted["speech"]) if wanted.get("speech") else _tone(wanted["hertz"], wanted["loudness"])
        self.runtime = Runtime()
        self.agent: UserAgent
        self.call: Call | None = None
        self.calls = 0
        self.picks_up = False
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        await self.runtime.start(
            Config(
                net_interface="127.0.0.1",
                max_concurrent_calls=2,
                extra_config_text="sip_listen 127.0.0.1:0\nrtp_ports 20000-39999\n",
            )
        )
        self.agent = await UserAgent.create(self.runtime, self.account)
        self.agent.on_incoming(self._incoming)
        tell(event="ready")
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            fault = None
            try:
                await getattr(self, f"do_{order['order']}")(*order.get("with", []))
            except (BaresipError, ValueError) as error:
                fault = f"{type(error).__name__}: {error}"
            tell(id=order["id"], fault=fault)
            if order["order"] == "quit":
                break

    async def do_register(self) -> None:
        await self.agent.register(timeout=30)

    async def do_unregister(self) -> None:
        await self.agent.unregister(timeout=30)

    async def do_call(self, number: str, headers: dict[str, str]) -> None:
        self._taken(await self.agent.dial(f"sip:{number}@{self.server}", headers or None))

    async def do_answer(self) -> None:
        await self._current().answer()

    async def do_answer_next(self) -> None:
        self.picks_up = True

    async def do_reject(self) -> None:
        await self._current().reject()

    async def do_press(self, digits: str) -> None:
        await self._current().send_dtmf(digits)

    async def do_hang_up(self) -> None:
        await self._current().hangup()

    async def do_quit(self) -> None:
        if self.call is not None and self.call.state is not CallState.CLOSED:
            await self.call.hangup()
        await self.runtime.close()

    def _current(self) -> Call:
        if self.call is None:
            raise ValueError("there is no call")
        return self.call

    def _incoming(self, call: Call) -> None:
        self._taken(call)
        tell(event="incoming", peer=call.peer)
        if self.picks_up:
            self.picks_up = False
            self._do(call.answer())

    def _taken(self, call: Call) -> None:
        self.call = call
        self.calls += 1
        tell(event="begun", call=self.calls)
        call.on(self._happened)
        self._do(self._talk(call, self.calls))

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _happened(self, event: StackEvent) -> None:
        names = {
            Event.CALL_RINGING: "ringing",
            Event.CALL_PROGRESS: "progress",
            Event.CALL_ESTABLISHED: "established",
            Event.CALL_DTMF_START: "pressed",
        }
        if event.event in names:
            tell(event=names[event.event], text=event.text)

    async def _talk(self, call: Call, number: int) -> None:
        """Speak, and write down what is heard, until the call is over; only then tell that it closed."""
        path = self.folder / f"heard-{number}.wav"
        said = tenths = 0
        reason: list[str] = []
        call.on(lambda event: reason.append(event.text or "") if event.event is Event.CALL_CLOSED else None)
        with path.open("wb") as file, wave.open(file, "wb") as heard:
            heard.setnchannels(1)
            heard.setsampwidth(2)
            heard.setframerate(RATE)
            while call.state is not CallState.CLOSED:
                try:
                    state = call.audio.info()
                    if state.rx_ready:
                        heard.writeframes(call.audio.read(RATE))
                        if heard.tell() >= (tenths + 1) * RATE // 10:
                            tenths = heard.tell() * 10 // RATE
                            # Also whoever reads the file while it grows finds so much in it.
                            file.flush()
                            tell(event="heard", call=number, seconds=tenths / 10, file=str(path))
                    if state.tx_ready and state.tx_buffered < AHEAD:
                        said += call.audio.write(self._words(said, RATE // 10))
                except (AudioNotActive, AudioRestarted):
                    pass
                await asyncio.sleep(FRAME)
        tell(event="closed", text=reason[0] if reason else "", heard=str(path))

    def _words(self, start: int, length: int) -> bytes:
        start %= len(self.voice)
        piece = self.voice[start : start + length]
        return piece or self.voice[:length]


def _tone(hertz: float, loudness: float) -> bytes:
    """Ten seconds of a sine, so that whole periods meet where it starts over."""
    wave_form = (int(32767 * loudness * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(10 * RATE))
    return array.array("h", wave_form).tobytes()


def _speech(path: str) -> bytes:
    with wave.open(path, "rb") as file:
        return file.readframes(file.getnframes())


def tell(**what: Any) -> None:
    sys.stdout.write(json.dumps({**what, "at": time.time()}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if wanted := sys.stdin.readline():
        asyncio.run(Handset(json.loads(wanted)).run())
