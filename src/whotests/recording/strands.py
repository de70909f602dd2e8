"""Who runs: a thread, or a greenlet that is one of several in a thread, and where it came from.

greenlet is known only once the program itself has imported it.
"""

import sys
from _weakref import ref
from collections.abc import Callable, Iterator
from types import FrameType, ModuleType
from typing import Any

from whotests.recording.after_import import when_imported
from whotests.recording.originals import get_ident

__all__ = ["Greenlets", "Starts", "Strand", "starters", "this_strand"]

Strand = object
"""A thread's number, which also stands for its main greenlet, or a weak reference to another
greenlet. Can be compared and hashed."""

_Switched = tuple[Any, Any]


def this_strand() -> Strand:
    """The strand of the caller."""
    module = sys.modules.get("greenlet")
    if module is not None:
        current = getattr(module, "getcurrent", None)  # None while it is being imported
        greenlet = current() if current is not None else None
        if greenlet is not None and greenlet.parent is not None:
            return ref(greenlet)
    return get_ident()


def starters(strand: Strand) -> Iterator[Strand]:
    """The strands that a greenlet of this thread comes from, the nearest first; a thread has none.

    gevent keeps who spawned a greenlet. Else it is the greenlet's parent: the one that made it,
    unless it was given another.
    """
    greenlet = strand() if isinstance(strand, ref) else None
    met = set()
    while greenlet is not None and greenlet.parent is not None and id(greenlet) not in met:
        met.add(id(greenlet))
        spawner = getattr(greenlet, "spawning_greenlet", _nobody)
        greenlet = (spawner() if callable(spawner) else None) or greenlet.parent
        yield get_ident() if greenlet.parent is None else ref(greenlet)


def _nobody() -> None:
    """Nothing is known of who spawned it."""


class Starts:
    """A note for each thread, taken where it is started, for as long as the thread is there.

    Every `Thread.start` puts the thread into a dictionary of `threading`'s. While installed,
    that is one of ours: so no frame and no function of ours is in anyone's sight.
    """

    def __init__(self, note: Callable[[], object]) -> None:
        """`note` gives what to keep of the starter; None: nothing. It must not raise."""
        self._note = note
        self._threading: Any = None
        self._notes: Any = {}
        self._installed = False

    def install(self) -> None:
        """From now on, or from when `threading` is imported."""
        self._installed = True
        when_imported("threading", self._watch)

    def remove(self) -> None:
        """Leaves `threading` as it was."""
        self._installed = False
        threading = self._threading
        if threading is not None and isinstance(threading._limbo, _Limbo):
            with threading._active_limbo_lock:
                threading._limbo = dict(threading._limbo)

    def of_this_thread(self) -> object:
        """What was noted where the thread of the caller was started, or None."""
        threading = self._threading
        if threading is None:
            return None
        # gevent gives its greenlets numbers and makes threads of them: then this is about those.
        thread = threading._active.get(threading.get_ident())
        return self._notes.get(thread) if thread is not None else None

    def _watch(self, threading: ModuleType) -> None:
        from weakref import WeakKeyDictionary

        module: Any = threading
        if not self._installed or not isinstance(getattr(module, "_limbo", None), dict):
            return
        self._threading = module
        self._notes = WeakKeyDictionary()
        with module._active_limbo_lock:
            limbo = _Limbo(module._limbo)
            limbo.started = self._started
            module._limbo = limbo

    def _started(self, thread: object) -> None:
        note = self._note()
        if note is not None:
            self._notes[thread] = note


class _Limbo(dict[Any, Any]):
    """The threads that were started and do not run yet."""

    __slots__ = ("started",)

    started: Callable[[object], None]

    def __setitem__(self, thread: object, value: object) -> None:
        self.started(thread)
        super().__setitem__(thread, value)


class Greenlets:
    """The greenlets that were left in the middle of something since they were last looked at.

    Noted by a trace function of greenlet's, which is set in each thread that asks for it, gives
    way to one of the user's, and holds greenlets weakly.
    """

    def __init__(self) -> None:
        self._module: Any = None
        self.left: dict[int, Any] = {}
        """Those that there are to look at, by their identity."""
        self._installed = False

    def install(self) -> None:
        """In this thread from now on, or from when `greenlet` is imported."""
        self._installed = True
        when_imported("greenlet", self._found)

    def remove(self) -> None:
        """No more of this thread; other threads go on noting what nobody looks at."""
        self._installed = False
        if self._module is not None and self._module.gettrace() == self._switched:
            self._module.settrace(None)

    def watch_this_thread(self) -> None:
        """The same for the thread of the caller."""
        module = self._module
        if module is not None and module.gettrace() is None and self._installed:
            module.settrace(self._switched)

    def left_frames(self) -> Iterator[FrameType]:
        """The innermost frame of each greenlet that was left since the last call, and is not
        running."""
        while self.left:
            try:
                _, reference = self.left.popitem()
            except KeyError:  # another thread was quicker
                return
            frame = getattr(reference(), "gr_frame", None)
            if frame is not None:
                yield frame

    def _found(self, greenlet: ModuleType) -> None:
        if hasattr(greenlet, "settrace"):
            self._module = greenlet
            self.watch_this_thread()

    def _switched(self, event: str, greenlets: _Switched) -> None:
        if event == "switch" or event == "throw":
            left = greenlets[0]
            self.left[id(left)] = ref(left)
