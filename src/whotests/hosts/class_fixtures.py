"""What test cases share: fixtures of classes and modules, set up and torn down as unittest does."""

import unittest
from collections.abc import Callable
from typing import Any

from whotests.hosts.result import HostResult
from whotests.stream.event import Status

__all__ = ["ClassFixtures", "Why"]

__unittest = True

Why = tuple[Status, str]
"""How tests end that do not run, and why."""


class ClassFixtures(unittest.TestSuite):
    """The fixtures that are set up now, by which test ran last.

    Their failures are told as something that is not runnable, each time they fail; the tests
    that need them do not run.
    """

    def __init__(self, result: HostResult) -> None:
        super().__init__()
        self._told = result
        self._result: Any = result
        result._previousTestClass = None  # type: ignore[attr-defined]
        result._moduleSetUpFailed = False  # type: ignore[attr-defined]
        self._last: type | None = None
        self._why: Why | None = None
        self._why_module: Why | None = None

    def ready_for(self, test: Any) -> Why | None:
        """Tear down what this test does not share and set up what it needs; None if it can run,
        else how it ends without running. KeyboardInterrupt goes on."""
        kind = test.__class__
        if kind is self._last:
            return self._why
        result = self._result
        self._step(self._tearDownPreviousClass, test)  # type: ignore[attr-defined]
        if self._last is None or kind.__module__ != self._last.__module__:
            self._why_module = None
            self._told.outside = None
            self._step(self._handleModuleFixture, test)  # type: ignore[attr-defined]
            if result._moduleSetUpFailed:
                self._why_module = self._ended()
        self._told.outside = None
        kind._classSetupFailed = False
        self._step(self._handleClassSetUp, test)  # type: ignore[attr-defined]
        result._previousTestClass = self._last = kind
        self._why = self._why_module
        if self._why is None and kind._classSetupFailed:
            self._why = self._ended()
        self._told.look_away()
        return self._why

    def end(self) -> None:
        """Tear down what is set up."""
        self._step(self._tearDownPreviousClass, None)  # type: ignore[attr-defined]
        try:
            self._handleModuleTearDown(self._result)  # type: ignore[attr-defined]
        except Exception as error:
            self._tell("tearDownModule", self._last, error)
        self._result._previousTestClass = self._last = self._why = None
        self._told.look_away()

    def _step(self, step: Callable[[Any, Any], None], test: Any) -> None:
        """Do what unittest does; what it lets through, as SystemExit, is a failure as well."""
        result = self._result
        try:
            step(test, result)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if step.__name__ == "_handleClassSetUp":
                test.__class__._classSetupFailed = True
                self._tell("setUpClass", test.__class__, error)
            elif step.__name__ == "_tearDownPreviousClass":
                self._tell("tearDownClass", self._last, error)
            else:
                result._moduleSetUpFailed = True
                self._tell("setUpModule", test.__class__, error)

    def _tell(self, name: str, of: type | None, error: BaseException) -> None:
        if of is None:
            raise error
        whose = of.__module__ if name.endswith("Module") else f"{of.__module__}.{of.__qualname__}"
        self._createClassOrModuleLevelException(  # type: ignore[attr-defined]
            self._result, error, name, whose
        )

    def _ended(self) -> Why:
        if self._told.outside is None:
            return Status.FAIL, "what it shares with others could not be set up"
        name, status, text = self._told.outside
        if status is Status.SKIP:
            return status, text
        return Status.FAIL, f"it did not run, since {name} failed:\n{text}"
