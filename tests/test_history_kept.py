"""What stays of runs when their facts go: outcomes, durations, and whether code changed."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changing_files import codes, ends, history_of, record, version
from data_files import ADD, INIT, NOON, SOURCE, DataFile, Ran, run_record
from whotests import records
from whotests.errors import UsageError
from whotests.store.erasing import erase_all, erase_runs
from whotests.store.past_tests import last_outcomes, past_durations
from whotests.store.results import pack_names, pack_results, unpack_names, unpack_results
from whotests.store.schema import OUTCOMES
from whotests.store.unmeasured import keep_outcomes
from whotests.types import FileState, Outcome, Runner, RunStatus, TestName

PASSED, FAILED, ERROR = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR
NEVER: Ran = {(SOURCE, "Basket.never"): [18]}
MODULE: Ran = {(SOURCE, ""): [1, 4]}


@pytest.fixture
def data(tmp_path: Path) -> DataFile:
    return DataFile(tmp_path)


def test_a_replaced_run_leaves_its_outcomes(data: DataFile) -> None:
    """When a run takes the place of another one, how the tests of that ended is still known."""
    record(data, 0, {"t": (INIT, PASSED), "u": (ADD, FAILED)})
    record(data, 10, {"t": (INIT, FAILED)})
    record(data, 20, {"t": (INIT, PASSED)})
    assert ends(data, "t") == [(0, "passed"), (10, "failed"), (20, "passed")]
    assert ends(data, "u") == [(0, "failed")]
    with data.opened() as (reader, _):
        assert [run.started - NOON for run in reader.all_runs] == [20]


def test_the_last_runs_of_the_history_are_kept(data: DataFile) -> None:
    """Of each name and label so many past runs stay, the newest ones; 0: none."""
    for when in range(6):
        record(data, when, {"t": (INIT, PASSED)}, keep_history=3)
        record(data, when + 0.5, {"t": (INIT, PASSED)}, label="x", keep_history=2)
    told = history_of(data).told
    assert [run.started - NOON for run in told.runs if not run.label] == [2, 3, 4, 5]
    assert [run.started - NOON for run in told.runs if run.label] == [3.5, 4.5, 5.5]
    record(data, 10, {"t": (INIT, PASSED)}, keep_history=0)
    assert ends(data, "x/t") == [(3.5, "passed"), (4.5, "passed"), (5.5, "passed")]


def test_runs_that_are_kept_whole_are_told_once(data: DataFile) -> None:
    """Where older runs are kept with their facts, they are part of the history as they are."""
    for when in range(4):
        record(data, when, {"t": (INIT, PASSED)}, keep_runs=2)
    assert ends(data, "t") == [(when, "passed") for when in range(4)]
    kept = [run.kept is not None for run in history_of(data).told.runs]
    assert kept == [False, False, True, True]


@pytest.mark.parametrize("keep_runs", [1, 2, 9])
def test_code_has_a_new_number_when_a_unit_that_ran_changed(data: DataFile, keep_runs: int) -> None:
    """The number changes with the fingerprint of a unit that the test ran in either run, and with
    no other; whether the runs are still there makes no difference."""
    tests = {"init": (INIT, PASSED), "add": (ADD, PASSED), "never": (NEVER, PASSED)}
    record(data, 0, tests, keep_runs=keep_runs)
    record(data, 1, tests, keep_runs=keep_runs)
    record(data, 2, tests, files=[version(add=1)], keep_runs=keep_runs)
    record(data, 3, tests, files=[version(add=1, never=1)], keep_runs=keep_runs)
    record(data, 4, tests, files=[version(add=2, never=1)], keep_runs=keep_runs)
    assert codes(data, "init") == [1, 1, 1, 1, 1]
    assert codes(data, "add") == [1, 1, 2, 2, 3]
    assert codes(data, "never") == [1, 1, 1, 2, 2]


def test_what_a_failing_test_did_not_come_to_is_the_same_code(data: DataFile) -> None:
    """A test that fails early runs less: that alone is no change of its code."""
    both: Ran = {**INIT, **ADD}
    record(data, 0, {"t": (both, PASSED), "u": (ADD, PASSED)})
    record(data, 1, {"t": (INIT, FAILED), "u": (ADD, PASSED)})
    assert codes(data, "t") == [1, 1]
    record(data, 2, {"t": (both, PASSED), "u": (ADD, PASSED)}, files=[version(add=1)])
    assert codes(data, "t") == [1, 1, 2]


@pytest.mark.parametrize("unit", ["module", "Basket"])
def test_what_importing_runs_is_code_of_all_tests_of_the_file(data: DataFile, unit: str) -> None:
    """A module's or a class's body is run by no test, and all that use the file depend on it."""

    def run_once(when: float, *, changed: int) -> None:
        with data.run(started=NOON + when) as run:
            run.file(version(module=changed) if unit == "module" else version(Basket=changed))
            run.file(version("src/shop/other.py"))
            run.label("import", {**MODULE, (SOURCE, "Basket"): [5]})
            run.test("t", INIT)
            run.test("other", {("src/shop/other.py", "Basket.add"): [11]})

    run_once(0, changed=0)
    run_once(1, changed=1)
    assert codes(data, "t") == [1, 2]
    assert codes(data, "other") == [1, 1]


def test_code_of_a_file_that_nothing_imported_again_is_not_known_to_be_the_same(
    data: DataFile,
) -> None:
    """Without its fingerprints another version of a file counts as changed; the same version of
    the file is the same code, also where nothing imported it."""
    gone = version(state=FileState.NOT_IMPORTED)
    other = version(state=FileState.NOT_IMPORTED, add=5)
    somewhere = version("src/shop/other.py")
    ran: Ran = {("src/shop/other.py", "Basket.add"): [11]}
    record(data, 0, {"t": (INIT, PASSED), "o": (ran, PASSED)}, files=[version(), somewhere])
    record(data, 1, {"t": ({}, FAILED), "o": (ran, PASSED)}, files=[gone, somewhere])
    assert codes(data, "t") == [1, 1]
    record(data, 2, {"t": (INIT, PASSED), "o": (ran, PASSED)}, files=[version(), somewhere])
    record(data, 3, {"t": ({}, FAILED), "o": (ran, PASSED)}, files=[other, somewhere])
    assert codes(data, "t") == [1, 1, 1, 2]
    assert codes(data, "o") == [1, 1, 1, 1]


def test_a_test_that_ran_nothing_measured_has_the_same_code_when_no_file_changed(
    data: DataFile,
) -> None:
    """Nothing tells what it depends on: any change may be one of its code."""
    tests = {"t": ({}, PASSED), "init": (INIT, PASSED)}
    record(data, 0, tests)
    record(data, 1, tests)
    record(data, 2, tests, files=[version(add=1)])
    assert codes(data, "t") == [1, 1, 2]
    assert codes(data, "init") == [1, 1, 1]


def test_appending_leaves_the_outcomes_of_what_it_ran_again(data: DataFile) -> None:
    """A partial run takes the place of the tests that it ran: how these ended before is kept, of
    the others nothing has gone yet, and the code is compared as ever."""
    record(data, 0, {"t": (INIT, FAILED), "u": (ADD, FAILED)})
    record(data, 1, {"t": (INIT, PASSED)}, append=True)
    record(data, 2, {"t": (INIT, FAILED)}, append=True, files=[version(__init__=1)])
    assert ends(data, "t") == [(0, "failed"), (1, "passed"), (2, "failed")]
    assert codes(data, "t") == [1, 1, 2]
    assert ends(data, "u") == [(0, "failed")]
    record(data, 3, {"t": (INIT, PASSED), "u": (ADD, PASSED)})
    assert ends(data, "u") == [(0, "failed"), (3, "passed")]
    assert ends(data, "t")[-1] == (3, "passed")
    assert len(history_of(data).told.runs) == 4


def test_an_interrupted_run_leaves_what_it_came_to(data: DataFile) -> None:
    """The same after Ctrl-C; of a test that it did not end nothing has changed."""
    record(data, 0, {"t": (INIT, FAILED), "u": (ADD, PASSED)})
    record(
        data,
        1,
        {"t": (INIT, PASSED), "u": (ADD, Outcome.UNKNOWN)},
        status=RunStatus.INTERRUPTED,
    )
    assert ends(data, "t") == [(0, "failed"), (1, "passed")]
    assert ends(data, "u") == [(0, "passed"), (1, "unknown")]


def test_erasing_a_run_erases_its_outcomes(data: DataFile) -> None:
    """What somebody erases is not kept as history; erasing all leaves nothing at all."""
    record(data, 0, {"t": (INIT, FAILED), "u": (ADD, PASSED)})
    record(data, 1, {"t": (INIT, PASSED)}, append=True)
    erase_runs(data.path, ["1"])
    assert ends(data, "t") == [(1, "passed")]
    record(data, 2, {"t": (INIT, PASSED)})
    erase_all(data.path)
    with closing(sqlite3.connect(data.path)) as connection:
        for table in ("past_run", "past_test"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def unmeasured(data: DataFile, when: float, **outcomes: Outcome) -> None:
    """A run that recorded no facts."""
    keep_outcomes(
        data.path,
        run_record(data.root, started=NOON + when),
        [
            records.TestRecord(TestName(name), Runner.PYTEST, end, 2.0)
            for name, end in outcomes.items()
        ],
        keep=100,
    )


def test_unmeasured_runs_are_in_the_history_alone(data: DataFile) -> None:
    """They change nothing of what answers speak of, have no code, and stand in no comparison."""
    record(data, 0, {"t": (INIT, PASSED)})
    with data.opened() as (reader, _):
        before = (reader.all_runs, reader.tests, list(reader.contexts()))
    unmeasured(data, 1, t=FAILED)
    with data.opened() as (reader, _):
        assert (reader.all_runs, reader.tests, list(reader.contexts())) == before
    record(data, 2, {"t": (INIT, PASSED)})
    assert codes(data, "t") == [1, None, 1]
    assert not history_of(data).flaky


def test_a_file_of_unmeasured_runs_alone_has_a_history(data: DataFile) -> None:
    """Nothing else can be asked of it, and a measured run goes on with it."""
    unmeasured(data, 0, t=FAILED)
    unmeasured(data, 1, t=PASSED)
    assert ends(data, "t") == [(0, "failed"), (1, "passed")]
    record(data, 2, {"t": (INIT, PASSED)})
    assert ends(data, "t")[-1] == (2, "passed")


def test_durations_of_the_last_few_runs_tell_how_long_a_test_takes(data: DataFile) -> None:
    """The median of the run that is kept and of two before, of an even number the lower one."""
    assert past_durations(data.path) == {}
    for when, seconds in enumerate([1.0, 100.0, 2.0, 3.0, 4.0]):
        record(data, when, {"t": (INIT, PASSED)}, duration=seconds)
    assert past_durations(data.path)["t"] == pytest.approx(3.0, rel=0.04)
    record(data, 9, {"t": (INIT, PASSED), "new": (INIT, PASSED)}, duration=0.5)
    assert past_durations(data.path) == {"t": pytest.approx(3.0, rel=0.04), "new": 0.5}


def test_last_outcomes_are_those_of_the_newest_run_of_each_test(data: DataFile) -> None:
    """Be it measured or not, whole or partial."""
    assert last_outcomes(data.path) == {}
    record(data, 0, {"t": (INIT, FAILED), "u": (ADD, FAILED)})
    record(data, 1, {"t": (INIT, PASSED)}, append=True)
    assert last_outcomes(data.path) == {"t": PASSED, "u": FAILED}
    unmeasured(data, 2, u=ERROR, v=PASSED)
    assert last_outcomes(data.path) == {"t": PASSED, "u": ERROR, "v": PASSED}
    record(data, 3, {"u": (ADD, PASSED)}, append=True)
    assert last_outcomes(data.path) == {"t": PASSED, "u": PASSED, "v": PASSED}


def test_names_that_no_past_run_has_any_more_go(data: DataFile) -> None:
    """A suite whose ids are new in each run does not fill the file for ever."""
    for when in range(60):
        record(
            data,
            when,
            {f"t[{when}-{number}]": (INIT, PASSED) for number in range(5)},
            keep_history=3,
        )
    with closing(sqlite3.connect(data.path)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM past_test").fetchone()
    assert rows < 40
    assert ends(data, "t[58-3]") == [(58, "passed")]
    with pytest.raises(UsageError, match=r"no test of the history is called t\[3-3\]"):
        ends(data, "t[3-3]")


def test_one_run_adds_hardly_anything(data: DataFile) -> None:
    """A file of one run has no history: two empty tables, of a page each, and their names."""
    record(data, 0, {"t": (INIT, PASSED)})
    with closing(sqlite3.connect(data.path, isolation_level=None)) as connection:
        size = data.path.stat().st_size
        connection.execute("DROP TABLE past_run")
        connection.execute("DROP TABLE past_test")
        connection.execute("VACUUM")
    assert size - data.path.stat().st_size <= 3 * 1024


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(OUTCOMES) - 1),
            st.none() | st.integers(0, 10**12),
            st.booleans(),
        )
    )
)
def test_results_come_back(results: list[tuple[int, int | None, bool]]) -> None:
    """Outcomes and changes as they are, durations to within 4 %, from 10 µs to 51 minutes."""
    back = list(unpack_results(pack_results(results)))
    assert [(OUTCOMES.index(result.outcome), result.changed) for result in back] == [
        (outcome, changed) for outcome, _, changed in results
    ]
    for (_, before, _), (_, after, _) in zip(results, back, strict=True):
        if before is None or after is None:
            assert before is after
        else:
            expected = min(max(before / 1e6, 1e-5), 3087.0)
            assert after == pytest.approx(expected, rel=0.04)


@given(st.lists(st.text()))
def test_names_come_back(names: list[str]) -> None:
    """Whatever is in them."""
    assert unpack_names(pack_names(names)) == names


@given(st.binary(max_size=60))
def test_damaged_results_are_refused(blob: bytes) -> None:
    """Any bytes are results, or raise ValueError."""
    for unpack in (unpack_results, unpack_names):
        try:
            list(unpack(blob))
        except ValueError:
            continue
