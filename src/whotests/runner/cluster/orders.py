"""What travels between the command and the machines of a cluster.

Requests are octets that only `at_work` opens, called by a line of text: so neither the scheduler
nor whatever else handles them on the way needs anything of ours.
"""

import pickle
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from whotests.runner.assignment import Assignment, Brief, Done

__all__ = [
    "ANSWER",
    "SAID",
    "SURVEY",
    "Opened",
    "Opening",
    "Report",
    "Work",
    "opened_request",
    "request",
]

ANSWER: Final = "__import__('whotests.runner.cluster.at_work', fromlist=['_']).answer(request)"
"""Evaluated there, with the request in `request`."""

SURVEY: Final = "(exec(text, names), names['survey'](token, root))[1]"
"""Evaluated there, with the text of the module `survey` in `text`."""

SAID: Final = "whotests said"
"""(SAID, slot, turn, offset, octets): frames of an assignment, from that octet of them on."""


class Opening(NamedTuple):
    """What a slot is opened with."""

    run: str
    """Tells the run from any other on any machine."""
    slot: str
    brief: Brief
    """With the paths of the command's machine."""
    plan: str
    """That of the run as JSON, with the same paths; '': nothing is measured."""
    shipped: bool
    """Whether the project's source is there as an archive only."""
    imported_from: tuple[str, ...]
    """Folders of the project that its code is imported from, relative to its root."""
    libraries: tuple[str, ...]
    """Where installed packages are on the command's machine."""
    topic: str
    """Of what is said."""
    lease: str
    """A key: as long as the worker has it, the command is there."""


class Opened(NamedTuple):
    """A slot that is ready for work."""

    process: str
    """Tells the worker's process from one that takes its address later."""
    root: str
    """The project's folder there."""
    libraries: tuple[str, ...]


class Work(NamedTuple):
    """One assignment of a slot."""

    run: str
    slot: str
    process: str
    turn: int
    """1 is the first one; none is done twice."""
    assignment: Assignment


class Report(NamedTuple):
    """How an assignment ended there."""

    done: Done
    facts: bytes = b""
    """The slot's data file so far, deflated, or nothing: it is sent now and then, and whenever
    a host has ended."""


def request(function: Callable[..., Any], *arguments: object) -> dict[str, bytes]:
    """What ANSWER is evaluated with, to call this function of `at_work` there."""
    return {"request": pickle.dumps((function.__name__, arguments), protocol=5)}


def opened_request(octets: bytes) -> tuple[str, tuple[Any, ...]]:
    """The name of the function, and its arguments."""
    name, arguments = pickle.loads(octets)
    return name, arguments
