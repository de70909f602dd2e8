"""The one event of which the stream consists."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

__all__ = ["FAILED", "FINAL", "Chunk", "Event", "Status"]


class Status(StrEnum):
    """What an event says about its test."""

    EXISTS = "exists"
    """It was found; nothing says that it runs."""
    INPROGRESS = "inprogress"
    SUCCESS = "success"
    FAIL = "fail"
    """It failed, or erred: the stream does not tell these apart."""
    SKIP = "skip"
    XFAIL = "xfail"
    """It failed, as was expected."""
    UXSUCCESS = "uxsuccess"
    """It passed though a failure was expected, which is a failure."""
    UNKNOWN = "unknown"
    """It began and no end was seen."""


FINAL = frozenset(
    {
        Status.EXISTS,
        Status.SUCCESS,
        Status.FAIL,
        Status.SKIP,
        Status.XFAIL,
        Status.UXSUCCESS,
        Status.UNKNOWN,
    }
)
"""After one of these nothing more comes of the test, until it begins anew."""

FAILED = frozenset({Status.FAIL, Status.UXSUCCESS, Status.UNKNOWN})
"""With one of these a run is not successful."""


class Chunk(NamedTuple):
    """The next piece of an attachment; chunks of one name follow each other until `eof`."""

    name: str
    content: bytes = b""
    mime_type: str | None = None
    """As of RFC 2045, with its parameters: 'text/plain; charset="utf8"'. The first one counts."""
    eof: bool = False


class Event(NamedTuple):
    """One thing that happened in a run. All fields may be absent, each says something by itself.

    A test is told apart by its id *and* route code: two processes may run the same id.
    """

    test_id: str | None = None
    """None where what happened belongs to no test, such as output of the run itself."""
    status: Status | None = None
    tags: frozenset[str] | None = None
    """The tags of the test; those of its last event that has any count."""
    runnable: bool = True
    """False for what is reported like a test but cannot be selected, as a module's fixture."""
    attachment: Chunk | None = None
    route_code: str | None = None
    """Where it came from: the way through processes and machines, joined by '/', nearest first."""
    timestamp: datetime | None = None
    """When it happened, with a time zone."""
