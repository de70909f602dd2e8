"""The garbage collector, where what is made stays."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from whotests.garbage import seldom_collected, uncollected


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What a test asks of the collector holds for that test."""
    enabled, thresholds = gc.isenabled(), gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    (gc.enable if enabled else gc.disable)()


def state() -> tuple[bool, tuple[int, int, int]]:
    """Whether the collector looks, and how often."""
    return gc.isenabled(), gc.get_threshold()


def test_seldom_collected() -> None:
    """It looks, and seldom, until that is left."""
    gc.enable()
    before = state()
    with seldom_collected():
        enabled, thresholds = state()
        assert enabled
        assert thresholds[0] > before[1][0]
    assert state() == before


def test_uncollected() -> None:
    """It does not look until that is left."""
    gc.enable()
    before = state()
    with uncollected():
        assert not gc.isenabled()
    assert state() == before


def test_other_threads_have_it_as_it_was() -> None:
    """Where the program has threads, one of which may want it off, it is left alone."""
    gc.enable()
    over = threading.Event()
    others = [threading.Thread(target=over.wait) for _ in range(2)]
    for other in others:
        other.start()
    try:
        with uncollected():
            assert gc.isenabled()
    finally:
        over.set()
        for other in others:
            other.join()


def test_who_has_it_off_keeps_it_off() -> None:
    """A program that wants no collector gets none."""
    gc.disable()
    with uncollected():
        assert not gc.isenabled()
    assert not gc.isenabled()


@pytest.mark.parametrize("made", [seldom_collected, uncollected])
def test_an_error(made: Callable[[], AbstractContextManager[None]]) -> None:
    """All is as before after an error, too."""
    gc.enable()
    before = state()
    meanwhile = []

    def fail() -> None:
        meanwhile.append(state())
        raise LookupError

    with pytest.raises(LookupError), made():
        fail()
    assert meanwhile != [before]
    assert state() == before
