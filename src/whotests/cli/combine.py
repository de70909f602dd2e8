"""`whotests combine`: many data files become one."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from whotests.cli.configured import config_option, tell_unused
from whotests.config.run_names import checked_run_name
from whotests.config.settings import Settings, load_settings
from whotests.errors import DataError, MachineError, UsageError
from whotests.store.liveness import this_host
from whotests.store.merging.combining import Combined, How
from whotests.store.merging.combining import combine as combine_files
from whotests.store.shards import data_files

__all__ = ["combine"]

_NAMED = 5
"""So many files are named of those that there is something to say of."""


@click.command(short_help="Make many data files one: those of workers, machines, interpreters.")
@click.argument("shards", nargs=-1, type=click.Path(path_type=Path), metavar="FILES_OR_FOLDERS...")
@click.option(
    "--data",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The data file that they become. Default: .whotests/data.db of the project.",
)
@click.option(
    "--append",
    "-a",
    is_flag=True,
    help="Add to the runs that it has, instead of taking the place of those of the same name and "
    "context.",
)
@click.option("--context", metavar="LABEL", help="A label to put all their contexts below.")
@click.option("--run-name", metavar="NAME", help="What to call the runs that they become.")
@click.option(
    "--keep-runs",
    type=click.IntRange(1),
    metavar="N",
    help="Keep the last N runs of each name and context, these included. Default: 1.",
)
@click.option(
    "--one-source",
    is_flag=True,
    help="Combine nothing when they saw different source of a file. Default: keep both versions, "
    "apart.",
)
@click.option(
    "--remove",
    is_flag=True,
    help="Remove the data files when they are combined, but for those of runs that had not ended.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only what went wrong.")
@config_option
def combine(
    shards: tuple[Path, ...],
    data: Path | None,
    append: bool,
    context: str | None,
    run_name: str | None,
    keep_runs: int | None,
    one_source: bool,
    remove: bool,
    quiet: bool,
    config: Path | None,
) -> None:
    """Combine the data files FILES_OR_FOLDERS into one; folders are searched for data files.

    Runs of the same name and context become one run. Of a file that lies elsewhere on another
    machine, the path here counts: as 'paths' of the settings say, or where the same source is
    found here. The data files stay as they are; when anything goes wrong, so does the result.
    Default: those that lie beside the result.
    """
    cwd = Path.cwd()
    settings = load_settings(
        cwd,
        data=data,
        config=config,
        keep_runs=keep_runs,
        run_name=run_name,
    )
    tell_unused(settings, of_reports=False)
    inputs = _inputs([cwd / path for path in shards], settings)
    combined = combine_files(
        settings.data,
        inputs,
        How(
            root=settings.root.as_posix(),
            paths=settings.paths,
            append=append,
            keep_runs=settings.keep_runs,
            keep_history=settings.keep_history,
            name=None if run_name is None else checked_run_name(run_name),
            label=context or "",
            one_source=one_source,
        ),
        here=this_host(),
        now=time.time(),
    )
    if not quiet:
        _tell(combined, settings.data)
    _warn(combined)
    if remove:
        _remove(combined.inputs, but=(str(settings.data), *combined.unfinished))


def _inputs(shards: Sequence[Path], settings: Settings) -> tuple[Path, ...]:
    """The data files that are named, or those beside the result."""
    if shards:
        found = data_files(shards)
        if {os.path.realpath(path) for path in found} == {os.path.realpath(settings.data)}:
            raise UsageError(
                f"{settings.data} is all that there is to combine, and is the result itself; name "
                "others, or another result with -o FILE"
            )
        return found
    folder = settings.data.parent
    try:
        found = data_files([folder])
    except DataError:
        found = ()
    beside = tuple(path for path in found if path != settings.data)
    if not beside:
        raise UsageError(
            f"there is nothing to combine in {folder}; name data files, or folders of them: "
            "whotests combine shards/"
        )
    return beside


def _tell(combined: Combined, target: Path) -> None:
    click.echo(
        f"combined {_count(len(combined.inputs), 'data file')} into {target}: "
        f"{_count(combined.runs, 'run')}, {_count(combined.tests, 'test')}, "
        f"{_count(combined.files, 'measured file')}"
    )
    if combined.replaced:
        click.echo(f"they take the place of {_count(combined.replaced, 'run')}")
    for before, after in list(combined.renamed.items())[:_NAMED]:
        click.echo(f"{before} is {after} here")
    if len(combined.renamed) > _NAMED:
        click.echo(f"{len(combined.renamed) - _NAMED} more files have other paths here")


def _warn(combined: Combined) -> None:
    for path, count in list(combined.several_versions.items())[:_NAMED]:
        _complain(
            f"{path} was recorded in {count} versions, which are kept apart; reports speak of the "
            "one that is on the disk, or of the newest"
        )
    if len(combined.several_versions) > _NAMED:
        _complain(f"so were {len(combined.several_versions) - _NAMED} more files")
    if combined.without_branches:
        _complain(
            f"{_count(combined.without_branches, 'data file')} of {len(combined.inputs)} recorded "
            "no branches; what their tests took counts as not taken"
        )
    for path in combined.unfinished[:_NAMED]:
        _complain(f"a run in {path} had not ended: what it had written is combined")


def _remove(inputs: Sequence[Path], *, but: Sequence[str]) -> None:
    kept = {os.path.realpath(path) for path in but}
    for path in inputs:
        if os.path.realpath(path) in kept:
            continue
        try:
            for suffix in ("", "-wal", "-shm", "-journal"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        except OSError as failure:
            raise MachineError(
                f"all is combined, but {path} cannot be removed: {failure.strerror}; remove it"
            ) from failure


def _complain(sentence: str) -> None:
    click.echo(f"whotests: {sentence}", err=True)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
