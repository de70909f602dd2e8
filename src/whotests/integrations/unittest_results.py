"""How a test case ended, heard from the calls that its result object gets."""

import functools
from collections.abc import Callable
from typing import Any

from whotests.integrations.outcomes import worse
from whotests.types import Outcome

__all__ = ["ResultWatch"]

_OUTCOMES = {
    "addSuccess": Outcome.PASSED,
    "addSkip": Outcome.SKIPPED,
    "addExpectedFailure": Outcome.EXPECTED_FAILURE,
    "addUnexpectedSuccess": Outcome.UNEXPECTED_SUCCESS,
    "addFailure": Outcome.FAILED,
    "addError": Outcome.ERROR,
}


class ResultWatch:
    """Listens to a result object until `end`; each call goes on to it unchanged.

    Where a test is reported more than once (subtests, clean-ups), the worst outcome counts.
    Without a result object it listens to the one that the case makes for itself.
    """

    def __init__(self, case: Any, result: Any) -> None:
        self.outcome = Outcome.UNKNOWN
        self._undo: list[Callable[[], None]] = []
        self._watched: list[object] = []
        if result is None:
            self._watch_default_of(case)
        else:
            self._watch(result)

    def also(self, result: Any) -> None:
        """Listen to the result that a framework has put in front of the one that it was given."""
        if not any(result is known for known in self._watched):
            self._watch(result)

    def end(self) -> Outcome:
        """Stop listening; the outcome, 'unknown' when none was reported."""
        while self._undo:
            try:
                self._undo.pop()()
            except Exception:  # an object that lets itself be set but not be reset
                continue
        return self.outcome

    def _watch(self, result: Any) -> None:
        self._watched.append(result)
        for name, outcome in _OUTCOMES.items():
            self._replace(result, name, self._observer(outcome))
        self._replace(result, "addSubTest", self._observe_subtest)

    def _watch_default_of(self, case: Any) -> None:
        make = case.defaultTestResult

        @functools.wraps(make)
        def make_watched() -> Any:
            result = make()
            self._watch(result)
            return result

        self._set(case, "defaultTestResult", make_watched)

    def _observer(self, outcome: Outcome) -> Callable[..., None]:
        def observe(*args: Any, **kwargs: Any) -> None:
            self.outcome = worse(self.outcome, outcome)

        return observe

    def _observe_subtest(self, *args: Any, **kwargs: Any) -> None:
        """Arguments are the test, the subtest and None or its `sys.exc_info()`."""
        error = args[2] if len(args) > 2 else kwargs.get("err")
        if error is not None:
            failure = getattr(args[0], "failureException", AssertionError)
            failed = issubclass(error[0], failure)
            self.outcome = worse(self.outcome, Outcome.FAILED if failed else Outcome.ERROR)

    def _replace(self, result: Any, name: str, observe: Callable[..., None]) -> None:
        method = getattr(result, name, None)
        if not callable(method):
            return

        @functools.wraps(method)
        def observed(*args: Any, **kwargs: Any) -> Any:
            try:
                observe(*args, **kwargs)
            except Exception:  # an unusual call is the result's own affair
                self.outcome = worse(self.outcome, Outcome.UNKNOWN)
            try:
                return method(*args, **kwargs)
            except BaseException as error:  # shown without a line of ours
                trace = error.__traceback__
                error.__traceback__ = trace and trace.tb_next
                raise

        self._set(result, name, observed)

    def _set(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of an instance, to be taken away or put back in the end."""
        before = getattr(owner, "__dict__", {}).get(name)
        try:
            setattr(owner, name, value)
        except (AttributeError, TypeError):
            return  # no attributes of its own: its reports cannot be heard

        def undo() -> None:
            if getattr(owner, name, None) is not value:
                return
            if before is None:
                delattr(owner, name)
            else:
                setattr(owner, name, before)

        self._undo.append(undo)
