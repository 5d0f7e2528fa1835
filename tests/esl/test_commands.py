"""What is said to FreeSWITCH, and what may never be said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.esl import commands
from engine.esl.errors import UnsafeText


def test_an_argument_travels_in_the_body() -> None:
    assert commands.execute("playback", "a b/ø.wav", "id-1", lock=True, loops=3) == (
        b"sendmsg\ncall-command: execute\nexecute-app-name: playback\nEvent-UUID: id-1\nevent-lock: true\nloops: 3\n"
        b"content-type: text/plain\ncontent-length: 10\n\na b/\xc3\xb8.wav"
    )
    assert commands.execute("answer") == b"sendmsg\ncall-command: execute\nexecute-app-name: answer\n\n"
    assert commands.execute("park", leg="leg-1").startswith(b"sendmsg leg-1\n")


def test_lines() -> None:
    assert commands.command("linger 5") == b"linger 5\n\n"
    assert commands.api("uuid_break x all") == b"api uuid_break x all\n\n"
    assert commands.bgapi("status", "job-1") == b"bgapi status\nJob-UUID: job-1\n\n"
    assert commands.hangup("USER_BUSY") == b"sendmsg\ncall-command: hangup\nhangup-cause: USER_BUSY\n\n"


@pytest.mark.parametrize(
    "text", ["a\nb", "a\rb", "a\0b", "${x}", "$\\{x}", "$\\\\{system(rm)}", "x\n\napi system reboot"]
)
def test_power_is_refused_everywhere(text: str) -> None:
    for build in (
        lambda: commands.clean(text),
        lambda: commands.command(text),
        lambda: commands.api(text),
        lambda: commands.bgapi(text, "job"),
        lambda: commands.bgapi("status", text),
        lambda: commands.execute("set", text),
        lambda: commands.execute(text),
        lambda: commands.execute("set", "x", text),
        lambda: commands.execute("set", "x", leg=text),
        lambda: commands.hangup(text),
        lambda: commands.kill(text),
        lambda: commands.variables({"a": text}),
        lambda: commands.variables({text: "a"}),
        lambda: commands.originate(text, {}),
        lambda: commands.originate("user/1", {}, text),
    ):
        with pytest.raises(UnsafeText):
            build()


def test_ones_own_arguments_may_be_expanded_but_never_break_lines() -> None:
    assert commands.execute("set", "a=${b}", expand=True).endswith(b"a=${b}")
    with pytest.raises(UnsafeText):
        commands.execute("set", "a=${b}\n", expand=True)
    with pytest.raises(UnsafeText):
        commands.command("api eval ${b}\n", expand=True)


@pytest.mark.parametrize("line", ["api x unload MOD_EVENT_SOCKET", "api reload mod_event_socket"])
def test_the_event_socket_cannot_be_unloaded(line: str) -> None:
    with pytest.raises(UnsafeText):
        commands.command(line)


def test_text_that_has_no_bytes_is_refused() -> None:
    with pytest.raises(UnsafeText):
        commands.execute("set", "a=\ud800")


def test_originate() -> None:
    line = commands.originate(
        "user/1001", {"origination_uuid": "u-1", "origination_caller_id_name": "Ann B"}, "&park()"
    )
    assert line == "originate {origination_uuid=u-1,origination_caller_id_name='Ann B'}user/1001 &park()"
    assert commands.originate("user/1", {}) == "originate user/1 &park()"


@pytest.mark.parametrize(
    "value", ["a,b", "a'b", 'a"b', "a}b", "{a", "[a]", "a|b", "a\\b", "^^:a", " a", "a\tb", "a:_:b"]
)
def test_values_that_would_end_a_variable_are_refused(value: str) -> None:
    with pytest.raises(UnsafeText):
        commands.variables({"name": value})


@pytest.mark.parametrize("endpoint", ["", "user/1 &echo()", "[a=b]user/1", "{a=b}user/1", "user/1'", "<a=b>user/1"])
def test_endpoints_carry_no_variables_and_no_second_word(endpoint: str) -> None:
    with pytest.raises(UnsafeText):
        commands.originate(endpoint, {})


@given(st.text(st.characters()))
def test_foreign_text_is_fit_for_anything_after_foreign(text: str) -> None:
    fit = commands.foreign(text)
    assert len(fit) <= 80
    commands.variables({"name": fit})
    commands.execute("set", f"a={fit}")


def test_foreign_text_stays_readable() -> None:
    assert commands.foreign("O'Brien, {Pat}\r\n<ann>") == "O’Brien (Pat) (ann)"
    assert commands.foreign("${system rm}") == "(system rm)"
