"""Data files that are damaged, forged, foreign or newer, as inputs of a combine.

Whatever they hold: an error that names the file, or a result; never anything else, and the
target is then what it was.
"""

import random
import shutil
import sqlite3
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from data_files import basket_of
from merged_data import TEST, shard, told
from test_merging_runs import combined
from whotests.errors import DataError, WhotestsError
from whotests.store.reader import Reader

FLIPS = 150
"""Files with flipped bytes that are tried."""

NONSENSE = (None, -1, 7, 2**62, 1.5, "", "nonsense", "\0", b"\xff" * 9)
TABLES = (
    "run",
    "folder",
    "file",
    "run_file",
    "unit",
    "pattern",
    "footprint",
    "scope",
    "test",
    "context",
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data file with something in each table."""
    return shard(
        tmp_path_factory.mktemp("sound"),
        tests={TEST: [8, (11, 12)], "tests/test_a.py::test_two": [11, (11, 15)]},
        labels={"import": [8]},
        files=[basket_of(branch=True)],
    )


def edited(sound: Path, folder: Path, *statements: tuple[str, Sequence[object]]) -> Path:
    """A copy of the file after these statements."""
    path = Path(shutil.copy(sound, folder / "edited.db"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for sql, values in statements:
            connection.execute(sql, values)
    return path


def refused(path: Path, target: Path) -> str:
    """What is said when this is combined, after which the target is the same."""
    before = target.read_bytes()
    with pytest.raises(DataError) as caught:
        combined(target, path, append=True)
    assert target.read_bytes() == before
    assert path.name in str(caught.value)
    return str(caught.value)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A data file that was there before."""
    path = tmp_path / "all.db"
    combined(path, shard(tmp_path / "old", tests={"tests/test_old.py::test": [15]}))
    return path


@pytest.mark.parametrize("table", TABLES)
def test_nonsense_in_any_column(tmp_path: Path, sound: Path, target: Path, table: str) -> None:
    """A value that no writer makes is refused by its column, or means something after all."""
    before = target.read_bytes()
    connection = sqlite3.connect(sound)
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.close()
    said: list[str] = []
    for column in columns:
        for value in NONSENSE:
            try:
                path = edited(
                    sound,
                    tmp_path,
                    (f"UPDATE OR REPLACE {table} SET {column} = ?", (value,)),
                )
            except sqlite3.Error:
                continue  # SQLite takes no such value
            try:
                combined(target, path, append=True)
            except DataError as failure:
                said.append(str(failure))
                assert target.read_bytes() == before
            else:
                with Reader.open(target) as reader:
                    assert reader.tests
                target.write_bytes(before)
    assert len(said) >= len(columns)
    assert [sentence for sentence in said if "edited.db" not in sentence] == []


def test_flipped_bytes(tmp_path: Path, sound: Path, target: Path) -> None:
    """Whatever becomes of a file on the way: an error of ours, or a result that can be read."""
    dice = random.Random(4)
    before = target.read_bytes()
    content = sound.read_bytes()
    path = tmp_path / "flipped.db"
    refusals = 0
    for _ in range(FLIPS):
        damaged = bytearray(content)
        for _ in range(dice.choice((1, 3, 30))):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        if dice.random() < 0.3:
            del damaged[dice.randrange(len(damaged)) :]
        path.write_bytes(damaged)
        try:
            combined(target, path, append=True)
        except WhotestsError:
            refusals += 1
            assert target.read_bytes() == before
        else:
            target.write_bytes(before)
    assert refusals > FLIPS // 10


def test_numbers_that_refer_to_nothing(tmp_path: Path, sound: Path, target: Path) -> None:
    """Contexts without their test, footprint or run, patterns without their unit."""
    for sql in (
        "UPDATE context SET test_id = 99 WHERE test_id IS NOT NULL",
        "UPDATE context SET footprint_id = 99",
        "UPDATE pattern SET unit_id = unit_id + 99",
        "UPDATE unit SET place = place + 99",
        "UPDATE unit SET file_id = 99",
        "DELETE FROM folder",
        "DELETE FROM scope",
        "DELETE FROM run_file",
    ):
        assert "edited.db" in refused(edited(sound, tmp_path, (sql, ())), target)


def test_contexts_of_another_runs_test(tmp_path: Path, sound: Path, target: Path) -> None:
    """A test belongs to one run, and so do its contexts."""
    copy_run = "INSERT INTO run SELECT * FROM run"
    columns = "uid, name, started, heartbeat, status, note, command, root, label, branch, rules,"
    columns += " python, platform, host, pid, whotests, part_of"
    copy_run = f"INSERT INTO run ({columns}) SELECT {columns} FROM run"
    path = edited(
        sound,
        tmp_path,
        (copy_run, ()),
        ("UPDATE context SET run_id = 2 WHERE test_id IS NOT NULL", ()),
    )
    assert "belongs to another run" in refused(path, target)


@pytest.mark.parametrize("name", ["../../etc/passwd", "src/../../x.py", "..\\..\\x.py", ".."])
def test_paths_that_climb_out(tmp_path: Path, sound: Path, target: Path, name: str) -> None:
    """Refused by the path, before anything is written."""
    head, slash, rest = name.rpartition("/")
    path = edited(
        sound,
        tmp_path,
        ("UPDATE folder SET name = ?", (head + slash,)),
        ("UPDATE file SET name = ?", (rest,)),
    )
    assert "climbs out of the project" in refused(path, target)


def test_a_view_in_place_of_a_table(tmp_path: Path, sound: Path, target: Path) -> None:
    """What might never end is not even asked."""
    endless = (
        "CREATE VIEW test AS WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)"
        " SELECT id, 1 AS run_id, 1 AS scope_id, '' AS name, 0 AS runner, 0 AS outcome,"
        " 0 AS duration FROM n"
    )
    path = edited(sound, tmp_path, ("DROP TABLE test", ()), (endless, ()))
    assert "no table 'test' as whotests makes it" in refused(path, target)


def test_packed_bytes_that_come_to_gigabytes(tmp_path: Path, sound: Path, target: Path) -> None:
    """A few forged bytes cannot fill the memory: they are refused."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -10)
    bomb = deflater.compress(bytes(1 << 26)) + deflater.flush()
    path = edited(sound, tmp_path, ("UPDATE footprint SET patterns = ?", (b"D" + bomb,)))
    assert "more than anything has" in refused(path, target)


def test_long_names(tmp_path: Path, sound: Path, target: Path) -> None:
    """A test may be called anything; a path is not longer than systems know them."""
    long = "x" * 10_000_000
    path = edited(sound, tmp_path, ("UPDATE test SET name = ? WHERE id = 1", (long,)))
    combined(target, path, append=True)
    assert any(len(name) > 10_000_000 for _, name in told(target).tests)
    path = edited(sound, tmp_path, ("UPDATE file SET name = ?", (long,)))
    assert "file.name makes no sense" in refused(path, target)


def test_other_files(tmp_path: Path, sound: Path, target: Path) -> None:
    """Those of other programs, empty ones, newer and older ones are told apart."""
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection, connection:
        connection.execute("CREATE TABLE precious (x)")
    assert "not a data file of whotests" in refused(foreign, target)
    text = tmp_path / "text.db"
    text.write_text("a diary\n" * 100, encoding="utf-8")
    assert "not a data file of whotests" in refused(text, target)
    empty = tmp_path / "empty.db"
    empty.touch()
    assert "is empty" in refused(empty, target)
    assert "does not exist" in refused(tmp_path / "gone.db", target)
    newer = edited(sound, tmp_path, ("PRAGMA user_version = 99", ()))
    assert "upgrade whotests" in refused(newer, target)
    without = edited(sound, tmp_path, ("DELETE FROM run_file", ()), ("DELETE FROM run", ()))
    refused(without, target)
    cut = tmp_path / "cut.db"
    cut.write_bytes(sound.read_bytes()[:5000])
    assert "cut short or damaged" in refused(cut, target)


def test_a_foreign_target_is_left_alone(tmp_path: Path, sound: Path) -> None:
    """Something else at the place of the result is neither read nor replaced."""
    target = tmp_path / "all.db"
    target.write_text("precious\n" * 100, encoding="utf-8")
    with pytest.raises(DataError, match="not a data file of whotests"):
        combined(target, sound)
    assert target.read_text(encoding="utf-8") == "precious\n" * 100


@pytest.mark.parametrize("rules", ['[["("],[]]', '[["a"]]', "[[], [[]]]", '["a", 5]'])
def test_rules_that_are_no_expressions(
    tmp_path: Path, sound: Path, target: Path, rules: str
) -> None:
    """What a run says it excluded is kept only if it can be applied."""
    path = edited(sound, tmp_path, ("UPDATE run SET rules = ?", (rules,)))
    assert "damaged" in refused(path, target)
