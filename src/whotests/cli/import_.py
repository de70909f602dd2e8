"""`whotests import`: read files of other tools into the data."""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from whotests.cli.configured import config_option
from whotests.config.settings import Settings, load_settings
from whotests.errors import UsageError
from whotests.formats.foreign import Foreign
from whotests.formats.importing import Importer, Left, Tally
from whotests.formats.local_sources import LocalSources
from whotests.formats.registry import FORMATS, format_named, recognised
from whotests.records import RunRecord
from whotests.source.digests import blake2b
from whotests.source.rules import Rules, in_force
from whotests.store.liveness import this_host
from whotests.store.merging.aliases import Aliases
from whotests.store.merging.combining import How, combine
from whotests.store.writer import Writer
from whotests.types import RunStatus

__all__ = ["import_"]

_NAME = "imported"
"""The name of such runs: they take each other's place, and nobody else's."""

_FILES_NAMED = 5
_END_OF_TIME = 253_402_300_800.0
"""The year 10,000, in seconds since the epoch."""

_BLOCK = 1 << 20


@click.command(name="import", short_help="Read files of other tools into the data.")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    help="What the files are. Default: what they look like.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The data file that they go into. Default: .whotests/data.db of the project.",
)
@click.option(
    "--run-name",
    default=_NAME,
    show_default=True,
    metavar="NAME",
    help="What to call the run that is made.",
)
@click.option("--context", metavar="LABEL", help="A label to put all their contexts below.")
@click.option("--append", "-a", is_flag=True, help="Add to the run of this name and context.")
@config_option
def import_(
    files: tuple[Path, ...],
    format_name: str | None,
    data: Path | None,
    run_name: str,
    context: str | None,
    append: bool,
    config: Path | None,
) -> None:
    """Make a run of the data of what other tools recorded: coverage.py's data or JSON, LCOV, ...

    All FILEs become one run. The sources in the project's folder tell statements, branches
    and functions; where one is not there, or is not the text that ran, that is said.
    """
    cwd = Path.cwd()
    settings = load_settings(cwd, data=data, run_name=run_name, config=config)
    foreign = [_read(file, format_name) for file in files]
    with tempfile.TemporaryDirectory(prefix="whotests-") as folder:
        staged = Path(folder) / "data.db"
        tally = _stage(staged, foreign, files, settings, context or "")
        combine(
            settings.data,
            [staged],
            How(
                root=settings.root.as_posix(),
                append=append,
                keep_runs=settings.keep_runs,
                keep_history=settings.keep_history,
            ),
            here=this_host(),
            now=time.time(),
        )
    _tell(tally, foreign, settings)


def _read(file: Path, format_name: str | None) -> Foreign:
    if file.exists() and not (file.is_file() or file.is_dir()):
        raise UsageError(f"{file} is no ordinary file; write what comes from it to one first")
    chosen = recognised(file) if format_name is None else format_named(format_name)
    if chosen.read is None:
        raise UsageError(f"{chosen.title} is only written; whotests cannot read {file}")
    return chosen.read(file)


def _stage(
    staged: Path,
    foreign: Sequence[Foreign],
    files: Sequence[Path],
    settings: Settings,
    label: str,
) -> Tally:
    """Writes all that is imported into a data file of its own, so that nothing is half imported."""
    exclude, partial = in_force(
        exclude_lines=settings.exclude_lines,
        exclude_also=settings.exclude_also,
        partial_branches=settings.partial_branches,
        partial_also=settings.partial_also,
    )
    record = RunRecord(
        started=time.time(),
        command=("whotests", "import", *map(str, files)),
        root=str(settings.root),
        label="",
        python="",
        platform="",
        host=this_host(),
        pid=os.getpid(),
        branch=any(each.branch for each in foreign),
        exclude=exclude,
        partial=partial,
        name=settings.run_name,
    )
    with ExitStack() as stack:
        writers = []

        def begin(inner: str) -> Writer:
            writer = Writer.open(staged)
            stack.callback(writer.close)
            writers.append(writer)
            writer.begin_run(record._replace(label="/".join(filter(None, (label, inner)))))
            return writer

        importer = Importer(
            begin,
            sources=LocalSources(settings.root, cwd=Path.cwd(), here=_aliases(settings)),
            rules=Rules(branch=record.branch, exclude=exclude, partial=partial),
            salt=_digest(files),
        )
        for each in foreign:
            importer.add(each)
        tally = importer.finish()
        for writer in writers:
            writer.finish_run(
                ended=time.time(),
                status=RunStatus.FINISHED,
                exit_status=None,
                note=_note(foreign),
                append=False,
            )
    return tally


def _aliases(settings: Settings) -> Callable[[str], str]:
    root = settings.root.as_posix()
    aliases = Aliases(settings.paths, root=root)

    def here(path: str) -> str:
        return aliases.here(
            path, root=root, exists=lambda found: os.path.isfile(os.path.join(root, found))
        )

    return here


def _digest(files: Sequence[Path]) -> bytes:
    """Of the content of all files."""
    hasher = blake2b(digest_size=16)
    for file in files:
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                hasher.update(block)
    return hasher.digest()


def _note(foreign: Sequence[Foreign]) -> str:
    made_by = sorted({each.made_by or each.format for each in foreign})
    times = [each.created for each in foreign if each.created and 0 < each.created < _END_OF_TIME]
    when = f", {datetime.fromtimestamp(max(times), UTC):%Y-%m-%d %H:%M} UTC" if times else ""
    return f"imported; recorded by {', '.join(made_by)}{when}"


# -- what is said ---------------------------------------------------------------------------


def _tell(tally: Tally, foreign: Sequence[Foreign], settings: Settings) -> None:
    branches = f", {_count(tally.branches, 'branch', 'branches')}" if tally.branches else ""
    runs = "run" if len(tally.labels) == 1 else f"{len(tally.labels)} runs"
    click.echo(
        f"imported {_count(tally.files, 'file')}, {_count(tally.tests, 'test')} in "
        f"{_count(tally.contexts, 'context')}, {_count(tally.lines, 'line')} that they ran"
        f"{branches}, as {runs} {settings.run_name!r} of {os.path.relpath(settings.data)}"
    )
    unsaid = dict.fromkeys(what for each in foreign for what in each.unsaid)
    if unsaid:
        _warn(f"not told there: {', '.join(unsaid)}")
    if tally.unclear_forks:
        _warn(
            f"of {_count(tally.unclear_forks, 'line')} with branches it is only told how many "
            "were taken, not which: none of them counts as taken"
        )
    _warn_of(tally.without_source, "is imported without its source")
    _warn_of(tally.astray, "was left out, as the other tool lost track there")
    _warn_of(tally.left_out, "was left out")


def _warn_of(found: Sequence[Left], what: str) -> None:
    several = list(dict.fromkeys(found))  # shards say the same of a file
    for left in several[:_FILES_NAMED]:
        _warn(f"{left.path} {what}: {left.reason}")
    more = len(several) - _FILES_NAMED
    if more > 0:
        _warn(f"so {'were' if what.startswith('was') else 'are'} {_count(more, 'more file')}")


def _warn(text: str) -> None:
    click.echo(f"whotests: {text}", err=True)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
