"""`pointsman call`: phone the installation from a terminal, on the virtual switch."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import click

from conf.clock import Clock
from conf.errors import PointsmanError
from conf.installation import Installation, read
from conf.settings import Address, load
from engine.virtual.callers import CALLER, SUBCLASS, script
from engine.virtual.client import Connection, SwitchSilent
from engine.virtual.errors import PlanInvalid, VirtualError

LONGEST = 60.0
"""The clock's seconds after which a caller who presses nothing hangs up."""


class CallImpossible(PointsmanError):
    """No call can be made; the message says what to do instead."""


@click.command()
@click.argument("number")
@click.option("--from", "caller", default=CALLER, show_default=True, help="The number the caller shows.")
@click.option("--name", default="", help="The name the caller shows.")
@click.option("--press", default="", metavar="1,w2,#", help="Keys, each pressed once it is quiet; w2 waits 2 seconds.")
@click.option("--hang-up-after", type=click.FloatRange(min=0.1), metavar="S", help="Hang up S seconds into the call.")
@click.option("--speak", type=click.FloatRange(min=0.0), default=4.0, help="Seconds the caller talks into a recording.")
@click.option("--at", metavar="ISO", help="Decide opening hours as of this instant, with its time zone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def call(
    number: str,
    caller: str,
    name: str,
    press: str,
    hang_up_after: float | None,
    speak: float,
    at: str | None,
    as_json: bool,
) -> None:
    """Phone NUMBER on the virtual switch and tell what is heard.

    Prints what the caller hears and presses, with the time of each, and how it ends. Exit code 1 where no call came about.
    """
    try:
        script(press)
    except PlanInvalid as error:
        raise click.BadParameter(str(error), param_hint="--press") from error
    installation = read(load().home)
    if installation.switch != "virtual":
        raise CallImpossible(
            f"this installation runs on a real FreeSWITCH; phone {number} from a telephone that is signed in at "
            f"{installation.sip or 'its SIP address'}, or run `pointsman up` with POINTSMAN_FREESWITCH=virtual"
        )
    plan = {
        "number": number,
        "from": caller,
        "name": name,
        "press": press,
        "hang_up_after": hang_up_after,
        "at": at,
        "speaks": speak,
        "uuid": str(uuid4()),
    }
    story = Story(as_json)
    _listen(installation, plan, story)
    sys.exit(0 if story.took_place else 1)


def _listen(installation: Installation, plan: dict[str, Any], story: Story) -> None:
    """Make the call and tell what happens until it is over."""
    clock = Clock.parse(installation.clock)
    address = Address(installation.control)
    uuid = plan["uuid"]
    if plan["hang_up_after"] is None and not plan["press"]:
        plan["hang_up_after"] = LONGEST
    try:
        connection = Connection.inbound(address.host, address.port, installation.password)
        connection.send(f"event plain CUSTOM {SUBCLASS}")
        connection.send(f"filter Unique-ID {uuid}")
        answer = connection.api(f"virtual_call {json.dumps(plan)}")
    except OSError as error:
        raise CallImpossible(f"the virtual switch does not answer on {address}: {error.strerror or error}") from error
    except VirtualError as error:
        raise CallImpossible(f"the virtual switch on {address} cannot be used: {error}") from error
    if not answer.startswith("+OK"):
        raise CallImpossible(answer.removeprefix("-ERR ").strip())
    give_up = time.monotonic() + clock.wall_seconds(3600)
    while not story.over and time.monotonic() < give_up:
        try:
            story.tell(json.loads(connection.next_event(timeout=5.0).text))
        except KeyboardInterrupt:
            connection.send(f"api virtual_hangup {uuid}")
        except SwitchSilent as error:
            if connection.closed:
                raise CallImpossible("the virtual switch has gone in the middle of the call") from error
    connection.close()


class Story:
    """Prints a call as it happens. In words, the fragments a sentence is joined from make one line, printed at its end."""

    def __init__(self, as_json: bool) -> None:
        self.over = False
        self.took_place = False
        self._as_json = as_json
        self._fragments: list[dict[str, Any]] = []

    def tell(self, what: dict[str, Any]) -> None:
        kind = what.get("kind")
        self.took_place = self.took_place or kind in ("answered", "ringing", "hears")
        self.over = kind == "ended"
        if self._as_json:
            click.echo(json.dumps(what, ensure_ascii=False))
            return
        if _is_fragment(what):
            self._fragments.append(what)
            return
        if self._fragments:
            joined = " ".join(each["text"] for each in self._fragments)
            names = f"{self._fragments[0]['prompt']} …" if len(self._fragments) > 1 else self._fragments[0]["prompt"]
            self._print(self._fragments[0] | {"text": joined, "prompt": names})
            self._fragments.clear()
        self._print(what)

    @staticmethod
    def _print(what: dict[str, Any]) -> None:
        said = _words(what)
        if said:
            minutes, tenths = divmod(int(what["at"] * 10), 600)
            click.echo(f"  {minutes}:{tenths // 10:02d}.{tenths % 10}  {said}")


def _is_fragment(what: dict[str, Any]) -> bool:
    """A prompt that others are joined to: its text has no closing mark (see sounds/en/prompts.yaml)."""
    return what["kind"] == "hears" and bool(what.get("text")) and what["text"][-1] not in ".?!"


def _words(what: dict[str, Any]) -> str:
    """One happening in words; nothing for what only machines want to know."""
    kind = what["kind"]
    if kind == "hears":
        text, prompt = what.get("text"), what.get("prompt") or Path(what["file"]).stem
        if prompt == "pause":
            return ""
        return f"hears   “{text}”  ({prompt})" if text else f"hears   {prompt}"
    if kind == "ended":
        who = "the caller hung up" if what["by"] == "caller" else "the call was ended"
        return f"{who}  {what['cause']}" if what.get("answered") else f"not answered  {what['cause']}"
    return {
        "calling": "calling {number} from {caller}",
        "ringing": "rings",
        "answered": "answered",
        "music": "hears music",
        "tone": "hears a tone",
        "presses": "presses {key}",
        "recording": "speaks after the tone",
        "talks": "talks with {to}",
        "held": "is on hold",
        "taken_back": "is taken back from hold",
        "left": "the agent hung up  {cause}",
        "parted": "the talk with {who} ended",
    }.get(kind, "").format(**what)
