"""What people ask about: a file, lines of it, a function or class, as they write it.

    FILE   FILE:12   FILE:12-40   FILE:12->15   FILE:12->exit
    FILE::Class.method   package.module.function

May import types, packing, errors and the store's values. Refuses to guess: a target that fits
several things is an error that lists them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Protocol

from whotests.errors import UsageError
from whotests.packing.branches import BranchList
from whotests.store.values import FileVersion, Unit
from whotests.types import LineBits

__all__ = ["Places", "Target", "UnitsOf", "resolve"]

_LINES: Final = re.compile(r"(?P<path>.+):(?P<first>\d+)(?:-(?P<last>\d+))?", re.DOTALL)
_BRANCH: Final = re.compile(r"(?P<path>.+):(?P<line>\d+)->(?P<end>\d+|exit)", re.DOTALL)
_CUT_BRANCH: Final = re.compile(r"(?P<path>.+):(?P<line>\d+)-(?P<end>>.*)?", re.DOTALL)
_MANY: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something in one version of one file."""

    text: str
    """As it was asked for."""
    file: FileVersion
    units: tuple[Unit, ...]
    """What it names, when it names functions or classes: several when one name is defined
    several times (a property and its setter)."""
    first_line: int
    last_line: int
    by_lines: bool = False
    """Whether it was asked for by line numbers."""
    branch: int | None = None
    """When it is a branch of its line: where that leads, a line or (negative) out of a unit."""

    @property
    def lines(self) -> LineBits:
        """All its lines, statements or not."""
        if not self.units:
            return _span(self.first_line, self.last_line)
        bits = 0
        for unit in self.units:
            bits |= _span(unit.first_line, unit.last_line)
        return LineBits(bits)


class UnitsOf(Protocol):
    """The units of a file's version."""

    def __call__(self, file: FileVersion, *, named: str = "") -> Sequence[Unit] | None:
        """None when they are not known; empty where, quickly seen, none is `named` so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What targets are looked up in."""

    files: Mapping[str, FileVersion]
    """Path -> the version to speak of."""
    units: "UnitsOf"
    branches: Callable[[int], BranchList]
    """The branches of a file's version."""
    cwd: Path
    roots: tuple[Path, ...]
    """Folders that paths in the data may be relative to: the project's, and the runs' own."""


def resolve(text: str, places: Places) -> Target:
    """What `text` means. Raises UsageError when that is nothing or several things."""
    if not text.strip():
        raise UsageError("the target is empty; name a file, FILE:LINE, FILE::NAME or a dotted name")
    path, separator, name = text.partition("::")
    if separator:
        return _named(text, _file(path, places), name.replace("::", "."), places)
    match = _BRANCH.fullmatch(text)
    if match is not None:
        return _branch(text, _file(match["path"], places), match["line"], match["end"], places)
    match = _LINES.fullmatch(text)
    if match is not None:
        file = _file(match["path"], places)
        first = int(match["first"])
        return _lines(text, file, first, int(match["last"] or first))
    file_or_problem = _find_file(text, places)
    if isinstance(file_or_problem, FileVersion):
        file = file_or_problem
        return Target(text=text, file=file, units=(), first_line=1, last_line=file.line_count)
    if _looks_like_a_name(text):
        return _dotted(text, places)
    match = _CUT_BRANCH.fullmatch(text)
    if match is not None:
        line = f"{match['path']}:{match['line']}"
        if match["end"]:
            raise UsageError(
                f"{text}: a branch leads to a line or out, as in '{line}->15' or '{line}->exit'"
            )
        raise UsageError(
            f"{text}: the lines end with a '-'; a branch has to be quoted, because a shell takes "
            f"'>' for itself: '{text}>exit' or '{text}>LINE'"
        )
    path, separator, _ = text.rpartition(":")
    meant = _find_file(path, places) if separator else file_or_problem
    if isinstance(meant, FileVersion):
        raise UsageError(
            f"{text}: after the colon come lines, as in {meant.path}:12 or {meant.path}:12-40; "
            f"functions and classes come after two, as in {meant.path}::NAME"
        )
    raise file_or_problem


def _span(first: int, last: int) -> LineBits:
    return LineBits((1 << (last + 1)) - (1 << first)) if last >= first else LineBits(0)


def _lines(text: str, file: FileVersion, first: int, last: int) -> Target:
    if last < first:
        raise UsageError(
            f"{text}: the lines run backwards; write the smaller first: {file.path}:{last}-{first}"
        )
    if not file.line_count:
        why = f"was not measured: {file.reason}" if file.reason else "is empty"
        raise UsageError(f"{text}: {file.path} {why} (as it was recorded)")
    if first < 1 or last > file.line_count:
        raise UsageError(
            f"{text}: {file.path} has the lines 1 to {file.line_count} (as it was recorded)"
        )
    return Target(text=text, file=file, units=(), first_line=first, last_line=last, by_lines=True)


def _branch(text: str, file: FileVersion, line: str, end: str, places: Places) -> Target:
    target = _lines(text, file, int(line), int(line))
    branches = places.branches(file.id).all
    if not branches:
        raise UsageError(
            f"{text}: no branches of {file.path} were recorded; "
            "record them with `whotests run --branch -- pytest`"
        )
    ends = [to for start, to in branches if start == target.first_line]
    for to in ends:
        if (to < 0 and end == "exit") or str(to) == end:
            return replace(target, branch=to)
    if not ends:
        raise UsageError(
            f"{text}: line {line} of {file.path} has no branches; ask {file.path}:{line}, "
            "or `whotests report --json` lists all branches"
        )
    ways = [f"{line}->{to if to > 0 else 'exit'}" for to in sorted(ends, key=_exits_last)]
    raise UsageError(f"{text}: line {line} of {file.path} has the branches {_listed(ways)}")


def _exits_last(end: int) -> tuple[bool, int]:
    return end < 0, end


def _file(path: str, places: Places) -> FileVersion:
    found = _find_file(path, places)
    if isinstance(found, UsageError):
        raise found
    return found


def _find_file(text: str, places: Places) -> FileVersion | UsageError:
    files = places.files
    wanted = text.replace("\\", "/") if "\\" in text and text not in files else text
    absolute = Path(places.cwd, text).resolve()
    spellings = [absolute.as_posix()]
    for root in places.roots:
        for base in (root, root.resolve()):
            if absolute.is_relative_to(base):
                spellings.append(absolute.relative_to(base).as_posix())
    while wanted.startswith("./"):
        wanted = wanted[2:]
    for spelling in (*spellings, wanted):
        if spelling in files:
            return files[spelling]
    ends = [path for path in files if path.endswith("/" + wanted)] if wanted else []
    if len(ends) == 1:
        return files[ends[0]]
    if ends:
        return UsageError(f"{text} fits several files: {_listed(ends)}; give more of the path")
    if absolute.is_dir():
        return UsageError(f"{text} is a folder; name a file in it, or a function: FILE::NAME")
    if absolute.is_file():
        return UsageError(
            f"{text} was not measured; run again with its folder or package as --source, "
            "or ask about one of the files that `whotests report` lists"
        )
    return UsageError(
        f"{text} is no file of the data{_nearest(wanted, files)}; `whotests report` lists the files"
    )


def _named(text: str, file: FileVersion, name: str, places: Places) -> Target:
    known = places.units(file)
    if known is None:
        raise UsageError(
            f"{text}: nothing imported {file.path} when it was recorded, and it has changed "
            "since, so its functions are not known; run again, or ask about the whole file"
        )
    units = [unit for unit in known if unit.qualname]
    found = [unit for unit in units if name in (unit.name, unit.qualname)]
    if not found:
        names = [unit.name for unit in units]
        raise UsageError(
            f"{text}: {file.path} has no function or class {name!r}{_nearest(name, names)}; "
            f"or ask by lines: {file.path}:FIRST-LAST"
        )
    return _target(text, file, found)


def _target(text: str, file: FileVersion, units: Sequence[Unit]) -> Target:
    return Target(
        text=text,
        file=file,
        units=tuple(units),
        first_line=min(unit.first_line for unit in units),
        last_line=max(unit.last_line for unit in units),
    )


def _looks_like_a_name(text: str) -> bool:
    parts = text.split(".")
    return parts[-1] not in ("py", "pyw") and all(part.isidentifier() for part in parts)


def _dotted(text: str, places: Places) -> Target:
    """`package.module`, `package.module.Class.method`, or a name that is defined once only."""
    parts = text.split(".")
    modules = {path: _module_parts(path) for path in places.files}
    for length in range(len(parts), 0, -1):
        head, name = parts[:length], ".".join(parts[length:])
        paths = [path for path, module in modules.items() if module[-length:] == head]
        # `pkg.util` is src/pkg/util.py rather than src/other/pkg/util.py.
        shortest = min((len(modules[path]) for path in paths), default=0)
        nearest = [path for path in paths if len(modules[path]) == shortest]
        for candidates in (nearest, paths):
            found = []
            for path in candidates:
                file = places.files[path]
                units = [u for u in _named_units(file, name, places) if u.name == name]
                if units:
                    found.append(_target(text, file, units))
                elif not name:
                    last = file.line_count
                    found.append(
                        Target(text=text, file=file, units=(), first_line=1, last_line=last)
                    )
            if found:
                return _only(text, found)
    return _anywhere(text, places)


def _anywhere(text: str, places: Places) -> Target:
    found = []
    # What could have been meant: the last so many parts of everything's full name.
    size = text.count(".") + 1
    top, last = text.partition(".")[0], text.rpartition(".")[2]
    names: set[str] = set()
    # `package.name`, where the package only passes on what a module of it defines.
    passed_on: set[str] = set()
    for path, file in places.files.items():
        module = _module_parts(path)
        units = _named_units(file, text, places)
        named = [unit for unit in units if unit.name == text]
        if named:
            found.append(_target(text, file, named))
        for parts in (module, *([*module, *unit.name.split(".")] for unit in units)):
            names.add(".".join(parts[-size:]))
            if size > 1 and parts[-1] == last and top in parts[:-1]:
                passed_on.add(".".join(parts[parts.index(top) :]))
    if found:
        return _only(text, found)
    same_end = [name for name in names if name.rpartition(".")[2] == last]
    near = (
        _nearest(text, passed_on, cutoff=0.0)
        or _nearest(text, names)
        or _nearest(text, same_end, cutoff=0.0)
    )
    raise UsageError(
        f"{text} is no file, module, function or class of the data{near}; "
        "`whotests report` lists the files"
    )


def _named_units(file: FileVersion, name: str, places: Places) -> Sequence[Unit]:
    """The functions and classes of a file, if one of them may have this name."""
    if not name:
        return ()
    units = places.units(file, named=name.rpartition(".")[2])
    return [unit for unit in units or () if unit.qualname]


def _only(text: str, found: Sequence[Target]) -> Target:
    if len(found) == 1:
        return found[0]
    places = [
        f"{target.file.path}::{target.units[0].name}" if target.units else target.file.path
        for target in found
    ]
    raise UsageError(f"{text} fits several things: {_listed(places)}; name one of them")


def _module_parts(path: str) -> list[str]:
    parts = path.removesuffix(".py").removesuffix(".pyw").split("/")
    return parts[:-1] if parts[-1] == "__init__" else parts


def _listed(names: Sequence[str]) -> str:
    shown = sorted(names)[:_MANY]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _nearest(name: str, names: Iterable[str], *, cutoff: float = 0.6) -> str:
    near = get_close_matches(name, list(names), n=3, cutoff=cutoff)
    return f" (nearest: {', '.join(near)})" if near else ""
