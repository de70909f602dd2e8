"""`whotests erase`: remove runs from the data file, or all of them."""

from pathlib import Path

import click

from whotests.config.settings import load_settings
from whotests.errors import UsageError
from whotests.store.erasing import Erased, erase_all, erase_history, erase_runs

__all__ = ["erase"]

_ALL = "all"


@click.command(short_help="Remove runs from the data, or all that it holds.")
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="RUN|all",
    help="A run to remove: its number or name (`whotests runs` lists them), or either with ~N for "
    "N generations before; may be repeated. Default: all.",
)
@click.option(
    "--history",
    is_flag=True,
    help="Remove how tests ended in past runs (`whotests history`), and no run.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The data file. Default: .whotests/data.db of the project.",
)
def erase(runs: tuple[str, ...], history: bool, data: Path | None) -> None:
    """Remove the runs given with --run from the data file, or else everything.

    Where the current run of a name goes and older ones were kept (--keep-runs), the last of them
    takes its place again. A run that has not ended is never removed.
    """
    if _ALL in runs and len(runs) > 1:
        raise UsageError("--run all means every run; give it alone, or name the runs that go")
    path = load_settings(Path.cwd(), data=data).data
    if history:
        if runs:
            raise UsageError("--history and --run remove different things; give one of them")
        number = erase_history(path)
        noun = "run" if number == 1 else "runs"
        click.echo(f"erased how tests ended in {number} past {noun} of {path}")
        return
    some = [run for run in runs if run != _ALL]
    click.echo(_said(erase_runs(path, some) if some else erase_all(path), path))


def _said(erased: Erased, path: Path) -> str:
    if erased.file_gone:
        return f"erased {path}, which could not be used any more"
    if not erased.runs:
        return f"nothing to erase: {path} holds no run"
    numbers = ", ".join(str(run.id) for run in erased.runs)
    noun = "run" if len(erased.runs) == 1 else "runs"
    left = f"; {erased.left} {'is' if erased.left == 1 else 'are'} left" if erased.left else ""
    return f"erased {noun} {numbers} of {path}{left}"
