"""testtools' own tests pass against our names, but for those that are listed with a reason."""

from pathlib import Path

import pytest

from acceptance import run_acceptance
from acceptance_differences import DIFFERENCES, PEERS_OWN

pytestmark = pytest.mark.suites


def test_what_testtools_expects_of_its_own_names(tmp_path: Path) -> None:
    """Each test passes, or is listed with a reason and fails."""
    found, taken = run_acceptance(tuple(DIFFERENCES), tmp_path)
    assert {result.module: result.unlisted for result in found if result.unlisted} == {}
    assert {result.module: result.outdated for result in found if result.outdated} == {}
    assert sum(len(result.passed) for result in found) >= 2_400
    foreign = {name for name in taken if not name.startswith("matchers.")}
    assert foreign == set(PEERS_OWN)


def test_the_same_tests_run_as_with_testtools(tmp_path: Path) -> None:
    """With testtools' own names the same tests run, and the same ones are skipped."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    theirs, _ = run_acceptance(tuple(DIFFERENCES), tmp_path / "theirs", whose="theirs")
    ours, _ = run_acceptance(tuple(DIFFERENCES), tmp_path / "ours")
    for their, our in zip(theirs, ours, strict=True):
        assert set(their.outcomes) == set(our.outcomes)
        assert their.skipped == our.skipped
        assert set(their.failed) <= {"TestTestResult.test_now_datetime_now"}
