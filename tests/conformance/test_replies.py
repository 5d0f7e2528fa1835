"""The connect reply, and every command with its reply."""

from .plans import MORE_BEHIND, PLAIN
from .rig import Rig


def test_connect_tells_all_about_the_channel(rig: Rig) -> None:
    caller = rig.ring(PLAIN, origination_caller_id_number="+4532101010", origination_caller_id_name="'Anna & Co'")
    call = rig.accept()
    data = call.send("connect")
    assert data.get("Event-Name") == "CHANNEL_DATA"
    assert data.get("Reply-Text") == "+OK"
    assert data.get("Socket-Mode") == "async"
    assert data.get("Control") == "full"
    assert data.get("Channel-State") == "CS_EXECUTE"
    assert data.get("Channel-Call-State") == "RINGING"
    assert data.get("Answer-State") == "ringing"
    assert data.get("Call-Direction") == "inbound"
    assert data.get("Caller-Destination-Number") == data.get("Channel-Destination-Number") == PLAIN
    assert data.get("Caller-Caller-ID-Number") == "+4532101010"
    assert data.get("Caller-Caller-ID-Name") == "Anna & Co"
    assert data.get("Caller-Unique-ID") == data.get("Unique-ID") == data.get("variable_uuid")
    assert data.get("Unique-ID") not in (caller, None)
    assert data.get("Caller-Channel-Answered-Time") == "0"
    assert data.get("Content-Length") is None
    assert data.get("variable_current_application") == "socket"
    assert data.get("variable_socket_host") == "127.0.0.1"


def test_connect_after_an_answer_says_so(rig: Rig) -> None:
    rig.ring(MORE_BEHIND)
    data = rig.accept().send("connect")
    assert (data.get("Answer-State"), data.get("Channel-Call-State")) == ("answered", "ACTIVE")
    assert int(data.get("Caller-Channel-Answered-Time") or 0) > 0


def _text(call: object, *lines: str) -> str:
    return call.send(*lines).get("Reply-Text")  # type: ignore[attr-defined, no-any-return]


def test_every_command_has_its_reply(rig: Rig) -> None:
    rig.ring(PLAIN)
    call = rig.accept()
    data = call.send("connect")
    uuid = data.get("Unique-ID")
    assert _text(call, "getvar no_such") == "-ERR command not found"
    assert _text(call, "getvar uuid") == uuid
    assert _text(call, "getvar") == "-ERR command not found"
    assert _text(call, "bogus") == "-ERR command not found"
    assert _text(call, "api") == "-ERR command not found"
    assert _text(call, "auth x") == "-ERR command not found"
    assert _text(call, "event plain") == "-ERR no keywords supplied"
    assert _text(call, "event plain NO_SUCH") == "-ERR no keywords supplied"
    assert _text(call, "event plain DTMF") == "+OK event listener enabled plain"
    assert _text(call, "events plain DTMF") == "+OK event listener enabled plain"
    assert _text(call, "nixevent DTMF") == "+OK events nixed"
    assert _text(call, "nixevent") == "-ERR no keywords supplied"
    assert _text(call, "noevents") == "+OK no longer listening for events"
    assert _text(call, f"filter Unique-ID {uuid}") == f"+OK filter added. [Unique-ID]=[{uuid}]"
    assert _text(call, f"filter delete Unique-ID {uuid}") == f"+OK filter deleted. [Unique-ID][{uuid}]"
    assert _text(call, "filter X") == "-ERR invalid syntax"
    assert _text(call, "filter delete all") == "+OK filter deleted. [all][]"
    assert _text(call, "myevents") == "+OK Events Enabled"
    assert _text(call, "myevents") == "-ERR aready enabled."
    assert _text(call, "linger") == "+OK will linger"
    assert _text(call, "linger 3") == "+OK will linger 3 seconds"
    assert _text(call, "nolinger") == "+OK will not linger"
    assert _text(call, "sendmsg") == "+OK"
    assert _text(call, "sendmsg", "call-command: nosuch") == "+OK"
    assert _text(call, "sendmsg", "call-command: Execute", "execute-app-name: hangup") == "+OK"
    assert _text(call, "sendmsg nobody", "call-command: execute") == "-ERR invalid session id [nobody]"
    assert call.api("uuid_exists nobody") == "false"
    assert call.api(f"uuid_exists {uuid}") == "true"
    assert call.api("no_such_command x") == "-ERR no_such_command Command not found!\n"
    assert call.api("global_getvar no_such") == "-ERR no reply\n"
    reply = call.send("bgapi echo hi", "Job-UUID: mine")
    assert (reply.get("Reply-Text"), reply.get("Job-UUID")) == ("+OK Job-UUID: mine", "mine")


def test_variables_come_back_as_they_were_set(rig: Rig) -> None:
    _, call, uuid = rig.take(PLAIN)
    for name, value in (("plain", "x"), ("spaces", "  two, three  "), ("lines", "one\ntwo: æ %41")):
        call.execute("set", f"{name}={value}", uuid=name)
        done = call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": name})
        assert done.get("Application") == "set"
        assert call.api(f"uuid_getvar {uuid} {name}") == value
    assert call.api(f"uuid_getvar {uuid} unset_one") == "_undef_"
    assert call.api(f"uuid_setvar {uuid} plain y") == "+OK\n"
    assert call.send("getvar plain").get("Reply-Text") == "y"
    assert call.api(f"uuid_setvar_multi {uuid} a=1;b=2") == "+OK\n"
    assert call.api(f"uuid_getvar {uuid} b") == "2"
    assert call.api(f"uuid_setvar {uuid} plain") == "+OK\n"
    assert call.api(f"uuid_getvar {uuid} plain") == "_undef_"
    assert call.api("uuid_getvar nobody x") == "-ERR No such channel!\n"
    call.execute("multiset", "m=1 n=2", uuid="multi")
    done = call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "multi"})
    assert (done.get("variable_m"), done.get("variable_n")) == ("1", "2")
    call.execute("unset", "m", uuid="unset")
    assert call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "unset"}).get("variable_m") is None


def test_the_first_command_must_be_connect(rig: Rig) -> None:
    rig.ring(PLAIN)
    call = rig.accept()
    call.write("myevents\n\n")
    assert call.send("linger").get("Reply-Text") == "+OK will linger"
    assert call.send("connect").get("Event-Name") == "CHANNEL_DATA"


def test_line_ends_and_case_do_not_matter(rig: Rig) -> None:
    _, call, uuid = rig.take(PLAIN)
    call.write("\r\n\nSENDMSG\r\nCall-Command: execute\r\nExecute-App-Name: set\r\nExecute-App-Arg: odd=yes\r\n\r\n")
    assert call.reply().get("Reply-Text") == "+OK"
    assert call.event("CHANNEL_EXECUTE_COMPLETE", Application="set").get("variable_odd") == "yes"
    assert call.api(f"uuid_getvar {uuid} odd") == "yes"


def test_events_as_json(rig: Rig) -> None:
    rig.ring(PLAIN)
    call = rig.accept()
    call.send("connect")
    call.send("myevents json")
    call.execute("answer", uuid="json-1")
    done = call.json_event(Event_Name="CHANNEL_EXECUTE_COMPLETE")
    assert (done["Application-UUID"], done["Application-Response"]) == ("json-1", "_none_")
    assert done["Caller-Destination-Number"] == PLAIN


def test_line_ends_before_a_command_are_nothing(rig: Rig) -> None:
    """No reply comes to them, nor does the command's go astray."""
    control = rig.inbound()
    for blank in ("\n", "\n\n", "\n\n\n\n"):
        control.write(blank)
        assert len(control.api("create_uuid")) == 36
    control.write("\n")
    control.listen(0.2)
    assert control.send("nothing of the kind").get("Reply-Text") == "-ERR command not found"
    rig.ring(PLAIN)
    call = rig.accept()
    call.write("\n")
    assert call.send("connect").get("Event-Name") == "CHANNEL_DATA"
    call.write("\n")
    assert call.send("linger 1").get("Reply-Text") == "+OK will linger 1 seconds"
