"""Which worker runs which tests next: decisions only, no clock and no process."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Item", "Key", "Scheduler"]


class Key(NamedTuple):
    """One test of a run: ids tell tests apart within their suite."""

    suite: int
    test_id: str


class Item(NamedTuple):
    """A test that is to be run."""

    key: Key
    group: str = ""
    """Tests of one group share fixtures and stay together; '' is no group."""
    seconds: float | None = None
    """How long it took before, if that is known."""


class Scheduler:
    """Hands out tests until each is done. Every test is in one place: waiting, with a worker, or
    done."""

    def __init__(self, items: Iterable[Item], *, workers: int) -> None:
        self._workers = workers
        self._items = {item.key: item for item in items}
        self._waiting = deque(self._items.values())
        self._with: dict[str, list[Item]] = {}

    @property
    def waiting(self) -> int:
        """How many tests no worker has."""
        return len(self._waiting)

    def next_for(self, worker: str, *, suite: int | None) -> tuple[Item, ...]:
        """What this worker runs next, all of one suite, in that order; none: nothing waits now,
        but some may come back. `suite` is that of its host, None when it has none."""
        size = max(1, len(self._waiting) // (2 * self._workers)) if self._workers > 1 else 1 << 30
        batch: list[Item] = []
        while self._waiting and len(batch) < size:
            if batch and self._waiting[0].key.suite != batch[0].key.suite:
                break
            batch.append(self._waiting.popleft())
        self._with.setdefault(worker, []).extend(batch)
        return tuple(batch)

    def done(self, worker: str, *, held: Iterable[str] = ()) -> None:
        """The worker has run what it had, but for the held ones."""
        still = set(held)
        self._with[worker] = [i for i in self._with.get(worker, ()) if i.key.test_id in still]

    def lost(self, worker: str, *, finished: Iterable[Key]) -> None:
        """The worker does not run what it had any more; what is not finished waits again."""
        over = set(finished)
        back = [item for item in self._with.pop(worker, ()) if item.key not in over]
        self._waiting.extendleft(reversed(back))

    def again(self, keys: Iterable[Key]) -> None:
        """Let these wait once more, though they were done."""
        there = {item.key for items in (self._waiting, *self._with.values()) for item in items}
        self._waiting.extend(self._items[key] for key in keys if key not in there)
