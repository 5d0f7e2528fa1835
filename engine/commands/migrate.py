"""`pointsman migrate`: the schema brought up to date."""

from __future__ import annotations

import click

from conf import migrate as schema
from conf.installation import complete
from conf.settings import load


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where something is to be applied.")
def migrate(check: bool) -> int:
    """Bring the database schema up to date. `pointsman up` does it by itself."""
    url = str(complete(load()).database_url)
    names = schema.pending(url) if check else schema.migrate(url)
    for name in names:
        click.echo(f"{'to be applied' if check else 'applied'}: {name}")
    if not names:
        click.echo("the schema is up to date")
    return 1 if check and names else 0
