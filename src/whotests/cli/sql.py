"""`whotests sql`: ask the data in SQL."""

import sys
from pathlib import Path

import click

from whotests.cli.asking import data_option, json_option, opened, run_option
from whotests.errors import UsageError

__all__ = ["sql"]

_FROM_INPUT = "-"


@click.command(short_help="Ask the data in SQL.")
@click.argument("statement", required=False, metavar="[SELECT]")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="N",
    help="How long the statement may take; 0 is no limit.",
)
@click.option(
    "--megabytes",
    type=click.IntRange(min=0, max=1_000_000),
    default=300,
    show_default=True,
    metavar="N",
    help="How much memory SQLite may take; 0 is no limit.",
)
@data_option
@run_option
@json_option
def sql(
    statement: str | None,
    as_csv: bool,
    seconds: float,
    megabytes: int,
    data: tuple[Path, ...],
    run: str | None,
    as_json: bool,
) -> None:
    """Run one SELECT over the data and print what it tells.

    Tables: fact, branch_fact, test, context, file, line, branch, unit, run, lines_of(footprint)
    and branches_of(footprint); docs/schema.md describes them, docs/sql.md has examples. SQL only
    reads here. Without a statement, or with -, it comes from standard input; on a terminal that
    is a prompt.
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json do not go together; choose one")
    try:
        from whotests.sql.sandbox import Sandbox
    except ModuleNotFoundError as error:
        if error.name != "apsw":
            raise
        raise UsageError(
            "`whotests sql` needs apsw, which is not installed; get it with "
            "`pip install 'whotests[sql]'` (`whotests export sqlite` does without)"
        ) from error
    with (
        opened(data, run=run) as question,
        Sandbox(
            question.reader, question.catalogue, seconds=seconds, megabytes=megabytes
        ) as sandbox,
    ):
        if statement is None and sys.stdin.isatty() and sys.stdout.isatty():
            if as_csv or as_json:
                raise UsageError("--csv and --json go with a statement; give one")
            from whotests.sql.prompt import Prompt

            Prompt(sandbox, title=", ".join(map(str, question.reader.paths))).run()
            return
        if statement is None or statement == _FROM_INPUT:
            statement = _from_input()
        answer = sandbox.ask(statement)
        if as_json:
            from whotests.reports.as_json import sql_json
            from whotests.reports.rows_text import write_json

            head = sql_json(data=question.reader.paths, runs=question.reader.runs)
            write_json(sys.stdout, head, answer.columns, answer.rows)
        elif as_csv:
            from whotests.reports.rows_text import write_csv

            write_csv(sys.stdout, answer.columns, answer.rows)
        else:
            from whotests.reports.page import new_console
            from whotests.reports.rows_text import print_rows

            print_rows(new_console(), answer.columns, answer.rows)


def _from_input() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise UsageError("standard input is no text; give SQL") from error
