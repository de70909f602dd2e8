"""`whotests report`: how much of each file ran?"""

from pathlib import Path

import click

from whotests.cli.asking import data_option, json_option, opened, print_json, run_option
from whotests.query.lines import digits_of, falls_short
from whotests.query.report import SortKey
from whotests.query.report import report as ask

__all__ = ["report"]

_FELL_SHORT = 2


@click.command(short_help="How much of each file ran, and how many tests run it?")
@click.option(
    "--sort",
    type=click.Choice([key.value for key in SortKey]),
    default=SortKey.NAME.value,
    show_default=True,
    help="'cover' and 'tests' begin with the least, other numbers with the most.",
)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="N",
    help="Exit with status 2 when less than N percent ran.",
)
@click.option(
    "--show-missing", "-m", is_flag=True, help="List the lines and branches that nothing ran."
)
@click.option(
    "--precision",
    type=click.IntRange(0, 9),
    default=0,
    metavar="DIGITS",
    help="Digits of percentages after the point; default: none.",
)
@data_option
@run_option
@json_option
def report(
    sort: str,
    fail_under: float | None,
    show_missing: bool,
    precision: int,
    data: tuple[Path, ...],
    run: str | None,
    as_json: bool,
) -> None:
    """Show statements, missing statements, percentage and tests of each file.

    With branches recorded (`whotests run --branch`), also how many there are, and how many
    were not taken of lines that ran ('partial'); percentages are then of statements and branches.
    'import only' counts the statements that ran while modules were imported and that no
    test ran since. All follows coverage.py's rules; what is excluded is what the project's
    settings exclude now. A file that nothing imported has 0%.
    """
    with opened(data, run=run) as question:
        answer = ask(question.reader, question.catalogue, sort=SortKey(sort), regions=as_json)
        runs = question.reader.runs
        if as_json:
            from whotests.reports.as_json import report_json

            print_json(report_json(answer, data=question.reader.path, runs=runs))
        else:
            from whotests.reports.page import new_console
            from whotests.reports.report_text import print_report

            print_report(
                new_console(), answer, runs=runs, show_missing=show_missing, precision=precision
            )
    percent = answer.total.percent
    if fail_under and not answer.rows:
        click.echo("whotests: no file is counted, so --fail-under has nothing to hold", err=True)
        raise SystemExit(_FELL_SHORT)
    if fail_under is not None and falls_short(percent, under=fail_under, precision=precision):
        from whotests.reports.words import percent as shown

        digits = max(precision, digits_of(fail_under))
        branches = " and branches" if answer.branch else ""
        click.echo(
            f"whotests: {shown(percent, precision=digits)} of the statements{branches} ran, "
            f"less than the {fail_under:g}% of --fail-under",
            err=True,
        )
        raise SystemExit(_FELL_SHORT)
