"""who, what, report and status answer from the data, and never from another version."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from data_files import (
    ADD,
    BASKET,
    INIT,
    MODULE,
    NOON,
    REFUSE,
    SOURCE,
    DataFile,
    Measured,
    basket_of,
    record_shop,
)
from whotests.errors import UsageError
from whotests.query.files import Catalogue
from whotests.query.report import FileRow, SortKey, report
from whotests.query.status import status
from whotests.query.what import what
from whotests.query.who import Asked, Who, who
from whotests.store.reader import Reader
from whotests.types import FileState, Outcome, Phase, Runner, UnitKind, lines_in

Question = tuple[Reader, Catalogue]


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    return DataFile(tmp_path)


@pytest.fixture
def shop(data: DataFile) -> Iterator[Question]:
    record_shop(data)
    with data.opened() as question:
        yield question


def names(answer: Who) -> list[str]:
    """The tests, in order, without their file."""
    return [hit.test.name.partition("::")[2] for hit in answer.tests]


def only(answer: Who) -> Asked:
    """The one target's part of the answer."""
    (asked,) = answer.asked
    return asked


def test_who_ran_a_line(shop: Question) -> None:
    """The tests that ran a line, those that ran the least besides first."""
    answer = who([f"{SOURCE}:8"], *shop)
    assert names(answer) == ["test_new", "test_add[1]", "test_add[2]", "test_refuse"]
    assert [hit.total_lines for hit in answer.tests] == [1, 3, 3, 3]
    assert answer.tests[0].phases == (Phase.CALL,)
    assert answer.tests[3].test.outcome is Outcome.FAILED


def test_who_ran_lines(shop: Question) -> None:
    """Of several lines, each test tells which it ran."""
    answer = who([f"{SOURCE}:11-15"], *shop)
    assert {hit.test.name[17:]: list(lines_in(hit.lines[SOURCE])) for hit in answer.tests} == {
        "test_add[1]": [11, 15],
        "test_add[2]": [11, 15],
        "test_refuse": [11, 12],
    }
    assert list(lines_in(only(answer).tested)) == [11, 12, 15]


def test_who_ran_a_function(shop: Question) -> None:
    """A function's `def` line belongs to its class: it is no missing line of the function."""
    asked = only(answer := who([f"{SOURCE}::Basket.add"], *shop))
    assert list(lines_in(asked.statements)) == [11, 12, 15]
    assert list(lines_in(asked.headers)) == [10]
    assert len(answer.tests) == 3


def test_who_ran_any_of_several(shop: Question) -> None:
    """Several targets are answered together, with a command for all."""
    answer = who([f"{SOURCE}:12", f"{SOURCE}:18"], *shop)
    assert names(answer) == ["test_refuse"]
    assert answer.commands == ("pytest tests/test_b.py::test_refuse",)
    assert [bool(asked.tested) for asked in answer.asked] == [True, False]


def test_who_ran_a_line_inside_a_statement(shop: Question) -> None:
    """A line in the middle of a statement stands for the statement."""
    answer = who([f"{SOURCE}:13"], *shop)
    assert list(lines_in(only(answer).statements)) == [12]
    assert names(answer) == ["test_refuse"]


def test_who_ran_nothing(shop: Question) -> None:
    """What nothing ran: that, and the nearest lines that ran, with their tests."""
    answer = who([f"{SOURCE}:18"], *shop)
    assert (answer.tests, answer.labels, answer.commands) == ((), (), ())
    (near,) = only(answer).near
    assert (near.line, near.tests, near.at_import) == (15, 2, False)


def test_who_ran_no_statement(shop: Question) -> None:
    """A line that is no statement: the nearest that are."""
    assert only(who([f"{SOURCE}:3"], *shop)).nearest_statements == (1, 4)


def test_who_ran_at_import(shop: Question) -> None:
    """A line of a class body ran at import: no test tests it, and the nearest that is tested."""
    asked = only(answer := who([f"{SOURCE}:5"], *shop))
    assert not answer.tests
    assert [(hit.label, hit.at_import) for hit in answer.labels] == [("import", True)]
    assert list(lines_in(asked.imported)) == [5]
    assert [near.line for near in asked.near] == [8]


def test_who_only_imported_it(data: DataFile) -> None:
    """A test that has module-level lines because it imported the file does not test them."""
    with data.run() as run:
        run.file(basket_of())
        run.test("imports", MODULE)
        run.test("tests", INIT)
    with data.opened() as question:
        answer = who([SOURCE], *question)
    assert [hit.test.name for hit in answer.tests] == ["tests"]
    assert [hit.test.name for hit in answer.importers] == ["imports"]


def test_who_ran_it_under_a_label(data: DataFile) -> None:
    """Contexts that are no test's are told apart from tests."""
    with data.run() as run:
        run.file(basket_of())
        run.label("nightly", ADD)
        run.label("", ADD)
    with data.opened() as question:
        answer = who([f"{SOURCE}:11"], *question)
    assert [(hit.label, hit.at_import) for hit in answer.labels] == [
        ("", False),
        ("nightly", False),
    ]


def test_class_in_a_function_is_tested(data: DataFile) -> None:
    """A class body inside a function runs when the function does, not at import."""
    factory = Measured(
        path="f.py",
        text="def f():\n    class C:\n        x = 1\n",
        statements=frozenset({1, 2, 3}),
        units={
            "": (UnitKind.MODULE, 1, 3),
            "f": (UnitKind.FUNCTION, 1, 3),
            "f.<locals>.C": (UnitKind.CLASS, 2, 3),
        },
    )
    with data.run() as run:
        run.file(factory)
        run.test("t", {("f.py", "f.<locals>.C"): [3]})
    with data.opened() as question:
        assert [hit.test.name for hit in who(["f.py:3"], *question).tests] == ["t"]


def test_stale_file_is_answered_as_recorded(data: DataFile) -> None:
    """After a change, the answer is of the recorded lines and says when that was."""
    record_shop(data)
    (data.root / SOURCE).write_text("# a new first line\n" + BASKET)
    with data.opened() as question:
        answer = who([f"{SOURCE}:8"], *question)
    stale = only(answer).stale
    assert stale is not None
    assert (stale.path, stale.gone, stale.recorded) == (SOURCE, False, NOON)
    assert len(answer.tests) == 4


def test_gone_file_is_answered_as_recorded(data: DataFile) -> None:
    """A file that is gone can still be asked about."""
    record_shop(data)
    (data.root / SOURCE).unlink()
    with data.opened() as question:
        stale = only(who([f"{SOURCE}:8"], *question)).stale
    assert stale is not None
    assert stale.gone


def test_version_on_the_disk_counts(data: DataFile) -> None:
    """When the file is what an older run saw, that version is spoken of, and not as stale."""
    old, new = basket_of(), basket_of(comment="# more\n")
    with data.run() as run, data.run(started=NOON + 1) as newer:
        run.file(old)
        run.test("old", INIT)
        newer.file(new)
        newer.test("new", INIT)
    for version, expected in ((old, "old"), (new, "new")):
        data.save(version)
        with data.opened() as question:
            answer = who([f"{SOURCE}:8"], *question)
        assert [hit.test.name for hit in answer.tests] == [expected]
        assert only(answer).stale is None


def test_commands_by_runner(data: DataFile) -> None:
    """Each runner gets a command of its own, quoted for a shell."""
    with data.run() as run:
        run.file(basket_of())
        run.test("tests/a.py::test[x y]", INIT)
        run.test("tests.a.Case.test_one", INIT, runner=Runner.UNITTEST)
        run.test("tests.b.Case.test_two", INIT, runner=Runner.TRIAL)
        run.test("something", INIT, runner=Runner.OTHER)
    with data.opened() as question:
        commands = who([f"{SOURCE}:8"], *question).commands
    quoted = '"tests/a.py::test[x y]"' if sys.platform == "win32" else "'tests/a.py::test[x y]'"
    assert commands == (
        f"pytest {quoted}",
        "python -m unittest tests.a.Case.test_one",
        "trial tests.b.Case.test_two",
    )


@pytest.mark.parametrize(
    ("ids", "command"),
    [
        ([f"t.py::test[{n}]" for n in range(20)], 20),
        ([f"t.py::test[{n}]" for n in range(21)], ["t.py::test"]),
        ([f"t.py::C::test_{n}" for n in range(21)], ["t.py::C"]),
        ([f"t.py::C{n}::test" for n in range(21)], ["t.py"]),
        ([f"t.py::test[{n}::x[y]" for n in range(21)], ["t.py::test"]),
    ],
)
def test_long_commands_are_collapsed(
    data: DataFile, ids: list[str], command: int | list[str]
) -> None:
    """More than 20 ids become functions, classes or files."""
    with data.run() as run:
        run.file(basket_of())
        for name in ids:
            run.test(name, INIT)
    with data.opened() as question:
        (line,) = who([f"{SOURCE}:8"], *question).commands
    words = line.split()[1:]
    assert len(words) == command if isinstance(command, int) else words == command


def test_what_a_test_ran(shop: Question) -> None:
    """A test's files, units and lines, and which of them no other test runs."""
    answer = what(["tests/test_b.py::test_refuse"], *shop)
    (file,) = answer.files
    ran = [(u.unit.qualname, list(lines_in(u.lines)), list(lines_in(u.alone))) for u in file.units]
    assert ran == [("Basket.__init__", [8], []), ("Basket.add", [11, 12], [12])]
    assert (answer.lines, answer.alone, answer.complete) == (3, 1, True)
    assert file.text is not None
    assert file.text.line(8) == "        self.items = []"


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["test_refuse"], ["test_refuse"]),
        (["ref"], ["test_refuse"]),
        (["test_add[1]"], ["test_add[1]"]),
        (["*test_add[*"], ["test_add[1]", "test_add[2]"]),
        (["*"], ["test_add[1]", "test_add[2]", "test_new", "test_refuse"]),
        (["test_new", "ref"], ["test_new", "test_refuse"]),
    ],
)
def test_what_finds_tests(shop: Question, texts: list[str], expected: list[str]) -> None:
    """A test is named by its id, by a part that fits no other, or by a glob."""
    found = what(texts, *shop).tests
    assert [test.name.partition("::")[2] for test in found] == expected


def test_whole_name_wins_over_a_longer_one(data: DataFile) -> None:
    """The name of a test means that test, although another one's begins with it."""
    with data.run() as run:
        run.file(basket_of())
        run.test("t.py::test_sum", INIT)
        run.test("t.py::test_sum_of_none", INIT)
    with data.opened() as question:
        assert [test.name for test in what(["test_sum"], *question).tests] == ["t.py::test_sum"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("test_add", "is part of 2 tests; give more of the id, or '*test_add*' for all of them:\n"),
        ("test_refused", "no test is called test_refused; the nearest are:\n  tests/test_b.py::"),
        ("zzz", "no test is called zzz; try a part of its id, or a glob"),
    ],
)
def test_what_finds_no_test(shop: Question, text: str, message: str) -> None:
    """A text that means no test, or several, is an error that names some."""
    with pytest.raises(UsageError) as caught:
        what([text], *shop)
    assert message in str(caught.value)


def test_what_leaves_imports_out(data: DataFile) -> None:
    """Lines that ran because the test imported a file are counted apart."""
    with data.run() as run:
        run.file(basket_of())
        run.test("t", {**MODULE, **INIT})
    with data.opened() as question:
        answer = what(["t"], *question)
    assert answer.lines == 1
    assert list(lines_in(answer.files[0].imported)) == [1, 4, 5, 7, 10, 17]


def test_what_has_no_text_of_a_stale_file(data: DataFile) -> None:
    """No excerpt is shown of a file that changed: its lines would be other ones."""
    record_shop(data)
    (data.root / SOURCE).write_text("#\n" + BASKET)
    with data.opened() as question:
        (file,) = what(["test_new"], *question).files
    assert file.text is None
    assert file.stale is not None


def rows_by_path(question: Question) -> dict[str, FileRow]:
    """The report's rows."""
    return {row.path: row for row in report(*question).rows}


def test_report(shop: Question) -> None:
    """Statements, missing, tests and import-only lines of a file, and the total."""
    answer = report(*shop)
    (row,) = answer.rows
    assert list(lines_in(row.part.missing)) == [18]
    assert list(lines_in(row.import_only)) == [1, 4, 5, 7, 10, 17]
    assert (row.tests, row.numbers.statements) == (4, 11)
    assert row.numbers.percent == pytest.approx(1000 / 11)
    assert (answer.total.statements, answer.total.missing) == (11, 1)
    assert (answer.tests, answer.import_only) == (4, 6)


def test_report_of_files_that_did_not_run(data: DataFile) -> None:
    """A file that nothing imported counts as missed, one that could not be measured not at all."""
    basket = basket_of()
    with data.run() as run:
        run.file(basket)
        run.file(
            Measured(
                path="unused.py",
                text="x = 1\n",
                statements=frozenset({1}),
                units={"": (UnitKind.MODULE, 1, 1)},
                state=FileState.NOT_IMPORTED,
            )
        )
        run.file(
            Measured(
                path="broken.py",
                text="x =\n",
                statements=frozenset(),
                units={},
                state=FileState.NOT_MEASURED,
                reason="invalid syntax (line 1)",
            )
        )
        run.test("t", INIT)
    with data.opened() as question:
        answer = report(*question)
        rows = rows_by_path(question)
    assert [(one.path, one.reason) for one in answer.unmeasured] == [
        ("broken.py", "invalid syntax (line 1)")
    ]
    assert (rows["unused.py"].imported, rows["unused.py"].numbers.percent) == (False, 0.0)
    assert answer.total.statements == 12


def test_excluded_lines_do_not_count(data: DataFile) -> None:
    """Statements that a rule excludes are neither statements nor missing."""
    basket = basket_of()
    with data.run() as run:
        run.file(
            Measured(
                path=SOURCE,
                text=basket.text,
                statements=basket.statements,
                units=basket.units,
                excluded=frozenset({17, 18}),
            )
        )
        run.test("t", {**MODULE, **INIT, (SOURCE, "Basket.add"): [11, 12, 15]})
    with data.opened() as question:
        row = rows_by_path(question)[SOURCE]
    assert (row.numbers.statements, row.numbers.percent) == (9, 100.0)


def test_report_forgets_what_only_an_older_record_ran(data: DataFile) -> None:
    """Lines that a test ran in an older run, and not in its newest, are missing."""
    with data.run() as run, data.run(started=NOON + 1) as newer:
        run.file(basket_of())
        run.test("t", {**INIT, **ADD})
        newer.file(basket_of())
        newer.test("t", INIT)
    with data.opened() as question:
        assert 11 in set(lines_in(rows_by_path(question)[SOURCE].part.missing))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (SortKey.NAME, ["a.py", "b.py"]),
        (SortKey.STATEMENTS, ["a.py", "b.py"]),
        (SortKey.MISSING, ["a.py", "b.py"]),
        (SortKey.COVER, ["a.py", "b.py"]),
        (SortKey.TESTS, ["a.py", "b.py"]),
        (SortKey.IMPORT, ["b.py", "a.py"]),
    ],
)
def test_report_order(data: DataFile, key: SortKey, expected: list[str]) -> None:
    """The worst comes first, whatever it is sorted by; ties go by name."""
    with data.run() as run:
        run.file(basket_of("a.py"))
        run.file(basket_of("b.py", comment="#\n"))
        run.label("import", {("b.py", ""): [1, 4]})
        run.test("t", {("b.py", "Basket.add"): [11]})
    with data.opened() as question:
        assert [row.path for row in report(*question, sort=key).rows] == expected


def test_status(shop: Question) -> None:
    """Runs with their outcomes, contexts, files, and that nothing is stale."""
    answer = status(*shop)
    (row,) = answer.runs
    assert row.outcomes == {Outcome.PASSED: 3, Outcome.FAILED: 1}
    assert (answer.tests, answer.contexts, answer.labels) == (4, 5, ("import",))
    assert answer.files == {FileState.MEASURED: 1}
    assert answer.stale == ()
    assert answer.size == answer.paths[0].stat().st_size


def test_status_names_stale_files(data: DataFile) -> None:
    """Files that changed or are gone are named."""
    record_shop(data)
    (data.root / SOURCE).unlink()
    with data.opened() as question:
        assert [one.path for one in status(*question).stale] == [SOURCE]


def test_who_after_append_speaks_of_both_runs(data: DataFile) -> None:
    """With append, tests of both runs are found at a line of an unchanged file."""
    record_shop(data)
    with data.run(started=NOON + 10, append=True) as run:
        run.file(basket_of())
        run.test("tests/test_b.py::test_later", {**INIT, **REFUSE})
    with data.opened() as question:
        assert names(who([f"{SOURCE}:12"], *question)) == ["test_later", "test_refuse"]


FORKS = replace(basket_of(), branches=((5, 7), (5, 10), (11, 12), (11, 15), (18, -17), (18, 17)))


@pytest.fixture
def forks(data: DataFile) -> Iterator[Question]:
    """Two ways out of lines 5 (at import), 11 and 18."""
    data.save(FORKS)
    with data.run(branch=True) as run:
        run.file(FORKS)
        run.label("import", {(SOURCE, "Basket"): [5, (5, 7), 7]})
        run.label("checkout", {(SOURCE, "Basket.never"): [18, (18, -17)]})
        run.test("t::add", {(SOURCE, "Basket.add"): [11, (11, 15), 15]})
        run.test("t::both", {(SOURCE, "Basket.add"): [11, (11, 12), (11, 15), 12, 15]})
        run.test("t::neither", {(SOURCE, "Basket.add"): [11]})
    with data.opened() as question:
        yield question


def ways(asked: Asked) -> dict[int, tuple[int, bool]]:
    """End -> how many tests took it, and whether anything did."""
    return {way.end: (way.tests, way.taken) for way in asked.ways}


def test_who_took_which_way(forks: Question) -> None:
    """A line with branches tells how many tests took each, and each test which it took."""
    answer = who([f"{SOURCE}:11"], *forks)
    assert ways(only(answer)) == {12: (1, True), 15: (2, True)}
    assert {hit.test.name: hit.branches.get(SOURCE, ()) for hit in answer.tests} == {
        "t::add": ((11, 15),),
        "t::both": ((11, 12), (11, 15)),
        "t::neither": (),
    }


def test_ways_outside_of_tests(forks: Question) -> None:
    """What only imports or labels took was taken, and by no test; ways out come last."""
    assert ways(only(who([f"{SOURCE}:5"], *forks))) == {7: (0, True), 10: (0, False)}
    assert list(ways(only(who([f"{SOURCE}:18"], *forks))).items()) == [
        (17, (0, False)),
        (-17, (0, True)),
    ]


def test_who_took_a_branch(forks: Question) -> None:
    """Only those that took a branch ran it, not those that ran its line."""
    answer = who([f"{SOURCE}:11->12"], *forks)
    assert [hit.test.name for hit in answer.tests] == ["t::both"]
    assert answer.tests[0].branches == {SOURCE: ((11, 12),)}
    assert list(lines_in(only(answer).tested)) == [11]
    assert only(answer).target.branch == 12


def test_branch_that_only_a_label_took(forks: Question) -> None:
    """A branch that no test took and something else did."""
    answer = who([f"{SOURCE}:18->exit"], *forks)
    assert (list(answer.tests), [hit.label for hit in answer.labels]) == ([], ["checkout"])
    assert (only(answer).tested, list(lines_in(only(answer).ran))) == (0, [18])


def test_branch_beside_its_line(forks: Question) -> None:
    """That its line ran does not make a branch taken when both are asked for."""
    answer = who([f"{SOURCE}:18", f"{SOURCE}:18->17"], *forks)
    line, branch = answer.asked
    assert (list(lines_in(line.ran)), branch.ran) == ([18], 0)


def test_branches_that_nothing_took(forks: Question) -> None:
    """Of a function, those that nothing took are listed; of a branch's line, they are ways."""
    assert only(who([f"{SOURCE}::Basket.never"], *forks)).missed == ((18, 17),)
    assert only(who([f"{SOURCE}::Basket.add"], *forks)).missed == ()
    assert only(who([f"{SOURCE}:18"], *forks)).missed == ()


def test_what_took_branches(forks: Question) -> None:
    """A test's branches, and those that no other test takes."""
    (unit,) = what(["t::both"], *forks).files[0].units
    assert (unit.branches, unit.branches_alone) == (((11, 12), (11, 15)), ((11, 12),))


def test_report_counts_branches(forks: Question) -> None:
    """Branches, those not taken, and those of them whose line ran."""
    (row,) = report(*forks).rows
    numbers = row.numbers
    assert (numbers.branches, numbers.missing_branches, numbers.partial_branches) == (6, 2, 2)
    assert row.part.missed == ((5, 10), (18, 17))
    assert numbers.percent == pytest.approx(100 * (6 + 4) / (11 + 6))


def test_report_of_lines_has_no_branches(data: DataFile) -> None:
    """When no run that is kept recorded branches, none are counted."""
    with data.run(branch=True) as run:
        run.file(FORKS)
        run.test("t", INIT)
    with data.run(started=NOON + 1) as run:
        run.file(FORKS)
        run.test("t", INIT)
    with data.opened() as question:
        assert not report(*question).branch
        assert rows_by_path(question)[SOURCE].numbers.branches == 0
