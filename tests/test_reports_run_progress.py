"""How far a run of tests is, and how long the rest will take."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_events import START
from whotests.reports.run_progress import Expected, Progress
from whotests.stream.collection import TestRecord
from whotests.stream.event import Status


def record(
    test_id: str,
    seconds: float = 0.0,
    *,
    at: float = 0.0,
    status: Status = Status.SUCCESS,
    runnable: bool = True,
) -> TestRecord:
    """A test that began at a time and took so long."""
    started = START + timedelta(seconds=at)
    stopped = started + timedelta(seconds=seconds)
    return TestRecord(test_id, "w0", status, frozenset(), runnable, {}, started, stopped, True)


def chosen(*seconds: float | None, workers: int = 1) -> Progress:
    """A run of the tests t0, t1... of which this is known."""
    progress = Progress()
    progress.choose(
        (Expected(f"t{place}", each) for place, each in enumerate(seconds)), workers=workers
    )
    return progress


def test_what_is_counted() -> None:
    """Tests by how they ended, what is no test apart; what has no verdict was not run."""
    progress = chosen(None, None, None, None)
    progress.ended(record("t0"), worker="w0")
    progress.ended(record("t1", status=Status.FAIL), worker="w0")
    progress.ended(record("setUpClass (a.B)", status=Status.FAIL, runnable=False), worker="w0")
    progress.ended(record("t9", status=Status.EXISTS), worker="w0")
    assert progress.counts == {Status.SUCCESS: 1, Status.FAIL: 1}
    assert progress.outside == {Status.FAIL: 1}
    assert (progress.done, progress.failed, progress.not_run) == (2, 2, 2)


def test_what_runs_now() -> None:
    """One test for each worker, the longest first, until that test has ended."""
    progress = chosen(None, None, None)
    progress.began("t0", worker="w0", now=5.0)
    progress.began("t1", worker="w1", now=4.0)
    assert [test.test_id for test in progress.running()] == ["t1", "t0"]
    progress.began("t2", worker="w0", now=6.0)
    progress.ended(record("t0"), worker="w0")  # it was replaced: it is not what runs
    assert [test.test_id for test in progress.running()] == ["t1", "t2"]
    progress.ended(record("t2"), worker="w0")
    assert [test.worker for test in progress.running()] == ["w1"]


def test_before_anything_is_known() -> None:
    """Without past durations, nothing is guessed until some tests have ended."""
    progress = chosen(*[None] * 100)
    assert progress.seconds_left(now=0.0) is None
    progress.began("t0", worker="w0", now=0.0)
    for number in range(25):
        assert progress.seconds_left(now=1.0 * number) is None or number >= 20
        progress.ended(record(f"t{number}", 1.0, at=1.0 * number), worker="w0")
    assert progress.seconds_left(now=25.0) == pytest.approx(75.0)


def test_by_past_durations() -> None:
    """Known tests take what they took, shared among the workers, at the pace of this run."""
    progress = chosen(10.0, 10.0, 20.0, workers=2)
    progress.began("t0", worker="w0", now=0.0)
    progress.began("t1", worker="w1", now=0.0)
    assert progress.seconds_left(now=0.0) == pytest.approx(20.0)
    progress.ended(record("t0", 20.0), worker="w0")
    progress.ended(record("t1", 20.0), worker="w1")
    progress.began("t2", worker="w0", now=20.0)
    # All took twice as long; one worker has nothing to do meanwhile.
    assert progress.seconds_left(now=20.0) == pytest.approx(40.0)
    assert progress.seconds_left(now=50.0) == pytest.approx(10.0)
    progress.ended(record("t2", 40.0), worker="w0")
    assert progress.seconds_left(now=60.0) is None


def test_time_between_tests_counts() -> None:
    """Where more passes than tests take, each of the rest takes that, too."""
    progress = chosen(*[0.0] * 100)
    for number in range(50):
        progress.ended(record(f"t{number}", at=0.1 * number), worker="w0")
    assert progress.seconds_left(now=5.0) == pytest.approx(5.0)


TOLD = st.lists(st.tuples(st.one_of(st.none(), st.floats(0, 1e4)), st.floats(-1, 1e4)), max_size=60)


@given(TOLD, st.integers(1, 9), st.data())
def test_any_run_has_a_sensible_rest(
    tests: list[tuple[float | None, float]], workers: int, data: st.DataObject
) -> None:
    """Whatever is known and happens, what is left is a time from 0 on or not known; at the end
    nothing is."""
    progress = chosen(*(known for known, _ in tests), workers=workers)
    now = 0.0
    for place, (_, took) in enumerate(tests):
        progress.began(f"t{place}", worker=f"w{place % workers}", now=now)
        left = progress.seconds_left(now=now)
        assert left is None or left >= 0
        now += data.draw(st.floats(0, 1e4))
        progress.ended(record(f"t{place}", took), worker=f"w{place % workers}")
        left = progress.seconds_left(now=now)
        assert left is None or left >= 0
    assert progress.seconds_left(now=now) is None
    assert progress.not_run == 0
