"""The bytes: read as FreeSWITCH reads them, written so that a controller gets back what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.esl.frames import FrameReader
from engine.virtual import encode
from engine.virtual.encode import Command, CommandReader, words
from engine.virtual.errors import CommandBroken

COMMANDS = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
NAMES = st.from_regex(r"[a-z][a-z-]{0,10}", fullmatch=True).filter(lambda name: name != "content-length")
VALUES = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=30).map(str.strip)


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z]{1,8}", fullmatch=True),
            st.dictionaries(NAMES, VALUES, max_size=4),
            st.binary(max_size=40),
        ),
        min_size=1,
        max_size=5,
    ),
    st.lists(st.integers(1, 30), min_size=1, max_size=20),
)
def test_commands_are_read_however_the_bytes_are_cut(
    commands: list[tuple[str, dict[str, str], bytes]], cuts: list[int]
) -> None:
    stream = b""
    for name, headers, body in commands:
        stream += name.encode() + b"\n" + b"".join(f"{key}: {value}\n".encode() for key, value in headers.items())
        stream += (b"content-length: %d\n\n" % len(body) + body) if body else b"\n"
    reader, found = CommandReader(), list[Command]()
    position, turn = 0, 0
    while position < len(stream):
        size = cuts[turn % len(cuts)]
        found += reader.feed(stream[position : position + size])
        position, turn = position + size, turn + 1
    assert [command.line for command in found] == [name for name, _, _ in commands]
    for command, (_, headers, body) in zip(found, commands, strict=True):
        assert {key: value for key, value in command.headers.items() if key != "content-length"} == headers
        assert encode.octets(command.body or "") == body


@pytest.mark.parametrize("length", ["-1", "99999999999"])
def test_a_length_that_cannot_be_breaks_the_connection(length: str) -> None:
    with pytest.raises(CommandBroken):
        CommandReader().feed(f"sendmsg\ncontent-length: {length}\n\n".encode())


def test_blank_lines_before_a_command_are_skipped() -> None:
    assert [command.line for command in CommandReader().feed(b"\r\n\n\nconnect\r\n\r\n")] == ["connect"]


@given(
    st.dictionaries(
        st.from_regex(r"X-[A-Za-z]{1,8}", fullmatch=True), st.text(max_size=40).filter(str.strip), min_size=1
    )
)
def test_events_carry_any_text(headers: dict[str, str]) -> None:
    headers = {
        name: value.strip() for name, value in headers.items() if value.encode("utf-8", "ignore").decode() == value
    }
    lines = "".join(encode.line(name, value) for name, value in ({"Event-Name": "CUSTOM"} | headers).items())
    for body in (None, "two\n\nlines: æ"):
        (frame,) = FrameReader().feed(encode.event_frame(lines, body, encode.PLAIN))
        assert frame.event.name == "CUSTOM"
        assert {name: frame.event.get(name) for name in headers} == {
            name: value.strip() for name, value in headers.items()
        }
        assert frame.event.text == (body or "")


def test_replies_are_cut_where_freeswitch_cuts_them() -> None:
    (frame,) = FrameReader().feed(encode.reply("x" * 2000))
    assert len(frame.get("Reply-Text") or "") == 511


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("1 4 1 4000 # a.wav b.wav pin \\d+", ["1", "4", "1", "4000", "#", "a.wav", "b.wav", "pin", "\\d+"]),
        ("'/a b/c.wav' 10", ["/a b/c.wav", "10"]),
        ("/a\\ b 10", ["/a b", "10"]),
        ("  one   two ", ["one", "two"]),
        ("", []),
    ],
)
def test_arguments_are_cut_into_words(argument: str, parts: list[str]) -> None:
    assert words(argument) == parts
