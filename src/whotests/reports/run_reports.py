"""All that a run of tests is told to, so that none of it costs a verdict.

May import the stream. Refuses to know what its sinks do.
"""

import errno
from collections.abc import Callable, Mapping

from whotests.errors import WhotestsError
from whotests.stream.event import Event
from whotests.stream.sink import Sink

__all__ = ["RunReports"]


class RunReports:
    """Hands each event to several sinks, and goes on without one that fails.

    What went wrong is kept, a sentence each: a disk that is full for a report is no reason to
    lose what a run of hours has found. `on_gone` is called when nobody reads a stream any more.
    """

    def __init__(self, sinks: Mapping[str, Sink], *, on_gone: Callable[[], object]) -> None:
        """Sinks by what a user calls them: 'the JUnit file'."""
        self._sinks = dict(sinks)
        self._handles = [(name, sink.handle) for name, sink in sinks.items()]
        self._on_gone = on_gone
        self.problems: list[str] = []
        """What went wrong, for the user; not that a stream's reader is gone."""
        self.gone = False
        """Whether nobody reads a stream any more."""

    def start_run(self) -> None:
        """Start all, and go on without a stream that takes nothing. Raises what else keeps a sink
        from beginning: nothing has run yet."""
        started: list[Sink] = []
        try:
            for name, sink in list(self._sinks.items()):
                try:
                    sink.start_run()
                    started.append(sink)
                except OSError as error:
                    self._leave(name, error)
        except BaseException:
            self._sinks, self._handles = {}, []
            for sink in started:
                sink.stop_run()
            raise

    def handle(self, event: Event, /) -> None:
        for name, handle in self._handles:
            try:
                handle(event)
            except Exception as error:
                self._leave(name, error)

    def _leave(self, name: str, error: Exception) -> None:
        """Go on without this sink."""
        self.lost(name, error)
        self._handles = [each for each in self._handles if each[0] != name]
        del self._sinks[name]

    def stop_run(self) -> None:
        for name, sink in self._sinks.items():
            try:
                sink.stop_run()
            except Exception as error:
                self.lost(name, error)

    def lost(self, name: str, error: Exception) -> None:
        """What this sink was to show or to write is not whole."""
        if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.EIO):
            self.gone = True
            self._on_gone()
            return
        if isinstance(error, WhotestsError):
            why = str(error)
        elif isinstance(error, OSError) and error.strerror:
            why = error.strerror
        else:
            why = f"{type(error).__name__}: {error}"
        self.problems.append(f"{name} is not whole: {why}")
