"""The formats that whotests writes and reads, by name; each is loaded when it is used.

May import formats and what is below. Refuses to know what is in any of them.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple

from whotests.errors import DataError
from whotests.formats.exporting import Export
from whotests.formats.foreign import Foreign

__all__ = ["FORMATS", "Format", "format_named", "recognised"]

_HEAD: Final = 4096

FORMATS: Final = {
    "coverage": "coverage_data",
    "coverage-json": "coverage_json",
    "lcov": "lcov",
    "cobertura": "cobertura",
    "sqlite": "plain_sqlite",
}
"""Name -> module of `whotests.formats`, each of which has a `FORMAT`. In the order in which an
imported file is held against them."""


class Format(NamedTuple):
    """One format; a module of its own describes each."""

    name: str
    title: str
    """As people call it: 'coverage.py's data'."""
    file_name: str
    """What its files are called by default: '.coverage'."""
    recognises: Callable[[bytes], bool]
    """Whether a file that begins with these bytes (4096, or all) is of this format."""
    write: Callable[[Export, Path], tuple[str, ...]] | None = None
    """Writes all facts to a new file, and tells what the format could not hold: a sentence each.
    None: the format is only read."""
    read: Callable[[Path], Foreign] | None = None
    """Raises DataError for what is damaged or of another version. None: it is only written."""


def format_named(name: str) -> Format:
    """The format of this name, one of FORMATS."""
    made = import_module(f"whotests.formats.{FORMATS[name]}").FORMAT
    assert isinstance(made, Format)
    return made


def recognised(path: Path) -> Format:
    """The format of a file, by its content. Raises DataError."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{path} cannot be read: {reason}; name a file that is there") from error
    readable = [each for each in map(format_named, FORMATS) if each.read is not None]
    for each in readable:
        if each.recognises(head):
            return each
    raise DataError(
        f"{path} is of no format that whotests reads ({', '.join(e.title for e in readable)}); "
        "if it is, name the format with --format"
    )
