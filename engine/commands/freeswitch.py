"""`pointsman freeswitch`: the configuration for a FreeSWITCH that is run by other means than `pointsman up`."""

from __future__ import annotations

from pathlib import Path

import click

from conf import installation
from conf.settings import load
from engine.freeswitch import find, write_configuration


@click.group()
def freeswitch() -> None:
    """Write FreeSWITCH's configuration for this installation."""


@freeswitch.command("render")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
def render_command(folder: Path) -> None:
    """Write the whole configuration into DIR, for `freeswitch -conf DIR`.

    The desk phones are those of the agents in the database. Once FreeSWITCH runs with it, name its event socket in
    POINTSMAN_FREESWITCH as HOST:PORT; after changes to the agents, render again and let it `reloadxml`.
    """
    settings = installation.complete(load())
    password = (
        settings.freeswitch_password.get_secret_value()
        if settings.freeswitch_password is not None
        else installation.secret(settings.home, "switch")
    )
    path = write_configuration(folder, settings, password, binary=find("auto"))
    click.echo(
        f"{path}: SIP on {settings.sip}, event socket on {settings.control} with its password in the file, calls go to"
        f" {settings.esl}"
    )
