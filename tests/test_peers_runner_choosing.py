"""What testtools' runner says of tests that are not there, and what ours says."""

import sys
from pathlib import Path

import pytest

from chosen_commands import ran, whotests_test
from measured_commands import run_plain, write_files

pytest.importorskip("testtools")

CASES = """
    import testtools

    class A(testtools.TestCase):
        def test_1(self):
            pass
    """


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """One test, and a list that names another one, too, which is not there."""
    write_files(tmp_path, {"pyproject.toml": "", "shop/__init__.py": "", "shop/test_a.py": CASES})
    (tmp_path / "renamed").write_text("shop.test_a.A.test_old\n")
    return tmp_path


def test_a_list_of_unknown_ids(project: Path) -> None:
    """testtools runs 0 tests and says OK; here each of them is a failure."""
    words = ("-m", "testtools.run", "--load-list", "renamed", "shop.test_a")
    peer = run_plain(sys.executable, *words, cwd=project)
    assert peer.status == 0
    assert "Ran 0 tests" in peer.out + peer.err
    ours = whotests_test(project, "--load-list", "renamed", "shop.test_a", "-v", status=1)
    assert ran(ours) == ["shop.test_a.A.test_old"]
    assert "1 failed" in ours.out


def test_a_list_of_tests_of_a_module_that_is_broken(project: Path) -> None:
    """testtools filters the error out and says OK; here the error is shown, and the tests have
    failed."""
    (project / "shop/test_a.py").write_text("import nothing_of_that_name\n")
    words = ("-m", "testtools.run", "discover", "--load-list", "renamed")
    peer = run_plain(sys.executable, *words, cwd=project)
    assert peer.status == 0
    assert "nothing_of_that_name" not in peer.out + peer.err
    ours = whotests_test(project, "--load-list", "renamed", "unittest:", "-v", status=1)
    assert "nothing_of_that_name" in ours.out
    assert "shop.test_a.A.test_old" in ran(ours)
