"""A test that is run with another result than the one it is given."""

from collections.abc import Callable
from typing import Any

__all__ = ["DecorateTestCaseResult"]

_OWN = frozenset({"decorated", "callout", "before_run", "after_run"})


class DecorateTestCaseResult:
    """Runs `case` with what `callout` makes of each result; is the case in all other ways."""

    __test__ = False

    def __init__(
        self,
        case: Any,
        callout: Callable[[Any], Any],
        before_run: Callable[[Any], object] | None = None,
        after_run: Callable[[Any], object] | None = None,
    ) -> None:
        """`before_run` and `after_run` are called with the new result, the latter always."""
        self.decorated = case
        self.callout = callout
        self.before_run = before_run
        self.after_run = after_run

    def run(self, result: Any = None) -> Any:
        """Run the case."""
        return self._run(result, self.decorated.run)

    def __call__(self, result: Any = None) -> Any:
        """Call the case."""
        return self._run(result, self.decorated)

    def _run(self, result: Any, run: Callable[[Any], Any]) -> Any:
        result = self.callout(result)
        if self.before_run is not None:
            self.before_run(result)
        try:
            return run(result)
        finally:
            if self.after_run is not None:
                self.after_run(result)

    def __getattr__(self, name: str) -> Any:
        if name in _OWN:  # not made yet, as while it is unpickled
            raise AttributeError(name)
        return getattr(self.decorated, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            super().__setattr__(name, value)
        else:
            setattr(self.decorated, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.decorated, name)
