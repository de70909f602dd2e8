"""Whose an exception is that comes up in code of ours: a signal's handler may raise anywhere."""

import sys
from types import FrameType

__all__ = ["is_the_programs"]


def is_the_programs(error: BaseException) -> bool:
    """Whether code of the program, called in the middle of ours, raised it or let it pass: that
    is to go its way. Ask where it was caught."""
    trace = error.__traceback__
    while trace is not None:
        if _is_the_programs(trace.tb_frame):
            return True
        trace = trace.tb_next
    return False


def _is_the_programs(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    if not isinstance(name, str) or name.startswith("namedtuple_"):
        return False
    package = name.partition(".")[0]
    return package != "whotests" and package not in sys.stdlib_module_names
