"""`whotests` itself: its commands by name, and what becomes of errors."""

import gc
import sys
from importlib import import_module
from io import TextIOWrapper
from keyword import iskeyword
from typing import Any, Final

import click

from whotests import __version__
from whotests.errors import WhotestsError

__all__ = ["cli", "main"]

# Help for the list of commands stands here, so that it loads none of them.
_COMMANDS: Final = {
    "test": "Run tests of any kind, in parallel, and record which test runs which line.",
    "run": "Run a command and record which test runs which line.",
    "who": "Which tests run a file, line, function or class?",
    "what": "What does a test run, and what of it does no other test run?",
    "report": "How much of each file ran, and how many tests run it?",
    "status": "What does the data hold, and how old is it?",
    "history": "Which tests are flaky, or slower than they were, and since when?",
    "runs": "Which runs are kept, and what are they called?",
    "erase": "Remove runs from the data, or all that it holds.",
    "sql": "Ask the data in SQL.",
    "combine": "Make many data files one: those of workers, machines, interpreters.",
    "subset": "Write a part of the data to a smaller file.",
    "export": "Write the data in a format of other tools.",
    "import": "Read files of other tools into the data.",
    "migrate": "Write coverage.py's settings as [tool.whotests].",
}


class _Commands(click.Group):
    """Loads a command's module when that command is used; tells our errors from crashes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command = getattr(import_module(f"whotests.cli.{name}"), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in _COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(name, _COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(_COMMANDS)}."
            ctx.fail(f"no such command {name!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WhotestsError as error:
            click.echo(f"whotests: {error}", err=True)
            ctx.exit(error.exit_status)


def _tell_version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from whotests.probes.runtime import in_c

        has = "with" if in_c is not None else "without"
        click.echo(f"whotests {__version__}, {has} C extension")
        ctx.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Begin with: whotests test",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_tell_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Run a test suite, record which test ran which line, and ask who tests what."""


def main() -> None:
    """The `whotests` command."""
    # An answer may take a hundred thousand objects, hardly one of them in a cycle: to look for
    # those so seldom takes a quarter less time, and no more memory.
    gc.set_threshold(100_000, 20, 50)
    for stream in (sys.stdout, sys.stderr):
        # A name that cannot be encoded is written with escapes rather than not at all. In the
        # locale C streams are there for bytes of any kind; those of UTF-8 can write any name, too.
        if isinstance(stream, TextIOWrapper) and (
            stream.errors == "strict"
            or (stream.errors == "surrogateescape" and "utf" not in stream.encoding.lower())
        ):
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="whotests")
