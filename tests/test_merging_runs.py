"""What becomes of runs when data files become one: facts, tests, labels, generations."""

import os
import shutil
import socket
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_files import NOON, DataFile, RunInProgress, basket_of, run_record
from merged_data import TEST, content, shard, told
from whotests.errors import DataError, MachineError
from whotests.store.merging.combining import Combined, How, combine
from whotests.store.reader import Reader
from whotests.store.writer import Writer
from whotests.types import Outcome, RunStatus

TWO = "tests/test_a.py::test_two"
DEAD = 2**22 + 1
"""No process has this id on Linux, which ends below."""


def combined(
    target: Path,
    *inputs: Path,
    append: bool = False,
    keep_runs: int = 1,
    name: str | None = None,
    label: str = "",
    one_source: bool = False,
    now: float = NOON + 100,
    max_pages: int | None = None,
) -> Combined:
    """Combines as the command does, for a project in the target's folder."""
    how = How(
        root=str(target.parent),
        append=append,
        keep_runs=keep_runs,
        name=name,
        label=label,
        one_source=one_source,
    )
    here = socket.gethostname()
    return combine(target, inputs, how, here=here, now=now, max_pages=max_pages)


def test_shards_of_one_label_become_one_run(tmp_path: Path) -> None:
    """Tests of both are there, and what both ran has the facts of both."""
    one = shard(tmp_path / "a", tests={TEST: [8]}, labels={"import": [8]})
    other = shard(tmp_path / "b", tests={TEST: [11], TWO: [15]}, labels={"import": [15]})
    done = combined(tmp_path / "all.db", one, other)
    assert (len(done.inputs), done.runs, done.tests, done.files) == (2, 1, 2, 1)
    after = told(tmp_path / "all.db")
    assert {(context, line) for _, context, _, _, line in after.facts} == {
        (f"{TEST}|call", 8),
        (f"{TEST}|call", 11),
        (f"{TWO}|call", 15),
        ("import", 8),
        ("import", 15),
    }
    assert after.runs == [("", "", True)]


def test_the_same_shard_twice_changes_nothing(tmp_path: Path) -> None:
    """Neither within one command, nor under another name, nor added later: no byte of a row."""
    one = shard(tmp_path / "a", tests={TEST: [8, 11]})
    other = shard(tmp_path / "b", tests={TEST: [11], TWO: [15]})
    copy = Path(shutil.copy(one, tmp_path / "copy.db"))
    combined(tmp_path / "all.db", one, other)
    once = content(tmp_path / "all.db")
    combined(tmp_path / "again.db", one, copy, other, other)
    assert content(tmp_path / "again.db") == once
    combined(tmp_path / "all.db", copy, append=True)
    assert content(tmp_path / "all.db") == once
    combined(tmp_path / "all.db", one, other, keep_runs=5)
    assert content(tmp_path / "all.db") == once


LINES = st.sets(st.sampled_from((8, 11, 12, 15)), max_size=4)
SHARDS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from((TEST, TWO)), LINES, max_size=2),
        st.dictionaries(st.sampled_from(("", "import", "slow")), LINES, max_size=2),
        st.sampled_from(("", "py3.13")),
        st.sampled_from((Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN)),
        st.sampled_from(("", "# another version\n")),
    ),
    min_size=2,
    max_size=4,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(shards=SHARDS, order=st.randoms())
def test_any_shards_add_up(tmp_path_factory: pytest.TempPathFactory, shards, order) -> None:  # type: ignore[no-untyped-def]
    """All facts of all shards and no other, in whatever order, in steps, and read in place."""
    folder = tmp_path_factory.mktemp("shards")
    paths = [
        shard(
            folder / str(number),
            tests=tests,
            labels=labels,
            label=label,
            outcome=outcome,
            files=[basket_of(comment=comment)],
            started=NOON + number,
        )
        for number, (tests, labels, label, outcome, comment) in enumerate(shards)
    ]
    alone = [told(path) for path in paths]
    combined(folder / "all.db", *paths)
    every = told(folder / "all.db")
    assert every.facts == frozenset().union(*(each.facts for each in alone))
    assert every.files == frozenset().union(*(each.files for each in alone))
    assert every.tests.keys() == set().union(*(each.tests for each in alone))
    order.shuffle(paths)
    for path in paths:
        combined(folder / "steps.db", path, append=True)
    assert told(folder / "steps.db") == every
    assert told(*paths) == every


@pytest.mark.parametrize(
    ("outcomes", "counts"),
    [
        ((Outcome.PASSED, Outcome.FAILED), Outcome.FAILED),
        ((Outcome.SKIPPED, Outcome.PASSED), Outcome.PASSED),
        ((Outcome.UNKNOWN, Outcome.SKIPPED), Outcome.SKIPPED),
        ((Outcome.ERROR, Outcome.FAILED), Outcome.ERROR),
    ],
)
def test_the_worst_outcome_counts(
    tmp_path: Path, outcomes: Sequence[Outcome], counts: Outcome
) -> None:
    """A test that failed in one shard failed; one that ran in one was not skipped."""
    paths = [shard(tmp_path / outcome, tests={TEST: [8]}, outcome=outcome) for outcome in outcomes]
    combined(tmp_path / "one.db", *paths)
    combined(tmp_path / "other.db", *reversed(paths))
    assert told(tmp_path / "one.db").tests == {("", TEST): counts}
    assert told(tmp_path / "other.db").tests == {("", TEST): counts}


def test_a_test_that_was_run_again_counts_as_its_file_says(tmp_path: Path) -> None:
    """Of one file's runs the newest that has a test is taken, as when that file is read alone."""
    data = DataFile(tmp_path / "a")
    with data.run(status=RunStatus.RUNNING, pid=DEAD) as killed:
        killed.file(basket_of())
        killed.test(TEST, {("src/shop/basket.py", "Basket.__init__"): [8]})
        killed.test(TWO, {("src/shop/basket.py", "Basket.__init__"): [8]})
    with data.run(started=NOON + 10, status=RunStatus.RUNNING, pid=DEAD) as again:
        again.file(basket_of())
        again.test(TEST, {("src/shop/basket.py", "Basket.add"): [11]})
    other = shard(tmp_path / "b", tests={"tests/test_b.py::test": [15]})
    combined(tmp_path / "all.db", data.path, other)
    assert {(context, line) for _, context, _, _, line in told(tmp_path / "all.db").facts} == {
        (f"{TEST}|call", 11),
        (f"{TWO}|call", 8),
        ("tests/test_b.py::test|call", 15),
    }


def test_labels_stay_and_are_nested(tmp_path: Path) -> None:
    """Runs of two labels stay two; `--context` goes in front of what they have."""
    linux = shard(tmp_path / "a", tests={TEST: [8]}, label="linux")
    plain = shard(tmp_path / "b", tests={TEST: [11]})
    combined(tmp_path / "all.db", linux, plain)
    assert told(tmp_path / "all.db").tests.keys() == {("", f"linux/{TEST}"), ("", TEST)}
    combined(tmp_path / "nested.db", linux, plain, label="py3.13")
    contexts = {context for _, context, *_ in told(tmp_path / "nested.db").facts}
    assert contexts == {f"py3.13/linux/{TEST}|call", f"py3.13/{TEST}|call"}


def test_runs_of_another_name_are_left_alone(tmp_path: Path) -> None:
    """What is combined takes the place of runs of its name and label, and of no other."""
    nightly = shard(tmp_path / "n", tests={TEST: [8]}, name="nightly")
    target = tmp_path / "all.db"
    combined(target, nightly)
    combined(target, shard(tmp_path / "a", tests={TEST: [11]}))
    done = combined(target, shard(tmp_path / "b", tests={TWO: [15]}))
    assert done.replaced == 1
    assert told(target).tests.keys() == {("nightly", TEST), ("", TWO)}
    combined(target, shard(tmp_path / "c", tests={TWO: [8]}), name="nightly")
    assert told(target).tests.keys() == {("nightly", TWO), ("", TWO)}


def test_generations_are_kept(tmp_path: Path) -> None:
    """With `--keep-runs 2` what was there becomes the generation before."""
    target = tmp_path / "all.db"
    for number in range(3):
        path = shard(tmp_path / str(number), tests={f"t.py::test_{number}": [8]})
        combined(target, path, keep_runs=2, now=NOON + number)
    with Reader.open(target) as reader:
        assert [test.name for test in reader.tests] == ["t.py::test_2"]
    with Reader.open(target, run="~1") as reader:
        assert [test.name for test in reader.tests] == ["t.py::test_1"]
    assert len(told(target).runs) == 2


def test_superseded_runs_come_along_once(tmp_path: Path) -> None:
    """An older generation of an input is copied as it is, by its uid."""
    data = DataFile(tmp_path / "a")
    for number in range(2):
        with data.run(started=NOON + 10 * number, keep_runs=2) as run:
            run.file(basket_of())
            run.test(f"t.py::test_{number}", {("src/shop/basket.py", "Basket.add"): [11]})
    copy = Path(shutil.copy(data.path, tmp_path / "copy.db"))
    combined(tmp_path / "all.db", data.path, copy, keep_runs=2)
    assert told(tmp_path / "all.db").runs == [("", "", False), ("", "", True)]
    with Reader.open(tmp_path / "all.db", run="~1") as reader:
        assert [test.name for test in reader.tests] == ["t.py::test_0"]


def test_generations_come_along_under_each_label(tmp_path: Path) -> None:
    """A file that is combined under two labels has its generations under both."""
    data = DataFile(tmp_path / "kept")
    for number in range(2):
        with data.run(started=NOON + number * 10, keep_runs=2) as run:
            run.file(basket_of())
            run.test(TEST, {})
    target = tmp_path / "all.db"
    for label in ("linux", "mac", "mac"):
        combined(target, data.path, label=label, keep_runs=2)
    assert told(target).runs == sorted(
        ("", label, current) for label in ("linux", "mac") for current in (False, True)
    )


def test_runs_are_numbered_as_they_began(tmp_path: Path) -> None:
    """An older run that is combined later comes before the newer one."""
    target = tmp_path / "all.db"
    combined(target, shard(tmp_path / "a", tests={TEST: [8]}, started=NOON + 50))
    combined(target, shard(tmp_path / "b", tests={TWO: [8]}, started=NOON, name="nightly"))
    with Reader.open(target) as reader:
        assert [(run.id, run.name) for run in reader.all_runs] == [(1, "nightly"), (2, "")]
        assert [test.name for test in reader.tests] == [TEST]


def test_other_rules_stay_another_run(tmp_path: Path) -> None:
    """Shards that excluded by other rules are not mixed: each file goes by those of its run."""
    one = shard(tmp_path / "a", tests={TEST: [8]}, rules=(("x",), ("y",)))
    other = shard(tmp_path / "b", tests={TWO: [11]}, rules=(("z",), ("y",)))
    assert combined(tmp_path / "all.db", one, other).runs == 2
    with Reader.open(tmp_path / "all.db") as reader:
        assert {test.name for test in reader.tests} == {TEST, TWO}


def writing(target: Path, *, started: float) -> Writer:
    """A run of this process, which goes on."""
    writer = Writer.open(target, clock=lambda: started)
    writer.begin_run(run_record(target.parent, started=started))
    return writer


def test_a_run_that_goes_on_in_the_target(tmp_path: Path) -> None:
    """It keeps what it has and what it writes afterwards; nothing is added to it."""
    target = tmp_path / "all.db"
    combined(target, shard(tmp_path / "old", tests={"t.py::old": [8]}))
    writer = writing(target, started=NOON + 5)
    try:
        run = RunInProgress(writer)
        run.file(basket_of())
        run.test(TEST, {("src/shop/basket.py", "Basket.add"): [11]})
        done = combined(target, shard(tmp_path / "a", tests={TWO: [15], TEST: [8]}), append=True)
        assert done.runs == 1
        run.test(TWO, {("src/shop/basket.py", "Basket.__init__"): [8]})
        writer.finish_run(
            ended=NOON + 9, status=RunStatus.FINISHED, exit_status=0, note="", append=True
        )
    finally:
        writer.close()
    lines: dict[str, set[object]] = {}
    for _, context, _, _, line in told(target).facts:
        lines.setdefault(context, set()).add(line)
    assert lines == {
        f"{TEST}|call": {8, 11},
        f"{TWO}|call": {8, 15},
        "t.py::old|call": {8},
    }


def test_what_a_killed_run_wrote_is_combined(tmp_path: Path) -> None:
    """It counts as incomplete then, since nobody will end it; the command says so."""
    path = shard(tmp_path / "a", tests={TEST: [8]}, status=RunStatus.RUNNING, pid=DEAD)
    done = combined(tmp_path / "all.db", path)
    assert done.unfinished == [str(path)]
    with Reader.open(tmp_path / "all.db") as reader:
        (run,) = reader.runs
        assert (run.status, run.killed) == (RunStatus.INCOMPLETE, False)
        assert "not ended" in run.note
        assert [test.name for test in reader.tests] == [TEST]


def test_parts_of_a_killed_run_come_along(tmp_path: Path) -> None:
    """What other processes had recorded for it is its own, as when its file is read."""
    data = DataFile(tmp_path / "a")
    writer = Writer.open(data.path, clock=lambda: NOON)
    writer.begin_run(run_record(data.root, pid=DEAD))
    whole = RunInProgress(writer)
    whole.file(basket_of())
    whole.test(TEST, {("src/shop/basket.py", "Basket.__init__"): [8]})
    child = Writer.open(data.path, clock=lambda: NOON)
    child.begin_run(run_record(data.root, pid=DEAD)._replace(part_of=writer.run_id))
    part = RunInProgress(child)
    part.file(basket_of())
    part.test(TEST, {("src/shop/basket.py", "Basket.add"): [11]})
    child.close()
    writer.close()
    combined(tmp_path / "all.db", data.path)
    after = told(tmp_path / "all.db")
    assert {line for *_, line in after.facts} == {8, 11}
    assert len(after.runs) == 1


def test_a_failure_leaves_all_as_it_was(tmp_path: Path) -> None:
    """A damaged input, or a disk that is full, changes neither the result nor the inputs."""
    target = tmp_path / "all.db"
    combined(target, shard(tmp_path / "a", tests={TEST: [8]}))
    before = target.read_bytes()
    many = shard(tmp_path / "b", tests={f"t.py::test_{number}": [8] for number in range(500)})
    inputs = many.read_bytes()
    broken = tmp_path / "broken.db"
    broken.write_bytes(inputs[: len(inputs) // 2])
    with pytest.raises(DataError, match="cut short"):
        combined(target, many, broken)
    pages = len(before) // 1024
    with pytest.raises(MachineError, match="disk is full"):
        combined(target, many, append=True, max_pages=pages + 5)
    assert told(target).tests.keys() == {("", TEST)}
    assert many.read_bytes() == inputs
    combined(target, many, append=True)
    assert len(told(target).tests) == 501


def test_the_target_among_the_inputs(tmp_path: Path) -> None:
    """It keeps what it has: combining a file into itself adds."""
    target = tmp_path / "all.db"
    combined(target, shard(tmp_path / "a", tests={TEST: [8]}))
    combined(target, target, shard(tmp_path / "b", tests={TWO: [8]}))
    assert told(target).tests.keys() == {("", TEST), ("", TWO)}


def test_a_run_of_many_shards_tells_what_they_were(tmp_path: Path) -> None:
    """It began with the first, ended with the last, and names all kinds of Python."""
    one = shard(tmp_path / "a", tests={TEST: [8]}, started=NOON + 30)
    other = shard(tmp_path / "b", tests={TWO: [8]}, started=NOON, status=RunStatus.INTERRUPTED)
    combined(tmp_path / "all.db", one, other)
    with Reader.open(tmp_path / "all.db") as reader:
        (run,) = reader.runs
    assert (run.started, run.ended, run.status) == (NOON, NOON + 32, RunStatus.INTERRUPTED)
    assert run.python == "CPython 3.11.7"
    assert len(run.uid) == 32
    assert os.getpid() == run.pid


def test_what_is_combined_is_packed(tmp_path: Path) -> None:
    """A combined file has no room to spare, however little of it was replaced."""
    target = tmp_path / "all.db"
    tests = [f"tests/test_{number % 7}.py::test_{number}" for number in range(3000)]
    combined(target, shard(tmp_path / "a", tests={test: [8] for test in tests}))
    combined(target, shard(tmp_path / "b", tests={test: [11] for test in tests[:150]}, label="x"))
    combined(target, shard(tmp_path / "c", tests={TEST: [12]}, label="x"))
    size = target.stat().st_size
    connection = sqlite3.connect(target)
    connection.execute("VACUUM")
    connection.close()
    assert size == target.stat().st_size
