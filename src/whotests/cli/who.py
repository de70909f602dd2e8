"""`whotests who`: which tests run this?"""

from collections.abc import Sequence
from pathlib import Path

import click

from whotests.cli.asking import data_option, json_option, opened, print_json, run_option
from whotests.query.who import who as ask
from whotests.store.values import Run

__all__ = ["who"]

_LIMIT = 20


@click.command(short_help="Which tests run a file, line, function or class?")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--all", "everything", is_flag=True, help="List all tests, however many.")
@data_option
@run_option
@json_option
def who(
    targets: tuple[str, ...],
    everything: bool,
    data: tuple[Path, ...],
    run: str | None,
    as_json: bool,
) -> None:
    """Tell which tests ran any of the TARGETs, the most specific first.

    \b
    A TARGET is
      FILE                      a source file
      FILE:12                   a line of it
      FILE:12-40                lines of it
      FILE::Class.method        a class, method or function in it
      package.module.function   the same by its dotted name

    The most specific tests are those that run the least besides. A test that only imported
    the file is listed apart: it tests nothing of what it imported.
    """
    with opened(data, run=run) as question:
        answer = ask(targets, question.reader, question.catalogue)
        runs = question.reader.runs
        if as_json:
            from whotests.reports.as_json import who_json

            print_json(who_json(answer, data=question.reader.paths, runs=runs))
            return
        from whotests.reports.page import new_console
        from whotests.reports.who_text import print_who

        console = new_console()
        files = [asked.target.file for asked in answer.asked]
        print_who(
            console,
            answer,
            texts={file.id: question.catalogue.text(file) for file in files},
            runs=runs,
            limit=_LIMIT if console.is_terminal and not everything else None,
            folder=_elsewhere(runs),
        )


def _elsewhere(runs: Sequence[Run]) -> Path | None:
    """The folder that ids of tests are relative to, when it is another one than this."""
    roots = {Path(run.root) for run in runs}
    if len(roots) != 1:
        return None
    (root,) = roots
    # The data may come from another machine.
    return root if root.is_dir() and not root.samefile(Path.cwd()) else None
