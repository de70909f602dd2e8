"""What is known of files that nothing imported is kept, and holds as long as they are the same."""

import os
import zipfile
from pathlib import Path

import pytest

from whotests.packing.bitmaps import unpack_bits
from whotests.probes.cache import Cache
from whotests.recording.contents import Contents
from whotests.source.rules import Rules
from whotests.types import lines_in


class Folder:
    """Source files, and one run after the other that wants to know what is in them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.later = 3600.0
        """Seconds by which the clock of a run is ahead: files are an hour old."""
        self.read: list[str] = []
        """The names of the files that the last run read."""

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text)

    def statements(self, *names: str, rules: Rules | None = None) -> list[list[int] | str]:
        """A run: the lines of each file that are statements, or why they are not known."""
        self.read = []
        run = Contents(
            Cache(self.path / "cache"),
            rules or Rules(),
            [str(self.path)],
            read=self._read,
            clock=lambda: os.stat(self.path).st_mtime + self.later,
        )
        found = [run.of(str(self.path / name)) for name in names]
        run.keep()
        return [
            each.reason or list(lines_in(unpack_bits(each.content.statements))) for each in found
        ]

    def _read(self, path: str) -> bytes:
        self.read.append(os.path.basename(path))
        return Path(path).read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_what_is_as_it_was_is_not_read_again(folder: Folder) -> None:
    folder.write("a.py", "x = 1\n\ny = 2\n")
    folder.write("b.py", "x = 1\n")
    assert folder.statements("a.py", "b.py") == [[1, 3], [1]]
    assert folder.read == ["a.py", "b.py"]
    assert folder.statements("a.py", "b.py") == [[1, 3], [1]]
    assert folder.read == []


def test_what_was_written_again_is_read_again(folder: Folder) -> None:
    """Also when its size and the time that it bears are the same, as after `cp -p`."""
    folder.write("a.py", "x = 1\n\ny = 2\n")
    before = os.stat(folder.path / "a.py")
    folder.statements("a.py")
    folder.write("a.py", "x = 1\ny = 2\n\n")
    os.utime(folder.path / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert folder.statements("a.py") == [[1, 2]]
    assert folder.read == ["a.py"]


def test_what_takes_a_files_place_is_read(folder: Folder) -> None:
    folder.write("a.py", "x = 1\n\ny = 2\n")
    folder.statements("a.py")
    folder.write("new.py", "x = 1\ny = 2\n\n")
    os.replace(folder.path / "new.py", folder.path / "a.py")
    assert folder.statements("a.py") == [[1, 2]]


def test_what_was_written_just_now_is_read_again(folder: Folder) -> None:
    """It may be written once more within what its file system takes for one moment."""
    folder.write("a.py", "x = 1\n")
    folder.later = 0.0
    assert folder.statements("a.py") == folder.statements("a.py") == [[1]]
    assert folder.read == ["a.py"]


def test_what_is_no_python_is_kept_too(folder: Folder) -> None:
    folder.write("a.py", "x = (\n")
    (reason,) = folder.statements("a.py")
    assert isinstance(reason, str)
    assert "SyntaxError" in reason
    assert folder.statements("a.py") == [reason]
    assert folder.read == []
    folder.write("a.py", "x = 1\n")
    assert folder.statements("a.py") == [[1]]


def test_what_cannot_be_read(folder: Folder) -> None:
    assert folder.statements("none.py") == ["it cannot be read: No such file or directory"]
    folder.write("none.py", "x = 1\n")
    assert folder.statements("none.py") == [[1]]


def test_other_rules_find_other_things(folder: Folder) -> None:
    folder.write("a.py", "x = 1\ny = 2  # never\n")
    assert folder.statements("a.py") == [[1, 2]]
    folder.statements("a.py", rules=Rules(branch=True))
    assert folder.read == ["a.py"]
    folder.statements("a.py")
    assert folder.read == []


def test_files_that_nobody_asks_for_stay_known_until_they_go(folder: Folder) -> None:
    """What one run imports, the next one may not."""
    for name in ("a.py", "b.py", "c.py"):
        folder.write(name, "x = 1\n")
    folder.statements("a.py", "b.py")
    folder.statements("c.py")
    folder.statements("a.py", "b.py")
    assert folder.read == []
    os.unlink(folder.path / "b.py")
    folder.write("c.py", "y = 1\n")
    folder.statements("c.py")
    entries = [file.read_bytes() for file in (folder.path / "cache").rglob("*.bin")]
    assert [b"a.py" in entry for entry in entries] == [True]
    assert [b"b.py" in entry for entry in entries] == [False]


def test_damage_is_as_good_as_nothing_kept(folder: Folder) -> None:
    folder.write("a.py", "x = 1\n")
    folder.statements("a.py")
    (entry,) = (folder.path / "cache").rglob("*.bin")
    entry.write_bytes(entry.read_bytes()[:-3])
    assert folder.statements("a.py") == [[1]]
    assert folder.read == ["a.py"]


def test_a_file_in_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("pkg/a.py", "x = 1\ny = 2\n")
    for _ in range(2):
        run = Contents(Cache(tmp_path / "cache"), Rules(), [str(tmp_path)])
        found = run.of(str(tmp_path / "lib.zip" / "pkg" / "a.py"))
        run.keep()
        assert list(lines_in(unpack_bits(found.content.statements))) == [1, 2]
