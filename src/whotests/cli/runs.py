"""`whotests runs`: which runs are kept?"""

import time
from pathlib import Path

import click

from whotests.cli.asking import data_option, json_option, opened, print_json, run_option
from whotests.query.runs import runs as ask

__all__ = ["runs"]


@click.command(short_help="Which runs are kept, and what are they called?")
@data_option
@run_option
@json_option
def runs(data: tuple[Path, ...], run: str | None, as_json: bool) -> None:
    """List all runs that the data holds, or those that --run means, the newest first.

    A run has a number, a name (`whotests run --run-name`) and a context (`--context`), and is
    current, or so many generations before: --keep-runs says how many are kept.
    """
    with opened(data, run=run) as question:
        answer = ask(question.reader, everything=run is None)
        if as_json:
            from whotests.reports.as_json import runs_json

            print_json(runs_json(answer))
            return
        from whotests.reports.page import new_console
        from whotests.reports.runs_text import print_runs

        print_runs(new_console(), answer, now=time.time())
