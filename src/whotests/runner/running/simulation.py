"""Workers that are not there, by a clock that nobody waits for: to see what a run decides.

The run, its scheduler and its book are the real ones; what is made up is who they talk to. For
tests of the runner, and for planning how a suite fares on many machines.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, NamedTuple

from whotests.hosts.frames import COLLECTED, EVENT, FOUND, IDLE, framed
from whotests.runner.agents.agent import Say
from whotests.runner.agents.slots import SlotLostError
from whotests.runner.assignment import Assignment, Done
from whotests.runner.items import Key
from whotests.runner.running.inbox import Inbox

__all__ = ["Losses", "SimulatedSlot", "SimulatedTest", "World"]

_AT_ONCE = 5_000
"""Tests in one frame."""


class SimulatedTest(NamedTuple):
    """A test that only takes time."""

    test_id: str
    seconds: float
    group: str = ""
    crashes: bool = False
    """The host's process dies of it, whoever runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """How likely things go wrong, per test that is begun if nothing else is said."""

    looking: float = 0.0
    """The machine goes while its host looks for tests; per host."""
    host: float = 0.0
    """The host's process dies of the test, which gets a failure for that."""
    between: float = 0.0
    """The host's process dies before the test begins."""
    machine: float = 0.0
    """The machine goes, and is never heard of again."""
    forgets: float = 0.0
    """With a machine, of each test that it has run: that what it recorded is lost, too."""


class World:
    """The suites, the clock, and who waits for which time. One thread; every run is the same."""

    def __init__(self, suites: Sequence[Sequence[SimulatedTest]]) -> None:
        self.suites = suites
        self.tests: list[Mapping[str, SimulatedTest]] = [
            {test.test_id: test for test in suite} for suite in suites
        ]
        """By id, suite by suite."""
        self.now = 0.0
        self.inbox: Inbox[Any] = _WorldInbox(self)
        self._later: list[tuple[float, int, Callable[[], object]]] = []
        self._turns = count()

    def clock(self) -> float:
        """Seconds since the world began."""
        return self.now

    def at(self, moment: float, happens: Callable[[], object]) -> None:
        """Let this happen then."""
        heappush(self._later, (moment, next(self._turns), happens))

    def go_on(self) -> bool:
        """Let the next thing happen; whether there was one."""
        if not self._later:
            return False
        moment, _, happens = heappop(self._later)
        self.now = max(self.now, moment)
        happens()
        return True


class _WorldInbox(Inbox[Any]):
    """An inbox for whose news nobody waits: the clock is put forward instead."""

    def __init__(self, world: World) -> None:
        super().__init__(room=1 << 62)
        self._world = world

    def wait_next(self, timeout: float | None = None) -> Any:
        until = None if timeout is None else self._world.now + timeout
        while (news := super().wait_next(timeout=0)) is None:
            if not self._world.go_on():
                if until is None:
                    raise AssertionError("nobody does anything, and the run waits for them")
                self._world.now = until
                return None
        return news


class SimulatedSlot:
    """A worker whose hosts only let time pass."""

    def __init__(
        self,
        name: str,
        world: World,
        *,
        start: float = 1.0,
        delay: float = 0.001,
        look: float = 0.05,
        holds: bool = False,
        losses: Losses | None = None,
        lacks: Callable[[int, str], bool] = lambda host, test_id: False,
        random: Random | None = None,
        on_lost: Callable[[], object] | None = None,
    ) -> None:
        """A host takes `start` seconds until it has found the tests of its suite; each way
        between the run and the slot takes `delay`; what happens is told every `look` seconds.
        `holds`: the last test of an assignment waits for the next one. `lacks` tells whether its
        host, the first one being 1, finds no such test. `on_lost` is called when the machine
        goes."""
        self.name = name
        self.ran: list[Key] = []
        """What it has run to an end, in order."""
        self.hosts = 0
        """How many hosts it has started."""
        self.assignments = 0
        """How many it was given."""
        self._world = world
        self._start, self._delay, self._look = start, delay, look
        self._holds = holds
        self._losses = losses or Losses()
        self._lacks = lacks
        self._random = Random(0) if random is None else random
        self._on_lost = on_lost
        self._queue: deque[tuple[Assignment, Say, Future[Done]]] = deque()
        self._busy = False
        self._suite: int | None = None
        self._held: tuple[str, ...] = ()
        self._is_lost = False
        self.is_closed = False

    # -- what a slot does ----------------------------------------------------------------------

    def submit(self, assignment: Assignment, say: Say) -> "Future[Done]":
        future: Future[Done] = Future()
        self.assignments += 1
        self._queue.append((assignment, say, future))
        if not self._busy:
            self._busy = True
            self._world.at(self._world.now + self._delay, self._next)
        return future

    def interrupt(self) -> None:
        raise NotImplementedError("nobody presses Ctrl-C here")

    def kill(self) -> None:
        """Nothing runs that could be killed."""

    def close(self) -> None:
        self.is_closed = True

    # -- what happens --------------------------------------------------------------------------

    def _next(self) -> None:
        if not self._queue:
            self._busy = False
            return
        assignment, say, future = self._queue[0]
        if self._is_lost:
            self._lose()
            return
        work = _Work(self, self._world, assignment, say)
        done = self._do(assignment, work)
        if done is None:
            self._is_lost = True
            self._world.at(work.time + self._delay, self._lose)
            return

        def over() -> None:
            self._queue.popleft()
            self._world.at(work.time + self._delay, heard)
            self._next()

        def heard() -> None:
            work.say()
            future.set_result(done)

        self._world.at(work.time, over)

    def _lose(self) -> None:
        self._is_lost = True
        again = {key for key in self.ran if self._random.random() < self._losses.forgets}
        for _, _, future in self._queue:
            future.set_exception(SlotLostError("the machine is gone", again=again))
        self._queue.clear()
        if self._on_lost is not None:
            self._on_lost()

    def _do(self, assignment: Assignment, work: "_Work") -> Done | None:
        """How it ends; None: the machine goes."""
        suite = assignment.suite
        fresh = self._suite != suite
        if fresh:
            if assignment.end and not assignment.tests:
                return Done(0)
            self._suite, self._held = suite, ()
            self.hosts += 1
            work.time += self._start
            if self._random.random() < self._losses.looking:
                return None
        if assignment.collect or fresh:
            found = self._found(suite)
            if assignment.collect:
                work.tell_found(found)
            if fresh:
                digest = "same" if len(found) == len(self._world.suites[suite]) else "other"
                work.tell((COLLECTED, len(found), digest, False))
        tests = (*self._held, *assignment.tests)
        self._held = ()
        if self._holds and not assignment.end:
            tests, self._held = tests[:-1], tests[-1:]
        for test_id in tests:
            if self._random.random() < self._losses.machine:
                return None
            if self._random.random() < self._losses.between:
                self._suite, self._held = None, ()
                return Done(0, died="it was killed between tests")
            if not self._run(test_id, suite, work):
                self._suite, self._held = None, ()
                return Done(0, died="it crashed")
        if assignment.tests:
            work.tell((IDLE, list(self._held)))
        if assignment.end:
            self._suite = None
        return Done(0, self._held)

    def _found(self, suite: int) -> Sequence[SimulatedTest]:
        tests = self._world.suites[suite]
        lacking = {test.test_id for test in tests if self._lacks(self.hosts, test.test_id)}
        return [test for test in tests if test.test_id not in lacking] if lacking else tests

    def _run(self, test_id: str, suite: int, work: "_Work") -> bool:
        """Whether the host has lived through it."""
        test = self._world.tests[suite][test_id]
        lives = not test.crashes and self._random.random() >= self._losses.host
        work.tell_event(test_id, "inprogress")
        work.time += test.seconds
        work.tell_event(test_id, "success" if lives else "fail")
        self.ran.append(Key(suite, test_id))
        return lives


class _Work:
    """What one assignment says, and when."""

    def __init__(self, slot: SimulatedSlot, world: World, assignment: Assignment, say: Say) -> None:
        self.time = world.now
        self._look, self._delay = slot._look, slot._delay
        self._world = world
        self._say = say
        self._waiting: list[bytes] = []
        self._said = world.now

    def tell(self, frame: tuple[Any, ...]) -> None:
        if self.time - self._said > self._look and self._waiting:
            octets, self._waiting = b"".join(self._waiting), []
            self._world.at(self.time + self._delay, lambda: self._say(octets))
            self._said = self.time
        self._waiting.append(framed(frame))

    def tell_event(self, test_id: str, status: str) -> None:
        self.tell((EVENT, test_id, status, None, True, None, None, self.time))

    def tell_found(self, tests: Sequence[SimulatedTest]) -> None:
        for start in range(0, len(tests), _AT_ONCE):
            some = tests[start : start + _AT_ONCE]
            self.tell((FOUND, [(test.test_id, test.group) for test in some]))

    def say(self) -> None:
        """What was not said yet."""
        octets, self._waiting = b"".join(self._waiting), []
        if octets:
            self._say(octets)
