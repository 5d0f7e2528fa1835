"""A telephone of a few lines that says on the wire exactly what it is told to: any name, any refusal."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
import uuid

from conf.settings import Address
from dialplan.freeswitch import DeskPhone
from engine.bench.telephones import Registration
from tests.phone.rig import PATIENCE, RigError

SDP = (
    "v=0\r\no=wire 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)


class WirePhone:
    """Calls with `call`, or, registered, meets an INVITE with the status line `meets`. `heard` is every message that came."""

    def __init__(self, server: Address, *, meets: str = "486 Busy Here") -> None:
        self.server = server
        self.meets = meets
        self.heard: list[str] = []
        self._news = threading.Condition()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = Address("{}:{}".format(*self._socket.getsockname()))
        # What is said to it comes here, and is not heard.
        self._sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sound.bind(("127.0.0.1", 0))
        self._answer = ""
        threading.Thread(target=self._read, daemon=True).start()

    def register(self, phone: DeskPhone) -> None:
        Registration(phone, self.server, self.address).register()

    def call(self, number: str, caller: str) -> None:
        """Ring `number`; `caller` stands in From as it is, for example `"A name" <sip:+451@127.0.0.1>`. Comes back answered."""
        call_id = str(uuid.uuid4())
        self._dialog = (call_id, number, f"{caller};tag=t{call_id[:8]}")
        body = SDP.format(port=self._sound.getsockname()[1])
        self._send("INVITE", 1, f"<sip:{number}@{self.server}>", body)
        answer = self.wait(r"SIP/2\.0 [2-6]\d\d ")
        if not answer.startswith("SIP/2.0 200"):
            raise RigError(f"the call was met by {answer.splitlines()[0]}")
        found = re.search(r"^To:\s*(.*?)\r$", answer, re.MULTILINE | re.IGNORECASE)
        assert found
        self._answer = found[1]
        self._send("ACK", 1, self._answer)

    def hang_up(self) -> None:
        self._send("BYE", 2, self._answer)

    def wait(self, pattern: str, seconds: float = PATIENCE) -> str:
        """The first message so far, or to come, that begins like this."""
        end = time.monotonic() + seconds
        with self._news:
            while True:
                for message in self.heard:
                    if re.match(pattern, message):
                        return message
                left = end - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    raise RigError(f"no {pattern} within {seconds} s among {[m.splitlines()[0] for m in self.heard]}")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._sound.close()

    def _send(self, method: str, number: int, to: str, body: str = "") -> None:
        call_id, called, caller = self._dialog
        lines = [
            f"{method} sip:{called}@{self.server} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address};branch=z9hG4bK{uuid.uuid4().hex}",
            "Max-Forwards: 70",
            f"From: {caller}",
            f"To: {to}",
            f"Call-ID: {call_id}",
            f"CSeq: {number} {method}",
            f"Contact: <sip:wire@{self.address}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._socket.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), (self.server.host, self.server.port))

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = self._socket.recvfrom(65536)
                message = data.decode("utf-8", "replace")
                if message.startswith("INVITE "):
                    self._reply(message, "100 Trying", peer)
                    self._reply(message, self.meets, peer)
                elif not message.startswith(("SIP/2.0", "ACK ")):
                    self._reply(message, "200 OK", peer)
                with self._news:
                    self.heard.append(message)
                    self._news.notify_all()

    def _reply(self, request: str, status: str, peer: tuple[str, int]) -> None:
        kept = [line for line in request.split("\r\n") if re.match(r"(Via|From|To|Call-ID|CSeq):", line, re.IGNORECASE)]
        if not status.startswith("100"):
            kept = [
                f"{line};tag=wire" if line.lower().startswith("to:") and "tag=" not in line else line for line in kept
            ]
        lines = [f"SIP/2.0 {status}", *kept, f"Contact: <sip:wire@{self.address}>", "Content-Length: 0"]
        self._socket.sendto(("\r\n".join(lines) + "\r\n\r\n").encode(), peer)
