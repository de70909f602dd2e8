"""`whotests status`: what does the data hold?"""

import time
from pathlib import Path

import click

from whotests.cli.asking import data_option, json_option, opened, print_json, run_option
from whotests.query.status import status as ask

__all__ = ["status"]


@click.command(short_help="What does the data hold, and how old is it?")
@data_option
@run_option
@json_option
def status(data: tuple[Path, ...], run: str | None, as_json: bool) -> None:
    """Show the runs that the data holds, their tests and files, and which files are stale."""
    with opened(data, run=run) as question:
        answer = ask(question.reader, question.catalogue)
        if as_json:
            from whotests.reports.as_json import status_json

            print_json(status_json(answer, runs=question.reader.runs))
            return
        from whotests.reports.page import new_console
        from whotests.reports.status_text import print_status

        print_status(new_console(), answer, now=time.time())
