"""What every sink that passes events on has to keep to, and what each one adds to that."""

import pickle
import queue
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_events import EVENTS, START, TAGS, send
from whotests.stream import (
    FAILED,
    ByTest,
    Chunk,
    Collector,
    Event,
    EventLog,
    FailFast,
    FanOut,
    FileControl,
    Router,
    RunControl,
    RunStarted,
    RunStopped,
    Sink,
    Status,
    Tagger,
    TestRecord,
    Timestamper,
    ToQueue,
    route_under,
)


class Passing(NamedTuple):
    """A sink that passes on: how to make one in front of another, and its duty."""

    name: str
    make: Callable[[Sink], Sink]
    expected: Callable[[Event], Event]
    """What must arrive of an event that is the first of its test."""


def tagged(event: Event) -> Event:
    return event._replace(tags=((event.tags or frozenset()) | {"a"}) - {"slow"} or None)


def untagged(event: Event) -> Event:
    return event if event.test_id else event._replace(tags=event.tags or None)


def stamped(event: Event) -> Event:
    return event if event.timestamp is not None else event._replace(timestamp=START)


class Drained:
    """Takes from a queue what a `ToQueue` put in, and tells the next sink."""

    def __init__(self, sink: Sink, route_code: str | None) -> None:
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._to_queue = ToQueue(self._queue, route_code)
        self._sink = sink

    def start_run(self) -> None:
        self._to_queue.start_run()
        assert isinstance(self._queue.get(timeout=5), RunStarted)
        self._sink.start_run()

    def handle(self, event: Event, /) -> None:
        self._to_queue.handle(event)
        item = self._queue.get(timeout=5)
        assert isinstance(item, Event)
        self._sink.handle(item)

    def stop_run(self) -> None:
        self._to_queue.stop_run()
        assert isinstance(self._queue.get(timeout=5), RunStopped)
        self._sink.stop_run()


def routed(sink: Sink) -> Sink:
    """The sink behind a rule for everything that the tests of the contract send."""
    router = Router()
    router.add_rule(ByTest(None), sink)
    router.add_rule(ByTest("test"), sink)
    return router


PASSING = [
    Passing("FanOut", FanOut, lambda event: event),
    Passing("FanOut of FanOut", lambda sink: FanOut(FanOut(sink)), lambda event: event),
    Passing("Router's fallback", Router, lambda event: event),
    Passing("Router's rules", routed, lambda event: event),
    Passing("Tagger", lambda sink: Tagger(sink, add=["a"], discard=["slow"]), tagged),
    Passing("Tagger of nothing", Tagger, untagged),
    Passing("Timestamper", lambda sink: Timestamper(sink, clock=lambda: START), stamped),
    Passing("ToQueue", lambda sink: Drained(sink, None), lambda event: event),
    Passing(
        "ToQueue with a route",
        lambda sink: Drained(sink, "0"),
        lambda event: event._replace(route_code=route_under("0", event.route_code)),
    ),
]
each_passing = pytest.mark.parametrize("passing", PASSING, ids=[each.name for each in PASSING])


@each_passing
def test_the_next_sink_is_started_and_stopped_once(passing: Passing) -> None:
    """A run that passes through starts and stops what stands behind, once each, in each run."""
    log = EventLog()
    sink = passing.make(log)
    for run in (1, 2):
        sink.start_run()
        assert (log.started, log.stopped) == (run, run - 1)
        sink.handle(Event("test", Status.SUCCESS))
        sink.stop_run()
        assert (log.started, log.stopped, len(log.events)) == (run, run, 1)


@each_passing
@given(event=EVENTS)
def test_nothing_but_its_duty_is_changed(passing: Passing, event: Event) -> None:
    """Whatever an event holds arrives, but for the one field that the sink is there for."""
    event = event._replace(test_id=event.test_id and "test")
    log = EventLog()
    sink = passing.make(log)
    sink.start_run()
    sink.handle(event)
    sink.stop_run()
    assert log.events == [passing.expected(event)]
    assert type(log.events[0]) is Event


@each_passing
def test_the_order_is_kept_and_nothing_is_held_back(passing: Passing) -> None:
    """Each event has arrived when `handle` returns, those of many tests in the order they came."""
    log = EventLog()
    sink = passing.make(log)
    sink.start_run()
    for number, status in enumerate([Status.INPROGRESS, None, Status.SUCCESS] * 3):
        sink.handle(Event("test", status, attachment=Chunk(str(number))))
        assert [event.attachment.name for event in log.events if event.attachment] == [
            str(each) for each in range(number + 1)
        ]


@each_passing
def test_what_the_next_one_raises_is_heard(passing: Passing) -> None:
    """An error further down is not swallowed."""

    class Broken(EventLog):
        def handle(self, event: Event, /) -> None:
            raise OSError("the disk is full")

    sink = passing.make(Broken())
    sink.start_run()
    with pytest.raises(OSError, match="the disk is full"):
        sink.handle(Event("test"))


# --- FanOut


def test_each_sink_gets_each_event() -> None:
    """All sinks of a fan-out hear the same."""
    logs = [EventLog() for _ in range(3)]
    sink = FanOut(*logs)
    events = [Event("a", Status.INPROGRESS), Event("a", Status.FAIL)]
    send(sink, events)
    assert [log.events for log in logs] == [events] * 3


class Unstoppable(EventLog):
    def stop_run(self) -> None:
        super().stop_run()
        raise OSError("cannot be stopped")


class Unstartable(EventLog):
    def start_run(self) -> None:
        raise OSError("cannot be started")


def test_all_are_stopped_when_one_cannot_be() -> None:
    """A sink whose stop fails keeps none of the others open, and the failure is heard."""
    before, after = EventLog(), EventLog()
    sink = FanOut(before, Unstoppable(), after)
    sink.start_run()
    with pytest.raises(OSError, match="cannot be stopped"):
        sink.stop_run()
    assert (before.stopped, after.stopped) == (1, 1)


def test_all_failures_to_stop_are_told() -> None:
    """Where several sinks cannot be stopped, each of their errors is there."""
    sink = FanOut(Unstoppable(), EventLog(), Unstoppable())
    sink.start_run()
    with pytest.raises(ExceptionGroup) as raised:
        sink.stop_run()
    assert len(raised.value.exceptions) == 2


def test_what_was_started_is_stopped_when_another_cannot_start() -> None:
    """When one sink refuses to start, those before it are stopped, those after never started."""
    before, after = EventLog(), EventLog()
    with pytest.raises(OSError, match="cannot be started"):
        FanOut(before, Unstartable(), after).start_run()
    assert (before.started, before.stopped) == (1, 1)
    assert (after.started, after.stopped) == (0, 0)


# --- FailFast, Control


@pytest.mark.parametrize("status", [None, *Status])
def test_failures_are_called_back(status: Status | None) -> None:
    """A run is asked to stop by what makes it unsuccessful, and by nothing else."""
    control = RunControl()
    send(FailFast(control.stop), [Event("a", status)])
    assert control.should_stop == (status in FAILED)


def test_each_failure_is_called_back() -> None:
    """Whoever wants to bear some failures can count them."""
    calls: list[None] = []
    events = [Event("a", Status.FAIL), Event("b", Status.SUCCESS), Event("b", Status.UXSUCCESS)]
    send(FailFast(lambda: calls.append(None)), events)
    assert len(calls) == 2


def test_stopping_the_whole_reaches_every_part() -> None:
    """Parts of parts stop with the whole; a part alone stops neither the whole nor others."""
    whole = RunControl()
    part, other = RunControl(whole=whole), RunControl(whole=whole)
    part_of_part = RunControl(whole=part)
    part.stop()
    assert part.should_stop
    assert part_of_part.should_stop
    assert not whole.should_stop
    assert not other.should_stop
    whole.stop()
    assert other.should_stop


WORKER = """
import pickle, sys, unittest
from whotests.stream import EventLog, ResultToStream

class Case(unittest.TestCase):
    def test_first(self):
        print("begun", flush=True)
        sys.stdin.readline()
    def test_second(self):
        print("second")

control = pickle.loads(bytes.fromhex(sys.argv[1]))
suite = unittest.TestSuite([Case("test_first"), Case("test_second")])
suite.run(ResultToStream(EventLog(), control=control))
print(control.should_stop)
"""


def test_a_file_reaches_workers_in_other_processes(tmp_path: Path) -> None:
    """Whoever asks, every process that was given the control begins no test any more."""
    control = FileControl(tmp_path / "stop")
    command = [sys.executable, "-c", WORKER, pickle.dumps(control).hex()]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "begun\n"
    assert not control.should_stop
    RunControl(whole=control).stop()
    assert not control.should_stop  # a part alone
    control.stop()
    control.stop()
    assert RunControl(whole=control).should_stop
    assert [worker.communicate("\n")[0] for worker in workers] == ["True\n", "True\n"]
    assert [worker.returncode for worker in workers] == [0, 0]


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Nobody believes to have stopped a run that goes on."""
    control = FileControl(tmp_path / "missing" / "stop")
    with pytest.raises(FileNotFoundError):
        control.stop()
    assert not control.should_stop


# --- Tagger


def test_the_callers_set_stays_as_it_is() -> None:
    """Neither the tags of the event nor those given to the tagger are changed."""
    add, discard, own = {"a"}, {"b"}, {"b", "c"}
    log = EventLog()
    event = Event("test", Status.SUCCESS, frozenset(own))
    tagger = Tagger(log, add=add, discard=discard)
    add.add("later")
    send(tagger, [event])
    assert log.events[0].tags == frozenset({"a", "c"})
    assert event.tags == frozenset(own) == frozenset({"b", "c"})
    assert discard == {"b"}


def test_what_is_added_does_not_hide_a_tests_own_tags() -> None:
    """Events that say nothing of tags leave with those that their test had before."""
    log = EventLog()
    events = [
        Event("test", Status.INPROGRESS, frozenset({"own"})),
        Event("other", Status.INPROGRESS),
        Event("test", None, attachment=Chunk("log")),
        Event("other", Status.SUCCESS),
        Event("test", None, frozenset({"changed"})),
        Event("test", None, route_code="0"),
        Event("test", Status.SUCCESS),
        Event("test", Status.INPROGRESS),
    ]
    send(Tagger(log, add=["added"]), events)
    added = frozenset({"added"})
    assert [event.tags for event in log.events] == [
        added | {"own"},
        added,
        added | {"own"},
        added,
        added | {"changed"},
        added,
        added | {"changed"},
        added,
    ]


def test_tags_of_a_run_that_was_cut_short_are_forgotten() -> None:
    """A test that never ended does not tag its namesake of the next run."""
    log = EventLog()
    tagger = Tagger(log, add=["added"])
    tagger.start_run()
    tagger.handle(Event("a", Status.INPROGRESS, frozenset({"own"})))
    send(tagger, [Event("a", Status.SUCCESS)])
    assert log.events[0].tags == frozenset({"added"})


def test_a_test_may_lose_its_last_tag() -> None:
    """That a test has no tags any more is told, and not taken for nothing said."""
    records: list[TestRecord] = []
    events = [
        Event("a", Status.INPROGRESS, frozenset({"own"})),
        Event("a", Status.SUCCESS, frozenset()),
        Event("b", Status.INPROGRESS, frozenset({"slow"})),
        Event("b", Status.SUCCESS),
    ]
    send(Tagger(Collector(records.append), discard=["slow"]), events)
    assert [record.tags for record in records] == [frozenset(), frozenset()]


@given(events=st.lists(st.tuples(st.sampled_from("ab"), st.none() | TAGS, st.booleans())))
def test_tags_follow_their_tests(events: list[tuple[str, frozenset[str] | None, bool]]) -> None:
    """Among interleaved tests, each event leaves with the newest tags of its own test."""
    log = EventLog()
    current: dict[str, frozenset[str]] = {}
    expected = []
    sent = []
    for test_id, tags, ends in events:
        if tags is not None:
            current[test_id] = tags
        expected.append((current.get(test_id, frozenset()) | {"a"}) - {"net"})
        sent.append(Event(test_id, Status.SUCCESS if ends else None, tags))
        if ends:
            current.pop(test_id, None)
    send(Tagger(log, add=["a"], discard=["net"]), sent)
    assert [event.tags for event in log.events] == expected


# --- Timestamper


def test_only_what_has_no_time_is_given_one() -> None:
    """The clock is asked for events without a timestamp; others keep theirs."""
    ticks = iter([START, START + timedelta(seconds=1)])
    log = EventLog()
    earlier = START - timedelta(days=1)
    events = [Event("a"), Event("a", timestamp=earlier), Event("b")]
    send(Timestamper(log, clock=lambda: next(ticks)), events)
    assert [event.timestamp for event in log.events] == [
        START,
        earlier,
        START + timedelta(seconds=1),
    ]


def test_the_default_clock_has_a_time_zone() -> None:
    """Without a clock of one's own, events get the time of now, in UTC."""
    log = EventLog()
    before = datetime.now(UTC)
    send(Timestamper(log), [Event("a")])
    timestamp = log.events[0].timestamp
    assert timestamp is not None
    assert before <= timestamp <= datetime.now(UTC)
    assert timestamp.tzinfo is UTC


# --- ToQueue


def test_route_codes_are_joined_nearest_first() -> None:
    """The route code of the queue stands in front of the event's own."""
    assert route_under("0", None) == "0"
    assert route_under("0", "1/2") == "0/1/2"
    assert route_under(None, "1") == "1"
    assert route_under(None, None) is None


@given(event=EVENTS)
def test_what_is_put_in_can_go_to_another_process(event: Event) -> None:
    """Every item of a queue is the same after it was pickled and unpickled."""
    items: queue.SimpleQueue[object] = queue.SimpleQueue()
    send(ToQueue(items, "0"), [event._replace(timestamp=START)])
    while not items.empty():
        item = items.get_nowait()
        returned = pickle.loads(pickle.dumps(item))
        assert returned == item
        assert type(returned) is type(item)


def test_start_and_stop_are_items_of_their_own() -> None:
    """Whoever empties a queue that several sinks fill can tell when each is done."""
    items: queue.SimpleQueue[object] = queue.SimpleQueue()
    send(ToQueue(items, "7"), [Event("a", route_code="1")])
    assert [items.get_nowait() for _ in range(3)] == [
        RunStarted("7"),
        Event("a", route_code="7/1"),
        RunStopped("7"),
    ]
