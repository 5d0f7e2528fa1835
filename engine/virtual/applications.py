"""The applications a dialplan or a controller can run, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.virtual import names

if TYPE_CHECKING:
    from engine.virtual.session import Session

Application = Callable[["Session", str], None]

APPLICATIONS: dict[str, Application] = {}
"""Filled by the modules of applications as they are imported; see `engine.virtual.switch`."""


def application(*called: str) -> Callable[[Application], Application]:
    """Register an application under its names. A name can be taken once."""

    def register(run: Application) -> Application:
        for name in called:
            if name in APPLICATIONS:
                raise ValueError(f"two applications called {name}")
            APPLICATIONS[name] = run
        return run

    return register


@application("answer")
def answer(session: Session, _argument: str) -> None:
    session.channel.answer()


@application("pre_answer")
def pre_answer(session: Session, _argument: str) -> None:
    session.channel.pre_answer()


@application("ring_ready")
def ring_ready(session: Session, _argument: str) -> None:
    session.channel.ring()


@application("hangup")
def hangup(session: Session, argument: str) -> None:
    session.channel.hangup(names.cause(argument))


@application("respond")
def respond(session: Session, _argument: str) -> None:
    session.channel.hangup("NORMAL_TEMPORARY_FAILURE")


@application("set")
def set_variable(session: Session, argument: str) -> None:
    name, _, value = argument.partition("=")
    session.channel.set(name.strip(), value if value.strip() != "_undef_" else None)


@application("unset")
def unset(session: Session, argument: str) -> None:
    session.channel.set(argument.strip(), None)


@application("multiset", "multiunset")
def multiset(session: Session, argument: str) -> None:
    """`a=b c=d`, or `^^:a=b:c=d` with another separator."""
    separator = " "
    if argument.startswith("^^") and len(argument) > 2:
        separator, argument = argument[2], argument[3:]
    for pair in argument.split(separator):
        name, equals, value = pair.partition("=")
        if name.strip():
            session.channel.set(name.strip(), value if equals else None)


@application("export")
def export(session: Session, argument: str) -> None:
    """A variable that the other leg of a bridge gets too; `nolocal:` keeps it off this one."""
    name, _, value = argument.partition("=")
    local = not name.startswith("nolocal:")
    name = name.removeprefix("nolocal:")
    channel = session.channel
    if local:
        channel.set(name, value)
    known = [each for each in (channel.get("export_vars") or "").split(",") if each]
    if name not in known:
        channel.set("export_vars", ",".join([*known, name]))
    if not local:
        channel.set(f"nolocal:{name}", value)


@application("park")
def park(session: Session, _argument: str) -> None:
    session.park()


@application("echo")
def echo(session: Session, _argument: str) -> None:
    """Holds the line open until something ends it."""
    session.broken = False
    while session.ready() and not session.broken:
        session.parse_messages()
        while session.channel.next_digit() is not None:
            pass
        if not session.has_work:
            session.idle()


@application("sleep")
def sleep(session: Session, argument: str) -> None:
    """Milliseconds; what is sent meanwhile runs inside. Digits wait unless `sleep_eat_digits` is set."""
    milliseconds = int(argument) if argument.strip().isdigit() else 0
    until = session.clock.monotonic() + milliseconds / 1000
    eats = session.channel.says_yes("sleep_eat_digits")
    session.broken = False
    while session.ready() and not session.broken and session.clock.monotonic() < until:
        session.parse_messages()
        while eats and session.channel.next_digit() is not None:
            pass
        if not session.has_work:
            session.idle(until)


@application("break")
def break_playing(session: Session, argument: str) -> None:
    session.stop_playing("all" in argument)


@application("queue_dtmf")
def queue_dtmf(session: Session, argument: str) -> None:
    """Digits as if the caller pressed them; FreeSWITCH's own takes a duration behind `@`."""
    session.channel.press(argument.partition("@")[0])


@application("send_dtmf")
def send_dtmf(session: Session, argument: str) -> None:
    """Digits towards the far end; only the other half of a loopback pair hears them."""
    if session.channel.twin is not None:
        session.channel.twin.press(argument.partition("@")[0])


@application("flush_dtmf")
def flush_dtmf(session: Session, _argument: str) -> None:
    session.channel.digits.clear()


@application("start_dtmf", "stop_dtmf", "log", "info", "verbose_events", "clear_digit_action", "ring_back")
def nothing_to_do(_session: Session, _argument: str) -> None:
    """Applications that change nothing a controller could see: keys come as digits here with or without them."""


@application("event")
def event(session: Session, argument: str) -> None:
    """`Event-Name=…,Event-Subclass=…,name=value`: an event of one's own with the channel's data."""
    pairs = dict(pair.split("=", 1) for pair in argument.split(",") if "=" in pair)
    name = pairs.pop("Event-Name", "CHANNEL_APPLICATION")
    session.switch.fire(
        name if name in names.EVENTS else "CHANNEL_APPLICATION",
        channel=session.channel,
        headers=pairs,
        subclass=pairs.get("Event-Subclass"),
    )


@application("transfer")
def transfer(session: Session, argument: str) -> None:
    parts = argument.split()
    if parts:
        session.switch.transfer(session.channel, parts[0])
