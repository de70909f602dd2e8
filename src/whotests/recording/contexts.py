"""Which contexts are open, and what has run in each.

Facts go to every context that is open. `""` is open whenever no test is. What one context hit
is collected when the next one opens or it closes; in between nothing is looked at.
"""

import sys
from _thread import _count as thread_count  # running threads, at the cost of one call
from _thread import get_ident
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from whotests.probes.runtime import LOG, Block, collect, peek
from whotests.types import Outcome, Phase, Runner, TestName

__all__ = ["Context", "Contexts", "TestNote"]

IMPORT = "import"


@dataclass(slots=True, eq=False)
class Context:
    """A context of this run and the pattern numbers that it has collected since it was opened."""

    key: int
    test: TestName | None = None
    phase: Phase | None = None
    label: str = ""
    patterns: set[int] = field(default_factory=set)
    written: int = 0
    """How many patterns it had when it was last written while open."""


@dataclass(frozen=True, slots=True)
class TestNote:
    """What has become known of a test."""

    name: TestName
    runner: Runner
    outcome: Outcome
    duration: float | None


class Contexts:
    """The open contexts of this process. Any thread may call; another one may read."""

    def __init__(self) -> None:
        self._test_numbers: dict[TestName, int] = {}
        self._label_numbers: dict[str, int] = {}
        self.base = self._label_context("")
        self._tests: dict[int, tuple[TestName, Context]] = {}
        """Thread -> the test that it runs, and the context of the phase that it is in."""
        self._labels: list[Context] = []
        self._imports = 0
        self._blocked: dict[int, int] = {}
        self.closed: deque[Context] = deque()
        """Contexts that were closed and wait to be written."""
        self.notes: deque[TestNote] = deque()

    # -- what may be open -------------------------------------------------------------------

    def start_test(self, name: TestName, runner: Runner) -> bool:
        """Opens a test's setup; False when this thread runs a test already."""
        thread = get_ident()
        if thread in self._tests:
            return False
        self._switch()
        self.notes.append(TestNote(name, runner, Outcome.UNKNOWN, None))
        self._tests[thread] = (name, self._test_context(name, Phase.SETUP))
        return True

    def in_test(self) -> bool:
        """Whether this thread runs a test."""
        return get_ident() in self._tests

    def enter_phase(self, phase: Phase) -> None:
        """Ends the phase of this thread's test and opens the next one."""
        thread = get_ident()
        name, context = self._tests[thread]
        if context.phase is not phase:
            self._switch()
            self._tests[thread] = (name, self._test_context(name, phase))
            self._close(context)

    def stop_test(self) -> None:
        """Closes this thread's test."""
        self._switch()
        _, context = self._tests.pop(get_ident())
        self._close(context)

    def open_label(self, label: str) -> Context:
        """Opens a context of the user's, beside what is open; give it to `close_label`."""
        self._switch()
        context = self._label_context(label)
        self._labels.append(context)
        return context

    def close_label(self, context: Context) -> None:
        """Closes it; nothing happens when it is closed."""
        if context in self._labels:
            self._switch()
            self._labels.remove(context)
            self._close(context)

    def import_began(self) -> None:
        """A measured module's own code begins."""
        self._imports += 1
        if self._imports == 1:
            self.open_label(IMPORT)

    def import_ended(self) -> None:
        """It ended, well or not."""
        self._imports -= 1
        if not self._imports:
            for context in self._labels:
                if context.label == IMPORT:
                    self.close_label(context)
                    return

    def finish(self) -> list[Context]:
        """Collects for the last time; returns what is open, `""` not among it, and closes that."""
        self._switch()
        rest = [context for _, context in self._tests.values()] + self._labels
        self._tests.clear()
        self._labels.clear()
        self._close(self.base)
        return rest

    # -- other processes --------------------------------------------------------------------

    def handed_over(self) -> tuple[list[tuple[str, str]], list[str]]:
        """What a process that is started now goes on with: tests with their phases, and labels."""
        tests = [(name, str(context.phase)) for name, context in list(self._tests.values())]
        return tests, [context.label for context in self._labels]

    def take_over(self, tests: Iterable[tuple[str, str]], labels: Iterable[str]) -> None:
        """Opens what was handed over by the process that started this one; this thread is in the
        first of the tests."""
        self._switch()
        for number, (name, phase) in enumerate(tests):
            context = self._test_context(TestName(name), Phase(phase))
            self._tests[-number or get_ident()] = (TestName(name), context)
        self._labels += [self._label_context(label) for label in labels]

    def go_on_forked(self) -> None:
        """In a forked child: what is open stays so, and nothing has run yet."""
        collect()
        self.closed.clear()
        self.notes.clear()
        self._blocked = {}
        self.base = self._label_context("")
        for thread, (name, context) in list(self._tests.items()):
            assert context.phase is not None
            self._tests[thread] = (name, self._test_context(name, context.phase))
        for context in self._labels:  # the same objects: they are what closes them
            context.patterns = set()
            context.written = 0

    def snapshot(self) -> list[tuple[Context, set[int]]]:
        """The open contexts, and what has run in each until now; nothing changes."""
        hit = peek()
        active = self._active()
        idle = [] if self.base in active else [(self.base, self.base.patterns.copy())]
        return idle + [(context, context.patterns.union(hit)) for context in active]

    # -- collecting -------------------------------------------------------------------------

    # The same key for the same name: what a context runs when it opens again adds up.

    def _test_context(self, name: TestName, phase: Phase) -> Context:
        """A phase of a test that has run nothing yet."""
        number = self._test_numbers.setdefault(name, len(self._test_numbers))
        place = 0 if phase is Phase.SETUP else 1 if phase is Phase.CALL else 2
        return Context(number * 4 + place, name, phase)

    def _label_context(self, label: str) -> Context:
        """A labelled context that has run nothing yet."""
        number = self._label_numbers.setdefault(label, len(self._label_numbers))
        return Context(number * 4 + 3, label=label)

    def _close(self, context: Context) -> None:
        """Queues what it ran; most setups and teardowns run nothing."""
        if context.patterns:
            self.closed.append(context)

    def _active(self) -> list[Context]:
        tests = [context for _, context in list(self._tests.values())]
        return (tests or [self.base]) + self._labels

    def _switch(self) -> None:
        """Gives what was hit since the last switch to what has been open."""
        if thread_count() > 1:
            self._look_at_blocked()
        if LOG:
            hit = collect()
            for context in self._active():
                context.patterns.update(hit)

    def _look_at_blocked(self) -> None:
        """Notes how far other threads have come in a run of statements whose probe is ahead.

        A frame that has not moved since the last look belongs to an earlier context.
        """
        mine = get_ident()
        places: dict[int, int] = {}
        for thread, top in sys._current_frames().items():
            frame = top if thread != mine else None
            while frame is not None:
                for constant in frame.f_code.co_consts:
                    if isinstance(constant, Block):
                        places[id(frame)] = frame.f_lasti
                        if self._blocked.get(id(frame)) != frame.f_lasti:
                            constant.log += ((constant, -(frame.f_lineno or 0)),)
                        break
                frame = frame.f_back
        self._blocked = places
