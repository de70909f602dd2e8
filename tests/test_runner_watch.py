"""What a host is doing, and when it takes too long, without a clock or a process."""

from whotests.hosts.frames import COLLECTED, ENDED, EVENT, IDLE, OUTPUT, Frame
from whotests.runner.agents.watch import AT_THE_END, DUMPING, GRACE, Step, Watch


def event(test_id: str | None, status: str | None, *, runnable: bool = True) -> Frame:
    return (EVENT, test_id, status, None, runnable, None, None, 1.0)


def collected(limit: float) -> Watch:
    watch = Watch(limit, now=0.0)
    watch.note([(COLLECTED, 2, "digest")], now=0.0)
    return watch


def test_a_test_in_progress_is_known() -> None:
    """From its beginning to its verdict; what comes of others in between changes nothing."""
    watch = collected(0)
    watch.begin(["a", "b"], end=False, now=1.0)
    assert watch.running == ""
    watch.note([event("a", "inprogress")], now=1.0)
    assert watch.running == "a"
    watch.note([event("a", None), event(None, None), event("f", "fail", runnable=False)], now=2.0)
    assert (watch.running, watch.fruitful, watch.left) == ("a", False, {"a", "b"})
    watch.note([event("a", "success")], now=3.0)
    assert (watch.running, watch.fruitful, watch.left) == ("", True, {"b"})


def test_a_test_has_its_limit_and_some_seconds_to_stop_by_itself() -> None:
    """Then the process is to write its stacks, once, and then it is to be killed."""
    watch = collected(10.0)
    watch.begin(["a"], end=False, now=100.0)
    watch.note([event("a", "inprogress")], now=100.0)
    late = 100.0 + 11.0 + GRACE
    assert watch.step(late) is Step.WAIT
    assert not watch.late
    assert watch.step(late + 0.1) is Step.ABORT
    assert watch.late
    assert watch.step(late + 0.2) is Step.WAIT
    assert watch.step(late + 0.2 + DUMPING) is Step.KILL


def test_each_test_has_the_whole_limit() -> None:
    """What tests before took is nothing to it, nor what was attached to it meanwhile."""
    watch = collected(1.0)
    watch.begin(["a", "b"], end=False, now=0.0)
    watch.note([event("a", "inprogress")], now=0.0)
    watch.note([event("a", "success"), event("b", "inprogress")], now=4.0)
    assert watch.step(8.0) is Step.WAIT
    watch.note([event("b", None)], now=8.0)
    assert watch.step(8.2) is Step.ABORT


def test_nothing_is_late_without_a_limit_while_collecting_or_while_idle() -> None:
    """Collecting may take any time, and so may waiting for orders."""
    watch = Watch(0, now=0.0)
    watch.begin(["a"], end=False, now=0.0)
    watch.note([(COLLECTED, 1, ""), event("a", "inprogress")], now=0.0)
    assert watch.step(1e6) is Step.WAIT
    watch = Watch(1.0, now=0.0)
    watch.begin(["a"], end=False, now=0.0)
    assert watch.step(1e6) is Step.WAIT
    watch.note([(COLLECTED, 1, ""), event("a", "inprogress")], now=1e6)
    watch.note([event("a", "success"), (IDLE, [])], now=1e6)
    assert watch.step(2e6) is Step.WAIT


def test_a_fixture_between_tests_is_late_like_a_test_and_an_end_after_a_minute() -> None:
    """A host that was given tests and says nothing is late; one that only ends has more time."""
    watch = collected(1.0)
    watch.begin(["a"], end=False, now=0.0)
    assert watch.step(1.2 + GRACE) is Step.ABORT
    watch = collected(1.0)
    watch.begin([], end=True, now=0.0)
    assert watch.step(AT_THE_END) is Step.WAIT
    assert watch.step(AT_THE_END + 0.1) is Step.ABORT
    watch = collected(1.0)
    watch.begin([], end=True, now=0.0)
    watch.note([(ENDED, "")], now=1.0)
    assert watch.step(1.5 + AT_THE_END) is Step.ABORT


def test_the_files_with_what_a_test_writes_are_those_that_were_told_last() -> None:
    """A host may replace its standard output more than once."""
    watch = collected(0)
    watch.note([(OUTPUT, [5, 6]), (OUTPUT, [7, 8])], now=0.0)
    assert watch.output == (7, 8)
