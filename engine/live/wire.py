"""One connection to Redis for one greenlet: packed commands out in one write, answers back in order.

redis-py's client looks a connection up, checks its health and wraps each call in repeats and reports, which costs several
times what the command does. Where a process talks to Redis all the time this is used instead: redis-py's own connection
(sign-in, TLS, parsing by hiredis), without the rest.
"""

from __future__ import annotations

from typing import Any

import hiredis
import redis
from redis.exceptions import ResponseError

Command = tuple[Any, ...]
"""A command's name and its arguments: text, bytes or numbers."""


class Wire:
    """A connection that is made when it is first needed, and again after a fault. Not for two greenlets at once."""

    def __init__(self, url: str, *, timeout: float = 3.0) -> None:
        """An answer may take `timeout` seconds; for commands that block let it be well above their own limit."""
        pool = redis.ConnectionPool.from_url(
            url,
            protocol=2,
            decode_responses=True,
            socket_timeout=timeout,
            socket_connect_timeout=3,
            socket_keepalive=True,
        )
        self._connection: Any = pool.make_connection()

    def ask_all(self, commands: list[Command]) -> list[Any]:
        """The answers to the commands, in order; one that Redis refused is a ResponseError in its place. Any other
        redis.RedisError means that some commands may have been carried out and others not."""
        connection = self._connection
        connection.send_packed_command([b"".join([hiredis.pack_command(command) for command in commands])])
        answers = []
        for _ in commands:
            try:
                answers.append(connection.read_response())
            except ResponseError as error:
                answers.append(error)
        return answers

    def ask(self, *command: Any) -> Any:
        """The answer to one command. redis.RedisError, ResponseError among them."""
        connection = self._connection
        connection.send_packed_command([hiredis.pack_command(command)])
        return connection.read_response()

    def close(self) -> None:
        self._connection.disconnect()
