"""Tests and labels that were open side by side, so that nothing can tell which of them ran what."""

from collections.abc import Iterable, Sequence
from typing import Any

from whotests.recording.context import Context
from whotests.types import TestName

__all__ = ["Confusion"]


class Confusion:
    """What of the run cannot be told apart."""

    def __init__(self) -> None:
        self._tests: set[TestName] = set()
        self._labels: set[str] = set()
        self._beside: list[tuple[Context, Context]] = []
        """Labels that are open side by side, and of which nothing ran so far."""
        self._openings = 0
        self._around: Any = None
        """A ContextVar with the openings of the labels around: a task has those of the task that
        began it. There once a label was opened."""

    @property
    def told(self) -> str:
        """What to say of it, or ''."""
        parts = [
            f"{number} {noun}s"
            for number, noun in ((len(self._tests), "test"), (len(self._labels), "label"))
            if number
        ]
        if not parts:
            return ""
        return (
            f"{' and '.join(parts)} were open side by side, in threads, tasks or greenlets, and "
            "what ran meanwhile counts for all that were open; "
            "run them one after another to tell them apart"
        )

    @property
    def around(self) -> tuple[int, ...] | None:
        """The openings of the labels within which the caller's task runs, over or not; None where
        nothing was opened."""
        if self._around is None:
            return ()
        around: tuple[int, ...] | None = self._around.get(None)
        return around

    def opens(self, context: Context, labels: Iterable[Context], around: Sequence[int]) -> None:
        """A label opens beside those that are open, and within those around: finds the open ones
        within which it is not."""
        if self._around is None:
            from _contextvars import ContextVar

            self._around = ContextVar("whotests.context")
        self._openings += 1
        context.opening = self._openings
        open_labels = {other.opening: other for other in labels}
        around = tuple(opening for opening in around if opening in open_labels)
        self._around.set((*around, context.opening))
        news = context.label not in self._labels
        for opening, other in open_labels.items():
            if opening in around or other.label == context.label:
                continue
            if news or other.label not in self._labels:
                news = False  # once is enough to be told of
                self._beside.append((other, context))

    def closes(self, context: Context) -> None:
        """A label closes."""
        if self._beside:
            self._beside = [pair for pair in self._beside if context not in pair]

    def ran(self, tests: Sequence[TestName]) -> None:
        """Something has run while these tests were open, and several labels, or tests."""
        if len(tests) > 1:
            self._tests.update(tests)
        for pair in self._beside:
            self._labels.update(context.label for context in pair)
        self._beside = []
