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
    foreign = {name for name in taken if not name.startswith("matchers.")}
    assert foreign == set(PEERS_OWN)
