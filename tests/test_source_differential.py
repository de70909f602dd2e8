"""What `whotests.source` says of a file is what coverage.py says of it."""

import sysconfig
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from coverage.config import DEFAULT_EXCLUDE
from coverage.exceptions import NotPython
from coverage.misc import join_regex
from coverage.parser import PythonParser

from source_programs import SOURCES
from whotests.source import rules
from whotests.source.analysis import analyse
from whotests.source.exclusions import matched_lines
from whotests.source.text import decode
from whotests.types import lines_in


def differences(path: Path) -> list[str]:
    """Where whotests and coverage.py disagree about a file, in words; none where both refuse it."""
    source = path.read_bytes()
    ours_failed = theirs_failed = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parser = PythonParser(filename=str(path), exclude=join_regex(DEFAULT_EXCLUDE))
            unrestricted = PythonParser(filename=str(path))
            parser.parse_source()
            unrestricted.parse_source()
        except (NotPython, SyntaxError, ValueError, RecursionError) as error:
            theirs_failed = error
        try:
            analysis = analyse(source, str(path))
        except (SyntaxError, ValueError, RecursionError) as error:
            ours_failed = error
    if ours_failed or theirs_failed:
        if ours_failed and theirs_failed:
            return []
        return [f"{path}: ours {ours_failed!r}, coverage.py's {theirs_failed!r}"]
    statements = set(lines_in(analysis.statements))
    excluded = set(lines_in(analysis.excluded))
    map_ = {line: first for line, first in parser.multiline_map.items() if line != first}
    pairs: dict[str, tuple[set[Any], set[Any]]] = {
        "first lines": (set(analysis.first_lines.items()), set(map_.items())),
        "statements": (statements, unrestricted.statements & (parser.statements | parser.excluded)),
        "statements left": (statements - excluded, parser.statements),
        "excluded": (excluded, parser.excluded),
        "matched": (matched_lines(decode(source)), parser.raw_excluded),
    }
    return [
        f"{path}: {what}: only ours {sorted(ours - theirs)}, only coverage.py's "
        f"{sorted(theirs - ours)}"
        for what, (ours, theirs) in pairs.items()
        if ours != theirs
    ]


def with_pragmas(source: bytes) -> Iterator[bytes]:
    """The program once for each of its lines, with a pragma at the end of that line."""
    lines = source.split(b"\n")
    for index, line in enumerate(lines):
        yield b"\n".join([*lines[:index], line + b"  # pragma: no cover", *lines[index + 1 :]])


def real_files(part: int) -> Iterator[Path]:
    """One in `part` files of this Python's standard library and site-packages, always the same."""
    roots = {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}
    for root in sorted(roots):
        for path in sorted(Path(root).rglob("*.py")):
            if zlib.crc32(str(path.relative_to(root)).encode()) % part == 0:
                yield path


def test_default_rules() -> None:
    """The default rules are coverage.py's."""
    assert list(rules.DEFAULT_EXCLUDE) == DEFAULT_EXCLUDE


@pytest.mark.parametrize("name", SOURCES)
def test_program(name: str, tmp_path: Path) -> None:
    """Each kind of statement and each odd case is read as coverage.py reads it."""
    path = tmp_path / "program.py"
    path.write_bytes(SOURCES[name])
    analyse(path.read_bytes(), "program.py")
    assert differences(path) == []


@pytest.mark.parametrize("name", SOURCES)
def test_program_with_a_pragma_on_any_line(name: str, tmp_path: Path) -> None:
    """A pragma drops what it drops for coverage.py, whatever line of a program it is on."""
    path = tmp_path / "program.py"
    found = []
    for source in with_pragmas(SOURCES[name]):
        path.write_bytes(source)
        found += [f"{source!r}: {difference}" for difference in differences(path)]
    assert found == []


def test_real_files() -> None:
    """Real files, a sample, are read as coverage.py reads them."""
    paths = list(real_files(part=60))
    assert len(paths) > 20
    assert [text for path in paths for text in differences(path)] == []


@pytest.mark.parametrize("indent", [b"\x0c", b"  \x0c", b"\x0c\x0c"])
def test_form_feed_before_code(indent: bytes, tmp_path: Path) -> None:
    """A line may begin with a form feed, as for the compiler; coverage.py takes it for a space."""
    path = tmp_path / "program.py"
    path.write_bytes(b"if a:  # pragma: no cover\n  b = 1\n" + indent + b"c = [\n1]\nd = 1\n")
    analysis = analyse(path.read_bytes(), "program.py")
    assert set(lines_in(analysis.statements)) == {1, 2, 3, 5}
    assert set(lines_in(analysis.excluded)) == {1, 2}
    assert analysis.first_lines == {4: 3}
    assert differences(path)


def test_undecodable_bytes(tmp_path: Path) -> None:
    """Bytes that the compiler refuses are refused; coverage.py replaces them and goes on."""
    path = tmp_path / "program.py"
    path.write_bytes(b"\n\na = '\xe9'\n")
    assert ["UnicodeDecodeError" in text for text in differences(path)] == [True]
