"""What a test case knows about its run, apart from the author's own attributes."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from whotests.testing.details.reported import ReportedDetails
from whotests.testing.details.traceback_content import OptExcInfo
from whotests.testing.supervision.awaiting import Awaiting

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CaseState", "expects_failure", "state_of", "wrong_calls"]

__unittest = True


_PLAIN = frozenset({bool, int, float, str, bytes, list, tuple, dict, set})
"""Types of values that nobody could await."""


class CaseState:
    """One run of a case. All of it has defaults, so that it costs nothing until it is needed."""

    marked = True
    """Whether the method may be skipped, expected to fail, or limited by a decorator."""
    details: ReportedDetails | None = None
    on_exception: tuple[Callable[[OptExcInfo], object], ...] = ()
    set_up = False
    """Whether the base class's setUp was called."""
    torn_down = False
    numbers_given = 0
    directory: "Path | None" = None
    expectations: tuple[str, ...] = ()
    """What `expectThat` found."""
    awaiting: Awaiting | None = None
    run_test: Any = None
    """What runs the case, while it does."""
    subtests: Any = None
    """Takes what `subTest` reports, if one was begun."""

    def __reduce__(self) -> tuple[type["CaseState"], tuple[()]]:
        """A copied or unpickled case has not been run."""
        return CaseState, ()

    def finish(self, case: Any, returned: object, of: str) -> None:
        """Run what a method returned to its end; then look whether it called the base class's."""
        if returned is not None:
            self._awaited(case).finish(returned, of=of)
        if of == "setUp":
            self.check_set_up(case)
        elif of == "tearDown":
            self.check_torn_down(case)

    def finish_cleanup(self, case: Any, returned: object, function: Callable[..., Any]) -> None:
        """Run what a clean-up returned to its end; values that nobody awaits are nobody's."""
        if returned is not None and type(returned) not in _PLAIN:
            of = getattr(function, "__qualname__", repr(function))
            self._awaited(case).finish(returned, of=of, any_value=True)

    def _awaited(self, case: Any) -> Awaiting:
        if self.awaiting is None:
            self.awaiting = Awaiting(case)
        return self.awaiting

    def check_set_up(self, case: Any) -> None:
        """Raise ValueError unless the case's setUp called the base class's."""
        if not self.set_up and "setUp" not in case.__dict__:
            raise ValueError(wrong_calls(case, "setUp", "was not called"))

    def check_torn_down(self, case: Any) -> None:
        """Raise ValueError unless the case's tearDown called the base class's."""
        # A debugger's runner may have put another one on the instance, to call ours later.
        if not self.torn_down and "tearDown" not in case.__dict__:
            raise ValueError(wrong_calls(case, "tearDown", "was not called"))


def state_of(case: Any) -> CaseState:
    """The case's state."""
    state: CaseState | None = case._whotests_state
    if state is None:
        state = case._whotests_state = CaseState()
    return state


def expects_failure(case: Any, method: object) -> bool:
    """Whether the case or its method is decorated as unittest's `expectedFailure`."""
    mark = "__unittest_expecting_failure__"
    return bool(getattr(method, mark, False) or getattr(case, mark, False))


def wrong_calls(case: Any, name: str, what: str) -> str:
    """What to say of a setUp or tearDown that is not called once."""
    module = sys.modules.get(type(case).__module__)
    place = getattr(module, "__file__", None) or type(case).__module__
    return (
        f"In File: {place}\nTestCase.{name} {what}. Call super().{name}() exactly once in "
        f"{type(case).__qualname__}.{name} and in each that it calls, and call {name} nowhere else."
    )
