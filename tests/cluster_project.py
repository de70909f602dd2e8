"""A project whose tests are run on clusters, and what must be the same there."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from facts import Facts, of_tests, whotests_facts
from measured_commands import write_files
from tested_commands import Started, Tested, run_tests

__all__ = ["DATA", "facts_in", "here", "make_project", "said_so_far", "verdicts_of"]

DATA = Path(".whotests", "data.db")

PROJECT = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        pythonpath = ["src"]
        testpaths = ["tests"]

        [tool.whotests]
        source = ["src"]
        tests = ["pytest:tests", "unittest:cases"]
    """,
    ".gitignore": """
        .whotests/
        __pycache__/
        src/shop/_version.py
        notes.txt
    """,
    "src/shop/__init__.py": "",
    "src/shop/_version.py": "VERSION = '1.2'\n",
    "notes.txt": "not for others\n",
    "src/shop/prices.py": """
        from shop._version import VERSION

        def price(n):
            if n % 2:
                return n * 2
            return n + 1

        def total(numbers):
            result = 0
            for n in numbers:
                result += price(n)
            return result
    """,
    "tests/test_prices.py": """
        import time
        import pytest
        from shop.prices import VERSION, price, total

        @pytest.fixture(scope="module")
        def many():
            return [price(n) for n in range(10)]

        @pytest.mark.parametrize("n", range(30))
        def test_price(n):
            time.sleep(0.01)
            assert price(n) in (2 * n, n + 1)

        def test_many(many):
            assert len(many) == 10

        def test_fails():
            assert total([1, 2]) == 0, "it was said"

        @pytest.mark.skip(reason="not today")
        def test_skipped():
            price(1)

        @pytest.mark.xfail
        def test_expected():
            assert total([]) == 1
    """,
    "cases.py": """
        import unittest
        import sys, os
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "src"))
        from shop.prices import total

        class Totals(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.one = total([1])

            def test_one(self):
                self.assertEqual(self.one, 2)

            def test_two(self):
                self.assertEqual(total([1, 2]), 5)
    """,
}


def make_project(folder: Path, *, git: bool = False) -> Path:
    """Write the project; the folder."""
    write_files(folder, PROJECT)
    if git:
        subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    return folder


def here(project: Path, data: Path) -> tuple[Tested, Facts]:
    """What the project's tests come to on this machine, one after the other."""
    done = run_tests("--measure", "-j1", "--data", str(data), cwd=project)
    return done, facts_in(data, project)


def facts_in(data: Path, project: Path) -> Facts:
    """What each test ran."""
    return of_tests(whotests_facts(data, project))


def verdicts_of(done: Tested) -> dict[str, str]:
    """The one verdict of each test, by its id."""
    assert all(len(each) == 1 for each in done.verdicts.values()), done.verdicts
    return {test_id: each[0] for test_id, each in done.verdicts.items()}


def said_so_far(started: Started) -> list[dict[str, Any]]:
    """The events that a run has told while it goes on."""
    # The offset of the file is the command's, too.
    octets = os.pread(started.out.fileno(), 1 << 24, 0)
    return [json.loads(line) for line in octets.splitlines(keepends=True) if line.endswith(b"\n")]
