"""`whotests run`: measure a command."""

import os
import sys
from pathlib import Path

import click

from whotests.cli.command_line import EXAMPLE, MeasuredCommand, read_command
from whotests.cli.configured import config_option, tell_unused
from whotests.config.settings import load_settings
from whotests.errors import UsageError
from whotests.recording.plan import Plan
from whotests.recording.planning import plan_of

__all__ = ["run"]

_LIBRARY = str(Path(__file__).resolve().parents[2])

# The measured process begins with this. It looks for nothing in the working directory, finds
# whotests under `python -S` and `-I` too, and leaves `sys.path` as if it had not been there.
_BOOT = f"""\
import sys
sys.flags.safe_path or sys.path.pop(0)
sys.path.append({_LIBRARY!r})
import whotests
sys.path.pop()
from whotests.integrations.install import install
from whotests.recording.launch import main
main(install)
"""


@click.command(
    context_settings={"allow_interspersed_args": False},
    short_help="Run a command and record which test runs which line.",
)
@click.option(
    "--source",
    multiple=True,
    metavar="PATH|PACKAGE",
    help="What to measure; may be repeated. Default: the project's own packages.",
)
@click.option(
    "--include", multiple=True, metavar="GLOB", help="Measure these files of the source only."
)
@click.option("--omit", multiple=True, metavar="GLOB", help="Files to leave out.")
@click.option("--context", metavar="LABEL", help="A label for the whole run.")
@click.option(
    "--run-name", metavar="NAME", help="What to call the run: `--run NAME` asks it later on."
)
@click.option(
    "--keep-runs",
    type=click.IntRange(1),
    metavar="N",
    help="Keep the last N runs of this name and context, this one included. Default: 1.",
)
@click.option("--branch/--no-branch", default=None, help="Record which branches are taken, too.")
@click.option("--data", type=click.Path(path_type=Path), metavar="FILE", help="The data file.")
@config_option
@click.option("--append", is_flag=True, help="Keep the tests of older runs that this one lacks.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
def run(
    source: tuple[str, ...],
    include: tuple[str, ...],
    omit: tuple[str, ...],
    context: str | None,
    run_name: str | None,
    keep_runs: int | None,
    branch: bool | None,
    data: Path | None,
    config: Path | None,
    append: bool,
    command: tuple[str, ...],
) -> None:
    """Run COMMAND in this Python, and record which test runs which line.

    COMMAND is pytest, trial or another Python program with its arguments, or python with a
    script or -m MODULE; without one, it is what the settings name as 'command'. Its output and
    exit status stay what they are; only when whotests itself loses data, a status of 0 becomes 3.
    """
    cwd = Path.cwd()
    settings = load_settings(
        cwd,
        source=source,
        include=include,
        omit=omit,
        context=context,
        run_name=run_name,
        keep_runs=keep_runs,
        branch=branch,
        data=data,
        config=config,
    )
    command = command or settings.command
    if not command:
        raise UsageError(f"no command to run; {EXAMPLE}")
    measured = read_command(command, cwd=cwd, root=settings.root)
    plan = plan_of(
        settings,
        cwd=cwd,
        command=command,
        path=measured.search_path,
        script=measured.script,
        append=append,
    )
    tell_unused(settings, of_reports=False)
    _become(measured, plan)


def _become(measured: MeasuredCommand, plan: Plan) -> None:
    """Put the measured process in this one's place; on Windows, wait for it as its parent."""
    words = [sys.executable, *measured.options, "-c", _BOOT, plan.to_json(), *measured.arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(sys.executable, words)
    import subprocess  # much to import, and not wanted elsewhere

    child = subprocess.Popen(words)
    while True:
        try:
            sys.exit(child.wait())
        except KeyboardInterrupt:
            # The console sends Ctrl-C to both; the command decides what comes of it.
            continue
