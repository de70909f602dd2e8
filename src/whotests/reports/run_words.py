"""How tests ended and how long it takes, as a run's display says it."""

from typing import Final

from whotests.stream.event import Status

__all__ = ["STYLES", "WORDS", "clock_time", "ended_so", "rough_time"]

WORDS: Final = {
    Status.EXISTS: "exists",
    Status.INPROGRESS: "running",
    Status.SUCCESS: "passed",
    Status.FAIL: "failed",
    Status.SKIP: "skipped",
    Status.XFAIL: "expected failure",
    Status.UXSUCCESS: "unexpected success",
    Status.UNKNOWN: "unknown",
}

STYLES: Final = {
    Status.EXISTS: "",
    Status.INPROGRESS: "",
    Status.SUCCESS: "green",
    Status.FAIL: "bold red",
    Status.SKIP: "yellow",
    Status.XFAIL: "yellow",
    Status.UXSUCCESS: "bold red",
    Status.UNKNOWN: "bold red",
}

_PLURALS: Final = {
    Status.XFAIL: "expected failures",
    Status.UXSUCCESS: "unexpected successes",
}

_MINUTE: Final = 60
_HOUR: Final = 3600


def ended_so(number: int, status: Status) -> str:
    """'1,204 passed', '1 expected failure', '2 expected failures'."""
    word = WORDS[status]
    return f"{number:,} {word if number == 1 else _PLURALS.get(status, word)}"


def clock_time(seconds: float) -> str:
    """'0:07', '12:31', '1:02:03': since the run began."""
    minutes, rest = divmod(int(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rough_time(seconds: float) -> str:
    """As one says how long something will take."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 2 * _MINUTE:
        return f"{5 * round(seconds / 5)} s"
    if seconds < 2 * _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    return f"{hours} h {minutes:02} min"
