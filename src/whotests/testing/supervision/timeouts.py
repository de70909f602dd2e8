"""A limit on how long a test may take, which stops blocking code, too."""

import signal
import sys
import threading
import traceback
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, NoReturn, Protocol, TypeVar

from whotests.system import System
from whotests.testing.details.frames import CASE, PACKAGE, innermost, is_library, users_place

__all__ = ["WATCHDOG", "Deadline", "Expired", "TimedOut", "current_deadline"]

__unittest = True

_Value = TypeVar("_Value")

GRACE = 1.0
"""Seconds that what was interrupted has for its `finally` clauses, before it is again."""

TICK = 0.05
"""Seconds after which it is looked whether what was asked to stop has heard it."""

WATCHDOG = "whotests timeout"
"""How the names of the threads begin that watch over others."""

ASKED = 3
"""How often a loop that hears is asked; after that it is interrupted like blocking code."""


class TimedOut(TimeoutError):
    """The test took longer than it may; its message names the limit and where the test was."""

    __module__ = "whotests.testing"

    def __init__(self, message: str, stacks: str = "") -> None:
        super().__init__(message)
        self.stacks = stacks
        """Where every thread and task was, as text; a note of the exception, too."""
        if stacks:
            self.add_note(f"Where everything was:\n{stacks}")


class Expired(BaseException):
    """What is thrown into the test. Never seen outside: it becomes a TimedOut.

    A BaseException, so that `except Exception` in what is tested does not take it.
    """


class Interruptible(Protocol):
    """A loop that may be asked to stop what it runs, rather than be interrupted."""

    def ask(self) -> None:
        """Ask, from a signal's handler or any thread."""

    @property
    def heard(self) -> bool:
        """Whether the loop has taken note since it was last asked; False while it is blocked."""

    def stacks(self) -> list[tuple[str, list[traceback.FrameSummary]]]:
        """What waits in the loop, the test first: names, and where each waits."""


def current_deadline() -> "Deadline | None":
    """The innermost deadline under which this thread runs."""
    return _current.get(threading.get_ident())


_current: "dict[int, Deadline]" = {}


class Deadline:
    """A limit for one call of a function, in the thread that makes it.

    In the main thread, where the system has `setitimer`, SIGALRM interrupts even what waits in
    the system. Elsewhere an exception is put into the thread, which takes effect as soon as
    Python code runs there. What swallows the exception gets it again.
    """

    __slots__ = (
        "_asked",
        "_listening",
        "_loop",
        "_next",
        "_seen",
        "_stacks",
        "_where",
        "_within",
        "due",
        "fired",
        "of",
        "over",
        "seconds",
    )

    def __init__(
        self, seconds: float, *, of: str, within: frozenset[CodeType] = frozenset()
    ) -> None:
        """A limit of so many seconds, for what the message shall call `of`.

        With `within`, the function is interrupted only while it is in a call of one of these:
        the rest of it would not bear that.
        """
        self.seconds = seconds
        self.of = of
        self._within = within
        self._loop: Interruptible | None = None
        self.over = False
        """Whether the function has ended: nothing is interrupted any more."""
        self.fired = False
        """Whether the time was up before the function ended."""
        self.due = 0.0
        """When the time is up, as of `System.monotonic`."""
        self._asked = 0
        self._listening = False
        self._seen: tuple[int, int] | None = None
        self._next = 0.0
        self._where = ""
        self._stacks = ""

    def run(self, function: Callable[[], _Value]) -> _Value:
        """What the function returns; TimedOut if that took longer than the limit.

        That it took longer counts, whatever came of it: a result or another exception are the
        context of the TimedOut.
        """
        ident = threading.get_ident()
        outer = _current.get(ident)
        clock: _Alarm | _Watchdog
        clock = _Alarm(self) if may_use_alarms() else _Watchdog(self, ident)
        raised: BaseException | None = None
        # Expired may come between any two instructions until `end` has gone through once.
        try:
            try:
                _current[ident] = self
                self.due = self._next = System.monotonic() + self.seconds
                clock.begin()
                self.due = self._next = System.monotonic() + self.seconds
                value = function()
            finally:
                self.over = True
        except BaseException as error:
            raised = error
        while True:
            try:
                clock.end()
                if outer is None:
                    _current.pop(ident, None)
                else:
                    _current[ident] = outer
                break
            except Expired:
                continue
        if self.fired:
            _raise(self.timed_out(raised))
        if raised is not None:
            raise raised
        return value

    def interrupted_by(self, loop: Interruptible | None) -> Interruptible | None:
        """From now on this loop is asked first; the one that was asked until now."""
        before, self._loop = self._loop, loop
        return before

    def expire(self, now: float, look: Callable[[], FrameType | None]) -> bool:
        """The time may be up: whether the tested thread is to be interrupted now.

        Called in the tested thread by a signal, or by the watchdog's thread, every `TICK`
        seconds since the time was up. `look` tells at which frame the tested thread is now.
        """
        if self.over or now < self.due:
            return False
        if not self.fired:
            self.fired = True
            self._note(look())
        loop = self._loop
        if loop is not None and self._listening:
            self._listening = False
            if not loop.heard:
                self._next = now
                loop = None
        if now < self._next:
            return False
        if loop is not None and self._asked < ASKED:
            self._next = now + GRACE
            self._asked += 1
            self._listening = True
            loop.ask()
            return False
        frame = look()
        if not self._inside(frame) or self._between(frame):
            return False
        self._next = now + GRACE
        return True

    def _inside(self, frame: FrameType | None) -> bool:
        """Whether the frame is below a call within which the function may be interrupted."""
        if not self._within:
            return True
        while frame is not None and frame.f_code not in self._within:
            frame = frame.f_back
        return frame is not None

    def _between(self, frame: FrameType | None) -> bool:
        """Whether our own code runs just now, or what it calls of the library, as to close a loop.

        It is left to finish. What is still at the same place the next time waits on behalf of
        the test, as a clean-up does that is a function of the library.
        """
        if frame is None:
            return False
        place = (id(frame), frame.f_lasti)
        moved, self._seen = place != self._seen, place
        if frame.f_code.co_name in _BY_THE_COLLECTOR:
            return moved
        above: FrameType | None = frame
        while above is not None and is_library(above.f_code.co_filename):
            if (above.f_globals.get("__name__") or "").startswith(PACKAGE):
                return moved
            above = above.f_back
        return False

    def _note(self, frame: FrameType | None) -> None:
        """Keep where the test is, for the message, and where everything else is."""
        waiting = self._loop.stacks() if self._loop is not None else []
        running = users_place(frame) if frame is not None else None
        place = (innermost(waiting[0][1]) if waiting else "") or running
        if place:
            self._where = f", at {place}"
        elif waiting:
            self._where = f", while it waited for {waiting[0][0]}"
        texts = [
            f"{name}:\n{''.join(traceback.format_list(stack))}" for name, stack in waiting if stack
        ]
        ident = threading.get_ident()
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for other, top in sys._current_frames().items():
            name = names.get(other, str(other))
            if name.startswith(WATCHDOG) or (other not in names and _is_ours(top)):
                continue
            if other == ident:
                stack = own_stack(frame or top, below=self._within | {Deadline.run.__code__})
            else:
                stack = own_stack(top)
            texts.append(f"thread {name!r}:\n{stack}")
        self._stacks = "\n".join(text.rstrip() for text in texts)

    def timed_out(self, raised: BaseException | None) -> TimedOut:
        """What is to be told in place of what the function raised, once the limit has fired."""
        error = TimedOut(
            f"{self.of} took longer than {self.seconds:g} s and was stopped{self._where}",
            self._stacks,
        )
        if isinstance(raised, Expired):
            return error.with_traceback(raised.__traceback__)
        if raised is not None and type(raised).__name__ != "CancelledError":
            error.__context__ = raised
        elif raised is not None:
            error.__traceback__ = raised.__traceback__
        return error


def _raise(error: TimedOut) -> NoReturn:
    """A short frame, for runners that show the source of the last one."""
    raise error


class _Alarm:
    """SIGALRM for the main thread; the user's own alarm goes on meanwhile and afterwards."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._begun = False
        self._handler: Any = None
        self._theirs_due: float | None = None
        self._theirs_interval = 0.0

    def begin(self) -> None:
        now = System.monotonic()
        delay, self._theirs_interval = signal.getitimer(signal.ITIMER_REAL)
        if delay:
            self._theirs_due = now + delay
        self._handler = signal.getsignal(signal.SIGALRM)
        self._begun = True
        signal.signal(signal.SIGALRM, self._ring)
        self._arm(now)

    def end(self) -> None:
        if not self._begun:
            return
        if signal.getsignal(signal.SIGALRM) == self._ring:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler)
            if self._theirs_due is not None:
                delay = max(self._theirs_due - System.monotonic(), 1e-6)
                signal.setitimer(signal.ITIMER_REAL, delay, self._theirs_interval)
        self._begun = False

    def _arm(self, now: float) -> None:
        delay = max(self._deadline.due - now, TICK if self._deadline.fired else 1e-6)
        if self._theirs_due is not None:
            delay = min(delay, max(self._theirs_due - now, 1e-6))
        signal.setitimer(signal.ITIMER_REAL, delay)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        now = System.monotonic()
        ours = self._deadline.expire(now, lambda: frame)
        theirs = self._theirs_due is not None and now >= self._theirs_due
        if theirs:
            interval = self._theirs_interval
            self._theirs_due = now + interval if interval else None
        if not self._deadline.over:
            self._arm(now)
        if theirs and callable(self._handler):
            self._handler(number, frame)
        if ours:
            raise Expired


class _Watchdog:
    """A thread that puts an exception into the tested one."""

    def __init__(self, deadline: Deadline, ident: int) -> None:
        self._deadline = deadline
        self._ident = ident
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        import ctypes  # noqa: F401 - later, it would take too long

        self._thread = threading.Thread(
            target=self._watch, name=f"{WATCHDOG} of {self._deadline.of}", daemon=True
        )
        self._thread.start()

    def end(self) -> None:
        if self._thread is None:
            return
        self._ended.set()
        with self._lock:
            # Whoever had the lock saw `over`, or has put the exception in already.
            put_into(self._ident, None)
        self._thread.join()
        self._thread = None

    def _look(self) -> FrameType | None:
        return sys._current_frames().get(self._ident)

    def _watch(self) -> None:
        wait = self._deadline.due - System.monotonic()
        while not self._ended.wait(max(wait, 0.0)):
            with self._lock:
                if self._deadline.expire(System.monotonic(), self._look):
                    put_into(self._ident, Expired)
            wait = max(self._deadline.due - System.monotonic(), TICK)


def own_stack(frame: FrameType | None, *, below: frozenset[CodeType] = frozenset()) -> str:
    """The test's part of the stack down to a frame, as text: what is below these calls."""
    stack = []
    for each, line in traceback.walk_stack(frame):
        name = each.f_globals.get("__name__") or ""
        if name == CASE or each.f_code in below:
            break
        if not name.startswith(_MACHINERY) and each.f_code.co_name not in _BOOTSTRAP:
            stack.append((each, line))
    stack.reverse()
    for place, (each, _) in enumerate(stack):
        if not (each.f_globals.get("__name__") or "").startswith(_CALLERS):
            del stack[:place]
            break
    return "".join(traceback.StackSummary.extract(iter(stack)).format()) or "  in its loop"


def _is_ours(frame: FrameType) -> bool:
    """Whether the frame is of a thread that whotests has for itself."""
    while frame.f_back is not None:
        frame = frame.f_back
    return (frame.f_globals.get("__name__") or "").startswith("whotests.")


_CALLERS = ("_pytest.", "pluggy.", "unittest.", "whotests.")
"""Modules by which one comes to a test. Where they are what it tests, they stand below it."""

_MACHINERY = (
    PACKAGE,
    "asyncio.base_events",
    "asyncio.events",
    "asyncio.unix_events",
    "selectors",
    "twisted.internet.base",
    "twisted.internet.epollreactor",
)
_BY_THE_COLLECTOR = ("__del__", "_remove")
"""Functions from which no exception gets out."""

_BOOTSTRAP = ("_bootstrap", "_bootstrap_inner")


def put_into(ident: int, exception: type[BaseException] | None) -> None:
    """Let the exception be raised in that thread as soon as it runs Python code; None: no more."""
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(ident), ctypes.py_object(exception) if exception else None
    )


def may_use_alarms() -> bool:
    """Whether SIGALRM comes to this thread, and its handler can be put back afterwards."""
    return (
        hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGALRM) is not None
    )
