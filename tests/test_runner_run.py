"""One run with many workers, simulated: every selected test gets exactly one verdict."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulated_runs import simulated
from whotests.errors import MachineError, UsageError
from whotests.runner.items import Item
from whotests.runner.running.run import Found
from whotests.runner.running.simulation import Losses, SimulatedTest
from whotests.stream.collection import Collector
from whotests.stream.event import Event, Status


def made(count: int, seconds: float = 0.1, *, suite: str = "t") -> list[SimulatedTest]:
    return [SimulatedTest(f"{suite}{number}", seconds) for number in range(count)]


suites_of_tests = st.lists(
    st.lists(
        st.tuples(
            st.floats(0, 3, allow_nan=False),
            st.sampled_from(["", "", "", "a", "b"]),
            st.sampled_from([False] * 9 + [True]),
        ),
        max_size=25,
    ),
    min_size=1,
    max_size=3,
).map(
    lambda suites: [
        [
            SimulatedTest(f"s{number}t{place}", seconds, group, crashes)
            for place, (seconds, group, crashes) in enumerate(tests)
        ]
        for number, tests in enumerate(suites)
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    suites=suites_of_tests,
    workers=st.integers(1, 5),
    seed=st.integers(0, 1000),
    rates=st.sampled_from([(0.0, 0.0, 0.0), (0.05, 0.05, 0.0), (0.02, 0.0, 0.05), (0.1, 0.1, 0.1)]),
    looking=st.sampled_from([0.0, 0.3]),
    holds=st.booleans(),
    known=st.booleans(),
    keep_order=st.booleans(),
)
def test_one_verdict_whatever_dies(
    suites: list[list[SimulatedTest]],
    workers: int,
    seed: int,
    rates: tuple[float, float, float],
    looking: float,
    holds: bool,
    known: bool,
    keep_order: bool,
) -> None:
    """Hosts crash, are killed between tests, machines go, also while they look for tests, and
    others come: each test of each suite has one verdict, and fails only if it crashed or its host
    did while running it."""
    host, between, machine = rates
    with TemporaryDirectory() as folder:
        over = simulated(
            Path(folder),
            suites,
            workers=workers,
            seed=seed,
            losses=Losses(
                host=host, between=between, machine=machine, looking=looking, forgets=0.5
            ),
            holds=holds,
            known=known,
            keep_order=keep_order,
            replaced=True,
        )
    tests = [test for suite in suites for test in suite]
    verdicts = over.verdicts
    assert verdicts.keys() == {test.test_id for test in tests}
    assert set(verdicts.values()) <= {Status.SUCCESS, Status.FAIL}
    assert all(verdicts[test.test_id] is Status.FAIL for test in tests if test.crashes)
    if not host:
        assert all(verdicts[test.test_id] is Status.SUCCESS for test in tests if not test.crashes)
    assert not over.run.book.open


@settings(max_examples=50, deadline=None)
@given(suites=suites_of_tests, workers=st.integers(1, 5), holds=st.booleans())
def test_nothing_is_run_twice(suites: list[list[SimulatedTest]], workers: int, holds: bool) -> None:
    """As long as only tests crash their hosts, no test is run a second time, and all slots are
    closed in the end."""
    with TemporaryDirectory() as folder:
        over = simulated(Path(folder), suites, workers=workers, holds=holds)
    assert set(over.times_run.values()) <= {1}
    assert len(over.times_run) == sum(map(len, suites))
    assert all(slot.is_closed for slot in over.slots)


def test_facts_that_went_with_a_machine_are_made_again(tmp_path: Path) -> None:
    """A test whose facts were lost runs again; the verdict that it had stays the only one."""
    over = simulated(
        tmp_path,
        [made(200)],
        workers=3,
        losses=Losses(machine=0.02, forgets=1.0),
        replaced=True,
    )
    assert set(over.verdicts.values()) == {Status.SUCCESS}
    assert max(over.times_run.values()) > 1


def test_two_workers_end_together(tmp_path: Path) -> None:
    """With known durations of all sizes, the end is within 2 % of the ideal one."""
    seconds = [0.001 * (1.02**number) for number in range(500)]
    tests = [SimulatedTest(f"t{number}", each) for number, each in enumerate(seconds)]
    over = simulated(tmp_path, [tests], workers=2, start=0.0)
    ideal = sum(seconds) / 2
    assert over.seconds < ideal * 1.02 + 0.1


def test_workers_change_suites(tmp_path: Path) -> None:
    """A worker whose suite is done helps with another one."""
    suites = [made(10, suite="a"), made(300, suite="b")]
    over = simulated(tmp_path, suites, workers=2)
    assert [slot.hosts for slot in over.slots] in ([2, 1], [1, 2])
    assert over.seconds < 1.0 + (310 * 0.1 + 1.0) / 2 + 1.0


def test_more_suites_than_workers(tmp_path: Path) -> None:
    """One worker collects and runs all suites, one after the other."""
    suites = [made(3, suite="a"), made(3, suite="b"), made(3, suite="c")]
    over = simulated(tmp_path, suites, workers=1)
    assert set(over.verdicts.values()) == {Status.SUCCESS}
    assert len(over.records) == 9


def test_workers_that_are_of_no_use_do_nothing(tmp_path: Path) -> None:
    """Nobody starts a host for tests that are done sooner."""
    over = simulated(tmp_path, [made(1, 0.5)], workers=4)
    assert [slot.hosts for slot in over.slots] == [1, 1, 1, 1]
    assert over.seconds < 2.0


def test_selected_tests_only(tmp_path: Path) -> None:
    """Only what was selected is run, in the order of the selection."""

    def last_two(found: Sequence[Found]) -> list[Item]:
        return [Item(each.key) for each in (found[-1], found[-2])]

    over = simulated(tmp_path, [made(5)], workers=1, select=last_two)
    assert [record.test_id for record in over.records] == ["t4", "t3"]


def test_nothing_selected(tmp_path: Path) -> None:
    """A run without a test ends."""
    over = simulated(tmp_path, [made(5)], workers=2, select=lambda found: ())
    assert over.records == []


def test_an_error_of_the_selection_ends_all(tmp_path: Path) -> None:
    """What the selection raises is raised, and no slot is left open."""

    def refuse(found: Sequence[Found]) -> list[Item]:
        raise UsageError("no")

    with pytest.raises(UsageError):
        simulated(tmp_path, [made(5)], workers=2, select=refuse)


def test_it_stops_after_so_many_failures(tmp_path: Path) -> None:
    """After the last failure that is borne no test is handed out any more; those are open."""
    tests = [SimulatedTest(f"t{number}", 0.5, crashes=number == 3) for number in range(100)]
    over = simulated(tmp_path, [tests], workers=2, max_failures=1, keep_order=True)
    failed = [record for record in over.records if record.failed]
    assert [record.test_id for record in failed] == ["t3"]
    assert len(over.run.book.open) + len(over.records) == 100
    assert len(over.records) < 20


def test_all_machines_lost(tmp_path: Path) -> None:
    """When every worker is gone and none comes, each test that is left fails, and says why."""
    over = simulated(tmp_path, [made(50)], workers=2, losses=Losses(machine=0.1))
    verdicts = over.verdicts
    assert len(verdicts) == 50
    lost = [record for record in over.records if record.status is Status.FAIL]
    assert lost
    assert b"all workers were lost" in b"".join(lost[0].attachments["reason"].chunks)


def test_lost_before_any_test_was_found(tmp_path: Path) -> None:
    """A run whose workers go before they have found tests says so."""

    class GoneError(Exception):
        pass

    def select(found: Sequence[Found]) -> list[Item]:
        raise GoneError

    with pytest.raises(GoneError):
        simulated(tmp_path, [made(5)], workers=1, select=select)
    with pytest.raises(MachineError, match="all workers were lost"):
        simulated(tmp_path, [made(5)], workers=0)


def test_tests_go_to_hosts_that_have_them(tmp_path: Path) -> None:
    """A worker whose host did not find all tests runs the others."""
    over = simulated(
        tmp_path,
        [made(40)],
        workers=2,
        lacks=lambda worker, host, test_id: worker == "w1" and test_id < "t2",
    )
    assert set(over.verdicts.values()) == {Status.SUCCESS}
    other = {key.test_id for key in over.slots[1].ran}
    assert other
    assert all(test_id >= "t2" for test_id in other)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_test_that_nobody_finds_any_more_fails(tmp_path: Path, workers: int) -> None:
    """What only a host that is dead had found gets its verdict, and says why."""
    tests = [
        SimulatedTest(f"t{number}", 1.0, group="g", crashes=number == 0) for number in range(3)
    ]
    over = simulated(
        tmp_path,
        [tests],
        workers=workers,
        lacks=lambda worker, host, test_id: (worker, host) != ("w0", 1) and test_id == "t2",
    )
    assert over.verdicts["t2"] is Status.FAIL
    reason = over.records[-1].attachments["reason"].chunks
    assert b"by no process that is there now" in b"".join(reason)


def test_a_sink_that_fails_ends_the_run(tmp_path: Path) -> None:
    """What a sink raises is raised."""

    class Broken:
        def __init__(self, collector: Collector) -> None:
            self.collector = collector

        def start_run(self) -> None:
            self.collector.start_run()

        def handle(self, event: Event, /) -> None:
            raise BrokenPipeError

        def stop_run(self) -> None:
            self.collector.stop_run()

    with pytest.raises(BrokenPipeError):
        simulated(tmp_path, [made(5)], workers=1, sink=Broken)
