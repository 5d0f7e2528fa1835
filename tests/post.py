"""A mail server of its own process, which puts what it takes into a folder."""

from __future__ import annotations

import email
import email.policy
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gevent

READY_SECONDS = 60


@dataclass
class Post:
    """The server at `port` of this machine, and its folder."""

    port: int
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        """An installation's settings that send e-mails by it."""
        return {
            "POINTSMAN_SMTP_SERVER": f"127.0.0.1:{self.port}",
            "POINTSMAN_SMTP_SECURITY": "none",
            "POINTSMAN_SMTP_FROM": "Pointsman <calls@example.org>",
        }

    def taken(self) -> list[Any]:
        """The e-mails it took, the oldest first."""
        files = sorted((self.folder / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files]


@contextmanager
def open_post() -> Iterator[Post]:
    """The server, until the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="pointsman-post-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = ["-n", "-l", f"127.0.0.1:{port}", "-c", "aiosmtpd.handlers.Mailbox", str(folder / "post")]
    server = subprocess.Popen([sys.executable, "-m", "aiosmtpd", *arguments], stderr=subprocess.DEVNULL)
    try:
        with gevent.Timeout(READY_SECONDS, AssertionError("the mail server is not ready in time")):
            while not _answers(port):
                gevent.sleep(0.05)
        yield Post(port, folder / "post")
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False
