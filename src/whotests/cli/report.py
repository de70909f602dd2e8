"""`whotests report`: how much of each file ran?"""

import sys
from pathlib import Path
from typing import Final

import click

from whotests.cli.asking import data_option, json_option, opened, print_json, run_option
from whotests.cli.configured import config_option, tell_unused
from whotests.config.file_settings import FORMATS, MOST_DIGITS, SORT_COLUMNS
from whotests.config.settings import Settings
from whotests.errors import UsageError
from whotests.query.focus import Focus
from whotests.query.lines import digits_of, falls_short
from whotests.query.report import Report
from whotests.query.report import report as ask

__all__ = ["report"]

_FELL_SHORT: Final = 2


def _column(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and value.removeprefix("-").removeprefix("+") not in SORT_COLUMNS:
        raise click.BadParameter(f"{value!r} is not one of {', '.join(SORT_COLUMNS)}")
    return value


@click.command(short_help="How much of each file ran, and how many tests run it?")
@click.option(
    "--sort",
    metavar="COLUMN",
    callback=_column,
    help=f"One of {', '.join(SORT_COLUMNS)}. 'cover' and 'tests' begin with the least, other "
    "numbers with the most; '+' or '-' in front: ascending or descending.",
)
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="N",
    help="Exit with status 2 when less than N percent ran.",
)
@click.option(
    "--show-missing/--no-show-missing",
    "-m",
    default=None,
    help="List the lines and branches that nothing ran.",
)
@click.option(
    "--skip-covered/--no-skip-covered",
    default=None,
    help="List no files of which nothing is missing; the total has them.",
)
@click.option(
    "--skip-empty/--no-skip-empty", default=None, help="List no files that have no statements."
)
@click.option(
    "--precision",
    type=click.IntRange(0, MOST_DIGITS),
    metavar="DIGITS",
    help="Digits of percentages after the point; default: none.",
)
@click.option("--include", multiple=True, metavar="GLOB", help="Speak of these files only.")
@click.option("--omit", multiple=True, metavar="GLOB", help="Leave these files out.")
@click.option(
    "--contexts",
    multiple=True,
    metavar="REGEX",
    help="Count what ran in contexts that have a match for it only, for instance in one test: "
    "'test_login'.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="'markdown' for a table in Markdown, 'total' for the percentage of all, as a number.",
)
@data_option
@run_option
@json_option
@config_option
def report(
    sort: str | None,
    fail_under: float | None,
    show_missing: bool | None,
    skip_covered: bool | None,
    skip_empty: bool | None,
    precision: int | None,
    include: tuple[str, ...],
    omit: tuple[str, ...],
    contexts: tuple[str, ...],
    form: str | None,
    data: tuple[Path, ...],
    run: str | None,
    as_json: bool,
    config: Path | None,
) -> None:
    """Show statements, missing statements, percentage and tests of each file.

    With branches recorded (`whotests run --branch`), also how many there are, and how many
    were not taken of lines that ran ('partial'); percentages are then of statements and branches.
    'import only' counts the statements that ran while modules were imported and that no
    test ran since. All follows coverage.py's rules; what is excluded is what the project's
    settings exclude now, which may also give each of these options. A file that nothing imported
    has 0%.
    """
    with opened(data, run=run, config=config) as question:
        settings = question.settings
        tell_unused(settings, of_reports=True)
        sort = settings.sort if sort is None else sort
        show_missing = settings.show_missing if show_missing is None else show_missing
        skip_covered = settings.skip_covered if skip_covered is None else skip_covered
        skip_empty = settings.skip_empty if skip_empty is None else skip_empty
        precision = settings.precision if precision is None else precision
        form = settings.format if form is None else form
        include, omit = include or settings.report_include, omit or settings.report_omit
        focus = Focus(
            root=settings.root,
            include=include,
            omit=omit,
            contexts=contexts or settings.report_contexts,
        )
        if (include or omit) and not any(map(focus.takes_file, question.catalogue.versions)):
            raise UsageError(_nothing_left(include, omit, settings))
        answer = ask(
            question.reader,
            question.catalogue,
            sort=sort,
            focus=focus,
            skip_covered=skip_covered and not as_json,
            skip_empty=skip_empty and not as_json,
            regions=as_json,
        )
        runs = question.reader.runs
        if as_json:
            from whotests.reports.as_json import report_json

            print_json(report_json(answer, data=question.reader.paths, runs=runs))
        elif form == "total":
            from whotests.query.lines import shown_percent

            click.echo(shown_percent(answer.total.percent, precision=precision))
        elif form == "markdown":
            from whotests.reports.report_markdown import report_markdown

            text = report_markdown(answer, show_missing=show_missing, precision=precision)
            click.echo(text, nl=False)
        else:
            from whotests.reports.page import new_console
            from whotests.reports.report_text import print_report

            print_report(
                new_console(), answer, runs=runs, show_missing=show_missing, precision=precision
            )
    _fail_if_short(answer, settings, fail_under, precision)


def _nothing_left(include: tuple[str, ...], omit: tuple[str, ...], settings: Settings) -> str:
    patterns = [f"--include '{glob}'" for glob in include] + [f"--omit '{glob}'" for glob in omit]
    return (
        f"no file of the data is left by {' '.join(patterns)}; patterns are relative to "
        f"{settings.root}, and '*' stays within a name, but for '*/' in front and '/*' at the end"
    )


def _fail_if_short(
    answer: Report, settings: Settings, fail_under: float | None, precision: int
) -> None:
    """End with a status of its own when less ran than the option or the settings ask for."""
    what = "--fail-under" if fail_under is not None else "'fail_under' in the settings"
    if fail_under is None:
        fail_under = settings.fail_under
    if not fail_under:
        return
    if not (answer.rows or answer.skipped_covered or answer.skipped_empty):
        click.echo(f"whotests: no file is counted, so {what} has nothing to hold", err=True)
        sys.exit(_FELL_SHORT)
    percent = answer.total.percent
    if falls_short(percent, under=fail_under, precision=precision):
        from whotests.reports.words import percent as shown

        digits = max(precision, digits_of(fail_under))
        branches = " and branches" if answer.branch else ""
        click.echo(
            f"whotests: {shown(percent, precision=digits)} of the statements{branches} ran, "
            f"less than the {fail_under:g}% of {what}",
            err=True,
        )
        sys.exit(_FELL_SHORT)
