"""Ctrl-C, and the signals by which systems end a program, as a run takes them."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Final

from whotests.runner.agents.slots import Slot
from whotests.stream.control import Control

__all__ = ["Interruption"]

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_FIRST: Final = "whotests: interrupted; fixtures are let go of. Once more kills the workers"
_SECOND: Final = "whotests: interrupted again; the workers are killed"


def _tell_stderr(sentence: str) -> None:
    # Not by a stream: the signal may have come in the middle of a write to it.
    with suppress(OSError, ValueError):
        os.write(sys.__stderr__.fileno(), f"\n{sentence}\n".encode())  # type: ignore[union-attr]


class Interruption:
    """While it is entered, in the main thread: the first signal asks the run to stop and its
    hosts to let go of their fixtures, the second one kills these. What is done by then counts.

    Before a run has told its slots, a signal is a KeyboardInterrupt. SIGHUP and SIGTERM count
    unless the process was started with these ignored, as by `nohup`.
    """

    def __init__(self, control: Control, *, tell: Callable[[str], object] = _tell_stderr) -> None:
        """`tell` gets a sentence for people, within the signal's handler."""
        self._control = control
        self._tell_people = tell
        self._slots: list[Slot] = []
        self._before: dict[signal.Signals, Any] = {}
        self.times = 0
        """How often it came."""

    def reaches(self, slots: Iterable[Slot]) -> None:
        """It reaches these, too, from now on; at once, if it has come already."""
        for slot in slots:
            self._slots.append(slot)
            self._tell(slot)

    def forget(self) -> None:
        """It reaches none of the slots any more: they are gone."""
        self._slots.clear()

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _came(self, number: int, frame: FrameType | None) -> None:
        self.times += 1
        self._control.stop()
        if not self._slots:
            raise KeyboardInterrupt
        self._tell_people(_FIRST if self.times == 1 else _SECOND)
        for slot in self._slots:
            self._tell(slot)

    def _tell(self, slot: Slot) -> None:
        if self.times > 1:
            slot.kill()
        elif self.times:
            slot.interrupt()
