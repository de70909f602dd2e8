"""Data files that were cut, or of which bits were turned: a clear error or a right answer."""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from measured_commands import run_measured, write_files
from whotests.cli import cli

DATA = Path(".whotests", "data.db")
QUESTIONS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("report",),
    ("report", "--json"),
    ("who", "subject.py"),
    ("who", "subject.py::f7", "--json"),
    ("what", "test_many.T.test_7"),
    ("what", "test_many.T.test_7", "--json"),
)
FLIPS = int(os.environ.get("WHOTESTS_FLIPS", "25"))
"""Files with turned bits; more of them, with another WHOTESTS_SEED, by hand."""

SUITE = {
    "subject.py": "".join(
        f"def f{n}(x):\n    if x % {n + 2}:\n        return x\n    return {n}\n" for n in range(400)
    ),
    "test_many.py": """
        import unittest
        import subject
        class T(unittest.TestCase):
            pass
        def make(n):
            def test(self):
                for m in range(n % 37 + 1):
                    getattr(subject, f"f{(n * m) % 400}")(m)
                self.assertNotEqual(n % 50, 49)
            return test
        for n in range(600):
            setattr(T, f"test_{n}", make(n))
    """,
}

Answers = dict[tuple[str, ...], tuple[int, str]]


@contextmanager
def within(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def ask(words: tuple[str, ...]) -> tuple[int, str]:
    """Exit status and output of a command, which must not end in an exception of its own."""
    ended = CliRunner().invoke(cli, words, prog_name="whotests")
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended.exit_code, ended.output


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes, Answers]:
    """A folder with recorded data of some twenty pages and more, its bytes and its answers."""
    folder = tmp_path_factory.mktemp("recorded")
    write_files(folder, SUITE)
    assert run_measured("python", "-m", "unittest", "-q", "test_many", cwd=folder).status == 1
    content = (folder / DATA).read_bytes()
    assert len(content) > 40_000
    with within(folder):
        answers = {words: ask(words) for words in QUESTIONS}
    assert {status for status, _ in answers.values()} == {0}
    return folder, content, answers


def test_cut_at_every_page(recorded: tuple[Path, bytes, Answers]) -> None:
    """A file cut at each 4 KiB, and a KiB or a byte beside it, is refused with status 2 and named,
    by each question; nothing in it or beside it changes."""
    folder, content, _ = recorded
    data = folder / DATA
    places = {
        place
        for boundary in range(0, len(content) + 1, 4096)
        for place in (boundary - 1024, boundary - 1, boundary, boundary + 1, boundary + 1024)
        if 0 <= place < len(content)
    }
    beside = sorted(os.listdir(data.parent))
    with within(folder):
        for place in sorted(places):
            data.write_bytes(content[:place])
            for words in QUESTIONS:
                status, output = ask(words)
                assert status == 2, (place, words, output)
                assert output.startswith("whotests: "), (place, words, output)
                assert "data.db" in output, (place, words, output)
            assert data.read_bytes() == content[:place]
            assert sorted(os.listdir(data.parent)) == beside
    data.write_bytes(content)


@pytest.mark.parametrize("place", [1, 1024, 4096, 20 * 1024])
def test_run_leaves_a_cut_file_alone(
    recorded: tuple[Path, bytes, Answers], tmp_path: Path, place: int
) -> None:
    """`run` ends with 2 before the command begins, and the file stays as it is."""
    _, content, _ = recorded
    data = tmp_path / DATA
    data.parent.mkdir()
    data.write_bytes(content[:place])
    ended = run_measured("python", "-c", "print('ran')", cwd=tmp_path)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("whotests: ")
    assert "data.db" in ended.err
    assert data.read_bytes() == content[:place]


def test_longer_file_is_read_or_refused(recorded: tuple[Path, bytes, Answers]) -> None:
    """What was appended changes no answer: it is the same, or the file is refused."""
    folder, content, answers = recorded
    data = folder / DATA
    with within(folder):
        for more in (b"\0" * 1024, b"x" * 4096, content):
            data.write_bytes(content + more)
            for words in QUESTIONS:
                status, output = ask(words)
                same = without_size(output) == without_size(answers[words][1])
                assert same if status == 0 else status == 2, (words, output)
            assert data.read_bytes() == content + more
    data.write_bytes(content)


def without_size(output: str) -> list[str]:
    """The lines that do not tell the size of the file or the time since."""
    return [line for line in output.splitlines() if "data.db" not in line and "ago" not in line]


def test_turned_bits_end_in_words(recorded: tuple[Path, bytes, Answers]) -> None:
    """With bits turned at random places, each question is answered or refused by name, never by
    an exception; nothing changes the file."""
    folder, content, _ = recorded
    data = folder / DATA
    chance = random.Random(os.environ.get("WHOTESTS_SEED", "1"))
    with within(folder):
        for number in range(FLIPS):
            damaged = bytearray(content)
            for _ in range(chance.choice((1, 1, 1, 8, 200))):
                damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
            data.write_bytes(damaged)
            for words in QUESTIONS:
                try:
                    status, output = ask(words)
                except Exception as error:
                    raise AssertionError(f"number {number}, {words}: {error!r}") from error
                assert status in (0, 2), (number, words, output)
                assert status == 0 or "whotests: " in output or "Error: " in output, output
            assert data.read_bytes() == damaged
    data.write_bytes(content)
