"""How a test case's exceptions become calls of its result, and which of them counts most."""

from collections.abc import Callable
from functools import cache
from typing import Any
from unittest import SkipTest

from whotests.testing.cases.expecting import ExpectedFailure, UnexpectedSuccess
from whotests.testing.details.reported import ReportedDetails
from whotests.testing.details.traceback_content import without_internal
from whotests.testing.results.trial_results import as_failure, is_of_trial

__all__ = [
    "Handler",
    "UsualHandlers",
    "report_error",
    "report_expected_failure",
    "report_failure",
    "report_interrupt",
    "report_skip",
    "report_unexpected_success",
    "skip_reason",
    "weight",
]

__unittest = True

Handler = Callable[[Any, Any, Any], None]
"""Called with the case, the result and the exception; tells the result how the test ended."""


def report_error(case: Any, result: Any, raised: BaseException) -> None:
    """The test erred."""
    _tell(result, "addError", case, raised)


def report_interrupt(case: Any, result: Any, raised: BaseException) -> None:
    """The run is to end: the test erred, and the exception goes on."""
    report_error(case, result, raised)
    raise raised


def report_failure(case: Any, result: Any, raised: BaseException) -> None:
    """The test failed."""
    _tell(result, "addFailure", case, raised)


def report_expected_failure(case: Any, result: Any, raised: BaseException) -> None:
    """The test failed, as was expected."""
    how = raised.exc_info if isinstance(raised, ExpectedFailure) else None
    _tell(result, "addExpectedFailure", case, how[1] if how else raised)


def report_unexpected_success(case: Any, result: Any, raised: BaseException) -> None:
    """The test passed, though a failure was expected."""
    result.addUnexpectedSuccess(case, details=case.getDetails())


def report_skip(case: Any, result: Any, raised: BaseException) -> None:
    """The test was skipped."""
    case._add_reason(skip_reason(raised))
    result.addSkip(case, details=case.getDetails())


def skip_reason(raised: BaseException) -> str:
    """Why a test was skipped."""
    return str(raised.args[0]) if raised.args else "no reason given."


class UsualHandlers:
    """A test case's handlers, of which each case gets its own list when somebody asks for it."""

    def __get__(self, case: Any, owner: object = None) -> Any:
        if case is None:
            return self
        handlers = list(_usual_handlers(case.skipException, case.failureException))
        case.__dict__["exception_handlers"] = handlers
        return handlers


@cache
def _usual_handlers(
    skipped: type[BaseException], failed: type[BaseException]
) -> tuple[tuple[type[BaseException], Handler], ...]:
    return (
        (skipped, report_skip),
        (failed, report_failure),
        (ExpectedFailure, report_expected_failure),
        (UnexpectedSuccess, report_unexpected_success),
        (SkipTest, report_skip),
        (KeyboardInterrupt, report_interrupt),
        (BaseException, report_error),
    )


_WEIGHTS: dict[Handler | None, int] = {
    report_skip: 1,
    report_expected_failure: 2,
    # 3: a handler of the author's own
    report_unexpected_success: 4,
    report_failure: 5,
    report_error: 6,
    report_interrupt: 7,
    None: 8,
}


def weight(handler: Handler | None) -> int:
    """How bad it is what this handler reports; None is what nobody handles."""
    return _WEIGHTS.get(handler, 3)


def _tell(result: Any, name: str, case: Any, raised: BaseException) -> None:
    details: ReportedDetails = case.getDetails()
    details.exc_info = (type(raised), raised, without_internal(raised.__traceback__))
    if is_of_trial(getattr(result, "decorated", None)):
        getattr(result, name)(case, as_failure(details))
    else:
        getattr(result, name)(case, details=details)
