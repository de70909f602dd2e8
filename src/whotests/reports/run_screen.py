"""Where a run is shown: a stream of lines, or a terminal with what goes on below them.

May import rich. Refuses to know what is shown.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TextIO

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment

__all__ = ["LiveScreen", "PlainScreen", "Screen"]


class Screen(Protocol):
    """Takes text while a run goes on, from one thread. Raises OSError as its stream does."""

    def start(self) -> None:
        """The run begins."""

    def write(self, text: str) -> None:
        """Show whole lines, now or soon."""

    def announce(self, text: str) -> None:
        """Show whole lines at once. The handler of a signal may call it, whatever it interrupts."""

    def stop(self) -> None:
        """The run is over: all that was written is shown, and nothing else stays."""


class PlainScreen:
    """Lines in a stream, and one now and then that tells that the run goes on.

    `pulse` gives that line, every `seconds`; None: there is nothing to tell.
    """

    def __init__(
        self, stream: TextIO, *, pulse: Callable[[], str | None], seconds: float = 60.0
    ) -> None:
        self._stream = stream
        self._pulse = pulse
        self._seconds = seconds
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="whotests display", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, text: str) -> None:
        with self._lock:
            self._stream.write(text)
            self._stream.flush()

    def announce(self, text: str) -> None:
        # Past the stream, which the signal may have found in the middle of a write.
        with suppress(OSError, ValueError):
            os.write(self._stream.fileno(), f"\n{text}".encode())

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _tell(self) -> None:
        while not self._over.wait(self._seconds):
            if (line := self._pulse()) is not None:
                try:
                    self.write(line + "\n")
                except (OSError, ValueError):  # full, gone, closed
                    return  # whoever writes next hears of it, in a thread that can say so


class LiveScreen:
    """A terminal: lines go up, and below them stands what `region` gives, several times a second.

    Lines are collected between two paintings, since one costs as much as many tests.
    """

    def __init__(
        self, console: Console, region: Callable[[], RenderableType], *, seconds: float = 0.2
    ) -> None:
        self._console = console
        self._region = region
        self._seconds = seconds
        self._lines: deque[str] = deque()
        """Without a lock, which the handler of a signal would wait for in vain."""
        self._error: Exception | None = None
        self._over = threading.Event()
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._thread = threading.Thread(target=self._paint, name="whotests display", daemon=True)

    def start(self) -> None:
        self._live.start()
        self._thread.start()

    def write(self, text: str) -> None:
        if self._error is not None:
            raise self._error
        self._lines.append(text)

    def announce(self, text: str) -> None:
        self._lines.append(text)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        try:
            self._show_lines()
        finally:
            self._live.stop()
        if self._error is not None:
            raise self._error

    def _paint(self) -> None:
        try:
            while not self._over.wait(self._seconds):
                self._show_lines()
                self._live.update(self._region(), refresh=True)
        except Exception as error:
            self._error = error  # as of a terminal that is gone: `write` tells

    def _show_lines(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if lines:
            self._console.print(_Painted("".join(lines)), end="", soft_wrap=True)


class _Painted:
    """Text that goes to the terminal as it is: whole lines."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Segment(self._text)
