"""What was reported of a test that did not stop yet."""

from datetime import datetime

from whotests.stream.attachment import unused_name
from whotests.stream.event import Status

__all__ = ["OpenReport"]

_SEVERITY = (Status.SUCCESS, Status.XFAIL, Status.SKIP, Status.UXSUCCESS, Status.FAIL)
"""Of several, the one that stands last here counts."""


class OpenReport:
    """Gathers what is reported of one test, from its start to its stop."""

    __slots__ = ("elapsed", "names", "started", "statuses")

    def __init__(self, started: datetime) -> None:
        self.started = started
        self.elapsed: float | None = None
        self.statuses: set[Status] = set()
        self.names: set[str] = set()

    def unused(self, name: str) -> str:
        """The name, with a number behind it if something is attached under it already."""
        name = unused_name(name, self.names)
        self.names.add(name)
        return name

    @property
    def worst(self) -> Status:
        """Of all that was reported, the one that counts; unknown if nothing was."""
        return max(self.statuses, key=_SEVERITY.index, default=Status.UNKNOWN)
