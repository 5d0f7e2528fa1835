"""`pointsman token`: bearer tokens for programs."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from engine.commands.user import accounts


@click.group()
def token() -> None:
    """Make API tokens."""


@token.command()
@click.argument("account")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
def add(account: str, name: str) -> None:
    """Make a bearer token with the rights of ACCOUNT and print it, once."""
    with accounts() as known:
        click.echo(known.add_token(account, name, datetime.now(UTC)))
