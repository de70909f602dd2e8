"""What the commands that ask have in common: the data file, the sources, the output."""

import json
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from whotests.config.settings import Settings, load_settings
from whotests.errors import DataError
from whotests.query.files import Catalogue
from whotests.source.archives import archived
from whotests.source.rules import Rules, in_force
from whotests.store.reader import Reader

__all__ = ["Question", "data_option", "json_option", "opened", "print_json", "run_option"]

data_option: Callable[..., Any] = click.option(
    "--data",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE|FOLDER",
    help="A data file, or a folder of some; may be repeated, and all of them are asked as one. "
    "Default: .whotests/data.db of the project.",
)
run_option: Callable[..., Any] = click.option(
    "--run",
    metavar="RUN",
    help="The run to ask: its number or name (`whotests runs` lists them), or either with ~N for "
    "N generations before. Default: the newest.",
)
json_option: Callable[..., Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON (docs/json.md describes it)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The data to ask, and the sources that it speaks of."""

    reader: Reader
    catalogue: Catalogue
    settings: Settings
    """Those of the project that the folder belongs to."""


class DiskTree:
    """Reads source files where they are now: below the first of `roots` that has them."""

    def __init__(self, roots: tuple[Path, ...]) -> None:
        self._roots = roots

    def read(self, path: str) -> bytes | None:
        """The bytes of the file, or None when there is no such file or it cannot be read."""
        for root in self._roots:
            place = root / path  # an absolute path stays what it is
            try:
                if place.is_file():  # a pipe or a device might never end
                    return place.read_bytes()
            except (OSError, ValueError):
                continue
            if (content := archived(str(place))) is not None:
                return content
        return None


# What comes of numbers that refer to nothing and of packed values that do not unpack. SQLite
# sees to its own pages only; what stands in them has no check sums.
_NONSENSE = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError, zlib.error)


def _not_understood(data: Path, error: Exception) -> DataError:
    return DataError(
        f"{data} holds what makes no sense ({type(error).__name__}: {error}): it was damaged, or "
        "this is a bug in whotests; delete the file and record again with "
        "`whotests test`, and if that ends the same way, please report it"
    )


@contextmanager
def opened(
    data: Sequence[Path] = (), *, run: str | None = None, config: Path | None = None
) -> Iterator[Question]:
    """The runs that `run` means (`--run`) of the data files and folders `data` (`--data`); by
    default those of the project that this folder belongs to, whose settings `config` may have."""
    cwd = Path.cwd()
    settings = load_settings(cwd, config=config)
    with Reader.open(
        [cwd / path for path in data] or settings.data,
        run=run,
        root=settings.root.as_posix(),
        aliases=settings.paths,
    ) as reader:
        recorded = dict.fromkeys(Path(run.root) for run in reversed(reader.runs))
        # The project may have been moved, or the data may come from another machine.
        roots = tuple(dict.fromkeys((settings.root, *recorded)))
        tree = DiskTree(roots)
        rules = None
        # Settings of a project are nothing to the data of another one.
        if not data or settings.root in recorded:
            exclude, partial = in_force(
                exclude_lines=settings.exclude_lines,
                exclude_also=settings.exclude_also,
                partial_branches=settings.partial_branches,
                partial_also=settings.partial_also,
            )
            rules = Rules(exclude=exclude, partial=partial)
        catalogue = Catalogue(reader, tree, cwd=cwd, roots=roots, rules=rules)
        try:
            yield Question(reader=reader, catalogue=catalogue, settings=settings)
        except _NONSENSE as error:
            raise _not_understood(reader.path, error) from error


def print_json(answer: dict[str, object]) -> None:
    """One JSON object on standard output, indented for a person's eyes on a terminal."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(answer, ensure_ascii=False, indent=indent))
