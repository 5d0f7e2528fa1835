"""`pointsman switch`: the virtual switch as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import sys

import click
import gevent
from gevent.event import Event

from conf import logs
from conf.clock import Clock
from conf.errors import SettingsInvalid
from conf.settings import load
from engine.virtual.dialplan import standard
from engine.virtual.errors import PlanInvalid
from engine.virtual.phones import Manner
from engine.virtual.switch import DEMO_EXTENSIONS, Switch
from sounds.catalogue import Catalogue
from sounds.errors import PromptMissing

PHONES = "POINTSMAN_VIRTUAL_PHONES"
"""Environment: desk phones as JSON, extension -> how it behaves (`engine.virtual.phones.Manner`)."""

APOLOGY = "technical_fault"


def phones(text: str | None) -> dict[str, Manner]:
    """The desk phones; the demo company's where nothing is said. SettingsInvalid names the fault."""
    if not text:
        return {extension: Manner() for extension in DEMO_EXTENSIONS}
    try:
        return {
            str(extension): Manner.parse(json.dumps(behaviour), Manner())
            for extension, behaviour in dict(json.loads(text)).items()
        }
    except (ValueError, TypeError, PlanInvalid) as error:
        raise SettingsInvalid(f'{PHONES} should be like {{"1001": {{"answer": 1.5, "talk": 5}}}}: {error}') from error


@click.command()
def switch() -> None:
    """Run the virtual switch, with callers and desk phones."""
    settings = load()
    logs.configure(settings.log_level)
    if settings.freeswitch_password is None:
        raise SettingsInvalid("POINTSMAN_FREESWITCH_PASSWORD is not set; the engine and the switch need the same one")
    try:
        apology = str(Catalogue.of_home(settings.home).find(APOLOGY, "en").path)
    except PromptMissing:
        apology = None
    clock = Clock.parse(settings.clock)
    virtual = Switch(
        dialplan=standard([settings.esl], apology, clock=clock),
        control=(settings.control.host, settings.control.port),
        password=settings.freeswitch_password.get_secret_value(),
        clock=clock,
        phones=phones(os.environ.get(PHONES)),
    )
    try:
        virtual.start()
    except OSError as error:
        raise SettingsInvalid(
            f"POINTSMAN_CONTROL: {settings.control} cannot be had ({error.strerror}); set another port"
        ) from error
    over = Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(signum, over.set)
    sys.stdout.write(f"ready control={settings.control} switch=virtual\n")
    sys.stdout.flush()
    over.wait()
    virtual.stop()
