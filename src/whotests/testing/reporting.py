"""How a test case's exceptions become calls of its result, and which of them counts most."""

from collections.abc import Callable
from typing import Any

from whotests.testing.details import ReportedDetails
from whotests.testing.expecting import ExpectedFailure

__all__ = [
    "Handler",
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
    result.addError(case, details=_about(case, raised))


def report_interrupt(case: Any, result: Any, raised: BaseException) -> None:
    """The run is to end: the test erred, and the exception goes on."""
    report_error(case, result, raised)
    raise raised


def report_failure(case: Any, result: Any, raised: BaseException) -> None:
    """The test failed."""
    result.addFailure(case, details=_about(case, raised))


def report_expected_failure(case: Any, result: Any, raised: BaseException) -> None:
    """The test failed, as was expected."""
    how = raised.exc_info if isinstance(raised, ExpectedFailure) else None
    result.addExpectedFailure(case, details=_about(case, how[1] if how else raised))


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


def _about(case: Any, raised: BaseException) -> ReportedDetails:
    details: ReportedDetails = case.getDetails()
    details.exc_info = (type(raised), raised, raised.__traceback__)
    return details
