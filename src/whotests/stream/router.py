"""Events to different sinks, by where they came from or what they belong to."""

from typing import NamedTuple

from whotests.errors import UsageError
from whotests.stream.event import Event
from whotests.stream.fan_out import start_all, stop_all
from whotests.stream.sink import Sink

__all__ = ["ByRoute", "ByTest", "Router"]


class ByRoute(NamedTuple):
    """Events whose route code begins with this step; `consume` takes the step away."""

    step: str
    consume: bool = False


class ByTest(NamedTuple):
    """Events of this test id; of no test, if it is None."""

    test_id: str | None


class Router:
    """Passes each event to one sink: by its route code, else by its test id, else the fallback.

    Rules may come and go while it runs. A sink that is added with `start_stop` is started with
    the run, or at once where that has begun; it is stopped once, with the run, or when its last
    rule goes.
    """

    def __init__(self, fallback: Sink | None = None, *, start_stop: bool = True) -> None:
        self._fallback = fallback
        self._routes: dict[str, tuple[Sink, bool]] = {}
        self._tests: dict[str | None, Sink] = {}
        self._ours: list[Sink] = []
        """Those to be started and stopped, each once, however many rules lead to it."""
        self._running = False
        if fallback is not None and start_stop:
            self._ours.append(fallback)

    def add_rule(self, rule: ByRoute | ByTest, sink: Sink, *, start_stop: bool = True) -> None:
        """Send what the rule says to the sink, from now on.

        UsageError where there is a rule for that already, or a step that can never match.
        """
        if isinstance(rule, ByRoute):
            if not rule.step or "/" in rule.step:
                raise UsageError(
                    f"{rule.step!r} is not one step of a route code: give the part up to a '/', "
                    "and let the sink be a router for the next step"
                )
            if rule.step in self._routes:
                raise UsageError(f"there is a rule for the route {rule.step!r}: remove it first")
            self._routes[rule.step] = sink, rule.consume
        else:
            if rule.test_id in self._tests:
                raise UsageError(f"there is a rule for the test {rule.test_id!r}: remove it first")
            self._tests[rule.test_id] = sink
        if start_stop and not any(sink is ours for ours in self._ours):
            if self._running:
                sink.start_run()
            self._ours.append(sink)

    def remove_rule(self, rule: ByRoute | ByTest) -> None:
        """Send nothing more by this rule; its sink is stopped if no other one leads to it."""
        try:
            if isinstance(rule, ByRoute):
                sink, _ = self._routes.pop(rule.step)
            else:
                sink = self._tests.pop(rule.test_id)
        except KeyError:
            raise UsageError(f"there is no such rule to remove: {rule}") from None
        left = [self._fallback, *(each for each, _ in self._routes.values()), *self._tests.values()]
        if not any(sink is other for other in left):
            count = len(self._ours)
            self._ours = [ours for ours in self._ours if ours is not sink]
            if self._running and len(self._ours) < count:
                sink.stop_run()

    def start_run(self) -> None:
        start_all(self._ours)
        self._running = True

    def handle(self, event: Event, /) -> None:
        route_code = event.route_code
        if route_code is not None and self._routes:
            step, _, rest = route_code.partition("/")
            if step in self._routes:
                sink, consume = self._routes[step]
                sink.handle(event._replace(route_code=rest or None) if consume else event)
                return
        found = self._tests.get(event.test_id, self._fallback)
        if found is None:
            raise UsageError(
                f"no rule for the test {event.test_id!r} by the route {route_code!r}, and no "
                "fallback: add a rule, or give the router a fallback"
            )
        found.handle(event)

    def stop_run(self) -> None:
        self._running = False
        stop_all(self._ours)
