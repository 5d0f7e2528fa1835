"""The reading half, against what FreeSWITCH really sent and against what it never would."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.esl.errors import FrameBroken
from engine.esl.frames import HEAD_LIMIT, Event, Frame, FrameReader

from .recordings import EVERY, NAMES


def everything(frames: list[Frame]) -> list[tuple[bytes, bytes, bytes]]:
    return [(frame.content_type, frame.head, frame.body) for frame in frames]


def read(data: bytes) -> list[Frame]:
    reader = FrameReader()
    frames = reader.feed(data)
    reader.eof()
    return frames


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_is_read_to_its_last_byte(name: str) -> None:
    data = EVERY[name].from_switch
    frames = read(data)
    assert sum(len(frame.head) + 2 + len(frame.body) for frame in frames) == len(data)
    for frame in frames:
        if frame.is_event:
            assert frame.event.get("Event-Name") == frame.event.name != ""
            assert frame.event.get("Core-UUID")


@pytest.mark.parametrize("name", NAMES)
def test_one_byte_at_a_time_reads_the_same(name: str) -> None:
    data = EVERY[name].from_switch
    reader = FrameReader()
    frames: list[Frame] = []
    for index in range(len(data)):
        frames += reader.feed(data[index : index + 1])
    reader.eof()
    assert everything(frames) == everything(read(data))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_recording_cut_anywhere_reads_the_same(data: st.DataObject) -> None:
    stream = EVERY[data.draw(st.sampled_from(NAMES))].from_switch
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    reader = FrameReader()
    frames: list[Frame] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        frames += reader.feed(stream[start:end])
    reader.eof()
    assert everything(frames) == everything(read(stream))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_stream_that_ends_early_is_broken_or_between_frames(data: st.DataObject) -> None:
    stream = EVERY[data.draw(st.sampled_from(NAMES))].from_switch
    end = data.draw(st.integers(0, len(stream)))
    reader = FrameReader()
    frames = reader.feed(stream[:end])
    whole = sum(len(frame.head) + 2 + len(frame.body) for frame in frames) == end
    if whole:
        reader.eof()
    else:
        with pytest.raises(FrameBroken):
            reader.eof()


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.binary(max_size=80) | st.sampled_from([b"\n\n", b"Content-Length: 5", b"Content-Type: api/response\n"]))
)
def test_no_bytes_at_all_raise_anything_but_frame_broken(chunks: list[bytes]) -> None:
    reader = FrameReader()
    try:
        for chunk in chunks:
            for frame in reader.feed(chunk):
                frame.headers()
                if frame.is_event:
                    frame.event.headers()
        reader.eof()
    except FrameBroken:
        assert reader.broken is not None or reader.eof() is None


def test_the_reply_to_connect_is_decoded_and_others_are_not() -> None:
    frames = read(EVERY["main"].from_switch)
    assert frames[0].get("Caller-Caller-ID-Name") == "Test Caller"
    assert frames[0].get("Reply-Text") == "+OK"
    assert frames[0].get("Content-Type") == "command/reply"
    reply = FrameReader().feed(b"Content-Type: command/reply\nReply-Text: 50%25 of it\n\n")[0]
    assert reply.get("Reply-Text") == reply.data == "50%25 of it"


def test_event_values_cannot_forge_headers() -> None:
    event = Event(b"Event-Name: DTMF\nCaller-Caller-ID-Name: Bob%0AUnique-ID: evil\nUnique-ID: mine\nDTMF-Digit: %23")
    assert event.get("Unique-ID") == "mine"
    assert event.get("Caller-Caller-ID-Name") == "Bob\nUnique-ID: evil"
    assert event.get("DTMF-Digit") == "#"
    assert event.headers()["Unique-ID"] == "mine"


def test_the_first_of_two_headers_counts_and_part_names_do_not() -> None:
    event = Event(b"Event-Name: X\nOther-Leg-Unique-ID: other\nUnique-ID: first\nUnique-ID: second\nEmpty: _undef_")
    assert event.get("Unique-ID") == "first"
    assert event.get("Unique") is None
    assert event.get("ID", "none") == "none"
    assert event.get("Empty") == ""
    assert event.get("Event-Name") == "X"


def test_a_background_jobs_body_is_a_body_and_not_headers() -> None:
    events = [f.event for f in read(EVERY["inbound_originate"].from_switch) if f.is_event]
    jobs = [event for event in events if event.name == "BACKGROUND_JOB"]
    assert jobs
    assert all(job.body and job.get("Job-UUID") for job in jobs)
    forged = b"Unique-ID: evil\n\nEvent-Name: CHANNEL_HANGUP\n"
    head = b"Event-Name: BACKGROUND_JOB\nJob-UUID: 1\nContent-Length: %d\n\n" % len(forged)
    body = head + forged
    frame = read(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body))[0]
    assert frame.event.body == forged
    assert frame.event.get("Unique-ID") is None


@pytest.mark.parametrize("name", NAMES)
def test_an_events_headers_end_at_its_empty_line_and_its_body_is_as_long_as_it_says(name: str) -> None:
    for frame in read(EVERY[name].from_switch):
        if frame.is_event:
            lines, _, rest = frame.body.partition(b"\n\n")
            plain = dict(reversed([line.split(b": ", 1) for line in lines.split(b"\n")]))
            event = frame.event
            assert event.headers().keys() == {key.decode() for key in plain}
            assert event.body == rest[: int(plain.get(b"Content-Length", b"0"))]


@pytest.mark.parametrize(
    "inner", [b"", b"\n", b"\n\n", b"two\n\n", b"\n\nUnique-ID: evil\n\n", b"\nContent-Length: 7\n\n"]
)
@pytest.mark.parametrize("first", [True, False])
def test_an_events_body_may_end_like_its_headers(inner: bytes, first: bool) -> None:
    length = b"Content-Length: %d\n" % len(inner)
    head = length + b"Event-Name: CUSTOM\n" if first else b"Event-Name: CUSTOM\n" + length
    body = head + b"\n" + inner
    [frame] = read(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body))
    assert (frame.event.name, frame.event.body) == ("CUSTOM", inner)
    assert frame.event.get("Unique-ID") is None


@pytest.mark.parametrize("length", [b"0", b"00", b"3", b"+3", b" 3", b"3 ", b"3_0", b"9999999999", b"x", b""])
def test_lengths_are_read_alike_whatever_stands_around_them(length: bytes) -> None:
    def outcome(data: bytes) -> object:
        reader = FrameReader()
        try:
            return [frame.body for frame in reader.feed(data)]
        except FrameBroken:
            return "broken"

    usual = b"Content-Length: %s\nContent-Type: text/event-plain\n\nabc" % length
    assert outcome(usual) == outcome(b"\n" + usual) == outcome(b"X: y\n" + usual)


def test_refusals_are_told_from_answers() -> None:
    reply = b"Content-Type: command/reply\nReply-Text: %s\n\n"
    assert [
        frame.refused for frame in read(reply % b"-ERR no" + reply % b"-USAGE: x" + reply % b"+OK" + reply % b"")
    ] == [
        True,
        True,
        False,
        False,
    ]
    answer = b"Content-Type: api/response\nContent-Length: 4\n\n"
    assert [frame.refused for frame in read(answer + b"-ERR" + answer + b"+OK\n")] == [True, False]


@pytest.mark.parametrize(
    "broken",
    [
        b"Content-Length: 3\n\nabc",
        b"no colon at all\n\n",
        b"Content-Type: text/event-plain\n\n",
        b"Content-Type: api/response\nContent-Length: -1\n\n",
        b"Content-Type: api/response\nContent-Length: ten\n\n",
        b"Content-Type: api/response\nContent-Length: 99999999\n\n",
        b"Content-Type: api/response\nContent-Length: 999999999999999999999\n\n",
        b"Content-Type: api/response\nContent-Length: \n\n",
    ],
)
def test_broken_frames_are_refused_after_the_good_ones(broken: bytes) -> None:
    good = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
    with pytest.raises(FrameBroken):
        FrameReader().feed(broken)
    reader = FrameReader()
    assert [frame.data for frame in reader.feed(good + broken)] == ["+OK"]
    assert reader.broken is not None
    with pytest.raises(FrameBroken):
        reader.feed(good)
    with pytest.raises(FrameBroken):
        reader.eof()


def test_headers_without_end_are_refused() -> None:
    reader = FrameReader()
    for _ in range(HEAD_LIMIT // 1024):
        assert reader.feed(b"X" * 1024) == []
    with pytest.raises(FrameBroken):
        reader.feed(b"X")


def test_an_inner_length_beyond_the_frame_is_refused() -> None:
    body = b"Event-Name: CUSTOM\nContent-Length: 500\n\nshort"
    frame = read(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body))[0]
    with pytest.raises(FrameBroken):
        _ = frame.event
    with pytest.raises(FrameBroken):
        _ = read(b"Content-Type: auth/request\n\n")[0].event
