"""Frames of other strands that wait in the middle of a run of statements."""

import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType

from whotests.probes.collecting import note_waiting
from whotests.probes.runtime import is_block
from whotests.recording.originals import get_ident
from whotests.recording.strands import Greenlets

__all__ = ["Waiting"]

_gil_enabled: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)


class Waiting:
    """How far other threads and greenlets have come where the next probe is ahead of them."""

    def __init__(self, greenlets: Greenlets) -> None:
        self._greenlets = greenlets
        self._found: dict[int, tuple[CodeType, int]] = {}
        """Frame of another strand -> its code and the place where it was found waiting."""

    def look(self) -> None:
        """Notes what they have run since the last look.

        A frame that has not moved since belongs to an earlier context.
        """
        before = self._found
        now: dict[int, tuple[CodeType, int]] = {}
        for frame in self._frames():
            code = frame.f_code
            for constant in code.co_consts:
                if is_block(constant):
                    place = now[id(frame)] = (code, frame.f_lasti)
                    if before.get(id(frame)) != place and frame.f_lineno:
                        note_waiting(constant, frame.f_lineno)
                    break
        self._found = now

    def forget(self) -> None:
        """In a forked child, which has none of them."""
        self._found = {}

    def _frames(self) -> Iterator[FrameType]:
        """All frames of other threads, and of the greenlets that were left since the last time."""
        mine = get_ident()
        innermost = list(self._greenlets.left_frames())
        # Without the interpreter lock the others run on, and their frames must not be touched.
        if _gil_enabled():
            innermost += [top for thread, top in sys._current_frames().items() if thread != mine]
        for frame in innermost:
            outer: FrameType | None = frame
            while outer is not None:
                yield outer
                outer = outer.f_back
