"""Values as people read them: times, sizes, lines, percentages, outcomes.

May import types, query and the store's values. Refuses to know where the words will stand.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from whotests.query.lines import shown_percent
from whotests.store.values import Test
from whotests.types import Outcome, lines_in

__all__ = [
    "OUTCOME_STYLES",
    "age",
    "branch_end",
    "branch_name",
    "count",
    "duration",
    "joined",
    "line_list",
    "moment",
    "outcome_counts",
    "percent",
    "range_list",
    "shown_path",
    "size",
    "test_name",
]

OUTCOME_STYLES: Final = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.ERROR: "bold red",
    Outcome.SKIPPED: "yellow",
    Outcome.EXPECTED_FAILURE: "yellow",
    Outcome.UNEXPECTED_SUCCESS: "bold red",
    Outcome.UNKNOWN: "magenta",
}

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def shown_path(path: str) -> str:
    """A file's path, from its package on where it is an installed one. Targets may say it so."""
    for folder in ("/site-packages/", "/dist-packages/"):
        _, found, rest = path.replace("\\", "/").rpartition(folder)
        if found:
            return rest
    return path


def test_name(test: Test, *, below_label: bool) -> str:
    """A test's name; below the label of its run where there are several of these."""
    return test.title if below_label else test.name


def duration(seconds: float | None) -> str:
    """A length of time; '-' when it is not known."""
    if seconds is None:
        return "-"
    if seconds < 0.0095:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def moment(seconds: float) -> str:
    """A point in time (seconds since the epoch) in the reader's own time zone."""
    return datetime.fromtimestamp(seconds, tz=UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def outcome_counts(outcomes: Mapping[Outcome, int]) -> str:
    """'310 passed, 2 failed'; '-' for none."""
    return ", ".join(f"{number:,} {outcome}" for outcome, number in outcomes.items()) or "-"


def age(seconds: float) -> str:
    """How long ago something was, roughly."""
    if seconds < 2 * _MINUTE:
        return "just now"
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= unit:
            return f"{count(int(seconds // unit), name)} ago"
    return "just now"


def size(number: int) -> str:
    """So many bytes."""
    if number < 1000:
        return f"{number} B"
    if number < 1_000_000:
        return f"{number / 1000:.0f} kB"
    return f"{number / 1_000_000:.1f} MB"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """'1 test', '2,000 tests'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(number: float, *, precision: int = 0) -> str:
    """'0%' and '100%' only when they are exact."""
    return f"{shown_percent(number, precision=precision)}%"


def line_list(lines: int) -> str:
    """A bitmap of lines as '3-5, 9'."""
    parts: list[list[int]] = []
    for line in lines_in(lines):
        if parts and parts[-1][1] == line - 1:
            parts[-1][1] = line
        else:
            parts.append([line, line])
    return range_list([(first, last) for first, last in parts])


def branch_name(line: int, end: int) -> str:
    """A branch as people write it: '12->15', '12->exit'."""
    return f"{line}->{branch_end(end)}"


def branch_end(end: int) -> str:
    """Where a branch leads: a line, or 'exit' for out of a unit."""
    return str(end) if end > 0 else "exit"


def range_list(ranges: Sequence[tuple[int, int]]) -> str:
    """Ranges as '3-5, 9'."""
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)


def joined(words: Sequence[str], conjunction: str = "and") -> str:
    """'a', 'a and b', 'a, b and c'."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
