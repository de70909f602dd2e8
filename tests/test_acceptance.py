"""The tests of testtools and of what uses it pass against our names, but for what is listed."""

from pathlib import Path

import pytest

from acceptance import PROJECTS, Acceptance, run_acceptance
from acceptance_differences import DIFFERENCES, PEERS_OWN, PEERS_PARTS

pytestmark = pytest.mark.suites

LEAST = {"fixtures": 130, "python-subunit": 510, "testresources": 100, "testscenarios": 25}
"""How many tests of each project pass at the least."""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Acceptance], set[str]]:
    """What came of testtools' tests, and the names that are not ours."""
    return run_acceptance(tuple(DIFFERENCES), tmp_path_factory.mktemp("ours"))


def test_what_testtools_expects_of_its_own_names(
    ours: tuple[list[Acceptance], set[str]],
) -> None:
    """Each test passes, or is listed with a reason and fails; what is not ours is listed."""
    found, taken = ours
    assert {result.module: result.unlisted for result in found if result.unlisted} == {}
    assert {result.module: result.outdated for result in found if result.outdated} == {}
    foreign = {name for name in taken if not name.startswith(PEERS_PARTS)}
    assert foreign == set(PEERS_OWN)


def test_the_same_tests_run_as_with_testtools(
    ours: tuple[list[Acceptance], set[str]], tmp_path: Path
) -> None:
    """With testtools' own names the same tests run, and the same ones are skipped."""
    theirs, _ = run_acceptance(tuple(DIFFERENCES), tmp_path, whose="theirs")
    for their, our in zip(theirs, ours[0], strict=True):
        assert set(their.outcomes) == set(our.outcomes)
        assert their.skipped == our.skipped
        assert set(their.failed) <= {"TestTestResult.test_now_datetime_now"}


@pytest.mark.parametrize("name", PROJECTS)
def test_projects_that_use_testtools(name: str, tmp_path: Path) -> None:
    """A project whose imports from testtools are changed to ours passes its own tests."""
    (found,), _ = run_acceptance((), tmp_path, project=PROJECTS[name])
    assert found.unlisted == {}
    assert found.outdated == set()
    assert len(found.passed) >= LEAST[name]
