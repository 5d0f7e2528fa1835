"""The command line: `pointsman COMMAND …`.

Each sub-command is an entry point of the group `pointsman.commands` and is imported only when it is called, so a command
starts without what it does not need, and conf reaches the packages above it without importing them.
"""

import gevent
from gevent import monkey

monkey.patch_all()

# Where each greenlet was started is told to nobody, and keeping it costs 400 bytes and more time than starting one.
gevent.config.track_greenlet_tree = False

from psycogreen.gevent import patch_psycopg  # noqa: E402

patch_psycopg()

import os  # noqa: E402
import sys  # noqa: E402
from importlib.metadata import EntryPoint, entry_points  # noqa: E402

import click  # noqa: E402

from conf import logs  # noqa: E402
from conf.errors import PointsmanError  # noqa: E402

GROUP = "pointsman.commands"


class CommandBroken(PointsmanError):
    """A sub-command is registered but cannot be imported; the message names what is missing."""


class Commands(click.Group):
    """A group whose members are found by entry point and imported on demand."""

    @staticmethod
    def _found() -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=GROUP)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._found()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        point = self._found().get(cmd_name)
        if point is None:
            return super().get_command(ctx, cmd_name)
        try:
            loaded = point.load()
        except ModuleNotFoundError as error:
            raise CommandBroken(
                f"'{cmd_name}' cannot start: Python module {error.name!r} is missing; install Pointsman again"
            ) from error
        if not isinstance(loaded, click.Command):
            raise CommandBroken(f"'{cmd_name}' is registered as {point.value}, which is no command")
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one-line help; one that cannot be imported is listed with its fault."""
        rows: list[tuple[str, str]] = []
        for name in self.list_commands(ctx):
            try:
                command = self.get_command(ctx, name)
            except PointsmanError as fault:
                rows.append((name, f"({fault})"))
                continue
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=formatter.width - 16)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pointsman", prog_name="pointsman")
def pointsman() -> None:
    """Pointsman, a contact-centre call-routing engine that lives inside FreeSWITCH.

    Settings come from the environment (POINTSMAN_…) or from pointsman.toml in the home folder.
    """


def main() -> None:
    """The console script. A fault made for people is one line on stderr and exit code 1; Ctrl-C is 130."""
    logs.configure(os.environ.get("POINTSMAN_LOG_LEVEL", "info"))
    try:
        code = pointsman.main(standalone_mode=False)
    except PointsmanError as fault:
        click.echo(f"pointsman: {fault}", err=True)
        sys.exit(1)
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output has gone (`pointsman export … | head`); nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
