"""Frames for the load generator: put together from parts that were encoded beforehand, each as long as FreeSWITCH's own.

The lengths are those of the recordings in tests/esl/captures, for what a controller spends on a call lies much in the bytes it
has to take in: an EXECUTE_COMPLETE has some 6 KB of which a controller needs 100 bytes.
"""

from __future__ import annotations

from typing import Final

CORE: Final = b"7c0e3c6a-5b7a-4c39-9d0e-1f2a3b4c5d6e"

_UUID: Final = b"00000000-0000-0000-0000-000000000000"
_CALLER: Final = b"%2B4500000000"
_CALLED: Final = b"<called>"

_DATES: Final = (
    b"Core-UUID: " + CORE + b"\nFreeSWITCH-Hostname: load\nFreeSWITCH-Switchname: load\nFreeSWITCH-IPv4: 127.0.0.1\n"
    b"FreeSWITCH-IPv6: %3A%3A1\nEvent-Date-Local: 2026-01-01%2012%3A00%3A00\n"
    b"Event-Date-GMT: Thu,%2001%20Jan%202026%2012%3A00%3A00%20GMT\nEvent-Date-Timestamp: 1767268800000000\n"
    b"Event-Calling-File: switch_core_session.c\nEvent-Calling-Function: switch_core_session_exec\n"
    b"Event-Calling-Line-Number: 2998\nEvent-Sequence: 8434\n"
)
_STATE: Final = (
    b"Channel-State: CS_EXECUTE\nChannel-Call-State: ACTIVE\nChannel-State-Number: 4\n"
    b"Channel-Name: sofia/trunk/" + _CALLER + b"%40127.0.0.1\nUnique-ID: " + _UUID + b"\nCall-Direction: inbound\n"
    b"Presence-Call-Direction: inbound\nChannel-HIT-Dialplan: true\nChannel-Presence-ID: " + _CALLER + b"%40127.0.0.1\n"
    b"Channel-Call-UUID: " + _UUID + b"\nAnswer-State: answered\n"
    b"Channel-Read-Codec-Name: PCMU\nChannel-Read-Codec-Rate: 8000\nChannel-Read-Codec-Bit-Rate: 64000\n"
    b"Channel-Write-Codec-Name: PCMU\nChannel-Write-Codec-Rate: 8000\nChannel-Write-Codec-Bit-Rate: 64000\n"
)
_TIMES: Final = b"".join(
    b"%s-Channel-%s-Time: 1767268800000000\n" % (b"<who>", each)
    for each in (
        b"Created",
        b"Answered",
        b"Progress",
        b"Progress-Media",
        b"Hangup",
        b"Transfer",
        b"Resurrect",
        b"Bridged",
    )
)
_PROFILE: Final = (
    b"<who>-Direction: inbound\n<who>-Logical-Direction: inbound\n<who>-Username: "
    + _CALLER
    + b"\n<who>-Dialplan: XML\n"
    b"<who>-Caller-ID-Name: " + _CALLER + b"\n<who>-Caller-ID-Number: " + _CALLER + b"\n"
    b"<who>-Orig-Caller-ID-Name: " + _CALLER + b"\n<who>-Orig-Caller-ID-Number: " + _CALLER + b"\n"
    b"<who>-Network-Addr: 127.0.0.1\n<who>-ANI: " + _CALLER + b"\n<who>-Destination-Number: " + _CALLED + b"\n"
    b"<who>-Unique-ID: " + _UUID + b"\n<who>-Source: mod_sofia\n<who>-Context: public\n"
    b"<who>-Channel-Name: sofia/trunk/" + _CALLER + b"%40127.0.0.1\n<who>-Profile-Index: 1\n"
    b"<who>-Profile-Created-Time: 1767268800000000\n"
    + _TIMES
    + b"<who>-Channel-Last-Hold: 0\n<who>-Channel-Hold-Accum: 0\n"
    b"<who>-Screen-Bit: true\n<who>-Privacy-Hide-Name: false\n<who>-Privacy-Hide-Number: false\n"
)


def _padding(length: int, label: bytes) -> bytes:
    """Variables such as a SIP call carries, `length` bytes of them or a few less."""
    one = b"variable_sip_h_X-" + label + b"-%03d: sip%%3Aload%%40127.0.0.1%%3A5060%%3Btransport%%3Dudp\n"
    return b"".join(one % number for number in range(length // len(one % 0)))


def _variables(length: int) -> bytes:
    real = (
        b"variable_direction: inbound\nvariable_uuid: " + _UUID + b"\nvariable_session_id: 286\n"
        b"variable_sip_from_user: " + _CALLER + b"\nvariable_call_uuid: " + _UUID + b"\n"
        b"variable_sip_call_id: "
        + _UUID
        + b"%40127.0.0.1\nvariable_socket_resume: true\nvariable_read_result: success\n"
        b"variable_park_after_bridge: true\nvariable_playback_terminators: none\n"
    )
    return real + _padding(length - len(real), b"Load")


_CALLER_PROFILE: Final = _PROFILE.replace(b"<who>", b"Caller")
_BASIC: Final = (_STATE + _CALLER_PROFILE).split(_UUID)
_VARIABLES: Final = _variables(3800).split(_UUID)
_OTHER: Final = _PROFILE.replace(b"<who>", b"Other-Leg")
_CDR: Final = _padding(2900, b"Cdr")
_CONNECT_HEAD: Final = b"Event-Name: CHANNEL_DATA\n" + _DATES
_CONNECT_PROFILE: Final = _PROFILE.replace(b"<who>", b"Channel").split(_UUID)
_CONNECT_TAIL: Final = b"Content-Type: command/reply\nReply-Text: %2BOK%0A\nSocket-Mode: async\nControl: full\n\n"


class Leg:
    """What the frames of one leg have in common. `uuid`, `caller` (`+45…`, ten more digits or less) and `called` are text
    that needs no further encoding but of the `+`."""

    __slots__ = ("_basic", "_full", "uuid")

    def __init__(self, uuid: bytes, caller: bytes, called: bytes) -> None:
        shown = caller.replace(b"+", b"%2B")
        self.uuid = uuid
        self._basic = uuid.join(_BASIC).replace(_CALLER, shown).replace(_CALLED, called)
        self._full = self._basic + uuid.join(_VARIABLES).replace(_CALLER, shown)

    def connected(self) -> bytes:
        """The reply to `connect`: all channel data, url-encoded, without a length."""
        profile = self.uuid.join(_CONNECT_PROFILE)
        return b"".join((_CONNECT_HEAD, profile, self._full, _CONNECT_TAIL))

    def event(self, name: bytes, extra: bytes = b"") -> bytes:
        """An event of this leg; `extra` are further header lines."""
        body = b"".join((b"Event-Name: ", name, b"\n", _DATES, self._full, extra, b"\n"))
        return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(body), body)

    def digit(self, key: bytes) -> bytes:
        body = b"".join(
            (b"Event-Name: DTMF\n", _DATES, self._basic, b"DTMF-Digit: ", key, b"\nDTMF-Duration: 2000\n\n")
        )
        return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(body), body)

    def executed(
        self,
        application: bytes,
        execution: bytes,
        response: bytes = b"_none_",
        extra: bytes = b"",
        *,
        name: bytes = b"CHANNEL_EXECUTE_COMPLETE",
    ) -> bytes:
        """CHANNEL_EXECUTE_COMPLETE; `extra` are variables that the application has set."""
        return self.event(
            name,
            b"%bvariable_current_application: %b\nApplication: %b\nApplication-Response: %b\nApplication-UUID: %b\n"
            % (extra, application, application, response, execution),
        )

    def bridged(self, other: bytes, name: bytes = b"CHANNEL_BRIDGE") -> bytes:
        return self.event(name, b"Bridge-A-Unique-ID: %b\nBridge-B-Unique-ID: %b\n%b" % (self.uuid, other, _OTHER))

    def hung_up(self, cause: bytes = b"NORMAL_CLEARING") -> bytes:
        return self.event(b"CHANNEL_HANGUP", b"Hangup-Cause: %b\n" % cause)

    def completely(self, cause: bytes = b"NORMAL_CLEARING") -> bytes:
        return self.event(b"CHANNEL_HANGUP_COMPLETE", b"Hangup-Cause: %b\n%b" % (cause, _CDR))

    def lingering(self) -> bytes:
        return (
            b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: %b\nContent-Disposition: linger\n"
            b"Channel-Name: sofia/trunk/load\nLinger-Time: 5\nContent-Length: 0\n\n" % self.uuid
        )

    def farewell(self) -> bytes:
        return (
            b"Content-Type: text/disconnect-notice\nControlled-Session-UUID: %b\nContent-Disposition: disconnect\n"
            b"Content-Length: 67\n\nDisconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n" % self.uuid
        )


def row(uuid: bytes) -> bytes:
    """A leg in the answer to `show channels as json`, as long as FreeSWITCH's rows."""
    return (
        b'{"uuid":"%b","direction":"inbound","created":"2026-01-01 12:00:00","created_epoch":"1767268800",'
        b'"name":"sofia/trunk/load@127.0.0.1","state":"CS_EXECUTE","cid_name":"load","cid_num":"4500000000",'
        b'"ip_addr":"127.0.0.1","dest":"7000","application":"playback","application_data":"local_stream://music",'
        b'"dialplan":"XML","context":"public","read_codec":"PCMU","read_rate":"8000","read_bit_rate":"64000",'
        b'"write_codec":"PCMU","write_rate":"8000","write_bit_rate":"64000","secure":"","hostname":"load",'
        b'"presence_id":"load@127.0.0.1","presence_data":"","accountcode":"","callstate":"ACTIVE"}' % uuid
    )


NOBODY: Final = Leg(b"", b"", b"")
OK: Final = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
BYE: Final = b"Content-Type: command/reply\nReply-Text: +OK bye\n\n"
ASK_PASSWORD: Final = b"Content-Type: auth/request\n\n"


def answer(text: bytes) -> bytes:
    """An api/response."""
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(text), text)


def job_taken(job: bytes) -> bytes:
    return b"Content-Type: command/reply\nReply-Text: +OK Job-UUID: %b\nJob-UUID: %b\n\n" % (job, job)


def job_done(job: bytes, command: bytes, result: bytes) -> bytes:
    """BACKGROUND_JOB with its inner length and raw body."""
    head = b"Event-Name: BACKGROUND_JOB\n%bJob-UUID: %b\nJob-Command: %b\nContent-Length: %d\n\n%b" % (
        _DATES, job, command, len(result), result,
    )  # fmt: skip
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(head), head)
