"""The garbage collector, where what is made stays and is looked at in vain."""

import gc
from _thread import _count as thread_count  # running threads, at the cost of one call
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["seldom_collected", "uncollected"]

_THRESHOLDS: Final = (20_000, 50, 100)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Meanwhile the collector looks less often: most of what is told of tests is kept until the
    run ends. For processes that run nothing of the user's."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def uncollected() -> Iterator[None]:
    """Meanwhile it does not look, and afterwards as before, so that what is made in here brings
    no collection of what the program has. Nothing where other threads run, which might want it
    off by themselves meanwhile: for the thread in which the program runs."""
    if thread_count() > 1 or not gc.isenabled():  # the flusher may be one
        yield
        return
    try:
        gc.disable()
        yield
    finally:
        gc.enable()
