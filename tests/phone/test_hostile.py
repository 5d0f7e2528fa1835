"""What callers, their telephones and web services say is text to a real FreeSWITCH: none of it is carried out."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gevent.pywsgi import WSGIServer

from dialplan import destinations, store
from ivr.flow import Flow
from tests.call.installation import one
from tests.phone.house import SALES, House
from tests.phone.wire_phone import WirePhone
from tests.waiting import eventually

NUMBER = "5035"
TRICKS = (
    "${system touch %s}",
    "${system(touch %s)}",
    "${expand(${system touch %s})}",
    "$${system touch %s}",
    "x\n\napi system touch %s\n\n",
    "x\r\n\r\nbgapi system touch %s\r\n\r\n",
    "x'],[api_on_answer=system touch %s]{api_on_originate='system touch %s'}user/1002",
)
"""Ways of having FreeSWITCH make the file `%s`."""


def flow(service: str) -> Flow:
    """Uses what a web service answers, and what was keyed in, wherever a flow can."""
    exits = {"answered": "bye", "otherwise": "out", "error": "out"}
    return Flow.parse(
        {
            "name": "hostile",
            "start": "key",
            "nodes": {
                "key": {
                    "type": "collect", "variable": "keyed", "prompts": ["menu_main"], "least": 1, "most": 6,
                    "exits": {"collected": "ask", "no_input": "ask"},
                },
                "ask": {
                    "type": "http", "url": f"{service}/{{keyed}}", "headers": {"X-Keyed": "{keyed}"},
                    "results": {"said": "said"},
                    "exits": {"done": "keep", "failed": "bye"},
                },
                "keep": {
                    "type": "set", "values": {"kept": "{said} {keyed} {caller_number}"},
                    "exits": {"next": "digits"},
                },
                "digits": {
                    "type": "say", "say": "digits", "value": "{said}",
                    "exits": {"next": "phone", "unsayable": "phone", "error": "phone"},
                },
                "phone": {"type": "ring", "extension": "{said}", "seconds": 5, "exits": exits},
                "out": {
                    "type": "outside", "number": "{said}", "seconds": 5,
                    "exits": {"answered": "bye", "otherwise": "ticket", "error": "ticket"},
                },
                "ticket": {
                    "type": "create_ticket", "subject": "{kept}",
                    "exits": {"created": "mail", "unknown": "mail", "error": "mail"},
                },
                "mail": {
                    "type": "email", "to": "team@example.org", "subject": "{kept}", "body": "{said}",
                    "exits": {"queued": "wait", "refused": "wait", "error": "wait"},
                },
                "wait": {"type": "queue", "queue": "patient", "exits": {"answered": "bye", "otherwise": "bye"}},
                "bye": {"type": "hang_up", "prompts": ["goodbye"]},
            },
        }
    )  # fmt: skip


class Trickster(WirePhone):
    """Says `trick` wherever it is asked for words: as its name, in headers of its own, and for a key."""

    def trick(self, trick: str, number: str) -> None:
        plain = trick.replace("\r", "%0D").replace("\n", "%0A").replace('"', "")
        self.call(NUMBER, f'"{plain}" <sip:{number}@127.0.0.1>')

    def key(self, signal: str, sequence: int) -> None:
        """A key as SIP INFO tells it (RFC 2976, application/dtmf-relay)."""
        call_id, called, caller = self._dialog
        body = f"Signal={signal}\r\nDuration=160\r\n"
        lines = [
            f"INFO sip:{called}@{self.server} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address};branch=z9hG4bK{uuid.uuid4().hex}",
            "Max-Forwards: 70",
            f"From: {caller}",
            f"To: {self._answer}",
            f"Call-ID: {call_id}",
            f"CSeq: {sequence} INFO",
            f"Contact: <sip:wire@{self.address}>",
            f"X-Pointsman: {signal.splitlines()[0]}",
            "Content-Type: application/dtmf-relay",
            f"Content-Length: {len(body)}",
        ]
        text = "\r\n".join(lines) + "\r\n\r\n" + body
        self._socket.sendto(text.encode(), (self.server.host, self.server.port))

    def hang_up(self) -> None:
        self._send("BYE", 100, self._answer)


@contextmanager
def service(answers: list[str]) -> Iterator[tuple[str, list[str]]]:
    """A web service that gives these answers, one after the other; its address, and the paths that were asked for."""
    asked: list[str] = []

    def answer(environ: dict[str, str], start: object) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start("200 OK", [("Content-Type", "application/json")])  # type: ignore[operator]
        return [json.dumps({"said": answers[len(asked) - 1]}).encode()]

    server = WSGIServer(("127.0.0.1", 0), answer, log=None, error_log=None)
    server.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.stop(0.1)


@pytest.fixture
def mark(house: House, tmp_path: Path) -> Path:
    """A file that FreeSWITCH could make, were it told to."""
    control = tmp_path / "control"
    house.switch.api(f"system touch {control}")
    assert control.exists()
    return tmp_path / "made"


def test_nothing_that_comes_from_outside_is_carried_out(house: House, mark: Path) -> None:
    tricks = [trick.replace("%s", str(mark)) for trick in TRICKS]
    waiting = house.ring(SALES)
    waiting.see(state="queue")
    numbers = [f"+4588{count:06}" for count in range(len(tricks))]
    phones: dict[str, Trickster] = {}
    with service(tricks) as (url, asked), contextlib.ExitStack() as stack:
        with house.setting_up() as db:
            house.publish(db, flow(url))
            store.save_number(
                db, NUMBER, "Hostile", destinations.decode({"to": "flow", "flow": "hostile"}), country="DK"
            )
        for number, trick in zip(numbers, tricks, strict=True):
            phones[number] = Trickster(house.switch.sip)
            stack.callback(phones[number].close)
            phones[number].trick(trick, number)
        for (number, phone), trick in zip(phones.items(), tricks, strict=True):
            _seen(house, number, node="key")
            for sequence, signal in enumerate((trick, "12" + trick, "7", "#"), 2):
                phone.key(signal, sequence)
        for number in numbers:
            _seen(house, number, node="wait", state="queue")
        assert len(asked) == len(tricks)
        # The agent's phone is rung with the callers' names.
        desk = WirePhone(house.switch.sip, meets="486 Busy Here")
        stack.callback(desk.close)
        desk.register(next(each for each in house.switch.phones if each.extension == "1002"))
        house.choose("1002", "ready")
        desk.wait("INVITE ")
        house.see("1002", presence="pause")
        for phone in phones.values():
            phone.hang_up()
        for number in numbers:
            eventually(lambda number=number: _complete(house, number))
    assert not waiting.over
    waiting.phone.hang_up()
    assert house.told_of(waiting).call["status"] in ("short_abandon", "abandoned_queue")
    assert not mark.exists()
    assert [path.name for path in mark.parent.iterdir()] == ["control"]


def _seen(house: House, number: str, **shown: object) -> None:
    def there() -> None:
        calls = [call for call in house.board.snapshot()["calls"] if call["from"] == number]
        assert [{name: call.get(name) for name in shown} for call in calls] == [shown]

    eventually(there, 40)


def _complete(house: House, number: str) -> None:
    call = one(house.rows("SELECT * FROM report.calls WHERE caller_number = %s", number))
    assert call["status"] in ("short_abandon", "abandoned_queue")
    assert call["called_number"] == NUMBER
    steps = house.rows("SELECT node FROM report.ivr_steps WHERE call_id = %s ORDER BY position", call["call_id"])
    assert [step["node"] for step in steps] == [
        "key",
        "ask",
        "keep",
        "digits",
        "phone",
        "out",
        "ticket",
        "mail",
        "wait",
    ]
