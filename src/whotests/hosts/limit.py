"""The time that a test may take, as it is watched in the process that runs it."""

from collections.abc import Callable
from types import CodeType

from whotests.testing.supervision.timeouts import Deadline, TimedOut

__all__ = ["Limit"]


class Limit:
    """So many seconds for each test; 0: any time, at no cost.

    Whatever runs beyond the limit is interrupted by an exception, SIGALRM's in the main thread,
    and once more each second, so that its fixtures are torn down and the process goes on. What
    does not listen is ended from outside, with the process, a few seconds later.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._deadline: Deadline | None = None
        self._told = False

    def run(
        self,
        function: Callable[[], object],
        *,
        of: str,
        within: frozenset[CodeType] = frozenset(),
    ) -> TimedOut | None:
        """Call the function, for the test `of`. The TimedOut if that took too long and `expired`
        has told nobody; None otherwise. What the function raises in time is raised.

        `within` is the code of the functions that call the user's own: only below calls of these
        may it be interrupted, as where a framework catches all that a test raises. None: anywhere.
        """
        if not self._seconds:
            function()
            return None
        self._told = False
        self._deadline = Deadline(self._seconds, of=of, within=within)
        try:
            self._deadline.run(function)
        except TimedOut as error:
            if not self._deadline.fired:
                raise  # one of the test's own
            return None if self._told else error
        finally:
            self._deadline = None
        return None

    def expired(self, error: BaseException | None = None) -> TimedOut | None:
        """What is to be reported in place of this error of the running test, or of its success;
        None as long as the time is not up.

        To be asked whenever a framework reports how a part of the test ended: what it has caught
        is the interruption itself, or what came of that.
        """
        deadline = self._deadline
        if deadline is None or not deadline.fired:
            return None
        self._told = True
        return deadline.timed_out(error)
