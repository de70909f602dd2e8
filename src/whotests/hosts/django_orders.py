"""What Django's runner, which only Django makes, needs to know of the host that waits for it."""

from collections.abc import Iterable
from typing import Any, Protocol

__all__ = ["Served", "host", "options"]


class Served(Protocol):
    """Whose orders the runner goes by."""

    def take(self, cases: Iterable[Any]) -> None:
        """These are the tests; comes back when some are to be run, and raises otherwise."""

    def follow(self) -> None:
        """Run what is ordered, until the end."""


host: Served | None = None
"""The one of this process."""

options: tuple[str, ...] = ()
"""What the user has added to the command line of `manage.py test`."""
