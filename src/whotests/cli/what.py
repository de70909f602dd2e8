"""`whotests what`: what does this test run?"""

from pathlib import Path

import click

from whotests.cli.asking import data_option, json_option, opened, print_json, run_option
from whotests.query.what import what as ask

__all__ = ["what"]

_LIMIT = 20


@click.command(short_help="What does a test run, and what of it does no other test run?")
@click.argument("tests", nargs=-1, required=True, metavar="TEST...")
@click.option("--brief", is_flag=True, help="Line numbers only, no source.")
@data_option
@run_option
@json_option
def what(
    tests: tuple[str, ...], brief: bool, data: tuple[Path, ...], run: str | None, as_json: bool
) -> None:
    """Show the files, functions and lines that the TESTs ran.

    A TEST is a test id, a part of one that fits no other, or a glob ('*' and '?') of any
    number. Lines that no other test runs are marked with '*'.
    """
    with opened(data, run=run) as question:
        answer = ask(tests, question.reader, question.catalogue)
        run_ids = {test.run_id for test in answer.tests}
        runs = tuple(run for run in question.reader.runs if run.id in run_ids)
        if as_json:
            from whotests.reports.as_json import what_json

            print_json(what_json(answer, data=question.reader.paths, runs=runs))
            return
        from whotests.reports.page import new_console
        from whotests.reports.what_text import print_what

        console = new_console()
        limit = _LIMIT if console.is_terminal else None
        print_what(console, answer, runs=runs, source=not brief, limit=limit)
