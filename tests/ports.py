"""Ports for what tests start on the loopback."""

from __future__ import annotations

import random
import socket
from contextlib import closing

_GIVEN: set[int] = set()


def free_port() -> int:
    """A port of the loopback that nobody has, for TCP and UDP alike, another one each time: none of those that the kernel gives
    to connections, of which one could be taken before it is used."""
    while True:
        port = random.randint(10_000, 16_000)
        tcp, udp = (socket.socket(socket.AF_INET, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        with closing(tcp), closing(udp):
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _GIVEN:
            _GIVEN.add(port)
            return port
