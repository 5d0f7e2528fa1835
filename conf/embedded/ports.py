"""Ports of the loopback for servers of our own."""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from pathlib import Path

from conf import installation


def free_port() -> int:
    """A TCP port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def remembered_port(home: Path, name: str) -> int:
    """The port that `name` had at the last start where it is still free, otherwise a new one, remembered."""
    path = home / "ports.json"
    try:
        ports = {str(key): int(value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        ports = {}
    if name in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", ports[name]))
                return ports[name]
    ports[name] = next(port for port in iter(free_port, 0) if port not in ports.values())
    installation.write_private(path, json.dumps(ports) + "\n")
    return ports[name]
