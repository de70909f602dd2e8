"""Exceptions that a test expects, and tests that are expected to fail."""

from types import TracebackType
from typing import Any

from whotests.testing.cases.matching import mismatch_error
from whotests.testing.details.traceback_content import ExcInfo

__all__ = ["ExpectedException", "ExpectedFailure", "UnexpectedSuccess"]

__unittest = True


class ExpectedFailure(Exception):
    """The test failed, as was expected; its argument is the `sys.exc_info()` of how."""

    @property
    def exc_info(self) -> ExcInfo | None:
        """How it failed."""
        if self.args and isinstance(self.args[0], tuple) and len(self.args[0]) == 3:
            return self.args[0]
        return None


class UnexpectedSuccess(Exception):
    """The test passed, though a failure was expected."""


class ExpectedException:
    """A context in which an exception has to be raised: AssertionError if it is not.

    Its text may have to match: a regular expression from its beginning, or the exception a
    matcher. What is raised of another type passes through.
    """

    def __init__(
        self,
        exc_type: type[BaseException],
        value_re: Any = None,
        msg: str | None = None,
    ) -> None:
        self.exc_type = exc_type
        self.value_re = value_re
        self.msg = msg

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if exc_type is None:
            text = f"{self.exc_type.__name__} not raised."
            raise AssertionError(f"{text} : {self.msg}" if self.msg else text)
        if not issubclass(exc_type, self.exc_type):
            return False
        if self.value_re:
            wrong = self._why_not(exc_value)
            if wrong:
                raise AssertionError(f"{wrong}: {self.msg}" if self.msg else wrong)
        return True

    def _why_not(self, raised: BaseException | None) -> str:
        if isinstance(self.value_re, str):
            import re

            text = str(raised)
            matched = re.match(self.value_re, text)
            return "" if matched else f"{text!r} does not match /{self.value_re}/"
        error = mismatch_error(raised, self.value_re)
        return "" if error is None else str(error)
