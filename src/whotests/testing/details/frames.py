"""Whose a line of code is: the user's, or that of the library or a framework."""

import os
import sys
import traceback
from collections.abc import Iterable
from types import FrameType, TracebackType

__all__ = [
    "CASE",
    "PACKAGE",
    "innermost",
    "is_library",
    "place_of",
    "users_caller",
    "users_place",
    "without_ours",
]

__unittest = True

PACKAGE = "whotests.testing"
CASE = f"{PACKAGE}.cases.case"
"""The module below which the author's frames are."""


def is_library(filename: str) -> bool:
    """Whether a file is of the standard library, of Twisted, or of this package."""
    return (filename.startswith(_LIBRARY) and not filename.startswith(_INSTALLED)) or (
        f"{os.sep}twisted{os.sep}" in filename and "site-packages" in filename
    )


_LIBRARY = (
    os.path.dirname(os.__file__) + os.sep,
    os.path.dirname(os.path.dirname(__file__)) + os.sep,
    "<frozen",
)
_INSTALLED = os.path.join(os.path.dirname(os.__file__), "site-packages") + os.sep


def innermost(stack: Iterable[traceback.FrameSummary]) -> str:
    """The last place in a stack that is the user's, as 'file:line in name'; else empty."""
    places = [entry for entry in stack if not is_library(entry.filename)]
    if not places:
        return ""
    return f"{places[-1].filename}:{places[-1].lineno} in {places[-1].name}"


def users_caller() -> str | None:
    """The user's line that led to the call of this, as 'file:line'; None where there is none."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        if not is_library(frame.f_code.co_filename):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return None


def place_of(function: object) -> str:
    """The name of a callable, and where it is defined, if that can be told."""
    while hasattr(function, "func"):
        function = function.func
    name = getattr(function, "__qualname__", None) or repr(function)
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return name if code is None else f"{name} ({code.co_filename}:{code.co_firstlineno})"


def users_place(frame: FrameType) -> str | None:
    """The test's line at which a frame is, or was when it called the library; else None."""
    above: FrameType | None = frame
    while above is not None and above.f_globals.get("__name__") != CASE:
        if not is_library(above.f_code.co_filename):
            return f"{above.f_code.co_filename}:{above.f_lineno} in {above.f_code.co_name}"
        above = above.f_back
    return None


def without_ours(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames by which this package and asyncio got to the user's code."""
    kept: list[TracebackType] = []
    while trace is not None:
        name = trace.tb_frame.f_globals.get("__name__") or ""
        if not name.startswith(_OURS) and (kept or not name.startswith("asyncio.")):
            kept.append(trace)
        trace = trace.tb_next
    clean: TracebackType | None = None
    for each in reversed(kept):
        clean = TracebackType(clean, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return clean


_OURS = tuple(
    f"{PACKAGE}.supervision.{name}" for name in ("aio", "awaiting", "bridging", "deferreds")
)
