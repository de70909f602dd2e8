"""What one worker has been handed out and has not finished."""

from collections import deque
from collections.abc import Iterator

from whotests.runner.items import Item, Key

__all__ = ["Batch", "Load"]

Batch = dict[Key, tuple[Item, float]]
"""Tests that were handed out at once, and how long each presumably takes."""


class Load:
    """What a worker has: all of one suite, the oldest first."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque()
        self._held: Batch = {}
        """Left over of batches that are done."""
        self.seconds = 0.0
        """How long all of it presumably takes."""

    def __iter__(self) -> Iterator[Key]:
        yield from self._held
        for batch in self._batches:
            yield from batch

    def __bool__(self) -> bool:
        return bool(self._held or self._batches)

    def add(self, batch: Batch) -> None:
        """It gets these, too."""
        self._batches.append(batch)
        self.seconds += sum(seconds for _, seconds in batch.values())

    def remove(self, key: Key) -> Item | None:
        """It has finished this test; None: it did not have it."""
        found = self._batches[0].pop(key, None) if self._batches else None
        if found is None:
            for batch in (self._held, *self._batches):
                if (found := batch.pop(key, None)) is not None:
                    break
            else:
                return None
        item, seconds = found
        self.seconds -= seconds
        return item

    def close(self, held: frozenset[str]) -> tuple[Key, ...]:
        """The oldest batch is done, but for those that are held; what else was not finished."""
        batch = self._oldest()
        self._held = {key: found for key, found in batch.items() if key.test_id in held}
        silent = tuple(key for key in batch if key not in self._held)
        self.seconds -= sum(batch[key][1] for key in silent)
        return silent

    def drop(self) -> list[Item]:
        """It does not run the oldest batch any more, nor what it held: what that was."""
        batch = self._oldest()
        self.seconds -= sum(seconds for _, seconds in batch.values())
        return [item for item, _ in batch.values()]

    def _oldest(self) -> Batch:
        """Take away what is held and the oldest batch."""
        batch = self._held | (self._batches.popleft() if self._batches else {})
        self._held = {}
        return batch
