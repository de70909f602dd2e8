"""What `whotests test` records is what `whotests run` records of the host's own command."""

from pathlib import Path

import pytest

from measured_commands import (
    recorded_lines,
    recorded_outcomes,
    run_measured,
    run_plain,
    write_files,
)

FILES = {
    "pyproject.toml": """
        [tool.whotests]
        source = ["shop.py", "tests"]
        branch = true
        [tool.pytest.ini_options]
        pythonpath = ["."]
    """,
    "shop.py": """
        def price(count):
            if count > 10:
                return count * 9
            return count * 10
    """,
    "tests/__init__.py": "",
    "tests/test_shop.py": """
        import unittest
        import shop

        class Prices(unittest.TestCase):
            def setUp(self):
                self.one = shop.price(1)

            def test_one(self):
                assert self.one == 10

            def test_many(self):
                assert shop.price(20) == 180
    """,
}


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("pytest:tests", ("pytest", "-q", "-p", "no:cacheprovider")),
        ("unittest:tests.test_shop", ("python", "-m", "unittest", "-q", "tests.test_shop")),
    ],
)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_same_facts(tmp_path: Path, target: str, command: tuple[str, ...], jobs: str) -> None:
    """Lines and branches of each test, of test files too, however many workers there are."""
    write_files(tmp_path, FILES)
    assert run_measured(*command, cwd=tmp_path).status == 0
    serial = [recorded_lines(tmp_path, path) for path in ("shop.py", "tests/test_shop.py")]
    assert any("|call" in name for facts in serial for name in facts)
    outcomes = recorded_outcomes(tmp_path)
    ended = run_plain(
        "python", "-m", "whotests", "test", "-j", jobs, "--keep-runs", "1", target, cwd=tmp_path
    )
    assert (ended.status, ended.err) == (0, "")
    assert recorded_outcomes(tmp_path) == outcomes
    hosted = [recorded_lines(tmp_path, path) for path in ("shop.py", "tests/test_shop.py")]
    assert hosted == serial
