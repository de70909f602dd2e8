"""Values read well."""

import pytest

from whotests.reports.words import (
    age,
    count,
    duration,
    joined,
    line_list,
    percent,
    shown_path,
    size,
)
from whotests.types import bits_of


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "0.0 ms"),
        (0.0012, "1.2 ms"),
        (0.25, "250 ms"),
        (0.9996, "1.00 s"),
        (3.4567, "3.46 s"),
        (75.0, "1 min 15 s"),
        (3700.0, "1 h 01 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    """Lengths of time have the unit that suits them."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "just now"),
        (600, "10 minutes ago"),
        (3600, "1 hour ago"),
        (200_000, "2 days ago"),
        (-30, "just now"),
    ],
)
def test_ages(seconds: float, text: str) -> None:
    """How long ago something was is told roughly."""
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(999, "999 B"), (53_248, "53 kB"), (2_707_456, "2.7 MB")]
)
def test_sizes(number: int, text: str) -> None:
    """Sizes have the unit that suits them."""
    assert size(number) == text


def test_counts() -> None:
    """One thing is singular, thousands are set apart."""
    assert [count(n, "test") for n in (0, 1, 2000)] == ["0 tests", "1 test", "2,000 tests"]


def test_lists() -> None:
    """Words and lines are listed as people do."""
    assert [joined(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert line_list(bits_of([3, 4, 5, 9])) == "3-5, 9"


def test_percentages() -> None:
    """0% and 100% are exact."""
    assert [percent(n) for n in (0.0, 0.01, 50.4, 99.99, 100.0)] == [
        "0%",
        "1%",
        "50%",
        "99%",
        "100%",
    ]


def test_installed_files_are_shown_from_their_package_on() -> None:
    """A path in site-packages is known by what follows it; others stay as they are."""
    assert shown_path("/v/lib/python3.11/site-packages/jinja2/lexer.py") == "jinja2/lexer.py"
    assert shown_path("C:\\v\\Lib\\site-packages\\a\\b.py") == "a/b.py"
    assert shown_path("src/shop/basket.py") == "src/shop/basket.py"
