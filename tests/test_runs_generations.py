"""Runs side by side in one data file: which take whose place, and what `run` asks for."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from data_files import ADD, INIT, NOON, REFUSE, SOURCE, DataFile, Ran, basket_of, facts_in
from whotests.errors import DataError, UsageError
from whotests.query.report import report
from whotests.query.who import who
from whotests.source.rules import Rules
from whotests.store.erasing import erase_all
from whotests.store.generations import generations
from whotests.store.reader import Reader
from whotests.types import Outcome, RunStatus


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    return DataFile(tmp_path)


def record(
    data: DataFile,
    when: float,
    tests: Iterable[str] = ("t",),
    *,
    ran: Ran = INIT,
    name: str = "",
    label: str = "",
    keep_runs: int = 1,
    status: RunStatus = RunStatus.FINISHED,
    append: bool = False,
    pid: int | None = None,
    outcome: Outcome = Outcome.PASSED,
) -> None:
    """A run of these tests, `when` seconds after noon."""
    with data.run(
        started=NOON + when,
        name=name,
        label=label,
        keep_runs=keep_runs,
        status=status,
        append=append,
        pid=pid,
    ) as run:
        run.file(basket_of())
        for test in tests:
            run.test(test, ran, outcome=outcome)


def asked(data: DataFile, ref: str | None = None) -> set[tuple[float, str]]:
    """What of the data answers when `ref` is asked: (when its run began, title of the test)."""
    with data.opened(run=ref) as (reader, _):
        started = {run.id: run.started - NOON for run in reader.runs}
        from_tests = {(started[test.run_id], test.title) for test in reader.tests}
        contexts = {context.test for context in reader.contexts() if context.test is not None}
        assert contexts == set(reader.tests)
        return from_tests


def kept(data: DataFile) -> list[tuple[float, str, int]]:
    """All runs of the file: when they began, name and label, and their generation."""
    with data.opened() as (reader, _):
        ages = generations(reader.all_runs)
        return [
            (run.started - NOON, f"{run.name}/{run.label}", ages[run.id]) for run in reader.all_runs
        ]


def test_runs_of_other_names_and_labels_stay(data: DataFile) -> None:
    """A run takes the place of those of its own name and label, and of no others."""
    record(data, 0, name="nightly")
    record(data, 10, label="py3.11")
    record(data, 20, label="py3.12")
    record(data, 30)
    record(data, 40, name="nightly")
    record(data, 50, label="py3.12")
    assert kept(data) == [
        (10, "/py3.11", 0),
        (30, "/", 0),
        (40, "nightly/", 0),
        (50, "/py3.12", 0),
    ]


def test_default_is_the_name_of_the_newest_run(data: DataFile) -> None:
    """Without `run`, answers speak of the current runs of one name, under all of its labels."""
    record(data, 0, label="py3.11")
    record(data, 10, name="nightly")
    record(data, 20, label="py3.12")
    assert asked(data) == {(0, "py3.11/t"), (20, "py3.12/t")}
    record(data, 30, ["u"], name="nightly", label="x", keep_runs=2)
    assert asked(data) == {(10, "t"), (30, "x/u")}
    assert asked(data, "") == {(0, "py3.11/t"), (20, "py3.12/t")}


def test_keep_runs_keeps_generations(data: DataFile) -> None:
    """With N to keep there are the current run and N-1 generations before; older ones go."""
    for when in (0, 10, 20, 30):
        record(data, when, [f"t{when}"], keep_runs=3)
    assert kept(data) == [(10, "/", 2), (20, "/", 1), (30, "/", 0)]
    assert asked(data) == {(30, "t30")}
    assert asked(data, "~1") == {(20, "t20")}
    assert asked(data, "~2") == {(10, "t10")}
    record(data, 40, ["t40"])
    assert kept(data) == [(40, "/", 0)]


def test_refs(data: DataFile) -> None:
    """A number is that run; a name its current runs; with ~N, those of N generations before."""
    for when in (0, 10, 20):
        record(data, when, name="nightly", label="a", keep_runs=3)
    record(data, 30, name="nightly", label="b", keep_runs=3)
    record(data, 40, keep_runs=3)
    assert asked(data, "2") == {(10, "a/t")}
    assert asked(data, "3~2") == {(0, "a/t")}
    assert asked(data, "2~1") == {(0, "a/t")}
    assert asked(data, "4~0") == {(30, "b/t")}
    assert asked(data, "nightly") == {(20, "a/t"), (30, "b/t")}
    assert asked(data, "nightly~1") == {(10, "a/t")}
    assert asked(data, "~0") == {(40, "t")}


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("7", "--run 7: no run has the number 7; `whotests runs`"),
        ("9" * 5000, "no run has the number 9999"),
        ("nightlly", "no run is called nightlly; did you mean nightly?"),
        ("zzz", "no run is called zzz; `whotests runs` lists"),
        ("nightly~1", "so many generations are not kept; `whotests runs`"),
        ("1~1", "so many generations are not kept"),
        ("~1", "so many generations are not kept"),
        ("nightly~", "write a run's number or name, with ~N"),
        ("nightly~x", "write a run's number or name, with ~N"),
        ("nightly~1~1", "write a run's number or name, with ~N"),
        ("", "no run is without a name"),
    ],
)
def test_refs_that_mean_no_run(data: DataFile, ref: str, told: str) -> None:
    """What is no run is a usage error that says what there is."""
    record(data, 0, name="nightly")
    with pytest.raises(UsageError) as caught:
        Reader.open(data.path, run=ref)
    assert told in str(caught.value)


def test_a_generation_is_what_was_current_together(data: DataFile) -> None:
    """A killed run and the one before it, superseded at once, are one generation; of a test that
    both have, the newer counts."""
    record(data, 0, ["one", "two"], keep_runs=2)
    record(data, 10, ["two"], keep_runs=2, status=RunStatus.RUNNING, pid=2**22 + 1)
    assert asked(data) == {(0, "one"), (10, "two")}
    record(data, 20, ["one"], keep_runs=2)
    assert asked(data) == {(20, "one")}
    assert asked(data, "~1") == {(0, "one"), (10, "two")}


def test_append_goes_on_with_the_current_generation(data: DataFile) -> None:
    """With append, older generations stay, and the current one has each test once."""
    record(data, 0, ["one", "two"], keep_runs=2)
    record(data, 10, ["one", "two"], keep_runs=2)
    record(data, 20, ["two", "three"], keep_runs=2, append=True)
    assert asked(data) == {(10, "one"), (20, "two"), (20, "three")}
    assert asked(data, "~1") == {(0, "one"), (0, "two")}
    assert [age for _, _, age in kept(data)] == [1, 0, 0]
    record(data, 30, ["one"], keep_runs=2)
    assert asked(data, "~1") == {(10, "one"), (20, "two"), (20, "three")}


def test_append_to_a_name(data: DataFile) -> None:
    """With append, tests of other names and labels stay, though this run has them, too."""
    record(data, 0, ["one"], name="nightly")
    record(data, 10, ["one"], label="py3.11")
    record(data, 20, ["one"], append=True)
    assert asked(data, "nightly") == {(0, "one")}
    assert asked(data, "") == {(10, "py3.11/one"), (20, "one")}


@pytest.mark.parametrize("status", [RunStatus.INTERRUPTED, RunStatus.INCOMPLETE])
def test_runs_that_did_not_finish_supersede_nothing(data: DataFile, status: RunStatus) -> None:
    """After Ctrl-C or a failure of ours, what was current still is, for the tests not run again."""
    record(data, 0, ["one", "two"], keep_runs=2)
    record(data, 10, ["two"], keep_runs=2, status=status)
    assert asked(data) == {(0, "one"), (10, "two")}
    assert [age for _, _, age in kept(data)] == [0, 0]


def test_run_without_a_test_supersedes_nothing(data: DataFile) -> None:
    """A run that came to no test leaves those of its name as they are."""
    record(data, 0, ["one"], name="nightly")
    record(data, 10, [], name="nightly")
    assert asked(data) == {(0, "one")}


def test_tests_of_another_run_are_no_reason_to_forget(data: DataFile) -> None:
    """A run without a test forgets nothing, though a run beside it has tests so far."""
    record(data, 0, ["one"])
    with data.run(started=NOON + 10), data.run(started=NOON + 11) as other:
        other.file(basket_of())
        other.test("two", INIT)
        with data.run(started=NOON + 12):
            pass
        assert asked(data) == {(0, "one"), (11, "two")}


def test_two_runs_at_once_are_both_current(data: DataFile) -> None:
    """Runs that went on side by side are one generation; what was over before them is another."""
    record(data, 0, ["one"], keep_runs=2)
    with data.run(started=NOON + 10, keep_runs=2) as first:
        first.file(basket_of())
        first.test("one", INIT)
        with data.run(started=NOON + 20, keep_runs=2) as second:
            second.file(basket_of())
            second.test("two", INIT)
    assert asked(data) == {(10, "one"), (20, "two")}
    assert asked(data, "~1") == {(0, "one")}
    record(data, 30, ["three"], keep_runs=2)
    assert asked(data, "~1") == {(10, "one"), (20, "two")}
    assert len(kept(data)) == 3


def test_clock_that_goes_back(data: DataFile) -> None:
    """Generations stay in the order in which they were superseded, whatever the clock says."""
    for when in (100, 50, 50, 0):
        record(data, when, [f"t{when}"], keep_runs=4)
    assert [age for _, _, age in kept(data)] == [3, 2, 1, 0]


def test_generations_that_were_left_go_later(data: DataFile) -> None:
    """Fewer to keep than before: all that is too much goes."""
    for when in (0, 10, 20, 30):
        record(data, when, keep_runs=9)
    record(data, 40, keep_runs=2)
    assert [when for when, *_ in kept(data)] == [30, 40]


def test_answers_know_nothing_of_other_runs(data: DataFile) -> None:
    """Lines, tests, files and figures are those of the runs that were asked."""
    record(data, 0, ["old"], ran={**INIT, **ADD}, keep_runs=2)
    with data.run(started=NOON + 10, keep_runs=2) as run:
        run.file(basket_of())
        run.file(basket_of("src/shop/other.py"))
        run.test("new", REFUSE)
    data.save(basket_of())
    data.save(basket_of("src/shop/other.py"))
    lines = {ref: {line for _, _, line in facts_in(data, run=ref)} for ref in (None, "~1")}
    assert lines == {None: {11, 12}, "~1": {8, 11, 15}}
    with data.opened() as (reader, catalogue):
        assert [test.name for test in reader.tests] == ["new"]
        assert {file.path for file in reader.files} == {SOURCE, "src/shop/other.py"}
        assert [row.numbers.missing for row in report(reader, catalogue).rows] == [9, 11]
        answer = who([f"{SOURCE}:8"], reader, catalogue)
        assert answer.tests == ()
        assert [near.line for near in answer.asked[0].near] == [11]
        (file, *_) = reader.files
        assert {pattern.lines for pattern in reader.patterns(file.id)} == {1 << 11 | 1 << 12}
        ids = [file.id for file in reader.files]
        each = [pattern for file_id in ids for pattern in reader.patterns(file_id)]
        assert list(reader.patterns(*ids)) == each
        assert len(reader.all_patterns) == 1
    with data.opened(run="~1") as (reader, catalogue):
        assert {file.path for file in reader.files} == {SOURCE}
        assert [row.numbers.missing for row in report(reader, catalogue).rows] == [8]
        assert [hit.test.name for hit in who([f"{SOURCE}:8"], reader, catalogue).tests] == ["old"]


def test_branches_of_the_runs_asked(data: DataFile) -> None:
    """Branches count where one of the runs that were asked recorded some."""
    basket = basket_of(branch=True)
    with data.run(keep_runs=2, branch=True) as run:
        run.file(basket)
        run.test("t", {(SOURCE, "Basket.add"): [11, (11, 15), 15]})
    record(data, 10, keep_runs=2)
    data.save(basket)
    with data.opened() as (reader, catalogue):
        assert not report(reader, catalogue).branch
    with data.opened(run="~1") as (reader, catalogue):
        answer = report(reader, catalogue)
        assert answer.branch
        assert (answer.total.branches, answer.total.missing_branches) == (2, 1)


def test_rules_of_a_newer_run(data: DataFile) -> None:
    """An older run is counted under the project's rules of now, though a newer one that saw the
    same text had others."""
    with data.run(keep_runs=2, rules=(("never",), ())) as run:
        run.file(basket_of())
        run.test("t", INIT)
    rules = (("limit",), ())
    with data.run(started=NOON + 10, keep_runs=2, rules=rules) as run:
        run.file(basket_of(excluded=frozenset({5})))
        run.test("t", INIT)
    data.save(basket_of())
    for ref in ("~1", None):
        with data.opened(run=ref, rules=Rules(exclude=rules[0], partial=rules[1])) as (
            reader,
            catalogue,
        ):
            assert report(reader, catalogue).total.excluded == 1
        with data.opened(run=ref, rules=Rules(exclude=("never",), partial=())) as (
            reader,
            catalogue,
        ):
            assert report(reader, catalogue).total.excluded == 2


def test_file_without_runs(data: DataFile) -> None:
    """A file that holds no run says so, and what to do."""
    record(data, 0)
    erase_all(data.path)
    with pytest.raises(DataError, match=r"no data yet: .* holds no run; record first"):
        Reader.open(data.path)
