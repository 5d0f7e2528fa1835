"""API commands: what `api` and `bgapi` can do. The channel commands are in `api_calls`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from engine.virtual import names
from engine.virtual.channel import Channel
from engine.virtual.errors import ApiRefused, PlanInvalid, VirtualError

if TYPE_CHECKING:
    from engine.virtual.switch import Switch

log = structlog.get_logger(__name__)

Run = Callable[["Switch", str], str]


@dataclass(frozen=True, slots=True)
class Entry:
    run: Run
    blocks: bool


COMMANDS: dict[str, Entry] = {}


def command(name: str, *, blocks: bool = False) -> Callable[[Run], Run]:
    """Register an API command. `blocks` is for those that take time: they get a greenlet of their own."""

    def register(run: Run) -> Run:
        if name in COMMANDS:
            raise ValueError(f"two API commands called {name}")
        COMMANDS[name] = Entry(run, blocks)
        return run

    return register


class Api:
    """Runs API commands by their line."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def blocks(self, text: str) -> bool:
        entry = COMMANDS.get(text.split(" ", 1)[0])
        return entry is not None and entry.blocks

    def run(self, text: str) -> str:
        """The command's whole answer."""
        name, _, argument = text.strip("\r").partition(" ")
        entry = COMMANDS.get(name)
        if entry is None:
            return f"-ERR {name} Command not found!\n"
        try:
            return entry.run(self._switch, argument.strip())
        except ApiRefused as refused:
            return str(refused)
        except PlanInvalid as fault:
            return f"-ERR {fault}\n"
        except VirtualError as fault:
            log.warning("api command failed", command=name, fault=str(fault))
            return "-ERR Operation Failed\n"


@command("status")
def status(switch: Switch, _argument: str) -> str:
    seconds = int(switch.clock.timestamp() - switch.began)
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    return (
        f"UP 0 years, {days} days, {hours} hours, {minutes} minutes, {seconds} seconds, 0 milliseconds, 0 microseconds\n"
        "FreeSWITCH (Version 1.11.0-virtual 64bit) is ready\n"
        f"{switch.sessions} session(s) since startup\n{len(switch.channels)} session(s) - peak {len(switch.channels)}\n"
    )


@command("version")
def version(_switch: Switch, argument: str) -> str:
    return "1.11.0" if argument == "short" else "FreeSWITCH Version 1.11.0-virtual~64bit (virtual 64bit)\n"


@command("echo")
def echo(_switch: Switch, argument: str) -> str:
    return argument


@command("create_uuid")
def create_uuid(_switch: Switch, _argument: str) -> str:
    return str(uuid4())


@command("strepoch")
def strepoch(switch: Switch, _argument: str) -> str:
    return str(int(switch.clock.timestamp()))


@command("strftime")
def strftime(switch: Switch, argument: str) -> str:
    return switch.clock.now().strftime(argument or "%Y-%m-%d %H:%M:%S")


@command("global_getvar")
def global_getvar(switch: Switch, argument: str) -> str:
    if argument:
        return switch.globals.get(argument, "")
    return "".join(f"{name}={value}\n" for name, value in sorted(switch.globals.items()))


@command("global_setvar")
def global_setvar(switch: Switch, argument: str) -> str:
    name, _, value = argument.partition("=")
    switch.globals[name.strip()] = value
    return "+OK"


@command("reloadxml")
def reloadxml(_switch: Switch, _argument: str) -> str:
    return "+OK [Success]\n"


@command("reload")
def reload(_switch: Switch, _argument: str) -> str:
    return "+OK Reloading XML\n+OK module loaded\n"


@command("module_exists")
def module_exists(_switch: Switch, argument: str) -> str:
    known = {"mod_sofia", "mod_event_socket", "mod_dptools", "mod_commands", "mod_loopback", "mod_local_stream"}
    return "true" if argument in known else "false"


@command("fsctl")
def fsctl(switch: Switch, argument: str) -> str:
    if argument.startswith("hupall"):
        return hupall(switch, argument.partition(" ")[2])
    return "+OK\n"


@command("hupall")
def hupall(switch: Switch, argument: str) -> str:
    """`[CAUSE [VARIABLE VALUE]]`: end all channels, or those whose variable has that value."""
    cause, *pair = argument.split()[:3] or ["MANAGER_REQUEST"]
    cause = names.cause(cause, "MANAGER_REQUEST")
    for channel in list(switch.channels.values()):
        if len(pair) < 2 or channel.get(pair[0]) == pair[1]:
            channel.hangup(cause)
    if len(pair) == 2:
        return f"+OK hangup all channels matching [{pair[0]}]=[{pair[1]}] with cause: {cause}\n"
    return f"+OK hangup all channels with cause {cause}\n"


@command("sofia")
def sofia(switch: Switch, argument: str) -> str:
    if argument.startswith("status"):
        rows = [f"{'Name':>25}\tType\t{'Data':>40}\tState", "=" * 90]
        rows.append(
            f"{'internal':>25}\tprofile\t{'sip:mod_sofia@127.0.0.1:5060':>40}\tRUNNING ({len(switch.channels)})"
        )
        return "\n".join([*rows, "=" * 90, "1 profile 0 aliases\n"])
    return "+OK\n"


@command("sofia_contact")
def sofia_contact(switch: Switch, argument: str) -> str:
    extension = argument.rpartition("/")[2].partition("@")[0]
    manner = switch.phones.manner(extension)
    if manner is None or manner.absent:
        return "error/user_not_registered"
    return f"sofia/internal/sip:{extension}@127.0.0.1:5060"


_COLUMNS = (
    "uuid,direction,created,created_epoch,name,state,cid_name,cid_num,ip_addr,dest,application,application_data,dialplan,"
    "context,read_codec,read_rate,read_bit_rate,write_codec,write_rate,write_bit_rate,secure,hostname,presence_id,"
    "presence_data,accountcode,callstate,callee_name,callee_num,callee_direction,call_uuid,sent_callee_name,"
    "sent_callee_num,initial_cid_name,initial_cid_num,initial_ip_addr,initial_dest,initial_dialplan,initial_context"
)
COLUMNS = _COLUMNS.split(",")


def row(channel: Channel) -> dict[str, str]:
    """A channel as `show channels` lists it."""
    profile = channel.profile
    codec = {"read_codec": "PCMU", "read_rate": "8000", "read_bit_rate": "64000"} if channel.answered else {}
    codec |= {"write_codec": "PCMU", "write_rate": "8000", "write_bit_rate": "64000"} if channel.answered else {}
    known = {
        "uuid": channel.uuid,
        "direction": channel.direction,
        "created": channel.switch.stamp(channel.times.created),
        "created_epoch": str(channel.times.created // 1_000_000),
        "name": channel.name,
        "state": channel.state,
        "cid_name": profile.caller_name,
        "cid_num": profile.caller_number,
        "ip_addr": profile.address,
        "dest": profile.destination,
        "application": channel.get("current_application") or "",
        "application_data": channel.get("current_application_data") or "",
        "dialplan": profile.dialplan,
        "context": profile.context,
        "hostname": "virtual",
        "presence_id": channel.get("presence_id") or "",
        "callstate": "HELD" if channel.holding else channel.call_state,
        "callee_name": profile.callee_name,
        "callee_num": profile.callee_number,
        "call_uuid": channel.get("call_uuid") or "",
        "initial_cid_name": profile.caller_name,
        "initial_cid_num": profile.caller_number,
        "initial_ip_addr": profile.address,
        "initial_dest": profile.destination,
        "initial_dialplan": profile.dialplan,
        "initial_context": profile.context,
    } | codec
    return {name: known.get(name, "") for name in COLUMNS}


def _registration(switch: Switch, extension: str) -> dict[str, str]:
    """A phone that has signed in, as `show registrations` lists it."""
    return {
        "reg_user": extension,
        "realm": "pointsman",
        "token": "",
        "url": f"sofia/internal/sip:{extension}@{switch.globals['local_ip_v4']}",
        "expires": str(int(switch.clock.timestamp()) + 300),
        "network_ip": switch.globals["local_ip_v4"],
        "network_port": "5060",
        "network_proto": "udp",
        "hostname": "virtual",
        "metadata": "",
    }


@command("show")
def show(switch: Switch, argument: str) -> str:
    what, *rest = argument.split()[:3] or [""]
    if what == "registrations":
        columns = list(_registration(switch, ""))
        rows = [_registration(switch, extension) for extension in switch.phones.signed_in()]
    elif what in ("channels", "calls"):
        columns = COLUMNS
        rows = [row(channel) for channel in switch.channels.values() if channel.up]
    else:
        return "-USAGE: channels|calls|registrations [count|as json]\n"
    if rest[:1] == ["count"]:
        return f"\n{len(rows)} total.\n"
    if rest == ["as", "json"]:
        return json.dumps({"row_count": len(rows)} | ({"rows": rows} if rows else {}))
    listed = "".join(",".join(each.values()) + "\n" for each in rows)
    return (",".join(columns) + "\n" + listed if rows else "") + f"\n{len(rows)} total.\n"
