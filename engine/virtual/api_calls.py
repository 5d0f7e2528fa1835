"""API commands on channels, and those only the virtual switch has."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from engine.virtual import names
from engine.virtual.api import command
from engine.virtual.bridging import bridge_legs
from engine.virtual.callers import Caller, CallPlan
from engine.virtual.channel import Channel
from engine.virtual.encode import Command, headers, words
from engine.virtual.errors import ApiRefused, OriginateFailed
from engine.virtual.session import Action, Park, Session, Transfer

if TYPE_CHECKING:
    from engine.virtual.switch import Switch

_APPLICATION = re.compile(r"&([a-z_]+)(?:\((.*)\))?", re.DOTALL)
_DIAL = re.compile(r"\s*((?:\{[^}]*\}|<[^>]*>|\[[^\]]*\]|[^\s\[{<]+)+)\s+(.*)", re.DOTALL)


@command("originate", blocks=True)
def originate(switch: Switch, argument: str) -> str:
    """`DIAL_STRING EXTENSION|&APPLICATION(ARGUMENT) [DIALPLAN] [CONTEXT] [NAME] [NUMBER] [TIMEOUT]`."""
    found = _DIAL.fullmatch(argument)
    if found is None:
        raise ApiRefused("-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>]\n")
    # Quotes hold an application together whose argument has blanks.
    quoted = words(found[2])[0] if found[2].startswith("'") else ""
    target = _APPLICATION.match(quoted or found[2])
    rest = words(found[2])[1:] if quoted and target else words(found[2][target.end() :] if target else found[2])
    options = rest if target else rest[1:]
    timeout = float(options[4]) if len(options) > 4 and options[4].isdigit() else None
    try:
        channel = switch.originate(found[1], timeout)
    except OriginateFailed as failed:
        return f"-ERR {failed.cause}\n"
    if target:
        Session(channel, [(target[1], target[2] or "")]).start()
    else:
        channel.dialplan_hit = True
        Session(channel, start=Transfer(switch.actions(rest[0]))).start()
    return f"+OK {channel.uuid}\n"


@command("uuid_bridge")
def uuid_bridge(switch: Switch, argument: str) -> str:
    first, _, second = argument.partition(" ")
    if not second:
        raise ApiRefused("-USAGE: <uuid> <other_uuid>\n")
    legs = (switch.channels.get(first), switch.channels.get(second.strip()))
    if legs[0] is None or legs[1] is None or not bridge_legs(legs[0], legs[1]):
        raise ApiRefused("-ERR Invalid uuid\n")
    return f"+OK {second.strip()}\n"


@command("uuid_kill")
def uuid_kill(switch: Switch, argument: str) -> str:
    uuid, _, cause = argument.partition(" ")
    switch.find(uuid).hangup(names.cause(cause))
    return "+OK\n"


@command("uuid_exists")
def uuid_exists(switch: Switch, argument: str) -> str:
    return "true" if argument in switch.channels else "false"


@command("uuid_setvar")
def uuid_setvar(switch: Switch, argument: str) -> str:
    uuid, _, rest = argument.partition(" ")
    name, _, value = rest.partition(" ")
    channel = switch.find(uuid)
    if not name:
        raise ApiRefused("-ERR No variable specified\n")
    channel.set(name, value)
    return "+OK\n"


@command("uuid_setvar_multi")
def uuid_setvar_multi(switch: Switch, argument: str) -> str:
    uuid, _, rest = argument.partition(" ")
    channel = switch.find(uuid)
    for pair in rest.split(";"):
        name, _, value = pair.partition("=")
        if name.strip():
            channel.set(name.strip(), value)
    return "+OK\n"


@command("uuid_getvar")
def uuid_getvar(switch: Switch, argument: str) -> str:
    uuid, _, name = argument.partition(" ")
    channel = switch.find(uuid)
    if not name.strip():
        raise ApiRefused("-ERR No variable name specified!\n")
    return channel.get(name.strip()) or "_undef_"


@command("uuid_dump")
def uuid_dump(switch: Switch, argument: str) -> str:
    uuid, _, form = argument.partition(" ")
    channel = switch.find(uuid)
    data = headers(switch.event_head("CHANNEL_DATA") + channel.lines("CHANNEL_DATA"))
    if form.strip() == "json":
        return json.dumps(data, ensure_ascii=False)
    return "".join(f"{name}: {value}\n" for name, value in data.items()) + "\n"


@command("uuid_break")
def uuid_break(switch: Switch, argument: str) -> str:
    uuid, _, flags = argument.partition(" ")
    channel = switch.find(uuid)
    legs = [channel, channel.partner] if "both" in flags else [channel]
    for leg in legs:
        if leg is not None and leg.session is not None:
            leg.session.stop_playing("all" in flags)
    return "+OK\n"


@command("uuid_transfer")
def uuid_transfer(switch: Switch, argument: str) -> str:
    """`UUID [-bleg|-both] EXTENSION [inline]`; with `inline` the extension is `app:argument,app:argument`."""
    parts = words(argument)
    if len(parts) < 2:
        raise ApiRefused("-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n")
    channel = switch.find(parts.pop(0))
    legs: list[Channel | None] = [channel]
    if parts[0].startswith("-") and len(parts) > 1:
        legs = [channel.partner] if parts.pop(0) == "-bleg" else [channel, channel.partner]
    for leg in legs:
        if leg is None or not leg.up:
            raise ApiRefused("-ERR\n")
        if len(parts) > 1 and parts[1].lower() == "inline":
            _divert(leg, _inline(parts[0]))
        else:
            switch.transfer(leg, parts[0])
    return "+OK\n"


def _inline(text: str) -> list[Action]:
    actions = []
    for part in text.split(","):
        application, _, argument = part.partition(":")
        actions.append((application, argument))
    return actions


def _divert(channel: Channel, actions: list[Action]) -> None:
    detour = Transfer(actions)
    if channel.session is not None and channel.session.running:
        channel.session.divert(detour)
    else:
        Session(channel, start=detour).start()


@command("uuid_park")
def uuid_park(switch: Switch, argument: str) -> str:
    channel = switch.find(argument)
    if channel.session is not None and channel.session.running:
        channel.session.divert(Park())
    else:
        Session(channel, start=Park()).start()
    return "+OK\n"


@command("uuid_answer")
def uuid_answer(switch: Switch, argument: str) -> str:
    switch.find(argument).answer()
    return "+OK\n"


@command("uuid_pre_answer")
def uuid_pre_answer(switch: Switch, argument: str) -> str:
    switch.find(argument).pre_answer()
    return "+OK\n"


@command("uuid_broadcast")
def uuid_broadcast(switch: Switch, argument: str) -> str:
    """`UUID PATH|APP::ARGUMENT [aleg|bleg|holdb|both]`: an application inside what runs."""
    parts = words(argument)
    if len(parts) < 2:
        raise ApiRefused("-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n")
    channel = switch.channels.get(parts[0])
    if channel is None:
        raise ApiRefused("-ERR invalid uuid\n")
    where = parts[2] if len(parts) > 2 else "aleg"
    legs = {"bleg": [channel.partner], "both": [channel, channel.partner]}.get(where, [channel])
    application, separator, rest = parts[1].partition("::")
    application, rest = (application, rest) if separator else ("playback", parts[1])
    if application.endswith("!"):
        application = application[:-1]
    for leg in legs:
        if leg is not None:
            message = {"call-command": "execute", "execute-app-name": application, "execute-app-arg": rest}
            switch.session_of(leg).send(Command("sendmsg", message))
    return "+OK Message sent\n"


@command("uuid_hold")
def uuid_hold(switch: Switch, argument: str) -> str:
    """`[off|toggle] UUID`: the other side hears music while this one holds."""
    parts = argument.split()
    word = parts.pop(0) if parts and parts[0] in ("off", "toggle") else "on"
    channel = switch.find(parts[0] if parts else "")
    on = not channel.holding if word == "toggle" else word == "on"
    if on != channel.holding:
        _hold(channel, on)
    return "+OK Success\n"


def _hold(channel: Channel, on: bool) -> None:
    now = channel.switch.micros()
    channel.holding = on
    if on:
        channel.times.hold = now
    else:
        channel.times.hold_accumulated += now - channel.times.hold
    channel.touch()
    channel.fire("CHANNEL_HOLD" if on else "CHANNEL_UNHOLD")
    if channel.partner is not None:
        channel.partner.ear.held(on)


@command("uuid_record")
def uuid_record(switch: Switch, argument: str) -> str:
    """`UUID start|stop|mask|unmask PATH [LIMIT]`; `stop` takes `all` for a path."""
    parts = words(argument)
    if len(parts) < 3:
        raise ApiRefused("-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n")
    channel = switch.channels.get(parts[0])
    if channel is None:
        raise ApiRefused("-ERR Cannot locate session!\n")
    action, path = parts[1], parts[2]
    if action == "start":
        limit = float(parts[3]) if len(parts) > 3 and parts[3].isdigit() else None
        done = switch.recorder.start(channel, path, limit)
    elif action == "stop":
        paths = list(channel.recordings) if path == "all" else [path]
        done = sum(switch.recorder.stop(channel, each) for each in paths) == len(paths)
    else:
        done = path in channel.recordings
    if not done:
        raise ApiRefused(f"-ERR Cannot {'record' if action == 'start' else f'{action} record'} session!\n")
    return "+OK Success\n"


@command("uuid_send_dtmf")
def uuid_send_dtmf(switch: Switch, argument: str) -> str:
    uuid, _, keys = argument.partition(" ")
    channel = switch.channels.get(uuid)
    if channel is None:
        raise ApiRefused("-ERR Cannot locate session!\n")
    if channel.twin is not None:
        channel.twin.press(keys.partition("@")[0])
    return f"+OK {uuid} sent DTMF {keys}.\n"


@command("uuid_recv_dtmf")
def uuid_recv_dtmf(switch: Switch, argument: str) -> str:
    uuid, _, keys = argument.partition(" ")
    channel = switch.channels.get(uuid)
    if channel is None:
        raise ApiRefused("-ERR Cannot locate session!\n")
    channel.press(keys.partition("@")[0])
    return f"+OK {uuid} received DTMF {keys}.\n"


@command("uuid_flush_dtmf")
def uuid_flush_dtmf(switch: Switch, argument: str) -> str:
    switch.find(argument).digits.clear()
    return "+OK\n"


@command("virtual_call")
def virtual_call(switch: Switch, argument: str) -> str:
    """`{"number": …}`: a virtual caller rings; see `callers.CallPlan` and `callers.Caller` for what is told of it."""
    return f"+OK {switch.call(CallPlan.parse(argument)).uuid}\n"


@command("virtual_press")
def virtual_press(switch: Switch, argument: str) -> str:
    uuid, _, keys = argument.partition(" ")
    switch.find(uuid).press(keys)
    return "+OK\n"


@command("virtual_hangup")
def virtual_hangup(switch: Switch, argument: str) -> str:
    """The far end of a channel hangs up."""
    channel = switch.find(argument)
    if isinstance(channel.ear, Caller):
        channel.ear.hang_up()
    else:
        channel.hangup("NORMAL_CLEARING", by_far_end=True)
    return "+OK\n"


@command("virtual_phone")
def virtual_phone(switch: Switch, argument: str) -> str:
    """`EXTENSION {json}` changes how a phone behaves (see `phones.Manner`); without JSON it is told."""
    extension, _, text = argument.partition(" ")
    if not extension:
        return "".join(f"{each}\n" for each in switch.phones.extensions())
    if text:
        switch.phones.change(extension, text)
    manner = switch.phones.manner(extension)
    if manner is None:
        raise ApiRefused(f"-ERR no phone {extension}\n")
    shown = {name: getattr(manner, name) for name in ("answer", "refuse", "absent", "busy", "talk")}
    return json.dumps(shown)
