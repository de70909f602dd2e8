"""`whotests history`: how did tests end over time?"""

import time
from pathlib import Path

import click

from whotests.cli.asking import data_option, json_option, print_json, run_option
from whotests.config.settings import load_settings
from whotests.query.history import history as ask
from whotests.store.series import read_series

__all__ = ["history"]


@click.command(short_help="Which tests are flaky, or slower than they were, and since when?")
@data_option
@run_option
@json_option
@click.option("--all", "everything", is_flag=True, help="List all there is.")
@click.argument("test", required=False)
def history(
    data: tuple[Path, ...], run: str | None, as_json: bool, everything: bool, test: str | None
) -> None:
    """List tests that passed and failed with the same code, and those that take longer than they
    did; with TEST, which is the name of a test, a part of some names or a glob, tell how it ended
    in each run, and how long it took.

    'code' is a number that changes with the code that the test ran. Runs that are replaced leave
    their outcomes: those of the last 100 runs, or as many as the setting keep_history says.
    """
    cwd = Path.cwd()
    settings = load_settings(cwd)
    told = read_series(
        [cwd / path for path in data] or [settings.data],
        run=run,
        root=settings.root.as_posix(),
        aliases=settings.paths,
    )
    answer = ask(told, test=test)
    if as_json:
        from whotests.reports.history_json import history_json

        print_json(history_json(answer))
        return
    from whotests.reports.history_text import print_history
    from whotests.reports.page import new_console

    console = new_console()
    print_history(
        console, answer, now=time.time(), everything=everything or not console.is_terminal
    )
