"""unittest, testtools and trial in each of their ways: facts and outcomes are the same."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from facts import Facts
from measured_commands import Ended, run_measured, run_plain
from runner_project import Recorded, explained, make, recorded

OPTIONS = ("--branch", "--source", "shop", "--source", "tests")

CASES = {
    "tests/__init__.py": "",
    "tests/test_cases.py": """
        import asyncio
        import subprocess
        import sys
        import unittest

        from shop.basket import Basket, Unknown, sign, size


        class Plain(unittest.TestCase):
            def setUp(self):
                self.basket = Basket("book", "tea")
                self.addCleanup(self.basket.clear)

            def tearDown(self):
                size("ab")

            def test_total(self):
                self.assertEqual(self.basket.total({"book": 1, "tea": 2}), 3)

            def test_unknown(self):
                with self.assertRaises(Unknown):
                    self.basket.total({})

            def test_fails(self):
                print("to be seen")
                self.assertEqual(list(self.basket.rates()), [])

            def test_errs(self):
                self.basket.total({"book": 1})

            def test_skips(self):
                if sign(-1):
                    self.skipTest("why")

            @unittest.skip("always")
            def test_skipped(self):
                sign(1)

            @unittest.expectedFailure
            def test_expected(self):
                self.assertTrue(sign(0))

            @unittest.expectedFailure
            def test_unexpected(self):
                sign(1)

            def test_parts(self):
                for number in (0, -1, 1):
                    with self.subTest(number=number):
                        self.assertLess(sign(number), 1)

            def test_child(self):
                code = "from shop.basket import sign; sign(-2)"
                subprocess.run([sys.executable, "-c", code], check=True)


        class Waiting(unittest.IsolatedAsyncioTestCase):
            async def asyncSetUp(self):
                self.basket = Basket("lamp", "tea")
                self.addAsyncCleanup(self.clean)

            async def clean(self):
                await asyncio.sleep(0)
                self.basket.clear()

            async def asyncTearDown(self):
                await asyncio.sleep(0)
                size("abcd")

            async def wait(self, name):
                await asyncio.sleep(0.001)
                if name == "tea":
                    raise OSError

            async def test_order(self):
                self.assertFalse(await self.basket.order(self.wait))

            async def test_fails(self):
                task = asyncio.create_task(self.basket.order(self.wait))
                self.assertTrue(await task)


        class Broken(unittest.TestCase):
            def setUp(self):
                raise OSError(sign(1))

            def test_never(self):
                sign(-1)
    """,
}

DOCTESTS = {
    "tests/test_loaded.py": """
        import doctest
        import unittest

        import shop.basket


        class Loaded(unittest.TestCase):
            def runTest(self):
                self.assertEqual(shop.basket.sign(3), 1)


        def load_tests(loader, tests, pattern):
            suite = unittest.TestSuite([Loaded()])
            suite.addTests(doctest.DocTestSuite(shop.basket))
            suite.addTests(doctest.DocFileSuite("guide.txt"))
            return suite
    """,
    "tests/guide.txt": """
        >>> from shop.basket import Basket
        >>> Basket("tea").total({"tea": 4})
        5
    """,
    "by_hand.py": """
        import doctest
        import sys

        import shop.basket

        sys.exit(doctest.testmod(shop.basket).failed)
    """,
}


def shown(text: str) -> list[str]:
    """What was written, without times and addresses."""
    return re.sub(r"\b\d+\.\d+s|0x[0-9a-f]+", "", text).splitlines()


class Compared:
    """A folder with the project, and commands that are run in it with and without measuring."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str) -> tuple[Ended, Recorded]:
        """How it ends, measured as without, and what is recorded."""
        plain = run_plain(*words, cwd=self.folder)
        done, found = self.measured(*words)
        assert (shown(done.out), shown(done.err)) == (shown(plain.out), shown(plain.err))
        assert done.status == plain.status
        return done, found

    def measured(self, *words: str) -> tuple[Ended, Recorded]:
        """How it ends and what is recorded."""
        shutil.rmtree(self.folder / ".whotests", ignore_errors=True)
        done = run_measured(*words, cwd=self.folder, options=OPTIONS)
        assert "whotests" not in done.err, explained(done)
        return done, recorded(self.folder)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """The project with tests of unittest."""
    return Compared(make(tmp_path_factory.mktemp("project"), CASES, DOCTESTS))


@pytest.fixture(scope="module")
def serial(compared: Compared) -> Recorded:
    """What `python -m unittest discover` records."""
    done, found = compared.run("python", "-m", "unittest", "discover", "-v")
    assert done.status == 1
    return found


def test_outcomes_are_known(serial: Recorded) -> None:
    """Each test's is that of its result, doctests of `load_tests` included."""
    cases = {
        "Plain.test_total": "passed",
        "Plain.test_unknown": "passed",
        "Plain.test_fails": "failed",
        "Plain.test_errs": "error",
        "Plain.test_skips": "skipped",
        "Plain.test_skipped": "skipped",
        "Plain.test_expected": "expected failure",
        "Plain.test_unexpected": "unexpected success",
        "Plain.test_parts": "failed",
        "Plain.test_child": "passed",
        "Waiting.test_order": "passed",
        "Waiting.test_fails": "failed",
        "Broken.test_never": "error",
    }
    assert serial.outcomes == {
        **{f"tests.test_cases.{name}": outcome for name, outcome in cases.items()},
        "tests.test_loaded.Loaded.runTest": "passed",
        "shop.basket.Basket": "passed",
        "shop.basket.sign": "passed",
        "guide_txt": "failed",
    }


def test_facts_are_those_of_the_phases(serial: Recorded) -> None:
    """Set-up, test and what tidies up have each their lines and branches; a child's are its
    test's."""

    def count(test: str) -> tuple[int, int]:
        key = (f"tests.test_cases.{test}", "shop/basket.py")
        return serial.lines.get(key, 0).bit_count(), serial.branches.get(key, 0).bit_count()

    assert count("Plain.test_total|setup") == (2, 0)
    assert count("Plain.test_total|run") == (5, 3)
    assert count("Plain.test_total|teardown") == (6, 4)
    assert count("Waiting.test_order|setup") == (2, 0)
    assert count("Waiting.test_order|run")[0] == 6
    assert count("Broken.test_never|setup")[0] == 2
    child = serial.lines["tests.test_cases.Plain.test_child|run", "shop/basket.py"]
    assert child & serial.lines["", "shop/basket.py"], "the child imports it for the test"


@pytest.mark.parametrize(
    "words",
    [
        ("unittest",),
        ("unittest", "discover", "-b", "-s", "tests", "-t", "."),
        pytest.param(
            ("unittest", "--locals", "tests.test_cases", "tests.test_loaded"),
            marks=pytest.mark.skipif(
                sys.version_info >= (3, 15), reason="doctests that fail break it there"
            ),
        ),
        pytest.param(
            ("unittest", "discover", "--durations=3"),
            marks=pytest.mark.skipif(sys.version_info < (3, 12), reason="new in 3.12"),
        ),
        ("testtools.run", "discover"),
    ],
    ids=lambda words: " ".join(words),
)
def test_facts_are_the_same_in_each_way(
    compared: Compared, serial: Recorded, words: tuple[str, ...]
) -> None:
    """Output, status, outcomes, lines and branches."""
    if words[0] == "testtools.run":
        pytest.importorskip("testtools", reason="testtools is not installed")
    if words[0] == "testtools.run" or "--durations=3" in words:  # what they write changes
        done, found = compared.measured("python", "-m", *words)
    else:
        done, found = compared.run("python", "-m", *words)
    assert done.status == 1
    assert found == serial


def test_only_what_runs_is_recorded(compared: Compared, serial: Recorded) -> None:
    """With `-k` the tests that it names, with `-f` those up to the first that fails."""
    words = ("-k", "total", "-k", "order", "tests.test_cases")
    done, found = compared.run("python", "-m", "unittest", *words)
    assert done.status == 0
    chosen = {"tests.test_cases.Plain.test_total", "tests.test_cases.Waiting.test_order"}
    assert found.outcomes.keys() == chosen
    for name in ("lines", "branches"):
        assert _of(getattr(found, name), chosen) == _of(getattr(serial, name), chosen)
    done, found = compared.run("python", "-m", "unittest", "-f", "tests.test_cases.Plain")
    assert done.status == 1
    assert found.outcomes == {
        "tests.test_cases.Plain.test_child": "passed",
        "tests.test_cases.Plain.test_errs": "error",
    }


def _of(facts: Facts, tests: set[str]) -> dict[tuple[str, str], int]:
    return {key: bits for key, bits in facts.items() if key[0].partition("|")[0] in tests}


def test_doctests_by_hand_are_in_no_test(compared: Compared, serial: Recorded) -> None:
    """`doctest.testmod` of a script has no test cases: its facts are those of no context."""
    done, found = compared.run("python", "by_hand.py")
    assert done.status == 0
    assert found.outcomes == {}
    ran = serial.lines["shop.basket.sign|run", "shop/basket.py"]
    assert found.lines["", "shop/basket.py"] & ran == ran
