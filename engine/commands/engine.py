"""`pointsman engine`: one engine process."""

from __future__ import annotations

import gc
import os
import signal
import sys

import click
import gevent
from gevent.event import Event
from gevent.util import print_run_info

from conf import installation, logs
from conf.settings import load
from engine import freeswitch
from engine.process import EngineProcess


@click.command()
@click.option("--name", default=None, help="What this process is called on boards and in logs; engine-PID by default.")
def engine(name: str | None) -> None:
    """Run one engine process, for systemd or containers.

    At SIGUSR1 it writes to its log what each of its greenlets is doing, and how many objects the collector has had to find.
    """
    settings = installation.complete(load())
    logs.configure(settings.log_level)
    outside = freeswitch.external(settings.freeswitch)
    if outside is not None:
        settings = settings.model_copy(update={"control": outside})
    process = EngineProcess(settings, name or os.environ.get("POINTSMAN_PROCESS") or f"engine-{os.getpid()}")
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, ended.set)
    gevent.signal_handler(signal.SIGUSR1, _tell)
    process.start()
    freeze()
    ended.wait()
    process.stop()


def freeze() -> None:
    """What was built so far lives as long as the process; the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    # A call leaves no circles behind; looking for them as far as Python does by itself costs every caller milliseconds. The
    # youngest 2,000 objects take below one.
    gc.set_threshold(2_000, 100, 1_000)


def _tell() -> None:
    # Greenlets are found through the collector, which does not show what is frozen.
    gc.unfreeze()
    print_run_info(file=sys.stderr)
    freeze()
    found = sum(generation["collected"] for generation in gc.get_stats())
    print(f"{found} objects have held each other in circles since the start", file=sys.stderr)
