"""`pointsman admin`: the pages and the API as one process."""

from __future__ import annotations

import logging
import os
import signal
from typing import cast

import click
import gevent
import structlog
from flask import Flask
from gevent.event import Event
from gevent.pool import Pool
from gevent.pywsgi import LoggingLogAdapter, WSGIHandler, WSGIServer
from greenlet import greenlet

from admin.app import create_app
from admin.feed import Feed
from admin.parts import Parts
from conf import database, logs
from conf.clock import Clock
from conf.errors import SettingsInvalid
from conf.installation import complete
from conf.settings import Settings, load
from engine.live import connection
from engine.live.board import Board

MOST_CONNECTIONS = 2000
STOP_SECONDS = 5


@click.command()
def admin() -> None:
    """Run the admin: the pages and the API, on POINTSMAN_HTTP."""
    settings = complete(load())
    logs.configure(settings.log_level)
    serve(settings)


def build(settings: Settings) -> Parts:
    """The parts of an admin for these settings, nothing of it started. SettingsInvalid where a URL is missing."""
    if not settings.database_url or not settings.redis_url:
        raise SettingsInvalid("POINTSMAN_DATABASE_URL and POINTSMAN_REDIS_URL are needed")
    db = database.connect(settings.database_url, name="pointsman admin")
    database.bind(db)
    commands = connection.commands(settings.redis_url)
    return Parts(
        settings=settings,
        db=db,
        redis=commands,
        board=Board(commands),
        feed=Feed(connection.blocking(settings.redis_url)),
        clock=Clock.parse(settings.clock),
    )


class _Server(WSGIServer):
    """One that waits, when it stops, for requests that run, and not for browsers that keep a connection for later."""

    ending = False

    def __init__(self, address: tuple[str, int], application: Flask) -> None:
        super().__init__(
            address,
            application,
            spawn=Pool(MOST_CONNECTIONS),
            log=None,
            error_log=LoggingLogAdapter(logging.getLogger("admin.http"), logging.ERROR),
            handler_class=_Handler,
        )
        self.between_requests: set[greenlet] = set()

    def stop(self, timeout: float | None = None) -> None:
        self.ending = True
        gevent.killall(list(self.between_requests), block=False)
        super().stop(timeout)


class _Handler(WSGIHandler):
    def read_requestline(self) -> str:
        server, own = cast(_Server, self.server), gevent.getcurrent()
        if server.ending:
            return ""  # as if it had been closed
        server.between_requests.add(own)
        try:
            return super().read_requestline()
        finally:
            server.between_requests.discard(own)


def serve(settings: Settings) -> None:
    """Answer requests till SIGTERM or Ctrl-C, then finish those that run."""
    parts = build(settings)
    server = _Server((settings.http.host, settings.http.port), create_app(parts))
    try:
        server.init_socket()
    except OSError as error:
        raise SettingsInvalid(
            f"POINTSMAN_HTTP: {settings.http} cannot be had ({os.strerror(error.errno or 0)}); set another port"
        ) from error
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, over.set)
    parts.feed.start()
    server.start()
    log = structlog.get_logger("admin")
    log.info("admin answers", address=f"http://{settings.http}")
    over.wait()
    parts.feed.stop()
    server.stop(timeout=STOP_SECONDS)
    parts.db.close_idle()  # closing one that a query runs on would wait for it, and with it everything
    log.info("admin has ended")
