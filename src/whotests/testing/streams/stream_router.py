"""testtools' router of streams."""

from typing import Any

from whotests.stream.event import Event
from whotests.stream.router import ByRoute, ByTest, Router
from whotests.stream.sink import Sink
from whotests.testing.streams.stream_results import StreamResult, as_sink

__all__ = ["StreamResultRouter"]


class StreamResultRouter(StreamResult):
    """Passes each event to one target: by its route code, else its test id, else `fallback`.

    A target that was added with `do_start_stop_run` is started with the run, or at once where
    that has begun, and stopped with it, each once.
    """

    def __init__(self, fallback: Any = None, do_start_stop_run: bool = True) -> None:
        super().__init__()
        self.fallback = fallback
        self._sinks: dict[int, tuple[Any, Sink]] = {}
        """By the target's identity: a router knows sinks again by theirs."""
        self._rules: set[ByRoute | ByTest] = set()
        sink = None if fallback is None else self._sink(fallback)
        self._router = Router(sink, start_stop=do_start_stop_run)

    def add_rule(
        self, sink: Any, policy: str, do_start_stop_run: bool = False, **policy_args: Any
    ) -> None:
        """Send events to `sink` by a policy; a rule for the same takes the place of an older one.

        'route_code_prefix' takes `route_prefix`, the first step of the route code, and
        `consume_route`, whether that is taken away; 'test_id' takes `test_id`, which is None for
        events of no test. ValueError for another policy, TypeError for other arguments.
        """
        if policy == "route_code_prefix":
            rule: ByRoute | ByTest = _by_prefix(**policy_args)
        elif policy == "test_id":
            rule = ByTest(**policy_args)
        else:
            raise ValueError(f"bad policy {policy!r}: use 'route_code_prefix' or 'test_id'")
        key = rule._replace(consume=False) if isinstance(rule, ByRoute) else rule
        if key in self._rules:
            self._router.remove_rule(rule)
        self._rules.add(key)
        self._router.add_rule(rule, self._sink(sink), start_stop=do_start_stop_run)

    def startTestRun(self) -> None:
        self._router.start_run()

    def stopTestRun(self) -> None:
        self._router.stop_run()

    def _take(self, event: Event) -> None:
        self._router.handle(event)

    def _sink(self, target: Any) -> Sink:
        _, sink = self._sinks.setdefault(id(target), (target, as_sink(target)))
        return sink


def _by_prefix(route_prefix: str, consume_route: bool = False) -> ByRoute:
    if "/" in route_prefix:
        raise TypeError(f"{route_prefix!r} is more than one step of a route code")
    return ByRoute(route_prefix, consume_route)
