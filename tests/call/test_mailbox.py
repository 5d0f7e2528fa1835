"""What a call is told while it waits."""

from __future__ import annotations

import time

import gevent

from engine.call.mailbox import Left, Mailbox, Parted, Pressed


def test_messages_come_in_their_order() -> None:
    mailbox = Mailbox()
    for digit in "123":
        mailbox.put(Pressed(digit))
    assert [mailbox.get(None) for _ in range(3)] == [Pressed("1"), Pressed("2"), Pressed("3")]


def test_one_that_comes_ends_the_wait() -> None:
    mailbox = Mailbox()
    # From gevent's loop, as the readers of sockets do.
    gevent.get_hub().loop.run_callback(mailbox.put, Parted())
    began = time.monotonic()
    assert mailbox.get(30.0) == Parted()
    assert time.monotonic() - began < 20


def test_none_within_the_time() -> None:
    mailbox = Mailbox()
    assert mailbox.get(0.01) is None
    mailbox.put(Left())
    assert mailbox.get(0.0) == Left()


def test_a_reader_that_is_ended_takes_no_message_along() -> None:
    mailbox = Mailbox()
    reader = gevent.spawn(mailbox.get, 30.0)
    gevent.sleep(0)
    reader.kill(block=False)
    mailbox.put(Left())
    reader.join(5.0)
    assert mailbox.get(1.0) == Left()
