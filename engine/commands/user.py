"""`pointsman user`: accounts from the command line."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from conf import database
from conf.installation import complete
from conf.settings import load
from engine.records.accounts import ROLES, Accounts, Role


@contextmanager
def accounts() -> Iterator[Accounts]:
    """The accounts of the installation that the settings mean."""
    db = database.connect(str(complete(load()).database_url), size=1, name="pointsman user")
    database.bind(db)
    try:
        yield Accounts(db)
    finally:
        db.close_all()


@click.group()
def user() -> None:
    """Add accounts and give them passwords."""


_password = click.option(
    "--password", help="The password; without it a random one is made and printed. `-` reads it from standard input."
)


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--full-name", default="")
@_password
def add(name: str, role: Role, full_name: str, password: str | None) -> None:
    """Make an account."""
    chosen = _chosen(password)
    with accounts() as known:
        known.add(name, chosen, role, full_name)
    _tell(name, password, chosen)


@user.command("password")
@click.argument("name")
@_password
def change_password(name: str, password: str | None) -> None:
    """Give an account another password, which ends its sessions."""
    chosen = _chosen(password)
    with accounts() as known:
        known.set_password(name, chosen)
    _tell(name, password, chosen)


def _chosen(password: str | None) -> str:
    if password == "-":  # noqa: S105
        return sys.stdin.readline().rstrip("\n")
    return secrets.token_urlsafe(12) if password is None else password


def _tell(name: str, password: str | None, chosen: str) -> None:
    click.echo(f"{name}: password {chosen}" if password is None else f"{name}: done")
