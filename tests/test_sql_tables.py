"""The tables of SQL: what stands in them, and that conditions reach the packed data."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_files import ADD, INIT, NOON, SOURCE, DataFile, basket_of
from sql_data import ODD, asked, record_odd_shop, sandbox
from whotests.query.facts import file_facts
from whotests.query.files import Catalogue
from whotests.query.report import report
from whotests.sql.sandbox import Sandbox
from whotests.sql.tables import TABLES, Table
from whotests.store.reader import Reader
from whotests.types import RunStatus, lines_in


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


@pytest.fixture(scope="module")
def plain(data: DataFile) -> Iterator[sqlite3.Connection]:
    """The same rows in ordinary tables of ordinary SQLite."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    with sandbox(data) as box:
        for table in ordinary():
            columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
            connection.execute(f"CREATE TABLE {table.name} ({columns})")
            holes = ", ".join("?" * len(table.columns))
            rows = asked(box, f"SELECT * FROM {table.name}")
            connection.executemany(f"INSERT INTO {table.name} VALUES ({holes})", rows)
    yield connection
    connection.close()


def ordinary() -> list[Table]:
    """The tables without parameters."""
    return [t for t in TABLES if not any(column.parameter for column in t.columns)]


def test_fact_has_each_fact_once(data: DataFile, box: Sandbox) -> None:
    """(context, file, line) is what the data holds, neither more nor less."""
    with data.opened() as (reader, catalogue):
        expected = {
            (key.name, facts.path, line)
            for facts in file_facts(reader, catalogue)
            for key, ran in facts.contexts.items()
            for line in lines_in(ran.lines)
        }
    rows = asked(box, "SELECT context, file, line FROM fact")
    assert len(rows) == len(set(rows))
    assert set(rows) == expected
    assert ("py3.13/t.T.test_refuse|call", SOURCE, 12) in expected


def test_branch_fact_has_each_branch_once(box: Sandbox) -> None:
    """A branch is a line and the line that it leads to."""
    rows = asked(box, "SELECT test, phase, line, next_line, unit_name FROM branch_fact")
    assert sorted(rows, key=str) == sorted(
        (
            (f"{label}tests/test_b.py::{name}", "call", 11, 15, "Basket.add")
            for label in ("", "py3.13/")
            for name in ("test_new", "TEST_NEW")
        ),
        key=str,
    )


def test_a_line_of_two_units_is_one_fact(box: Sandbox) -> None:
    """It belongs to the innermost one, also where a context ran both."""
    rows = asked(box, f"SELECT line, unit_name FROM fact WHERE test LIKE '%test_one%' AND {THERE}")
    assert sorted(rows) == [(1, "one"), (1, "one"), (2, "two"), (2, "two")]


THERE = "file GLOB 'src/sh''op/*'"


def test_numbers_are_those_of_the_report(data: DataFile, box: Sandbox) -> None:
    """Files, lines, branches and units add up to what `whotests report` counts."""
    with data.opened() as (reader, catalogue):
        answer = report(reader, catalogue)
        expected = [
            (
                row.path,
                row.numbers.statements,
                row.numbers.excluded,
                row.numbers.missing,
                row.numbers.branches,
                row.numbers.partial_branches,
                row.numbers.missing_branches,
                row.numbers.percent,
            )
            for row in answer.rows
        ]
    assert expected == asked(
        box,
        "SELECT path, statements, excluded, missing, branches, partial_branches, missing_branches,"
        " percent FROM file ORDER BY path",
    )
    total = answer.total
    assert asked(box, "SELECT count(*), sum(NOT ran) FROM line WHERE NOT excluded") == [
        (total.statements, total.missing)
    ]
    assert asked(box, "SELECT sum(missed) FROM branch") == [(total.missing_branches,)]
    assert asked(box, "SELECT sum(statements), sum(missing) FROM unit") == [
        (total.statements, total.missing)
    ]


def test_counts_of_tests_are_those_of_the_facts(box: Sandbox) -> None:
    """What `tests` and `lines` say is what counting facts gives."""
    for table, keys in (
        ("line", "file, line"),
        ("branch", "file, line, next_line"),
        ("unit", "unit"),
    ):
        facts = "branch_fact" if table == "branch" else "fact"
        key = "id" if table == "unit" else keys
        stated = asked(box, f"SELECT {key}, tests FROM {table} WHERE tests > 0")
        counted = asked(
            box,
            f"SELECT {keys}, count(DISTINCT test) FROM {facts} WHERE test NOTNULL GROUP BY {keys}",
        )
        assert sorted(stated) == sorted(counted)
        assert stated
    lines = asked(box, "SELECT id, lines, files FROM test WHERE lines > 0")
    assert sorted(lines) == sorted(
        asked(
            box,
            "SELECT test, count(*), count(DISTINCT file) FROM"
            " (SELECT DISTINCT test, file, line FROM fact WHERE test NOTNULL) GROUP BY test",
        )
    )
    assert asked(box, "SELECT lines FROM test WHERE name GLOB '*nothing'") == [(0,), (0,)]


def test_lines_of_a_footprint(box: Sandbox) -> None:
    """lines_of and branches_of give what contexts ran, without a look at facts."""
    assert Counter(asked(box, "SELECT context, file, line FROM fact")) == Counter(
        asked(box, "SELECT name, file, line FROM context, lines_of(context.footprint)")
    )
    assert Counter(asked(box, "SELECT context, file, line, next_line FROM branch_fact")) == Counter(
        asked(box, "SELECT name, file, line, next_line FROM context, branches_of(footprint)")
    )
    assert asked(box, "SELECT * FROM lines_of(999999)") == []
    assert asked(box, "SELECT * FROM lines_of('x')") == []
    assert asked(box, "SELECT * FROM lines_of(NULL)") == []


def test_runs_and_tests_are_described(box: Sandbox) -> None:
    """Labels, outcomes, phases and moments are words, not numbers."""
    assert asked(box, "SELECT label, started, status, branch, command FROM run") == [
        ("", "2025-06-15 15:06:40", "finished", 1, "pytest -q"),
        ("py3.13", "2025-06-15 15:06:45", "finished", 1, "pytest -q"),
    ]
    assert asked(
        box, "SELECT outcome, runner, duration, label FROM test WHERE outcome='failed'"
    ) == [("failed", "pytest", 0.25, "py3.13")]
    assert asked(box, "SELECT DISTINCT phase FROM context ORDER BY 1") == [
        (None,),
        ("call",),
        ("setup",),
    ]
    assert asked(box, "SELECT name, run, label FROM context WHERE test IS NULL ORDER BY 1") == [
        ("", 1, ""),
        ("import", 1, "import"),
        ("py3.13/", 2, ""),
        ("py3.13/import", 2, "import"),
    ]


def test_files_that_nothing_imported(box: Sandbox) -> None:
    """Their lines are there, not run; their units come from the source."""
    assert asked(box, "SELECT state, missing, tests FROM file WHERE path GLOB '*left*'") == [
        ("not imported", 1, 0)
    ]
    assert asked(box, "SELECT line, unit_name, ran FROM line WHERE file GLOB '*left*'") == [
        (1, "", 0)
    ]
    assert asked(box, "SELECT id < 0, kind FROM unit WHERE file GLOB '*left*'") == [(1, "module")]


def test_a_changed_file_is_stale(tmp_path: Path) -> None:
    """Facts stay those of the recorded version, and the file says so."""
    data = DataFile(tmp_path)
    record_odd_shop(data)
    data.save(basket_of(comment="# new\n"))
    with sandbox(data) as box:
        assert asked(box, f"SELECT stale FROM file WHERE path = '{SOURCE}'") == [(1,)]
        assert asked(box, f"SELECT count(*) FROM fact WHERE file = '{SOURCE}'") != [(0,)]


def test_rows_are_those_of_the_runs_that_are_asked(tmp_path: Path) -> None:
    """Other generations are in `data` only, whatever is asked for by number."""
    data = DataFile(tmp_path)
    basket = basket_of()
    for number in (1, 2):
        with data.run(started=NOON + number, keep_runs=2) as run:
            run.file(basket)
            run.test(f"test_{number}", INIT if number == 1 else {**INIT, **ADD})
    for name, own, lines in (("1", "test_1", 1), ("2", "test_2", 3)):
        with data.opened(run=name) as (reader, catalogue), Sandbox(reader, catalogue) as box:
            assert asked(box, "SELECT id FROM run") == [(int(name),)]
            assert asked(box, "SELECT DISTINCT test FROM fact") == [(own,)]
            assert asked(box, "SELECT tests FROM line WHERE line = 8") == [(1,)]
            footprints = asked(box, "SELECT id FROM data.footprint")
            assert len(footprints) == 2
            found = [asked(box, f"SELECT * FROM lines_of({one})") for (one,) in footprints]
            assert sorted(map(len, found)) == [0, lines]
            assert asked(box, "SELECT count(*) FROM data.run") == [(2,)]


def test_a_killed_run_is_told(tmp_path: Path) -> None:
    """What it wrote is there, and its status is not 'running'."""
    data = DataFile(tmp_path)
    with data.run(status=RunStatus.RUNNING, pid=2**22 + 1) as run:
        run.file(basket_of())
        run.test("test_a", INIT, complete=False)
    with sandbox(data) as box:
        assert asked(box, "SELECT status, ended FROM run") == [("killed", None)]
        assert asked(box, "SELECT complete, lines FROM context") == [(0, 1)]


def test_several_data_files_are_asked_as_one(tmp_path: Path) -> None:
    """Runs under several labels, from shards that nobody combined."""
    shards = []
    for label in ("py3.11", "py3.13"):
        shard = DataFile(tmp_path / label)
        with shard.run(label=label) as run:
            run.file(basket_of())
            run.test("test_a", INIT)
        shards.append(shard)
    paths = [shard.path for shard in shards]
    with Reader.open(paths) as reader:
        catalogue = Catalogue(reader, shards[0], cwd=tmp_path, roots=(shards[0].root,))
        with Sandbox(reader, catalogue) as box:
            assert asked(box, "SELECT context, line FROM fact ORDER BY 1") == [
                ("py3.11/test_a|call", 8),
                ("py3.13/test_a|call", 8),
            ]
            assert asked(box, "SELECT count(*) FROM data.run") == [(2,)]


def test_stored_tables_are_there_as_they_are(data: DataFile, box: Sandbox) -> None:
    """The schema `data` has every table of the file, with all of its rows and columns."""
    connection = sqlite3.connect(data.path)
    try:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")
            if not name.startswith("sqlite_")
        ]
        assert len(names) > 8
        for name in names:
            expected = list(connection.execute(f"SELECT * FROM {name}"))
            assert Counter(asked(box, f"SELECT * FROM data.{name}")) == Counter(expected)
    finally:
        connection.close()
    assert asked(box, "SELECT label FROM data.run WHERE id = 2") == [("py3.13",)]
    assert asked(box, "SELECT id FROM data.run WHERE id > 1 AND id <= 2.5") == [(2,)]
    assert asked(box, "SELECT id FROM data.run WHERE id < 1e300 AND id > -9e999 AND id != 1") == [
        (2,)
    ]
    for nothing in (
        "id = 1e300",
        "id > 9223372036854775807",
        "id < -9223372036854775808",
        f"id = '{'9' * 5000}'",
    ):
        assert asked(box, f"SELECT id FROM data.run WHERE {nothing}") == []
        assert asked(box, f"SELECT line FROM fact WHERE {nothing.replace('id', 'line')}") == []


FILES = (SOURCE, ODD, "src/shop/left_out.py", "nowhere.py", SOURCE.upper())
TESTS = (
    "tests/test_b.py::test_new",
    "py3.13/tests/test_b.py::test_new",
    "py3.13/t.T.test_refuse",
    "tests/test_b.py::test_one['a'|%]",
    "none",
)
PATTERNS = ("%new%", "%TEST_new", "src/sh'op/%", "%_[x]%", "py3.13/%", "%", "", "Basket.%")
GLOBS = ("*new*", "*TEST_new", "src/sh'op/*", "*[[]x]*", "py3.13/*", "*", "", "Basket.*", "*[")
NUMBERS = (-1, 0, 1, 2, 10, 11, 11.5, 12, 15, 18, 10**12, 1e300)
WORDS = (
    *FILES,
    *TESTS,
    *(f"{test}|call" for test in TESTS),
    "import",
    "",
    "call",
    "setup",
    "Basket.add",
    "one",
)


def literal(value: object) -> str:
    """A value in SQL."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return "NULL" if value is None else str(value)


words = st.sampled_from(WORDS).map(literal)
numbers = st.sampled_from(NUMBERS).map(literal)
others = st.sampled_from((None, "11", " 11", "11.0", "x", 11, 2.5)).map(literal)
values = st.one_of(words, numbers, others)


@st.composite
def conditions(draw: st.DrawFn, table: Table, name: str) -> str:
    """One condition on a column of a table."""
    column = draw(st.sampled_from(table.columns))
    left = f"{name}.{column.name}"
    kind = draw(
        st.sampled_from(
            (
                "=",
                "=",
                "=",
                "IS",
                "IN",
                "<",
                "<=",
                ">",
                ">=",
                "LIKE",
                "GLOB",
                "!=",
                "NOCASE",
                "NULL",
                "BETWEEN",
            )
        )
    )
    fitting = words if column.type == "TEXT" else numbers
    value = st.one_of(fitting, fitting, fitting, values)
    match kind:
        case "IN":
            return f"{left} IN ({', '.join(draw(st.lists(value, max_size=4)))})"
        case "LIKE":
            return f"{left} LIKE {literal(draw(st.sampled_from(PATTERNS)))}"
        case "GLOB":
            return f"{left} GLOB {literal(draw(st.sampled_from(GLOBS)))}"
        case "NOCASE":
            return f"{left} = {draw(value)} COLLATE NOCASE"
        case "NULL":
            return f"{left} IS {draw(st.sampled_from(('', 'NOT ')))}NULL"
        case "BETWEEN":
            return f"{left} BETWEEN {draw(value)} AND {draw(value)}"
    return f"{left} {kind} {draw(value)}"


@st.composite
def wheres(draw: st.DrawFn, names: dict[str, Table]) -> str:
    """Conditions on some tables, joined by AND and OR."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(names)))
        either = draw(st.lists(conditions(names[name], name), min_size=1, max_size=2))
        parts.append(f"({' OR '.join(either)})")
    return draw(st.sampled_from((" AND ", " AND ", " OR "))).join(parts)


JOINS = (
    ("fact", "test", "a.test = b.id"),
    ("fact", "context", "a.context = b.name"),
    ("line", "fact", "a.file = b.file AND a.line = b.line"),
    ("unit", "fact", "b.unit = a.id"),
    ("file", "line", "a.path = b.file"),
    ("fact", "branch_fact", "a.context = b.context AND a.file = b.file AND a.line = b.line"),
    ("test", "run", "a.run = b.id"),
    ("branch", "unit", "a.unit = b.id"),
)


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query over one table, or two."""
    tables = {table.name: table for table in ordinary()}
    if draw(st.booleans()):
        table = draw(st.sampled_from(sorted(tables)))
        columns = draw(st.sampled_from(("*", f"a.{tables[table].columns[0].name}", "count(*)")))
        return f"SELECT {columns} FROM {table} a WHERE {draw(wheres({'a': tables[table]}))}"
    one, other, on = draw(st.sampled_from(JOINS))
    kind = draw(st.sampled_from(("JOIN", "LEFT JOIN")))
    where = draw(wheres({"a": tables[one], "b": tables[other]}))
    return f"SELECT a.*, b.* FROM {one} a {kind} {other} b ON {on} WHERE {where}"


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sql=queries(), fresh=st.booleans())
def test_conditions_mean_what_they_mean_anywhere(
    data: DataFile, box: Sandbox, plain: sqlite3.Connection, sql: str, fresh: bool
) -> None:
    """Any query gives what it gives over ordinary tables with the same rows, whether or not
    others were asked before."""
    expected = Counter(plain.execute(sql).fetchall())
    assert Counter(asked(box, sql)) == expected, sql
    if fresh:
        with sandbox(data) as another:
            assert Counter(asked(another, sql)) == expected, sql


@pytest.mark.parametrize(
    ("where", "most"),
    [
        (f"file = '{SOURCE}' AND line = 11", 0),
        (f"file = '{SOURCE}' AND unit_name = 'Basket.add'", 0),
        ("unit = (SELECT id FROM unit WHERE name = 'Basket.add')", 0),
        ("unit_name = 'three'", 0),
        ("context = 'tests/test_b.py::test_new|call'", 1),
        ("test = 'tests/test_b.py::test_new'", 2),
        ("test IN ('tests/test_b.py::test_new', 'none')", 2),
        ("context = 'none'", 0),
        (f"test = 'tests/test_b.py::test_new' AND file = '{SOURCE}' AND line = 11", 2),
    ],
)
def test_conditions_reach_the_packed_data(data: DataFile, where: str, most: int) -> None:
    """Only the footprints that a condition speaks of are looked into whole."""
    with sandbox(data) as box:
        asked(box, "SELECT count(*) FROM fact")
        everything = box.ground.decoded
        assert everything >= 6
    with sandbox(data) as box:
        asked(box, f"SELECT * FROM fact WHERE {where}")
        assert box.ground.decoded <= most


@pytest.mark.parametrize(
    ("sql", "most"),
    [
        (
            "SELECT outcome, phase FROM fact JOIN test ON test.id = fact.test"
            f" WHERE file = '{SOURCE}' AND line = 11",
            0,
        ),
        ("SELECT count(*) FROM test JOIN fact ON fact.test = test.id WHERE outcome = 'failed'", 1),
        (f"SELECT * FROM line JOIN fact USING (file, line) WHERE line.file = '{SOURCE}'", 0),
        ("SELECT * FROM context JOIN lines_of(footprint) WHERE name = 'import'", 1),
        ("SELECT * FROM unit JOIN fact ON fact.unit = unit.id WHERE unit.name = 'Basket.add'", 0),
    ],
)
def test_joins_reach_the_packed_data(data: DataFile, sql: str, most: int) -> None:
    """A join asks the inner table for what it needs, and for no more."""
    with sandbox(data) as box:
        plan = str(asked(box, f"EXPLAIN QUERY PLAN {sql}"))
        assert "VIRTUAL TABLE INDEX" in plan
        asked(box, sql)
        assert box.ground.decoded <= most


@pytest.mark.parametrize(
    ("sql", "outer"),
    [
        ("SELECT outcome, count(*) FROM fact JOIN test ON test.id = fact.test GROUP BY 1", "test"),
        (
            "SELECT run, count(*) FROM fact JOIN context ON context.name = fact.context GROUP BY 1",
            "context",
        ),
    ],
)
def test_joins_with_all_facts_do_not_look_up_each(box: Sandbox, sql: str, outer: str) -> None:
    """Facts are asked for test by test: to ask for the test of each fact takes much longer."""
    steps = [str(step[-1]) for step in asked(box, f"EXPLAIN QUERY PLAN {sql}")]
    assert [step.split()[1] for step in steps if step.startswith("SCAN")] == [outer, "fact"]
