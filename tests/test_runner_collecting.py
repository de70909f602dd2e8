"""Who finds the tests of a suite for all others, and what becomes of that when he is lost."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from whotests.hosts.frames import COLLECTED, EVENT, FOUND, IDLE, Frame, framed
from whotests.hosts.task import Suite
from whotests.runner.agents.agent import Say
from whotests.runner.agents.slots import SlotLostError
from whotests.runner.assignment import Assignment, Brief, Done
from whotests.runner.items import Item
from whotests.runner.running.run import Run
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.control import RunControl
from whotests.stream.event import Status


class Lost:
    """A slot that says nothing, until it is lost."""

    name = "w0"

    def __init__(self) -> None:
        self.future: Future[Done] = Future()

    def submit(self, assignment: Assignment, say: Say) -> "Future[Done]":
        assert assignment.collect
        return self.future

    def interrupt(self) -> None:
        raise NotImplementedError("nobody presses Ctrl-C here")

    def kill(self) -> None:
        raise NotImplementedError("nothing goes wrong here")

    def close(self) -> None:
        """Nothing is left of it."""


class Finds(Lost):
    """A slot whose host has found its tests when it is over with the other one."""

    name = "w1"

    def __init__(self, lose: Callable[[], None]) -> None:
        self.lose = lose
        self.assignments: list[Assignment] = []

    def submit(self, assignment: Assignment, say: Say) -> "Future[Done]":
        assert len(self.assignments) < 9, self.assignments
        self.assignments.append(assignment)

        def tell(*frames: Frame) -> None:
            say(b"".join(map(framed, frames)))

        if assignment.collect:
            tell((FOUND, [("test_a", "")]))
        if len(self.assignments) == 1:
            tell(event("broken", Status.FAIL, runnable=False), (COLLECTED, 1, "digest", False))
        for test_id in assignment.tests:
            tell(event(test_id, Status.INPROGRESS), event(test_id, Status.SUCCESS), (IDLE, []))
        done: Future[Done] = Future()
        done.set_result(Done(0))
        if len(self.assignments) == 1:
            self.lose()
        return done


def brief(folder: Path, *, workers: int) -> Brief:
    return Brief(
        run="one",
        root=folder,
        cwd=folder,
        folder=folder,
        suites=(Suite("unittest"),),
        workers=workers,
    )


def event(test_id: str, status: Status, *, runnable: bool = True) -> Frame:
    return (EVENT, test_id, status.value, None, runnable, None, None, 1.0)


@pytest.mark.parametrize("whole", [False, True], ids=["dies", "is lost"])
def test_who_has_found_tests_already_says_which_when_the_other_cannot(
    tmp_path: Path, whole: bool
) -> None:
    """The worker that was asked for the tests is lost, or its hosts die again and again; the next
    one has found them meanwhile, and what it could not load: both are taken from it, and the run
    goes on."""
    records: list[TestRecord] = []
    collector = Collector(records.append)
    lost = Lost()

    def lose() -> None:
        if whole:
            lost.future.set_exception(SlotLostError("its machine is gone"))
        else:
            lost.future.set_result(Done(0, died="it was killed", hopeless=True))

    finds = Finds(lose)
    collector.start_run()
    Run(
        brief(tmp_path, workers=2),
        [lost, finds],
        sink=collector,
        select=lambda found: [Item(each.key, each.group) for each in found],
        control=RunControl(),
    ).run()
    collector.stop_run()
    assert {record.test_id: record.status for record in records} == {
        "broken": Status.FAIL,
        "test_a": Status.SUCCESS,
    }
    assert [each.collect for each in finds.assignments] == [False, True, False]


def test_a_run_without_workers_stops_when_it_is_told(tmp_path: Path) -> None:
    """Ctrl-C ends it also while it waits for a machine in the place of the last one that went."""
    lost = Lost()
    lost.future.set_exception(SlotLostError("its machine is gone"))
    control = RunControl()
    collector = Collector(
        lambda record: None, on_other=lambda event: threading.Timer(0.1, control.stop).start()
    )
    # What gives up instead raises that all workers were lost.
    Run(
        brief(tmp_path, workers=1),
        [lost],
        sink=collector,
        select=lambda found: (),
        control=control,
        patience=60.0,
    ).run()
