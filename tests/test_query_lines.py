"""Ranges and percentages are coverage.py's."""

from coverage.results import display_covered, format_lines, should_fail_under
from hypothesis import given
from hypothesis import strategies as st

from whotests.query.lines import falls_short, missing_parts, ranges, shown_percent
from whotests.query.numbers import Numbers
from whotests.reports.words import range_list
from whotests.types import bits_of

COUNTS = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(st.sets(st.integers(1, 80)), st.data())
def test_ranges_are_coverages(statements: set[int], data: st.DataObject) -> None:
    """Missing lines are written as coverage.py writes them, joined over blank lines."""
    missing = data.draw(st.sets(st.sampled_from(sorted(statements)))) if statements else set()
    ours = range_list(ranges(bits_of(missing), among=bits_of(statements)))
    assert ours == format_lines(statements, missing)


BRANCHES = st.sets(
    st.tuples(st.integers(1, 30), st.integers(-3, 30).filter(bool)).filter(
        lambda branch: branch[0] != branch[1]
    )
)


@given(st.sets(st.integers(1, 30)), BRANCHES, st.data())
def test_missing_branches_are_coverages(
    statements: set[int], branches: set[tuple[int, int]], data: st.DataObject
) -> None:
    """Missing lines and branches are written as coverage.py writes them."""
    missing = data.draw(st.sets(st.sampled_from(sorted(statements)))) if statements else set()
    ours = missing_parts(bits_of(missing), among=bits_of(statements), branches=branches)
    ends: dict[int, list[int]] = {}
    for line, end in branches:
        ends.setdefault(line, []).append(end)
    assert ", ".join(ours) == format_lines(statements, missing, arcs=ends.items())


@given(COUNTS, st.integers(0, 4))
def test_shown_percentages_are_coverages(counts: tuple[int, int], precision: int) -> None:
    """Percentages are rounded as coverage.py rounds them: never to 0 or 100."""
    statements, missing = counts
    percent = Numbers(statements=statements, missing=missing).percent
    assert shown_percent(percent, precision=precision) == display_covered(percent, precision)


@given(
    COUNTS,
    st.integers(0, 3),
    st.one_of(st.integers(0, 100), st.decimals(0, 100, places=2)).map(float),
)
def test_thresholds_are_coverages(counts: tuple[int, int], precision: int, under: float) -> None:
    """A required percentage fails when coverage.py's --fail-under does."""
    statements, missing = counts
    percent = Numbers(statements=statements, missing=missing).percent
    ours = falls_short(percent, under=under, precision=precision)
    assert ours == should_fail_under(percent, under, precision)
