"""`whotests subset`: a part of the data, in a file of its own."""

from collections.abc import Callable
from pathlib import Path

import click

from whotests.cli.asking import data_option, run_option
from whotests.cli.configured import config_option
from whotests.config.settings import load_settings
from whotests.query.name_glob import name_glob
from whotests.store.merging import Choice
from whotests.store.merging.slicing import write_subset
from whotests.store.reader import Reader
from whotests.store.shards import data_files
from whotests.types import Outcome

__all__ = ["subset"]


@click.command(short_help="Write a part of the data to a smaller file.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FILE",
    help="Where to write it.",
)
@click.option(
    "--contexts",
    multiple=True,
    metavar="GLOB",
    help="Tests and labels of these names only; may be repeated. 'TEST|call' is one phase.",
)
@click.option(
    "--files",
    multiple=True,
    metavar="GLOB",
    help="What ran of files of these paths only; may be repeated.",
)
@click.option(
    "--outcome",
    multiple=True,
    type=click.Choice([outcome.value for outcome in Outcome]),
    help="Tests that ended so only; may be repeated.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@data_option
@run_option
@config_option
def subset(
    output: Path,
    contexts: tuple[str, ...],
    files: tuple[str, ...],
    outcome: tuple[str, ...],
    force: bool,
    data: tuple[Path, ...],
    run: str | None,
    config: Path | None,
) -> None:
    """Write the chosen part of the data to a data file of its own; the data stays as it is.

    In a GLOB, '*' stands for any characters, '/' too, and '?' for one. All runs are in it, unless
    --run chooses; so are the files that were measured, unless --files does. Tests that ran none
    of those are left out.
    """
    cwd = Path.cwd()
    settings = load_settings(cwd, config=config)
    inputs = data_files([cwd / path for path in data] or [settings.data])
    root, aliases = settings.root.as_posix(), settings.paths
    runs = None
    if run is not None:
        with Reader.open(inputs, run=run, root=root, aliases=aliases) as reader:
            runs = frozenset(each.id for each in reader.runs)
    choice = Choice(
        runs=runs,
        context=_any_of(contexts),
        file=_any_of(files),
        outcomes=frozenset(map(Outcome, outcome)) if outcome else None,
    )
    written = write_subset(inputs, cwd / output, choice, replace=force, root=root, aliases=aliases)
    click.echo(
        f"{output}: {written.runs:,} run{'' if written.runs == 1 else 's'}, {written.tests:,} "
        f"test{'' if written.tests == 1 else 's'}, {written.files:,} "
        f"file{'' if written.files == 1 else 's'}, {written.size:,} bytes"
    )


def _any_of(globs: tuple[str, ...]) -> Callable[[str], bool] | None:
    """Whether a name fits one of these."""
    if not globs:
        return None
    fitting = [name_glob(glob) for glob in globs]
    return lambda name: any(fits(name) for fits in fitting)
