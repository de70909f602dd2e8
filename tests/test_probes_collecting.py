"""Collecting what probes hit, with something else in the middle of it.

A profile function comes where a signal's handler, or another thread, might.
"""

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from whotests.probes import collecting, raises, runtime
from whotests.probes.collecting import IN_HAND, block_of, collect, keys_of, note_waiting, peek
from whotests.probes.runtime import LOG, NUMBERING, Block, Key, Slot, block, block_class
from whotests.recording.context import Context
from whotests.recording.contexts import Contexts
from whotests.types import Phase, Runner, TestName

OURS: set[str | None] = {runtime.__file__, collecting.__file__, raises.__file__}
OURS |= {sys.modules[each.__module__].__file__ for each in (Context, Contexts)}


class Moment:
    """Does something at the n-th call in or out of our code, once."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self.number = number
        self.came = False
        self._act = act

    def __enter__(self) -> "Moment":
        sys.setprofile(self._look)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, argument: Any) -> None:
        if frame.f_code.co_filename in OURS and event in ("call", "c_return"):
            self.number -= 1
            if not self.number:
                sys.setprofile(None)
                self.came = True
                self._act()


def blocks(count: int) -> list[Block]:
    """New blocks of four probes each, and nothing that was hit."""
    collect()
    new: list[Block] = []
    family = raises.register(new)
    new += [block(None, index, family, size=4) for index in range(count)]
    return new


def raised(hit: Block, instruction: int) -> None:
    """What a region's handler notes."""
    hit.log += [hit.family + instruction + raises.constant(hit.index, 0)]


def places(patterns: Iterable[int]) -> set[tuple[int, int]]:
    """Block and slot, or block and minus the instruction of an exception, or block and a line at
    which a frame waited and a hundred."""
    found = set()
    for number in patterns:
        index, key = block_of(number).index, keys_of(block_of(number))[number]
        found |= {(index, slot) for slot in slots_of(key)}
    return found


def slots_of(key: Key) -> list[int]:
    """The slots that were hit, or minus the instruction, or the line and a hundred."""
    if isinstance(key, int):
        return [100 - key if key < 0 else raises.constant(0, 0) - key]
    return [slot for slot, armed in enumerate(key) if not armed]


ALL = {(0, 1), (1, 2), (2, -7), (0, 105)}
"""The places of `run_all`."""


def run_all(hit: list[Block]) -> None:
    """Something of each kind that there is to find, in three blocks."""
    hit[0].hit(1)
    hit[1].hit(2)
    raised(hit[2], 7)
    note_waiting(hit[0], 5)


def give_up(error: Exception) -> None:
    """A handler that raises, as one for a time limit does."""
    raise error


def after_known_or_not(check: Callable[[list[Block], int], bool]) -> None:
    """Hits something in new blocks, of which the patterns are known or not, and calls `check` with
    them and the number of a moment, from the first one to that which did not come."""
    for known in (False, True):
        number = 0
        came = True
        while came:
            number += 1
            hit = blocks(3)
            if known:
                run_all(hit)
                collect()
            came = check(hit, number)
        assert number > 10


@pytest.mark.parametrize("error", [TimeoutError(), KeyError((None, True, True, True))])
def test_what_an_interruption_leaves_is_found_the_next_time(error: Exception) -> None:
    """Wherever a handler raises in the middle of collecting, nothing is lost, its error neither."""

    def check(hit: list[Block], number: int) -> bool:
        run_all(hit)
        found = []
        moment = Moment(number, lambda: give_up(error))
        try:
            with moment:
                found = collect()
            assert not moment.came
        except type(error):
            assert LOG or IN_HAND  # where contexts switch, this is looked at
        assert places([*found, *collect()]) == ALL, number
        assert not LOG
        assert not collect()
        return moment.came

    after_known_or_not(check)


def test_handler_that_leaves_has_all() -> None:
    """A handler that ends the process in the middle of a switch writes what was hit before."""

    def check(hit: list[Block], number: int) -> bool:
        contexts = Contexts()
        contexts.start_test(TestName("test"), Runner.PYTEST)
        run_all(hit)
        told: list[Context] = []

        def leave() -> None:
            contexts.finish()
            told.extend([*contexts.closed, *contexts.unfinished])
            give_up(TimeoutError())

        with suppress(TimeoutError), Moment(number, leave) as moment:
            contexts.enter_phase(Phase.CALL)
        if not moment.came:
            with suppress(TimeoutError):
                leave()
        by_test = [places(each.patterns) for each in told if each.test]
        assert set().union(*by_test) == ALL, number
        return moment.came

    after_known_or_not(check)


def test_label_of_a_handler_has_what_ran_in_it() -> None:
    """Wherever a handler opens a label in the middle of a switch, that has what it ran, and the
    test has all."""
    number = 0
    moment = None
    while moment is None or moment.came:
        number += 1
        hit = blocks(4)
        contexts = Contexts()
        contexts.start_test(TestName("test"), Runner.PYTEST)
        hit[0].hit(1)
        hit[1].hit(2)
        raised(hit[2], 7)
        note_waiting(hit[1], 6)
        labels: list[Context] = []

        def handle(
            contexts: Contexts = contexts, labels: list[Context] = labels, hit: list[Block] = hit
        ) -> None:
            labels.append(contexts.open_label("handler"))
            hit[0].hit(0)
            hit[3].hit(3)
            raised(hit[2], 9)
            note_waiting(hit[0], 8)
            contexts.close_label(labels[0])

        with Moment(number, handle) as moment:
            contexts.enter_phase(Phase.CALL)
        contexts.stop_test()
        before = {(0, 1), (1, 2), (2, -7), (1, 106)}
        own = {(0, 0), (3, 3), (2, -9), (0, 108)}
        by_test = [places(each.patterns) for each in contexts.closed if each.test]
        assert set().union(*by_test) == before | (own if moment.came else set())
        for label in labels:
            assert places(label.patterns) == own, number
    assert number > 10


def test_other_tests_meanwhile_have_nothing_of_this_one() -> None:
    """What was hit in a test is not seen as the next one's, wherever that begins while another
    thread looks at what is open."""
    number = 0
    moment = None
    while moment is None or moment.came:
        number += 1
        hit = blocks(2)
        contexts = Contexts()
        contexts.start_test(TestName("first"), Runner.PYTEST)
        hit[0].hit(1)

        def go_on(contexts: Contexts = contexts, hit: list[Block] = hit) -> None:
            contexts.stop_test()
            contexts.start_test(TestName("second"), Runner.PYTEST)
            hit[1].hit(2)

        with Moment(number, go_on) as moment:
            found = contexts.snapshot()
        for context, patterns in found:
            expected = {"first": {(0, 1)}, "second": {(1, 2)}}.get(context.test or "", set())
            assert places(patterns) <= expected, number
        assert sum(context.test is not None for context, _ in found) == 1
        contexts.finish()
    assert number > 5


def test_looking_changes_nothing() -> None:
    """What was hit, raised and found waiting is told, and is there for collecting afterwards."""
    hit = blocks(3)
    hit[0].hit(1)
    raised(hit[1], 7)
    note_waiting(hit[2], 5)
    expected = {(0, 1), (1, -7), (2, 105)}
    assert places(peek()) == expected
    assert places(peek()) == expected
    assert places(collect()) == expected
    assert not peek()
    assert not collect()


@pytest.mark.parametrize("one_at_a_time", [True, False])
@pytest.mark.parametrize("size", [1, 3, 32])
def test_a_block_is_read_and_armed(size: int, one_at_a_time: bool) -> None:
    """With the interpreter lock and without: what was hit is what is looked up, once."""
    collect()
    kind = block_class(size, one_at_a_time=one_at_a_time)
    made = kind(None, 0, 0)
    assert made.read() == (True,) * size
    made.hit(size - 1)
    armed: list[Slot] = [True] * (size - 1)
    key = (*armed, None)
    with pytest.raises(KeyError) as unknown:
        NUMBERING[kind](made)
    assert unknown.value.args == (key,)
    assert made.read() == (True,) * size
    made.numbers = {key: 7}
    made.hit(size - 1)
    assert NUMBERING[kind](made) == 7
    assert made.read() == (True,) * size
    assert collect() == []  # it is in the log, and has nothing more to tell
