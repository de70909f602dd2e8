"""Assertions about what is awaited, and about what was logged: for test cases to inherit."""

from collections.abc import Collection
from typing import Any

from whotests.testing.logged_errors import LoggedError, LoggedErrors

__all__ = ["AsyncAssertions"]

__unittest = True


class AsyncAssertions:
    """What a test case says about time, leftovers and logged errors, and asserts about them.

    The runner of the case gives it `_logged_errors` for the time of a test.
    """

    timeout: float | None = None
    """Seconds that a test may take, with setUp, tearDown and clean-ups; a method may have its own.

    What still runs then is ended; tearDown and clean-ups run, and have a second each.
    """

    allow_leftovers: Collection[str] | bool = ()
    """Kinds of things (`whotests.testing.leftovers.KINDS`) that tests may leave; True: all."""

    fail_on_logged_errors: bool = True
    """Whether errors that are logged and not flushed fail the test."""

    _logged_errors: LoggedErrors | None = None

    def flush_logged_errors(self, *types: type[BaseException]) -> list[LoggedError]:
        """Take out the errors of these types that were logged so far, of any type without."""
        found = self._logged_errors
        return [] if found is None else found.flush(*types)

    def flushLoggedErrors(self, *types: type[BaseException]) -> list[LoggedError]:
        """As `flush_logged_errors`, by trial's name."""
        return self.flush_logged_errors(*types)


def timeout_of(case: Any) -> float | None:
    """The limit for the case: its method's, or its own; None without one."""
    method = getattr(case, getattr(case, "_testMethodName", ""), None)
    limit = getattr(method, "timeout", None)
    return case.timeout if limit is None else limit  # type: ignore[no-any-return]
