"""Tests of unittest, testtools and trial get their contexts and outcomes, and run as without us."""

import re
from pathlib import Path

import pytest

from measured_commands import (
    Ended,
    recorded_lines,
    recorded_outcomes,
    run_measured,
    run_plain,
    write_files,
)

PACKAGE = {
    "pyproject.toml": "[project]\nname = 'shop'\n",
    "shop/__init__.py": """
        def prepare():
            return 1

        def work():
            return 2

        def tidy():
            return 3

        def clean():
            return 4
    """,
}
PREPARE, WORK, TIDY, CLEAN = 2, 5, 8, 11

STDLIB = """
    import unittest
    import shop

    class Plain(unittest.TestCase):
        def setUp(self):
            shop.prepare()
            self.addCleanup(shop.clean)

        def tearDown(self):
            shop.tidy()

        def test_passes(self):
            shop.work()

        def test_fails(self):
            self.assertEqual(1, 2)

        def test_errs(self):
            raise LookupError("x")

        def test_skips(self):
            self.skipTest("why")

        @unittest.skip("decorated")
        def test_is_skipped(self):
            pass

        @unittest.expectedFailure
        def test_expected(self):
            self.fail()

        @unittest.expectedFailure
        def test_unexpected(self):
            pass

        def test_subtests(self):
            for number in range(3):
                with self.subTest(number=number):
                    self.assertNotEqual(number, 1)

        def test_good_subtests(self):
            with self.subTest():
                shop.work()

        def test_subtest_errs(self):
            with self.subTest():
                raise OSError("x")

        def test_fails_then_cleanup_skips(self):
            self.addCleanup(self.skipTest, "late")
            self.fail("first")

    class Class(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            raise RuntimeError("no class")

        def test_never_runs(self):
            pass

    class OwnRun(unittest.TestCase):
        def run(self, result=None):
            shop.prepare()
            return super().run(result)

        def test_inner(self):
            class Inner(unittest.TestCase):
                def test_within(self):
                    shop.work()
                    self.fail("inner")
            result = unittest.TestResult()
            Inner("test_within").run(result)
            self.assertEqual(len(result.failures), 1)

    class Returns(unittest.TestCase):
        def test_returns(self):
            return 5

    class Async(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self):
            shop.prepare()

        async def asyncTearDown(self):
            shop.tidy()

        async def test_waits(self):
            import asyncio
            await asyncio.sleep(0)
            shop.work()

        async def test_fails(self):
            self.fail("async")

    class Broken(unittest.TestCase):
        def setUp(self):
            raise ValueError("set up")

        def test_not_reached(self):
            pass
"""

EXPECTED = {
    "Plain.test_passes": "passed",
    "Plain.test_fails": "failed",
    "Plain.test_errs": "error",
    "Plain.test_skips": "skipped",
    "Plain.test_is_skipped": "skipped",
    "Plain.test_expected": "expected failure",
    "Plain.test_unexpected": "unexpected success",
    "Plain.test_subtests": "failed",
    "Plain.test_good_subtests": "passed",
    "Plain.test_subtest_errs": "error",
    "Plain.test_fails_then_cleanup_skips": "failed",
    "OwnRun.test_inner": "passed",
    "Returns.test_returns": "passed",
    "Async.test_waits": "passed",
    "Async.test_fails": "failed",
    "Broken.test_not_reached": "error",
}


def without_times(ended: Ended) -> Ended:
    """The same with seconds, addresses and dates of logs left out."""
    pattern = re.compile(r"\d+\.\d+s|0x[0-9a-f]+|in \d+\.\d+ ?s\w*|\[[\d.]+s\]")
    return Ended(
        status=ended.status, out=pattern.sub("T", ended.out), err=pattern.sub("T", ended.err)
    )


def assert_phases(folder: Path, test: str, expected: dict[str, set[int]]) -> None:
    """The test ran these lines of the package in these phases, and no others."""
    lines = recorded_lines(folder, "shop/__init__.py")
    found = {name.split("|")[1]: ran for name, ran in lines.items() if name.startswith(f"{test}|")}
    assert {phase: ran for phase, ran in found.items() if ran} == expected


def test_unittest_runs_and_is_recorded(tmp_path: Path) -> None:
    """`python -m unittest`: same output, every outcome, and lines by phase."""
    write_files(tmp_path, {**PACKAGE, "test_shop.py": STDLIB})
    words = ("python", "-m", "unittest", "-v", "test_shop")
    measured = without_times(run_measured(*words, cwd=tmp_path))
    assert measured == without_times(run_plain(*words, cwd=tmp_path))
    names = {f"test_shop.{name}": outcome for name, outcome in EXPECTED.items()}
    assert recorded_outcomes(tmp_path) == names
    assert_phases(
        tmp_path,
        "test_shop.Plain.test_passes",
        {"setup": {PREPARE}, "call": {WORK}, "teardown": {TIDY, CLEAN}},
    )
    assert_phases(
        tmp_path,
        "test_shop.Async.test_waits",
        {"setup": {PREPARE}, "call": {WORK}, "teardown": {TIDY}},
    )
    assert_phases(tmp_path, "test_shop.OwnRun.test_inner", {"setup": {PREPARE}, "call": {WORK}})


@pytest.mark.parametrize("option", ["-f", "-b", "-c", "--locals"])
def test_unittest_options_keep_their_meaning(tmp_path: Path, option: str) -> None:
    """Stopping early, buffering, catching Ctrl-C and locals in tracebacks work as ever."""
    write_files(tmp_path, {**PACKAGE, "test_shop.py": STDLIB})
    words = ("python", "-m", "unittest", option, "test_shop")
    measured = without_times(run_measured(*words, cwd=tmp_path))
    assert measured == without_times(run_plain(*words, cwd=tmp_path))


def test_case_that_makes_its_own_result(tmp_path: Path) -> None:
    """`case.run()` without a result: the outcome is heard from the default result."""
    program = """
        import unittest

        class Case(unittest.TestCase):
            def test_fails(self): self.fail()
            def test_passes(self): pass

        for name in ("test_fails", "test_passes"):
            case = Case(name)
            result = case.run()
            print(result, sorted(vars(case)), "addFailure" in vars(result))
            print(case.run.__name__, unittest.TestCase.run.__qualname__)
    """
    write_files(tmp_path, {"prog.py": program})
    measured = run_measured("python", "prog.py", cwd=tmp_path)
    assert measured == run_plain("python", "prog.py", cwd=tmp_path)
    assert recorded_outcomes(tmp_path) == {
        "__main__.Case.test_fails": "failed",
        "__main__.Case.test_passes": "passed",
    }


def test_interrupted_unittest(tmp_path: Path) -> None:
    """Ctrl-C in a test: traceback and death are those of plain Python."""
    text = """
        import unittest
        class Case(unittest.TestCase):
            def test_stops(self): raise KeyboardInterrupt
        if __name__ == "__main__":
            unittest.main()
    """
    write_files(tmp_path, {"prog.py": text})
    words = ("python", "prog.py")
    plain, measured = (run(*words, cwd=tmp_path) for run in (run_plain, run_measured))
    assert without_times(measured) == without_times(plain)


TESTTOOLS = """
    import testtools
    import shop
    from testtools.matchers import Equals

    class Tools(testtools.TestCase):
        def setUp(self):
            super().setUp()
            shop.prepare()

        def tearDown(self):
            shop.tidy()
            super().tearDown()

        def test_passes(self):
            shop.work()
            self.addCleanup(shop.clean)

        def test_fails(self):
            self.assertThat(1, Equals(2))

        def test_errs(self):
            raise LookupError("x")

        def test_skips(self):
            self.skipTest("why")

        def test_expected(self):
            self.expectFailure("known", self.assertEqual, 1, 2)

        def test_unexpected(self):
            self.expectFailure("known", self.assertEqual, 1, 1)
"""


@pytest.mark.parametrize("runner", ["testtools.run", "unittest"])
def test_testtools_runs_and_is_recorded(tmp_path: Path, runner: str) -> None:
    """testtools' cases, by its runner and by unittest's: same output, outcomes and phases."""
    write_files(tmp_path, {**PACKAGE, "test_tools.py": TESTTOOLS})
    words = ("python", "-m", runner, "test_tools")
    measured = without_times(run_measured(*words, cwd=tmp_path))
    assert measured == without_times(run_plain(*words, cwd=tmp_path))
    assert recorded_outcomes(tmp_path) == {
        "test_tools.Tools.test_passes": "passed",
        "test_tools.Tools.test_fails": "failed",
        "test_tools.Tools.test_errs": "error",
        "test_tools.Tools.test_skips": "skipped",
        "test_tools.Tools.test_expected": "expected failure",
        "test_tools.Tools.test_unexpected": "unexpected success",
    }
    assert_phases(
        tmp_path,
        "test_tools.Tools.test_passes",
        {"setup": {PREPARE}, "call": {WORK}, "teardown": {TIDY, CLEAN}},
    )


TRIAL = """
    from twisted.internet import defer, reactor, task
    from twisted.trial import unittest
    import shop

    class Waits(unittest.TestCase):
        def setUp(self):
            return task.deferLater(reactor, 0, shop.prepare)

        def tearDown(self):
            return task.deferLater(reactor, 0, shop.tidy)

        def test_deferred(self):
            self.addCleanup(shop.clean)
            return task.deferLater(reactor, 0, shop.work)

        async def test_coroutine(self):
            await task.deferLater(reactor, 0, lambda: None)
            shop.work()

        def test_fails(self):
            return task.deferLater(reactor, 0, self.fail, "late")

        def test_errs(self):
            return defer.fail(LookupError("x"))

        def test_skips(self):
            raise unittest.SkipTest("why")

        def test_todo(self):
            self.fail("known")
        test_todo.todo = "later"

        def test_todo_works(self):
            pass
        test_todo_works.todo = "later"

    class Plain(unittest.SynchronousTestCase):
        def setUp(self):
            shop.prepare()

        def tearDown(self):
            shop.tidy()

        def test_passes(self):
            self.addCleanup(shop.clean)
            shop.work()

        def test_fails(self):
            self.assertEqual(1, 2)

        def test_skipped(self):
            pass
        test_skipped.skip = "why"
"""


@pytest.mark.parametrize("form", ["console", "module", "pyunit"])
def test_trial_runs_and_is_recorded(tmp_path: Path, form: str) -> None:
    """trial's cases, by `trial`, `python -m twisted.trial` and unittest."""
    write_files(tmp_path, {**PACKAGE, "test_waits.py": TRIAL})
    words = {
        "console": ("trial", "test_waits"),
        "module": ("python", "-m", "twisted.trial", "test_waits"),
        "pyunit": ("python", "-m", "unittest", "test_waits"),
    }[form]
    path = {"PYTHONPATH": str(tmp_path)}
    plain = without_times(run_plain(*words, cwd=tmp_path, env=path))
    assert without_times(run_measured(*words, cwd=tmp_path, env=path)) == plain
    # unittest's results have no 'todo': trial reports one that works to them as a failure.
    works = "failed" if form == "pyunit" else "unexpected success"
    assert recorded_outcomes(tmp_path) == {
        "test_waits.Waits.test_deferred": "passed",
        "test_waits.Waits.test_coroutine": "passed",
        "test_waits.Waits.test_fails": "failed",
        "test_waits.Waits.test_errs": "error",
        "test_waits.Waits.test_skips": "skipped",
        "test_waits.Waits.test_todo": "expected failure",
        "test_waits.Waits.test_todo_works": works,
        "test_waits.Plain.test_passes": "passed",
        "test_waits.Plain.test_fails": "failed",
        "test_waits.Plain.test_skipped": "skipped",
    }
    phases = {"setup": {PREPARE}, "call": {WORK}, "teardown": {TIDY, CLEAN}}
    assert_phases(tmp_path, "test_waits.Waits.test_deferred", phases)
    assert_phases(tmp_path, "test_waits.Plain.test_passes", phases)


def test_workers_of_trial_are_measured(tmp_path: Path) -> None:
    """`trial -j2` works as without us, and its tests are recorded."""
    text = """
        from twisted.trial.unittest import SynchronousTestCase

        class TestCase(SynchronousTestCase):
            def test_one(self): pass
    """
    write_files(tmp_path, {"tests/__init__.py": "", "tests/test_case.py": text})
    words = ("python", "-m", "twisted.trial", "-j2", "tests.test_case")
    ended = run_measured(*words, cwd=tmp_path)
    assert (ended.status, ended.err) == (0, "")
    assert recorded_outcomes(tmp_path) == {"tests.test_case.TestCase.test_one": "passed"}
