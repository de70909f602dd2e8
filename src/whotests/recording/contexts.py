"""Which contexts are open, and what has run in each.

Facts go to every context that is open. `""` is open whenever no test is. What one context hit
is collected when the next one opens or it closes; in between nothing is looked at.
"""

from _thread import _count as thread_count  # running threads, at the cost of one call
from _weakref import ref
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from whotests.probes.collecting import IN_HAND, forget, gather, peek
from whotests.probes.runtime import LOG
from whotests.recording.confusion import Confusion
from whotests.recording.context import Context, OpenTest
from whotests.recording.interruptions import is_the_programs
from whotests.recording.originals import RLock, get_ident
from whotests.recording.strands import Greenlets, Starts, Strand, starters, this_strand
from whotests.recording.waiting import Waiting
from whotests.records import TestRecord
from whotests.types import Outcome, Phase, Runner, TestName

__all__ = ["Contexts"]

IMPORT = "import"

# A member of an enum that is fetched from its class costs as much as a call.
_SETUP = Phase.SETUP
_UNKNOWN = Outcome.UNKNOWN

_ATTEMPTS = 3
"""How often the open contexts are looked at while others switch."""


class _Start(NamedTuple):
    """Where a thread was started."""

    test: Callable[[], OpenTest | None]
    """The test, until it is over."""
    labels: tuple[int, ...]
    """The openings of the labels around it."""


class Contexts:
    """The open contexts of this process. Any thread may call; another one may read.

    A test belongs to the strand, a thread or greenlet, that began it. What strands run that
    were started within the test is its own, tests of an inner runner included.
    """

    def __init__(self) -> None:
        self._test_numbers: dict[TestName, int] = {}
        self._label_numbers: dict[str, int] = {}
        self.base = self._label_context("")
        self._tests: dict[Strand, OpenTest] = {}
        self._labels: list[Context] = []
        self._imports = 0
        self._lock = RLock()
        """Held while something opens or closes: what was hit before is given to what was open
        before. One thread may take it again, in a signal's handler."""
        self._switches = 0
        self._starts = Starts(self._start)
        self._greenlets = Greenlets()
        self._waiting = Waiting(self._greenlets)
        self._confusion = Confusion()
        self.closed: deque[Context] = deque()
        """Contexts that were closed and wait to be written."""
        self.tests: deque[TestRecord] = deque()
        """What became known of tests and waits to be written."""
        self.unfinished: deque[Context] = deque()
        """What was open in the end and waits to be written."""

    def watch(self) -> None:
        """From now on note where threads are started, and which greenlets wait."""
        self._starts.install()
        self._greenlets.install()

    # -- what may be open -------------------------------------------------------------------

    def start_test(self, name: TestName, runner: Runner) -> bool:
        """Opens a test's setup; False when this strand runs a test already, or was started
        within one that still runs."""
        strand = this_strand()
        test: OpenTest | None = None
        try:
            with self._lock:
                if self._test_around(strand) is not None:
                    return False
                self._greenlets.watch_this_thread()
                self._switch()
                self.tests.append(TestRecord(name, runner, _UNKNOWN, None))
                test = self._open_test(name, _SETUP)
                self._tests[strand] = test
        except BaseException:  # a signal's handler raised: nobody would stop it
            if test is not None:
                self._stop_test()
            raise
        return True

    def in_test(self) -> bool:
        """Whether this strand runs a test, or was started within one that still runs."""
        return self._test_around(this_strand()) is not None

    def enter_phase(self, phase: Phase) -> None:
        """Ends the phase of the test that runs here and opens the next one."""
        with self._lock:
            test = self._test_around(this_strand())
            if test is not None and test.context.phase is not phase:
                self._switch()
                self._close(test.context)
                test.enter(phase)

    def stop_test(self) -> None:
        """Closes the test that runs here."""
        try:
            self._stop_test()
        except BaseException:  # a signal's handler raised: it is over all the same
            self._stop_test()
            raise

    def _stop_test(self) -> None:
        with self._lock:
            test = self._test_around(this_strand())
            if test is not None:
                self._switch()
                self._close(test.context)
                for strand, other in list(self._tests.items()):
                    if other is test:
                        del self._tests[strand]

    def open_label(self, label: str) -> Context:
        """Opens a context of the user's, beside what is open; give it to `close_label`."""
        context = self._label_context(label)
        try:
            with self._lock:
                self._greenlets.watch_this_thread()
                self._switch()
                if label != IMPORT:
                    labels = [other for other in self._labels if other.label != IMPORT]
                    self._confusion.opens(context, labels, self._labels_around())
                self._labels.append(context)
        except BaseException:  # a signal's handler raised: nobody would close it
            self._close_label(context)
            raise
        return context

    def close_label(self, context: Context) -> None:
        """Closes it; nothing happens when it is closed."""
        try:
            self._close_label(context)
        except BaseException:  # a signal's handler raised: it is closed all the same
            self._close_label(context)
            raise

    def _close_label(self, context: Context) -> None:
        with self._lock:
            if context in self._labels:
                self._switch()
                self._close(context)
                self._confusion.closes(context)
                self._labels.remove(context)

    def import_began(self) -> None:
        """A measured module's own code begins."""
        counted = False
        try:
            with self._lock:
                if not self._imports:
                    self.open_label(IMPORT)
                self._imports += 1
                counted = True
        except BaseException as error:
            if isinstance(error, Exception) and not is_the_programs(error):
                self._imports += not counted  # it goes on all the same, and will end
            elif counted:  # a signal's handler raised: nobody will end it
                self.import_ended()
            raise

    def import_ended(self) -> None:
        """It ended, well or not."""
        counted = True
        try:
            with self._lock:
                if self._imports:  # one that began with no stack left may not be counted
                    self._imports -= 1
                counted = False
                self._close_import()
        except BaseException:  # a signal's handler raised: it has ended all the same
            with self._lock:
                if self._imports and counted:
                    self._imports -= 1
                self._close_import()
            raise

    def _close_import(self) -> None:
        if not self._imports:
            for context in list(self._labels):
                if context.label == IMPORT:
                    self._close_label(context)

    def finish(self) -> None:
        """Collects for the last time. What is open then is `unfinished`; only `""` is closed."""
        self._starts.remove()
        self._greenlets.remove()
        with self._lock:
            self._switch()
            self.unfinished += [test.context for test in self._tests.values()] + self._labels
            self._tests.clear()
            self._labels = []
            self._close(self.base)

    # -- other processes --------------------------------------------------------------------

    def handed_over(self) -> tuple[list[tuple[str, str]], list[str]]:
        """What a process that is started now goes on with: tests with their phases, and labels."""
        tests = [(str(test.name), str(test.context.phase)) for test in list(self._tests.values())]
        return tests, [context.label for context in self._labels]

    def take_over(self, tests: Iterable[tuple[str, str]], labels: Iterable[str]) -> None:
        """Opens what was handed over by the process that started this one; this thread is in the
        first of the tests."""
        with self._lock:
            self._switch()
            for number, (name, phase) in enumerate(tests):
                test = self._open_test(TestName(name), Phase(phase))
                self._tests[-number or get_ident()] = test
            self._labels += [self._label_context(label) for label in labels]

    def go_on_forked(self) -> None:
        """In a forked child: what is open stays so, and nothing has run yet."""
        self._lock = RLock()  # another thread may have been in here, which the child has not
        forget()
        self.closed.clear()
        self.tests.clear()
        self.unfinished.clear()
        self._waiting.forget()
        self.base = self._label_context("")
        for test in list(self._tests.values()):
            assert test.context.phase is not None
            test.context = test.context_of(test.context.phase)
        for context in self._labels:  # the same objects: they are what closes them
            context.patterns = ()
            context.written = 0

    def snapshot(self) -> list[tuple[Context, set[int]]]:
        """The open contexts, and what has run in each until now; nothing changes.

        Nobody waits for it: where something opens or closes meanwhile, again and again, what was
        hit since the last switch is left out.
        """
        for _ in range(_ATTEMPTS):
            if self._lock.acquire(blocking=False):
                switches = self._switches
                self._lock.release()
                found = self._with(peek())
                if self._switches == switches:
                    return found
        return self._with([])

    def _with(self, hit: list[int]) -> list[tuple[Context, set[int]]]:
        """What has run in each of the open contexts, if this was hit since the last switch."""
        active = self._active()
        idle = [] if self.base in active else [(self.base, set(self.base.patterns))]
        return idle + [(context, set(context.patterns).union(hit)) for context in active]

    @property
    def confusion(self) -> str:
        """What to say of tests and labels that cannot be told apart, or ''."""
        return self._confusion.told

    # -- who is within what -----------------------------------------------------------------

    def _test_around(self, strand: Strand) -> OpenTest | None:
        """The test that the caller's strand runs, or was started in."""
        if not self._tests:
            return None
        test = self._tests.get(strand)
        if test is not None:
            return test
        start = self._starts.of_this_thread()
        if isinstance(start, _Start):
            test = start.test()
            if test is not None and test in self._tests.values():
                return test
        for starter in starters(strand):
            test = self._tests.get(starter)
            if test is not None:
                return test
        return None

    def _start(self) -> _Start | None:
        """What to know of a thread that is started here and now."""
        try:
            test = self._test_around(this_strand())
            labels = self._labels_around()
            if test is None and not labels:
                return None
            return _Start(_nobody if test is None else ref(test), labels)
        except Exception:  # not in the way of the program; a test of its own is the worst
            return None

    def _labels_around(self) -> tuple[int, ...]:
        """The openings of the labels within which the caller runs, over or not."""
        around = self._confusion.around
        if around is not None:
            return around
        start = self._starts.of_this_thread()
        return start.labels if isinstance(start, _Start) else ()

    # -- collecting -------------------------------------------------------------------------

    def _open_test(self, name: TestName, phase: Phase) -> OpenTest:
        """The test in a phase that has run nothing yet."""
        number = self._test_numbers.setdefault(name, len(self._test_numbers))
        return OpenTest(name, number, phase)

    def _label_context(self, label: str) -> Context:
        """A labelled context that has run nothing yet. The same key for the same label, too."""
        number = self._label_numbers.setdefault(label, len(self._label_numbers))
        return Context(number * 4 + 3, label=label)

    def _close(self, context: Context) -> None:
        """Queues what it ran; most setups and teardowns run nothing. Before it is forgotten: a
        signal's handler may raise in between, and one that is queued again adds up."""
        if context.patterns:
            self.closed.append(context)

    def _active(self) -> list[Context]:
        tests = [test.context for test in list(self._tests.values())]
        return (tests or [self.base]) + self._labels

    def _switch(self) -> None:
        """Gives what was hit since the last switch to what has been open."""
        self._switches += 1
        if thread_count() > 1 or self._greenlets.left:
            self._waiting.look()
        if LOG or IN_HAND:
            active = self._active()
            gather()
            hit = tuple(IN_HAND)
            for context in active:
                context.add(hit)
            # A signal's handler may have come between: then they are given once more.
            del IN_HAND[:]
            if hit and len(active) > 1:
                self._confusion.ran([test.name for test in self._tests.values()])


def _nobody() -> None:
    """A test that never was."""
