"""Tags that a whole run adds to its tests, or takes from them."""

from collections.abc import Iterable

from whotests.stream.event import FINAL, Event
from whotests.stream.sink import Sink

__all__ = ["Tagger"]

_make_tuple = tuple.__new__
_NO_TAGS: frozenset[str] = frozenset()


class Tagger:
    """Adds tags to every event and discards others; a tag in both is discarded.

    An event that says nothing of tags leaves with those that its test had before, so that what
    is added does not take the place of a test's own. Where there are none and nobody says so,
    that is None.
    """

    def __init__(self, sink: Sink, *, add: Iterable[str] = (), discard: Iterable[str] = ()) -> None:
        self.sink = sink
        self.discard = frozenset(discard)
        self.add = frozenset(add) - self.discard
        self._pass_on = sink.handle
        self._own: dict[tuple[str, str | None], frozenset[str]] = {}
        """The tags of tests in progress, as they came."""
        self._last_own: frozenset[str] | None = None
        self._last_tags = self._changed(_NO_TAGS)

    def start_run(self) -> None:
        self._own = {}
        self.sink.start_run()

    def handle(self, event: Event, /) -> None:
        test_id, status, own, runnable, attachment, route_code, timestamp = event
        if test_id is not None:
            if own is not None and status not in FINAL:
                self._own[test_id, route_code] = own
            elif self._own:
                if own is None:
                    own = self._own.get((test_id, route_code))
                if status in FINAL:
                    self._own.pop((test_id, route_code), None)
        if own is not self._last_own:  # else as before: most events share one set
            self._last_own, self._last_tags = own, self._changed(own or _NO_TAGS)
        tags: frozenset[str] | None = self._last_tags
        if not tags and (own is None or test_id is None):
            tags = None
        self._pass_on(
            _make_tuple(Event, (test_id, status, tags, runnable, attachment, route_code, timestamp))
        )

    def stop_run(self) -> None:
        self._own = {}
        self.sink.stop_run()

    def _changed(self, own: frozenset[str]) -> frozenset[str]:
        return own.union(self.add).difference(self.discard)
