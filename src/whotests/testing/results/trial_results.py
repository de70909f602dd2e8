"""Failures as trial's reporters want them."""

from typing import Any

from whotests.testing.details.reported import ReportedDetails

__all__ = ["as_failure", "is_of_trial", "is_of_trials_worker"]

__unittest = True


def is_of_trial(result: object) -> bool:
    """Whether it is one of trial's reporters, or made from one."""
    return any(base.__module__.startswith("twisted.trial.") for base in type(result).__mro__)


def is_of_trials_worker(result: object) -> bool:
    """Whether it sends outcomes on to trial's main process: parts of tests are not among them."""
    return any(base.__module__.startswith("twisted.trial._dist.") for base in type(result).__mro__)


def as_failure(details: ReportedDetails) -> Any:
    """A `twisted.python.failure.Failure`, which shows all details after its traceback."""
    from twisted.python.failure import Failure

    class DetailedFailure(Failure):
        def getTraceback(self, *args: Any, **kwargs: Any) -> str:
            text: str = super().getTraceback(*args, **kwargs)
            return text + note

    note = details.others_text()
    kind, raised, tb = details.exc_info or (None, None, None)
    made: Any = DetailedFailure if note else Failure
    return made(raised, kind, tb)
