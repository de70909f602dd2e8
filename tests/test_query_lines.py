"""Ranges and percentages are coverage.py's."""

from coverage.results import display_covered, format_lines, should_fail_under
from hypothesis import given
from hypothesis import strategies as st

from whotests.query.lines import falls_short, percent_run, ranges, shown_percent
from whotests.reports.words import range_list
from whotests.types import bits_of

COUNTS = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(st.sets(st.integers(1, 80)), st.data())
def test_ranges_are_coverages(statements: set[int], data: st.DataObject) -> None:
    """Missing lines are written as coverage.py writes them, joined over blank lines."""
    missing = data.draw(st.sets(st.sampled_from(sorted(statements)))) if statements else set()
    ours = range_list(ranges(bits_of(missing), among=bits_of(statements)))
    assert ours == format_lines(statements, missing)


@given(COUNTS)
def test_shown_percentages_are_coverages(counts: tuple[int, int]) -> None:
    """Percentages are rounded as coverage.py rounds them: never to 0 or 100."""
    statements, missing = counts
    percent = percent_run(statements=statements, missing=missing)
    assert str(shown_percent(percent)) == display_covered(percent, 0)


@given(
    COUNTS,
    st.one_of(st.integers(0, 100), st.decimals(0, 100, places=2)).map(float),
)
def test_thresholds_are_coverages(counts: tuple[int, int], under: float) -> None:
    """A required percentage fails when coverage.py's --fail-under does."""
    statements, missing = counts
    percent = percent_run(statements=statements, missing=missing)
    assert falls_short(percent, under=under) == should_fail_under(percent, under, 0)
