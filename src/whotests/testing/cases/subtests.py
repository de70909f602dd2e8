"""What `subTest` of a unittest.TestCase reports to, in a test that we run."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import SkipTest

from whotests.testing.cases.case_state import expects_failure
from whotests.testing.details.traceback_content import without_internal
from whotests.testing.supervision.timeouts import Expired

__all__ = ["StopSubTests", "SubTests"]

__unittest = True


class StopSubTests(Exception):
    """The rest of the test is not run: a subtest failed, and the run stops at failures."""


class SubTests:
    """Stands where unittest's own cases have their `_Outcome`; has what `subTest` asks of it."""

    result = None
    expectedFailure = None
    success = True

    def __init__(self, run_test: Any) -> None:
        self.run_test = run_test
        self.failed = False
        """Whether a subtest was reported that failed."""

    @property
    def result_supports_subtests(self) -> bool:
        """Whether a failing subtest is told by itself; else it fails its test, there and then."""
        case = self.run_test.case
        if expects_failure(case, case._get_test_method()):
            return False
        return hasattr(self.run_test.result, "addSubTest")

    @contextmanager
    def testPartExecutor(
        self,
        test_case: Any,
        subTest: bool = False,
    ) -> Iterator[None]:
        """Runs a subtest and reports it."""
        case, result = test_case.test_case, self.run_test.result
        try:
            yield
        except (KeyboardInterrupt, StopSubTests, Expired):
            raise
        except (SkipTest, case.skipException) as skipped:
            result.addSkip(test_case, reason=str(skipped))
        except BaseException as raised:
            self.failed = True
            exc_info = (type(raised), raised, without_internal(raised.__traceback__))
            result.addSubTest(case, test_case, exc_info)
            if getattr(result, "failfast", False):
                raise StopSubTests from None
        else:
            result.addSubTest(case, test_case, None)
