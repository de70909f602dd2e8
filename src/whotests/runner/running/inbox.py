"""What happens meanwhile, in the order in which it happened, for one thread to read."""

from queue import Empty, SimpleQueue
from threading import Condition
from typing import Final, Generic, TypeVar

__all__ = ["Inbox"]

_News = TypeVar("_News")

_LOOK: Final = 0.5
"""Seconds after which a wait is looked up from."""

_ROOM: Final = 2 << 20
"""Octets that may wait to be read, besides the last ones."""


class Inbox(Generic[_News]):
    """A queue that any thread puts news into, and one takes them out of. Who brings more octets
    than there is room for waits until some have been read: what a run holds in memory does not
    grow with what its tests say."""

    def __init__(self, *, room: int = _ROOM) -> None:
        self._queue: SimpleQueue[_News] = SimpleQueue()
        self._room: float = room
        self._unread = 0
        self._changed = Condition()

    def put(self, news: _News, *, octets: int) -> None:
        """Bring news that take so many octets; returns when there is room for more."""
        self._queue.put(news)
        with self._changed:
            self._unread += octets
            while self._unread > self._room:
                self._changed.wait()

    def put_nowait(self, news: _News) -> None:
        """Bring news that take no room. A signal's handler may, too."""
        self._queue.put(news)

    def wait_next(self, timeout: float | None = None) -> _News | None:
        """The next news; None: there were none for so many seconds.

        A signal that comes just before its thread begins to wait does not wake that, nor does one
        that the system gives to another thread; Python would call the handler with the next news,
        which may never come. So the wait is looked up from now and then.
        """
        while True:
            try:
                return self._queue.get(timeout=_LOOK if timeout is None else timeout)
            except Empty:
                if timeout is not None:
                    return None

    def read(self, octets: int) -> None:
        """News of so many octets have been read."""
        with self._changed:
            self._unread -= octets
            self._changed.notify_all()

    def open(self) -> None:
        """Nobody waits for room any more: nothing is read from now on."""
        with self._changed:
            self._room = float("inf")
            self._changed.notify_all()
