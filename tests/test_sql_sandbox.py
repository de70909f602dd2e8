"""SQL that is more than a question: refused with one sentence, and nothing is touched."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_files import DataFile
from sql_data import asked, record_odd_shop, sandbox
from whotests.errors import UsageError
from whotests.sql.sandbox import Sandbox

COUNTING = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataFile:
    """A project with two runs."""
    data = DataFile(tmp_path_factory.mktemp("sql"))
    record_odd_shop(data)
    return data


@pytest.fixture
def box(data: DataFile) -> Iterator[Sandbox]:
    """A place to ask."""
    with sandbox(data) as box:
        yield box


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder, by its content."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO fact VALUES (1, 2, 3, 4, 5, 6, 7)",
        "INSERT INTO data.run (id) VALUES (7)",
        "UPDATE data.run SET name = 'mine'",
        "UPDATE fact SET line = 1",
        "DELETE FROM data.test",
        "DELETE FROM file RETURNING path",
        "REPLACE INTO test (id) VALUES ('x')",
        "CREATE TABLE mine (a)",
        "CREATE TEMP TABLE mine (a)",
        "CREATE TABLE data.mine (a)",
        "CREATE VIEW mine AS SELECT 1",
        "CREATE TEMP TRIGGER mine INSTEAD OF INSERT ON fact BEGIN SELECT 1; END",
        "CREATE INDEX data.mine ON run (name)",
        "CREATE VIRTUAL TABLE mine USING fts5 (a)",
        "DROP TABLE fact",
        "DROP TABLE data.run",
        "ALTER TABLE fact RENAME TO mine",
        "ATTACH 'mine.db' AS mine",
        "ATTACH ':memory:' AS mine",
        "DETACH data",
        "VACUUM",
        "VACUUM INTO 'mine.db'",
        "VACUUM data INTO 'mine.db'",
        "ANALYZE",
        "REINDEX",
        "BEGIN",
        "BEGIN EXCLUSIVE",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT mine",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA data.user_version = 7",
        "PRAGMA writable_schema = 1",
        "PRAGMA query_only = 0",
        "PRAGMA hard_heap_limit = 0",
        "PRAGMA temp_store_directory = '.'",
        "SELECT load_extension('mine')",
        "SELECT fts3_tokenizer('mine', x'00')",
        "EXPLAIN DELETE FROM data.run",
        "WITH a AS (SELECT 1) INSERT INTO data.run (id) SELECT * FROM a",
    ],
)
def test_what_would_change_something_is_refused(
    data: DataFile, box: Sandbox, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence that quotes the statement; no file is made or changed; asking goes on."""
    monkeypatch.chdir(tmp_path)
    before = contents(data.root)
    with pytest.raises(UsageError, match="SQL only reads here") as caught:
        asked(box, sql)
    assert "\n" not in str(caught.value)
    assert sql[:20] in str(caught.value)
    assert contents(data.root) == before
    assert list(tmp_path.iterdir()) == []
    assert asked(box, "SELECT count(*) FROM data.run") == [(2,)]


@pytest.mark.parametrize(
    "sql",
    [
        f"{COUNTING} SELECT x FROM c",
        f"{COUNTING} SELECT count(*) FROM c",
        "SELECT count(*) FROM fact a, fact b, fact c, fact d, fact e",
        f"SELECT * FROM fact WHERE line = ({COUNTING} SELECT max(x) FROM c)",
        f"{COUNTING} SELECT x FROM c WHERE x IN (SELECT line FROM fact) AND x < 0",
    ],
)
def test_what_loops_is_stopped(data: DataFile, sql: str) -> None:
    """After the time that it was given, with a sentence; the next statement has its own."""
    with sandbox(data, seconds=0.3) as box:
        began = time.monotonic()
        with pytest.raises(UsageError, match=r"took longer than 0\.3 s and was stopped"):
            for _ in box.ask(sql).rows:
                pass
        assert time.monotonic() - began < 3
        assert asked(box, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        f"{COUNTING} SELECT x FROM c ORDER BY x",
        f"{COUNTING} SELECT x, count(*) FROM c GROUP BY x || 'x'",
        "SELECT hex(zeroblob(2000000000))",
        "SELECT printf('%2000000000d', 1)",
        "SELECT randomblob(1 << 30)",
    ],
)
def test_what_takes_too_much_memory_is_stopped(data: DataFile, sql: str) -> None:
    """With a sentence, and within the memory that it was given."""
    with sandbox(data, megabytes=20) as box:
        with pytest.raises(UsageError, match="needs more than 20 MB of memory"):
            asked(box, sql)
        assert asked(box, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("", "there is no SQL to run"),
        (" ;; ", "there is no SQL to run"),
        ("-- nothing", "there is no SQL to run"),
        ("SELECT 1; SELECT 2", "only one statement at a time"),
        ("SELECT 1; nonsense", "only one statement at a time"),
        ("SELECT ?", "no value is given for a parameter"),
        ("SELECT :name", "no value is given for a parameter"),
        ("SELEC 1", 'SQL: near "SELEC": syntax error'),
        ("SELECT (1", "SQL: incomplete input"),
        ("SELECT * FROM facts", "no such table: facts; did you mean fact"),
        ("SELECT * FROM xyzzy", "no such table: xyzzy; there are fact, branch_fact"),
        ("SELECT * FROM data.xyzzy", "no such table: data.xyzzy"),
        ("SELECT outcom FROM test", r"no such column: outcom; did you mean outcome \(of test\)"),
        ("SELECT test FROM test", r"no such column: test; test has id, name, "),
        ("SELECT name, pth FROM test, file", r"no such column: pth; did you mean path \(of file\)"),
        ("SELECT t.xyzzy FROM test t", r"no such column: t\.xyzzy; test has id, name"),
        ('SELECT * FROM file WHERE path = "x.py"', "string literal in single-quotes"),
        ("SELECT xyzzy FROM test, file", r"no such column: xyzzy; docs/schema\.md"),
        ("SELECT * FROM lines_of", r"lines_of\(context\.footprint\)"),
        ("SELECT nonsense(1)", "no such function: nonsense"),
        ("SELECT json('{')", "malformed JSON"),
        ("SELECT abs(-9223372036854775808)", "integer overflow"),
        ("SELECT 1" + " + 1" * 2000, "SQL: Expression tree is too large"),
        ("SELECT '" + "x" * 2_000_000 + "'", "SQL: |memory"),
        ("SELECT 1\0; DELETE FROM fact", "the statement is no text"),
        ("SELECT '\udcff'", "the statement is no text"),
    ],
)
def test_what_is_no_question_gets_one_sentence(box: Sandbox, sql: str, words: str) -> None:
    """It says what is wrong and, where that can be told, what was meant."""
    with pytest.raises(UsageError, match=words) as caught:
        asked(box, sql)
    assert "\n" not in str(caught.value)
    assert asked(box, "SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1;",
        "SELECT 1; -- and nothing else",
        "/* so */ SELECT 1",
        "VALUES (1)",
        "WITH a(x) AS (VALUES (1)) SELECT x FROM a",
        "SELECT 1 UNION SELECT 1",
    ],
)
def test_one_statement_is_one_statement(box: Sandbox, sql: str) -> None:
    """Comments and a last semicolon do not count."""
    assert asked(box, sql) == [(1,)]


def test_looking_at_the_schema_is_allowed(box: Sandbox) -> None:
    """Plans, and what tables and columns there are."""
    assert asked(box, "PRAGMA table_info(fact)")[0][1:3] == ("context", "TEXT")
    assert "fact" in str(asked(box, "EXPLAIN QUERY PLAN SELECT * FROM fact"))
    assert asked(box, "SELECT count(*) FROM sqlite_schema")[0] > (8,)
    assert ("line",) in asked(box, "SELECT name FROM pragma_table_info('fact')")


def test_columns_are_named_where_there_are_no_rows(box: Sandbox) -> None:
    """An empty answer still says of what."""
    answer = box.ask("SELECT id AS test, lines FROM test WHERE 0")
    assert answer.columns == ("test", "lines")
    assert list(answer.rows) == []


def test_an_answer_may_be_left_halfway(box: Sandbox) -> None:
    """Rows come one by one; whoever has enough asks the next thing."""
    rows = box.ask("SELECT context FROM fact").rows
    next(rows)
    assert asked(box, "SELECT 1") == [(1,)]
    rows.close()  # type: ignore[attr-defined]
