"""What trial's runner gets wrong, met by the same programs with trial and with ours.

All cases are trial's or the standard library's own: what differs is who runs them.
"""

import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest

from measured_commands import write_files
from tested_commands import PATIENCE, environment, run_tests

pytest.importorskip("twisted", reason="twisted is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

TRIAL = "26.10.0"
as_listed = pytest.mark.skipif(version("twisted") != TRIAL, reason=f"as Twisted {TRIAL} has it")


class Program(NamedTuple):
    """A module of tests, how both run it, and how that ends."""

    name: str
    text: str
    theirs: str
    """Whether trial says PASSED or FAILED."""
    ours: dict[str, str]
    """Our verdict of each test."""
    their_words: tuple[str, ...] = ()
    our_words: tuple[str, ...] = ()


PROGRAMS = [
    Program(
        "coroutine_in_a_synchronous_case",
        """
        from twisted.trial.unittest import SynchronousTestCase

        class Case(SynchronousTestCase):
            async def test_it(self):
                self.fail("it ran")
        """,
        "PASSED",
        {"test_it": "fail"},
    ),
    Program(
        "deferred_in_a_synchronous_case",
        """
        from twisted.internet.defer import Deferred
        from twisted.trial.unittest import SynchronousTestCase

        class Case(SynchronousTestCase):
            def test_it(self):
                return Deferred().addCallback(lambda value: self.fail("it fired"))
        """,
        "PASSED",
        {"test_it": "fail"},
    ),
    Program(
        "part_that_fails_in_a_worker",
        """
        from unittest import TestCase

        class Case(TestCase):
            def test_parts(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertNotEqual(number, 1)

            def test_other(self):
                pass
        """,
        "PASSED",
        {"test_parts": "fail", "test_other": "success"},
        ("-j", "2"),
        ("-j", "2"),
    ),
    Program(
        "tests_with_parameters_in_workers",
        """
        from twisted.trial.unittest import SynchronousTestCase, TestSuite

        class Case(SynchronousTestCase):
            number = 0

            def id(self):
                return f"{super().id()}({self.number})"

            def test_size(self):
                self.assertLess(self.number, 3)

        def test_suite():
            suite = TestSuite()
            for number in (1, 2):
                case = Case("test_size")
                case.number = number
                suite.addTest(case)
            return suite

        def load_tests(loader, tests, pattern):
            return test_suite()
        """,
        "FAILED",
        {"test_size(1)": "success", "test_size(2)": "success"},
        ("-j", "2"),
        ("-j", "2"),
    ),
    Program(
        "asyncio_sleep",
        """
        import asyncio
        from twisted.trial.unittest import TestCase

        class Case(TestCase):
            async def test_it(self):
                await asyncio.sleep(0.01)
        """,
        "FAILED",
        {"test_it": "success"},
    ),
    Program(
        "set_up_class",
        """
        from twisted.trial.unittest import TestCase

        class Case(TestCase):
            ready = False

            @classmethod
            def setUpClass(cls):
                cls.ready = True

            def test_it(self):
                self.assertTrue(self.ready)
        """,
        "FAILED",
        {"test_it": "success"},
    ),
    Program(
        "blocking_code",
        """
        import time
        from twisted.trial.unittest import TestCase

        class Case(TestCase):
            timeout = 0.3

            def test_blocks(self):
                time.sleep(2)

            def test_goes_on(self):
                pass
        """,
        "PASSED",
        {"test_blocks": "fail", "test_goes_on": "success"},
        (),
        ("--timeout", "0.3"),
    ),
]

by_name = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)


def trial(*words: str, cwd: Path, seconds: float = PATIENCE) -> str:
    """What trial prints."""
    done = subprocess.run(
        [sys.executable, "-m", "twisted.trial", *words],
        cwd=cwd,
        env=environment(PYTHONPATH=str(cwd)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
    return done.stdout


@by_name
@as_listed
def test_trial_has_the_defect(program: Program, tmp_path: Path) -> None:
    """The program ends with trial as the table says."""
    write_files(tmp_path, {"test_program.py": program.text})
    said = trial(*program.their_words, "test_program", cwd=tmp_path)
    assert re.findall(r"^(PASSED|FAILED)\b", said, re.MULTILINE) == [program.theirs], said


@by_name
def test_ours_is_right(program: Program, tmp_path: Path) -> None:
    """The same program gets the verdicts that its author needs, one for each test."""
    write_files(tmp_path, {"test_program.py": program.text})
    ended = run_tests(*program.our_words, "trial:test_program", cwd=tmp_path)
    assert ended.verdict == program.ours
    assert ended.status == int("fail" in program.ours.values())


MANY = "import os, time\nfrom twisted.trial.unittest import SynchronousTestCase\n\n" + "".join(
    f"""
class Case{number:02}(SynchronousTestCase):
    def test_{number}(self):
        {"os._exit(7)" if number == 7 else "time.sleep(0.01)"}
"""
    for number in range(30)
)


@as_listed
def test_a_worker_of_trials_takes_others_along(tmp_path: Path) -> None:
    """One test ends its worker: many that it had been given are errors, and some never run."""
    write_files(tmp_path, {"test_many.py": MANY})
    said = trial("-j", "2", "test_many", cwd=tmp_path)
    passed = re.search(r"successes=(\d+)", said)
    assert passed is None or int(passed[1]) < 28, said
    assert "FAILED" in said


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_worker_of_ours_takes_nothing_along(tmp_path: Path, jobs: str) -> None:
    """The test that ended its worker has failed, with the status; all others pass."""
    write_files(tmp_path, {"test_many.py": MANY})
    ended = run_tests("-j", jobs, "trial:test_many", cwd=tmp_path)
    assert len(ended.verdicts) == 30
    assert len(ended.passed()) == 29
    assert ended.verdict["test_7"] == "fail"
    assert "7" in "".join(ended.said_of("test_7").values())


EMPTY = {"empty/__init__.py": "", "empty/test_none.py": ""}


@as_listed
def test_trial_hangs_where_there_are_no_tests(tmp_path: Path) -> None:
    """`trial -j1` of a package without tests never ends (its issue 11650)."""
    write_files(tmp_path, EMPTY)
    with pytest.raises(subprocess.TimeoutExpired):
        trial("-j", "1", "empty", cwd=tmp_path, seconds=6)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ours_says_that_there_are_no_tests(tmp_path: Path, jobs: str) -> None:
    """That no test ran is an error, with a status of its own."""
    write_files(tmp_path, EMPTY)
    ended = run_tests("-j", jobs, "trial:empty", cwd=tmp_path)
    assert ended.verdicts == {}
    assert ended.status == 5


SHOP = {
    "shop/__init__.py": "",
    "shop/basket.py": """
        def total(prices):
            result = 0
            for price in prices:
                result += price
            return result
    """,
    "shop/test/__init__.py": "",
    "shop/test/test_basket.py": """
        from shop.basket import total
        from twisted.trial.unittest import TestCase


        class Basket(TestCase):
            def test_total(self):
                self.assertEqual(total([1, 2]), 3)

            def test_empty(self):
                self.assertEqual(total([]), 0)
    """,
}


@as_listed
def test_coverage_is_not_followed_into_trials_workers(tmp_path: Path) -> None:
    """coverage.py around `trial -j` sees nothing of what its workers run (its issue 9663)."""
    pytest.importorskip("coverage", reason="coverage is not installed")
    write_files(tmp_path, SHOP)
    words = [sys.executable, "-m", "coverage"]
    for more in (
        ["run", "--source=shop", "-m", "twisted.trial", "-j", "2", "shop"],
        ["report", "--include=shop/basket.py"],
    ):
        done = subprocess.run(
            [*words, *more],
            cwd=tmp_path,
            env=environment(PYTHONPATH=str(tmp_path)),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    assert re.search(r"basket.py +5 +5 +0%|basket.py +5 +4 +20%", done.stdout), done.stdout


def test_who_tests_what_is_known_of_workers_of_ours(tmp_path: Path) -> None:
    """Each line is known by the tests that ran it, whichever worker they were in."""
    write_files(tmp_path, SHOP)
    ended = run_tests("--measure", "-j", "2", "trial:shop", cwd=tmp_path)
    assert ended.passed() == {"test_total", "test_empty"}
    asked = subprocess.run(
        [sys.executable, "-P", "-m", "whotests", "who", "shop/basket.py:4", "--json"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "test_total" in asked.stdout, asked.stderr
    assert "test_empty" not in asked.stdout
