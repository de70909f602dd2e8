"""The extended protocol for results that know only some of it."""

import sys
import unittest
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from whotests.testing.details.content import Details
from whotests.testing.details.detail_text import as_exception, details_text, readable
from whotests.testing.details.tags import TagContext
from whotests.testing.details.traceback_content import ExcInfo, OptExcInfo
from whotests.testing.results.telling import tell_details, tell_duration, tell_subtest

__all__ = ["ExtendedToOriginalDecorator"]


class ExtendedToOriginalDecorator:
    """Takes details, tags, times and subtests, and tells `decorated` what that can take.

    Details become an exception that has their text; outcomes that `decorated` does not know
    become those that come nearest: a subtest's failure, or an unexpected success, a failure. All
    other attributes are those of `decorated`.
    """

    def __init__(self, decorated: Any) -> None:
        self.decorated = decorated
        self._tags = TagContext()
        self._own: dict[str, bool] = {"failfast": False, "shouldStop": False}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.decorated!r}>"

    def __getattr__(self, name: str) -> Any:
        if name == "decorated":  # while a copy is made
            raise AttributeError(name)
        return getattr(self.decorated, name)

    def startTestRun(self) -> None:
        self._tags = TagContext()
        self._call("startTestRun")

    def stopTestRun(self) -> Any:
        return self._call("stopTestRun")

    def done(self) -> None:
        self._call("done")

    def startTest(self, test: unittest.TestCase) -> None:
        self._tags = TagContext(self._tags)
        self.decorated.startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        # Tests that are skipped may end without having been started.
        self._tags = self._tags.parent or self._tags
        self.decorated.stopTest(test)

    def addSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        method = self.decorated.addSuccess
        if details is None or not tell_details(method, test, details):
            method(test)

    def addError(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._tell_error(self.decorated.addError, test, err, details)
        self._stop_if_failfast()

    def addFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        self._tell_error(self.decorated.addFailure, test, err, details)
        self._stop_if_failfast()

    def addExpectedFailure(
        self,
        test: unittest.TestCase,
        err: OptExcInfo | None = None,
        details: Details | None = None,
    ) -> None:
        method = getattr(self.decorated, "addExpectedFailure", None)
        if method is None:
            _check_one(err, details)
            self.addSuccess(test)
        else:
            self._tell_error(method, test, err, details)

    def addUnexpectedSuccess(self, test: unittest.TestCase, details: Details | None = None) -> None:
        method = getattr(self.decorated, "addUnexpectedSuccess", None)
        if method is None:
            try:
                raise test.failureException("passed, though a failure was expected")
            except test.failureException:
                self.addFailure(test, sys.exc_info())
            return
        if details is None or not tell_details(method, test, details):
            method(test)
        self._stop_if_failfast()

    def addSkip(
        self, test: unittest.TestCase, reason: str | None = None, details: Details | None = None
    ) -> None:
        _check_one(reason, details)
        method = getattr(self.decorated, "addSkip", None)
        if method is None:
            self.decorated.addSuccess(test)
        elif details is None:
            method(test, reason)
        elif not tell_details(method, test, details):
            told = details.get("reason")
            method(test, details_text(details) if told is None else readable(told))

    def addSubTest(
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: OptExcInfo | None
    ) -> None:
        tell_subtest(self.decorated, test, subtest, err)
        if err is not None:
            self._stop_if_failfast()

    def addDuration(self, test: unittest.TestCase, duration: float) -> None:
        tell_duration(self.decorated, test, duration)

    def progress(self, offset: int, whence: int) -> None:
        self._call("progress", offset, whence)

    def time(self, a_datetime: datetime | None) -> None:
        self._call("time", a_datetime)

    def tags(self, new_tags: Iterable[str], gone_tags: Iterable[str]) -> None:
        method = getattr(self.decorated, "tags", self._tags.change_tags)
        method(new_tags, gone_tags)

    @property
    def current_tags(self) -> set[str]:
        found: set[str] = getattr(self.decorated, "current_tags", self._tags.get_current_tags())
        return found

    def wasSuccessful(self) -> bool:
        return bool(self.decorated.wasSuccessful())

    def stop(self) -> None:
        method = getattr(self.decorated, "stop", None)
        if method is None:
            self.shouldStop = True
        else:
            method()

    @property
    def shouldStop(self) -> bool:
        return self._flag("shouldStop")

    @shouldStop.setter
    def shouldStop(self, value: bool) -> None:
        self._set_flag("shouldStop", value)

    @property
    def failfast(self) -> bool:
        return self._flag("failfast")

    @failfast.setter
    def failfast(self, value: bool) -> None:
        self._set_flag("failfast", value)

    def _flag(self, name: str) -> bool:
        return bool(getattr(self.decorated, name, self._own[name]))

    def _set_flag(self, name: str, value: bool) -> None:
        if hasattr(self.decorated, name):
            setattr(self.decorated, name, value)
        else:
            self._own[name] = value

    def _tell_error(
        self,
        method: Callable[..., Any],
        test: unittest.TestCase,
        err: OptExcInfo | None,
        details: Details | None,
    ) -> None:
        _check_one(err, details)
        if details is None:
            method(test, err)
        elif not tell_details(method, test, details):
            method(test, self._details_to_exc_info(details))

    def _details_to_exc_info(self, details: Details) -> ExcInfo:
        return as_exception(details)

    def _call(self, name: str, *args: object) -> Any:
        method = getattr(self.decorated, name, None)
        return None if method is None else method(*args)

    def _stop_if_failfast(self) -> None:
        if self.failfast:
            self.stop()


def _check_one(given: object, details: object) -> None:
    if (given is None) == (details is None):
        raise ValueError(f"give either an error or reason or details: {given!r}, {details!r}")
