"""SIP telephones for load: callers that ring, listen, press one key as RFC 2833 has it and wait, and agents who answer.

The callers and the agents are two processes of sipp, which costs the machine little beside the switch. An agent's phone is
registered here, in a few lines of SIP with a password (RFC 3261, 22), and answered by the one sipp for all of them.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import struct
import subprocess
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from conf.children import Child, ChildSpec
from conf.errors import PointsmanError
from conf.settings import Address
from dialplan.freeswitch import DOMAIN, DeskPhone
from engine.bench.site import caller

SCENARIOS: Final = Path(__file__).parent
REGISTER_SECONDS: Final = 5.0
PAYLOAD_TYPE: Final = 101
"""What telephone events are called in the callers' SDP and in their packets."""

PACKET_MS: Final = 20
PRESSED_MS: Final = 60
ENDS: Final = 3
"""How often the end of a key is said (RFC 4733, 2.5.1.4), for one may get lost."""

_DIGITS: Final = "0123456789*#ABCD"


class TelephonesBroken(PointsmanError):
    """The telephones cannot be had; the message says why."""


def sipp() -> str:
    """The program. TelephonesBroken where it is not installed."""
    found = shutil.which("sipp")
    if found is None:
        raise TelephonesBroken("no sipp here; install it (Debian: sip-tester) to measure with telephones")
    return found


def write_key(path: Path, digit: str) -> Path:
    """A capture file, as sipp plays it, of the RTP packets with which a telephone tells of a pressed key."""
    samples = PACKET_MS * 8
    steps = PRESSED_MS // PACKET_MS
    packets = [(number, (number + 1) * samples, False) for number in range(steps)]
    packets += [(steps + number, steps * samples, True) for number in range(ENDS)]
    with path.open("wb") as file:
        # libpcap's file header: version 2.4, whole packets, Ethernet.
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, duration, ended in packets:
            marker = 0x80 if number == 0 else 0
            rtp = struct.pack("!BBHII", 0x80, marker | PAYLOAD_TYPE, number + 1, samples, 0x504F494E)
            event = struct.pack("!BBH", _DIGITS.index(digit), (0x80 if ended else 0) | 10, duration)
            frame = _udp(rtp + event)
            micros = min(number, steps) * PACKET_MS * 1000
            file.write(struct.pack("<IIII", 0, micros, len(frame), len(frame)) + frame)
    return path


def _udp(payload: bytes) -> bytes:
    """In Ethernet, IP and UDP; sipp puts its own addresses in."""
    ethernet = b"\0" * 12 + b"\x08\x00"
    local = socket.inet_aton("127.0.0.1")
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, local, local)
    return ethernet + ip + struct.pack("!HHHH", 4000, 4000, 8 + len(payload), 0) + payload


@dataclass(frozen=True, slots=True)
class Registration:
    """One phone signed in at `server` so that its calls reach `contact`."""

    phone: DeskPhone
    server: Address
    contact: Address

    def register(self) -> None:
        """TelephonesBroken where the switch does not take it."""
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as wire:
            wire.bind(("127.0.0.1", 0))
            wire.settimeout(REGISTER_SECONDS)
            wire.connect((self.server.host, self.server.port))
            call_id = str(uuid.uuid4())
            answer = self._ask(wire, call_id, 1, "")
            challenge = dict(
                re.findall(r'(\w+)="([^"]*)"', answer.partition("WWW-Authenticate:")[2].partition("\r\n")[0])
            )
            answer = self._ask(wire, call_id, 2, self._proof(challenge))
            if not answer.startswith("SIP/2.0 200"):
                raise TelephonesBroken(f"phone {self.phone.extension} is not taken: {answer.partition(chr(13))[0]}")

    def _ask(self, wire: socket.socket, call_id: str, number: int, proof: str) -> str:
        here = "{}:{}".format(*wire.getsockname())
        name = f"<sip:{self.phone.extension}@{self.server}>"
        lines = [
            f"REGISTER sip:{self.server} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{uuid.uuid4().hex};rport",
            "Max-Forwards: 70",
            f"From: {name};tag={call_id[:8]}",
            f"To: {name}",
            f"Call-ID: {call_id}",
            f"CSeq: {number} REGISTER",
            f"Contact: <sip:{self.phone.extension}@{self.contact}>",
            "Expires: 3600",
            *([proof] if proof else []),
            "Content-Length: 0",
        ]
        wire.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        try:
            while (answer := wire.recv(65536).decode()).startswith("SIP/2.0 1"):
                pass
        except OSError as error:
            raise TelephonesBroken(f"nobody takes registrations on {self.server}: {error}") from error
        return answer

    def _proof(self, challenge: dict[str, str]) -> str:
        nonce = challenge.get("nonce", "")
        uri, client = f"sip:{self.server}", uuid.uuid4().hex
        second = _md5(f"REGISTER:{uri}")
        response = _md5(f"{self.phone.digest}:{nonce}:00000001:{client}:auth:{second}")
        return (
            f'Authorization: Digest username="{self.phone.extension}", realm="{DOMAIN}", nonce="{nonce}", uri="{uri}", '
            f'response="{response}", algorithm=MD5, cnonce="{client}", qop=auth, nc=00000001'
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Agents:
    """The phones of `phones`, signed in at the switch: each is answered at once and hung up after a time evenly
    spread between half of `talk_ms` and half as much again, so that agents do not fall into step. For a `with`."""

    def __init__(
        self, folder: Path, server: Address, phones: Sequence[DeskPhone], *, sip: int, media: int, talk_ms: int
    ) -> None:
        self._contact = Address(f"127.0.0.1:{sip}")
        scenario = (SCENARIOS / "agent.xml").read_text()
        scenario = scenario.replace("LEAST", str(talk_ms // 2)).replace("MOST", str(talk_ms * 3 // 2))
        (folder / "agent.xml").write_text(scenario)
        self._phones = phones
        self._server = server
        self._child = Child(
            ChildSpec(
                name="agents",
                argv=(
                    *_command(self._contact, media),
                    *("-sf", str(folder / "agent.xml"), str(server)),
                ),
                folder=folder,
                stop_seconds=1,
            ),
            folder / "agents.log",
        )

    def __enter__(self) -> Agents:
        for phone in self._phones:
            Registration(phone, self._server, self._contact).register()
        return self

    def __exit__(self, *_: object) -> None:
        self._child.kill()


def _command(here: Address, media: int) -> list[str]:
    return [
        *(sipp(), "-i", here.host, "-p", str(here.port), "-mi", here.host, "-mp", str(media)),
        *("-nostdin", "-trace_err", "-skip_rlimit"),
    ]


@dataclass(frozen=True, slots=True)
class Rung:
    """What became of the callers: as many as asked for rang, `failed` of them were not served."""

    calls: int
    failed: int


def ring(
    folder: Path,
    server: Address,
    number: str,
    *,
    rate: float,
    calls: int,
    most: int,
    digit: str,
    press_ms: int,
    sip: int,
    media: int,
    seconds: float,
) -> Rung:
    """Have `calls` callers ring `number`, `rate` a second and at most `most` at once; each presses `digit` `press_ms` after
    it was answered and stays till it is hung up, for half a minute at most. Comes back when all are over; who is not after
    `seconds` has failed. TelephonesBroken where that cannot be."""
    people = folder / "callers.csv"
    people.write_text("SEQUENTIAL\n" + "".join(f"{caller(person)};\n" for person in range(2000)))
    write_key(folder / "key.pcap", digit)
    counts = folder / "callers.stat.csv"
    counts.unlink(missing_ok=True)
    command = [
        *_command(Address(f"127.0.0.1:{sip}"), media),
        *("-sf", str(SCENARIOS / "caller.xml"), "-inf", str(people), "-s", number),
        *("-r", f"{rate:g}", "-rp", "1000", "-m", str(calls), "-l", str(most), "-d", str(press_ms)),
        *("-trace_stat", "-fd", "1", "-stf", str(counts), str(server)),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=seconds, check=False
        )
        said = done.stderr or done.stdout
    except subprocess.TimeoutExpired:
        said = f"not through after {seconds:g} s"
    rows = counts.read_text().splitlines() if counts.exists() else []
    if len(rows) < 2:
        raise TelephonesBroken(f"sipp does not ring: {said[-400:]}")
    last = dict(zip(rows[0].split(";"), rows[-1].split(";"), strict=False))
    made = int(last["TotalCallCreated"])
    return Rung(made, made - int(last["SuccessfulCall(C)"]))
