"""The writing half of the event socket: what is said to FreeSWITCH, and the one place that keeps foreign text harmless.

An argument travels in the body of its message and never in a header (switch_ivr.c:567), header and body in one write, as
FreeSWITCH busy-waits for a body that is late (mod_event_socket.c:1331). A line end in a header would begin another command,
and with `full` that can be `api system …`; `${…}` in an argument is expanded and may run APIs, recursively through the
values of variables (switch_channel.c:4173). Both are refused here, before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engine.esl.errors import UnsafeText

_LINE_BREAKING: Final = re.compile(r"[\r\n\0]")
# `$`, any number of backslashes, `{`: what switch_string_var_check takes for a variable (switch_utils.h:784).
_UNSAFE: Final = re.compile(r"[\r\n\0]|\$\\*\{")
_APPLICATION: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CAUSE: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}")
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]*")
# Brackets part the lists of variables, comma and `=` their items, quotes and backslash protect what they should not, `^^`
# chooses another separator, `|` and `:_:` part endpoints (switch_event_create_brackets, switch_ivr_originate.c).
_NOT_IN_VARIABLE: Final = re.compile(r"[\x00-\x1f\x7f,'\"\\{}\[\]<>|^]|\$\\*\{")
_NOT_IN_ENDPOINT: Final = re.compile(r"[\x00-\x20\x7f'\"\\{}\[\]<>]|\$\\*\{")
_SEPARATOR: Final = ":_:"
_LOOK_ALIKE: Final = str.maketrans(
    "".join(map(chr, range(32))) + "\x7f\u2028\u2029'\"`,{}[]<>|\\^$",
    " " * 32 + "   ’”’ ()()()/// ",
)


def clean(text: str) -> str:
    """`text` itself where it can be said in a command: without line end, NUL or `${`. UnsafeText where it cannot."""
    if found := _UNSAFE.search(text):
        raise UnsafeText(f"text for FreeSWITCH may not hold {found[0]!r}: {text[:80]!r}")
    return text


def foreign(text: str, longest: int = 80) -> str:
    """Text from outside (a caller's name, an answer over HTTP) made fit for any argument or variable, by harmless
    look-alikes for what would mean something; cut at `longest` characters. For what people read, not for what must match."""
    text = text.encode(errors="replace").decode()
    return " ".join(text.translate(_LOOK_ALIKE).replace(_SEPARATOR, " ").split())[:longest].strip()


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UnsafeText(f"text for FreeSWITCH must be encodable: {text[:80]!r}") from error


def identity(text: str) -> str:
    """`text` where it can name a call, a leg, a job or a process on the wire; UnsafeText where it cannot."""
    if not _ID.fullmatch(text):
        raise UnsafeText(f"{text[:80]!r} cannot name a call, a leg or a job")
    return text


def _cause(cause: str) -> str:
    if not _CAUSE.fullmatch(cause):
        raise UnsafeText(f"{cause[:80]!r} is no hangup cause such as NORMAL_CLEARING")
    return cause


def command(line: str, *, expand: bool = False) -> bytes:
    """A command of one line, for example `linger 5`. `expand` lets `${` pass; only for lines of one's own.

    FreeSWITCH turns any command that mentions loading the module mod_event_socket again into just that
    (mod_event_socket.c:1737), so such lines are refused.
    """
    if found := (_LINE_BREAKING if expand else _UNSAFE).search(line):
        raise UnsafeText(f"a command may not hold {found[0]!r}: {line[:80]!r}")
    low = line.lower()
    if "mod_event_socket" in low and "load" in low:
        raise UnsafeText(f"this line would take the event socket away: {line[:80]!r}")
    return _encoded(line) + b"\n\n"


def api(line: str) -> bytes:
    """An API and its arguments, for example `uuid_break UUID all`; the answer is an `api/response` frame."""
    return command("api " + line)


def bgapi(line: str, job: str) -> bytes:
    """An API that runs in the background; its end is a BACKGROUND_JOB event with `job` as its Job-UUID."""
    return command("bgapi " + line)[:-1] + b"Job-UUID: " + identity(job).encode() + b"\n\n"


def execute(
    application: str,
    argument: str = "",
    uuid: str = "",
    lock: bool = False,
    loops: int = 1,
    *,
    expand: bool = False,
    leg: str = "",
) -> bytes:
    """A message that runs a dialplan application on the socket's own channel, or on `leg` (a Unique-ID).

    `uuid` comes back as Application-UUID on CHANNEL_EXECUTE_COMPLETE. With `lock` the message after this one waits for its
    end; without, it would run nested inside (switch_ivr.c:520). `expand` lets `${` pass; only for arguments of one's own.
    An application that FreeSWITCH does not know gets +OK, and then the call is hung up (switch_core_session.c:2772).
    """
    if not _APPLICATION.fullmatch(application):
        raise UnsafeText(f"{application[:80]!r} is no application's name")
    if found := (_LINE_BREAKING if expand else _UNSAFE).search(argument):
        raise UnsafeText(f"an argument may not hold {found[0]!r}: {argument[:80]!r}")
    head = f"sendmsg {identity(leg)}" if leg else "sendmsg"
    head += f"\ncall-command: execute\nexecute-app-name: {application}"
    if uuid:
        head += f"\nEvent-UUID: {identity(uuid)}"
    if lock:
        head += "\nevent-lock: true"
    if loops != 1:
        head += f"\nloops: {int(loops)}"
    if not argument:
        return head.encode() + b"\n\n"
    body = _encoded(argument)
    return f"{head}\ncontent-type: text/plain\ncontent-length: {len(body)}\n\n".encode() + body


def hangup(cause: str = "NORMAL_CLEARING", *, leg: str = "") -> bytes:
    """A message that hangs up the socket's own channel, or `leg`. It waits behind a locked application, which `uuid_kill`
    does not. A cause that FreeSWITCH does not know becomes NORMAL_CLEARING there."""
    head = f"sendmsg {identity(leg)}" if leg else "sendmsg"
    return f"{head}\ncall-command: hangup\nhangup-cause: {_cause(cause)}\n\n".encode()


def kill(uuid: str, cause: str = "NORMAL_CLEARING") -> str:
    """The API line that hangs up the channel `uuid` at once, whatever it is doing."""
    return f"uuid_kill {identity(uuid)} {_cause(cause)}"


def _quoted(word: str) -> str:
    return f"'{word}'" if " " in word else word


def variables(values: Mapping[str, str]) -> str:
    """Channel variables as a dial string takes them: `{name=value,name=value}`, nothing for none.

    FreeSWITCH's own escapes there depend on how often a string is parsed, so a value that would need one is refused with
    UnsafeText; `foreign` makes names of people fit. A value with blanks is quoted, since `originate` parts its words by
    blanks first and takes the quotes away with that (mod_commands.c:5130).
    """
    for name, value in values.items():
        if not _VARIABLE_NAME.fullmatch(name):
            raise UnsafeText(f"{name[:80]!r} is no variable's name")
        if (found := _NOT_IN_VARIABLE.search(value)) or value != value.strip() or _SEPARATOR in value:
            what = repr(found[0]) if found else repr(_SEPARATOR) if _SEPARATOR in value else "a blank at its edges"
            raise UnsafeText(f"the value of {name} may not hold {what}: {value[:80]!r}")
    return "{" + ",".join(f"{name}={_quoted(value)}" for name, value in values.items()) + "}" if values else ""


def dial_string(legs: Mapping[str, tuple[str, Mapping[str, str]]], values: Mapping[str, str]) -> str:
    """What `bridge` takes to ring `legs` (uuid -> endpoint and variables of its own) together, each under its own uuid, with
    variables for all."""
    if not legs:
        raise UnsafeText("nobody is to be rung")
    return variables(values) + ",".join(
        f"[{variables({'origination_uuid': identity(uuid), **own})[1:-1]}]{_endpoint(endpoint)}"
        for uuid, (endpoint, own) in legs.items()
    )


def _endpoint(endpoint: str) -> str:
    if not endpoint:
        raise UnsafeText("an endpoint may not be empty")
    if found := _NOT_IN_ENDPOINT.search(endpoint):
        raise UnsafeText(f"an endpoint may not hold {found[0]!r}: {endpoint[:80]!r}")
    return endpoint


def originate(endpoint: str, values: Mapping[str, str], application: str = "&park()") -> str:
    """The API line that calls `endpoint` and gives the answered leg to `application`, for example `&park()`, or sends it into
    the dialplan: `5000 XML phones`."""
    if "'" in application or "\\" in application:
        raise UnsafeText(f"an application for a leg may hold no quote and no backslash: {application[:80]!r}")
    target = _quoted(clean(application)) if application.startswith("&") else clean(application)
    return f"originate {variables(values)}{_endpoint(endpoint)} {target}"
