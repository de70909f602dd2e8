"""Events find their sinks by rules, which come and go while a run goes on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_events import send
from whotests.errors import UsageError
from whotests.stream import ByRoute, ByTest, Event, EventLog, Router

RULES = [ByRoute("0"), ByRoute("1", consume=True), ByTest("a"), ByTest(None)]
EVENTS = [
    Event(test_id, route_code=route_code)
    for test_id in (None, "a", "b")
    for route_code in (None, "0", "0/1", "1", "1/0", "2")
]


class Counted(EventLog):
    """Refuses what a sink may count on not to happen."""

    def start_run(self) -> None:
        assert self.started == self.stopped, "started twice"
        super().start_run()

    def handle(self, event: Event, /) -> None:
        assert self.started == self.stopped + 1, "an event outside of a run"
        super().handle(event)

    def stop_run(self) -> None:
        assert self.started == self.stopped + 1, "stopped twice"
        super().stop_run()


STEPS = st.one_of(
    st.tuples(st.sampled_from(RULES), st.integers(0, 2)),
    st.sampled_from(RULES),
    st.sampled_from(EVENTS),
)
"""Add a rule for one of three sinks, remove a rule, or handle an event."""


@given(before=st.lists(STEPS, max_size=5), while_running=st.lists(STEPS, max_size=30))
def test_rules_that_come_and_go(before: list[object], while_running: list[object]) -> None:
    """Whatever rules come and go, each event reaches the sink that the rules of then name.

    And each sink is started before its first event, stopped after the last, and never twice.
    """
    fallback, *sinks = (Counted() for _ in range(4))
    router = Router(fallback)
    rules: dict[ByRoute | ByTest, Counted] = {}

    def take(step: object) -> None:
        if isinstance(step, Event):
            expected, arrives = destination(step, rules, fallback)
            count = len(expected.events)
            router.handle(step)
            assert expected.events[count:] == [arrives]
        elif isinstance(step, ByRoute | ByTest):
            if step in rules:
                router.remove_rule(step)
                del rules[step]
        else:
            assert isinstance(step, tuple)
            rule, number = step
            if rule not in rules:
                router.add_rule(rule, sinks[number])
                rules[rule] = sinks[number]
        running = set(map(id, [fallback, *rules.values()])) if started else set()
        for sink in (fallback, *sinks):
            assert sink.started - sink.stopped == (id(sink) in running)

    started = False
    for step in before:
        if not isinstance(step, Event):
            take(step)
    router.start_run()
    started = True
    for step in while_running:
        take(step)
    router.stop_run()
    assert all(sink.started == sink.stopped for sink in (fallback, *sinks))


def destination(
    event: Event, rules: dict[ByRoute | ByTest, Counted], fallback: Counted
) -> tuple[Counted, Event]:
    """Where the event has to arrive, and as what: the rules, said once more and more slowly."""
    steps = event.route_code.split("/") if event.route_code else []
    for rule, sink in rules.items():
        if isinstance(rule, ByRoute) and steps[:1] == [rule.step]:
            rest = "/".join(steps[1:]) or None
            return sink, event._replace(route_code=rest) if rule.consume else event
    return rules.get(ByTest(event.test_id), fallback), event


def test_routes_come_before_tests_and_the_fallback_last() -> None:
    """An event goes to one sink: by its route, else by its test, else the fallback."""
    by_route, by_test, of_no_test, fallback = (EventLog() for _ in range(4))
    router = Router(fallback)
    router.add_rule(ByRoute("0"), by_route)
    router.add_rule(ByTest("a"), by_test)
    router.add_rule(ByTest(None), of_no_test)
    events = [
        Event("a", route_code="0"),
        Event("a", route_code="00"),
        Event("a"),
        Event(None),
        Event("b", route_code="1/0"),
        Event(None, route_code="0/1"),
    ]
    send(router, events)
    assert by_route.events == [events[0], events[5]]
    assert by_test.events == [events[1], events[2]]
    assert of_no_test.events == [events[3]]
    assert fallback.events == [events[4]]


def test_a_step_can_be_consumed() -> None:
    """Behind a rule that consumes, the next step comes first; after the last, there is none."""
    log = EventLog()
    router = Router()
    router.add_rule(ByRoute("0", consume=True), log)
    send(router, [Event("a", route_code="0"), Event("a", route_code="0/1/2")])
    assert [event.route_code for event in log.events] == [None, "1/2"]


def test_a_sink_that_is_added_while_it_runs_is_started_and_stopped_once() -> None:
    """Rules may come at any time; several that lead to one sink start and stop it once."""
    router, log = Router(), EventLog()
    router.start_run()
    router.add_rule(ByRoute("0"), log)
    router.add_rule(ByTest("a"), log)
    assert (log.started, log.stopped) == (1, 0)
    router.handle(Event("a"))
    router.stop_run()
    assert (log.started, log.stopped) == (1, 1)
    assert log.events == [Event("a")]


def test_a_sink_that_somebody_else_starts_is_left_alone() -> None:
    """Without `start_stop`, neither the fallback nor a rule's sink is started or stopped."""
    fallback, early, late = EventLog(), EventLog(), EventLog()
    router = Router(fallback, start_stop=False)
    router.add_rule(ByRoute("0"), early, start_stop=False)
    router.start_run()
    router.add_rule(ByRoute("1"), late, start_stop=False)
    router.remove_rule(ByRoute("0"))
    router.stop_run()
    assert [log.started + log.stopped for log in (fallback, early, late)] == [0, 0, 0]


def test_a_sink_is_stopped_when_its_last_rule_goes() -> None:
    """A sink to which no rule leads any more is stopped then, and not again with the run."""
    router, log, fallback = Router(), EventLog(), EventLog()
    router = Router(fallback)
    router.add_rule(ByRoute("0"), log)
    router.add_rule(ByTest("a"), log)
    router.add_rule(ByRoute("1"), fallback)
    router.start_run()
    router.remove_rule(ByRoute("0"))
    assert log.stopped == 0
    router.remove_rule(ByTest("a"))
    assert log.stopped == 1
    router.remove_rule(ByRoute("1"))
    assert fallback.stopped == 0
    router.handle(Event("a", route_code="0"))
    router.stop_run()
    assert (log.stopped, fallback.stopped) == (1, 1)
    assert log.events == []
    assert len(fallback.events) == 1


def test_an_event_that_nobody_wants_is_an_error() -> None:
    """Without a rule and a fallback, an event is not lost in silence."""
    with pytest.raises(UsageError, match=r"no rule for the test 'a' .* route '0'"):
        Router().handle(Event("a", route_code="0"))


@pytest.mark.parametrize("step", ["", "0/1", "0/"])
def test_a_route_rule_is_one_step(step: str) -> None:
    """A rule that could never match is refused."""
    with pytest.raises(UsageError, match="not one step of a route code"):
        Router().add_rule(ByRoute(step), EventLog())


@pytest.mark.parametrize("rule", [ByRoute("0", consume=True), ByTest("a"), ByTest(None)])
def test_two_rules_for_the_same_are_an_error(rule: ByRoute | ByTest) -> None:
    """A second rule does not take the first one's place in silence; removed, it can be replaced."""
    router = Router()
    router.add_rule(rule, EventLog())
    with pytest.raises(UsageError, match="remove it first"):
        router.add_rule(rule, EventLog())
    router.remove_rule(rule)
    router.add_rule(rule, EventLog())


@pytest.mark.parametrize("rule", [ByRoute("0"), ByTest("a")])
def test_a_rule_that_is_not_there_cannot_be_removed(rule: ByRoute | ByTest) -> None:
    """Removing what was never added is a mistake worth hearing of."""
    with pytest.raises(UsageError, match="no such rule"):
        Router().remove_rule(rule)


def test_what_was_started_is_stopped_when_another_cannot_start() -> None:
    """When one sink refuses to start, those that did are stopped, and it is heard."""

    class Unstartable(EventLog):
        def start_run(self) -> None:
            raise OSError("cannot be started")

    fallback = EventLog()
    router = Router(fallback)
    router.add_rule(ByRoute("0"), Unstartable())
    with pytest.raises(OSError, match="cannot be started"):
        router.start_run()
    assert (fallback.started, fallback.stopped) == (1, 1)


def test_rules_between_two_runs_wait_for_the_next_one() -> None:
    """A sink that is added after a run is started with the next one, one that goes is left."""
    router, log = Router(EventLog()), EventLog()
    router.start_run()
    router.stop_run()
    router.add_rule(ByRoute("0"), log)
    router.remove_rule(ByRoute("0"))
    router.add_rule(ByRoute("0"), log)
    assert (log.started, log.stopped) == (0, 0)
    router.start_run()
    assert (log.started, log.stopped) == (1, 0)
