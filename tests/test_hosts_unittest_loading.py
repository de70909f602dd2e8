"""What unittest's host loads, by whatever it is called, and what it says of the rest."""

import gc
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from measured_commands import write_files
from tested_commands import run_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

CASE = """
    import unittest


    class Case(unittest.TestCase):
        def test_a(self):
            pass

        def test_b(self):
            pass
"""

PROJECT = {
    "app/__init__.py": "",
    "app/tests/__init__.py": "",
    "app/tests/test_one.py": CASE,
    "app/tests/test_two.py": CASE,
    "loose/test_three.py": CASE,
    "loose/check_four.py": CASE,
    "loose/test_broken.py": "import nowhere\n",
    "loose/test_leaves.py": "import sys\nsys.exit(3)\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with tests in it, and a folder of modules."""
    folder = tmp_path_factory.mktemp("project")
    write_files(folder, PROJECT)
    return folder


@pytest.mark.parametrize(
    ("target", "tests"),
    [
        (
            "app.tests.test_one",
            {"app.tests.test_one.Case.test_a", "app.tests.test_one.Case.test_b"},
        ),
        ("app.tests.test_one.Case.test_b", {"app.tests.test_one.Case.test_b"}),
        (
            "app/tests",
            {f"app.tests.test_{one}.Case.test_{two}" for one in ("one", "two") for two in "ab"},
        ),
        ("loose/check_four.py", {"loose.check_four.Case.test_a", "loose.check_four.Case.test_b"}),
    ],
)
def test_names_and_paths_are_those_of_unittest(project: Path, target: str, tests: set[str]) -> None:
    """A module, a test, a path, a folder, a file that discovery would not take."""
    ended = run_tests(f"unittest:{target}", cwd=project)
    assert set(ended.verdicts) == tests
    assert ended.status == 0


def test_what_cannot_be_imported_is_told_and_the_rest_runs(project: Path) -> None:
    """Modules that raise or exit as they are imported are failures; each is told once."""
    ended = run_tests("-j", "2", "unittest:loose", cwd=project)
    assert ended.outside == {"test_broken": ["fail"], "test_leaves": ["fail"]}
    assert "nowhere" in ended.told["test_broken"]["traceback"]
    assert ended.passed() == {"test_a", "test_b"}
    assert ended.status == 1


def test_unknown_names_are_failures(project: Path) -> None:
    """What is not there is told of under its own name, and other targets run."""
    ended = run_tests(
        "unittest:app.tests.test_one.Case.test_c",
        "unittest:app.tests.test_one.Case.test_a",
        cwd=project,
    )
    assert ended.outside == {"app.tests.test_one.Case.test_c": ["fail"]}
    assert list(ended.verdicts) == ["app.tests.test_one.Case.test_a"]
    assert ended.status == 1


def test_keywords_are_those_of_pytest(project: Path) -> None:
    """`-k` takes words, and, or, not, and brackets, over whole ids."""
    ended = run_tests("-k", "(test_one or TWO) and not test_b", "unittest:app/tests", cwd=project)
    assert set(ended.verdicts) == {
        "app.tests.test_one.Case.test_a",
        "app.tests.test_two.Case.test_a",
    }


def test_load_tests_decides_and_ids_may_come_twice(tmp_path: Path) -> None:
    """What `load_tests` gives runs, in its order; a second test of one id has a number."""
    write_files(
        tmp_path,
        {
            "test_made.py": CASE
            + """

    def load_tests(loader, tests, pattern):
        suite = unittest.TestSuite()
        for name in ("test_b", "test_a", "test_b"):
            suite.addTest(Case(name))
        return suite
    """
        },
    )
    ended = run_tests("unittest:.", cwd=tmp_path)
    assert list(ended.verdicts) == [
        "test_made.Case.test_b",
        "test_made.Case.test_a",
        "test_made.Case.test_b #2",
    ]
    again = run_tests("unittest:test_made", "-k", "#2", cwd=tmp_path)
    assert list(again.verdicts) == ["test_made.Case.test_b #2"]


def test_a_test_suite_function_is_called_where_nothing_else_is(tmp_path: Path) -> None:
    """As in testtools' own tests: the package has a `test_suite` and no cases."""
    write_files(
        tmp_path,
        {
            "cases.py": CASE,
            "suite.py": """
                import unittest
                import cases


                def test_suite():
                    return unittest.TestLoader().loadTestsFromModule(cases)
            """,
        },
    )
    ended = run_tests("unittest:suite", cwd=tmp_path)
    assert set(ended.verdicts) == {"cases.Case.test_a", "cases.Case.test_b"}


def test_tests_that_scenarios_make_are_found_by_their_ids(tmp_path: Path) -> None:
    """An id that exists once its module is loaded as a whole can be asked for."""
    pytest.importorskip("testscenarios")
    write_files(
        tmp_path,
        {
            "test_many.py": """
                import unittest
                from testscenarios import load_tests_apply_scenarios as load_tests


                class Case(unittest.TestCase):
                    scenarios = [("small", {"size": 1}), ("large", {"size": 9})]

                    def test_size(self):
                        self.assertLess(self.size, 5)
            """
        },
    )
    ended = run_tests("unittest:test_many.Case.test_size(large)", cwd=tmp_path)
    assert ended.verdicts == {"test_many.Case.test_size(large)": ["fail"]}
    both = run_tests("unittest:test_many", "-j", "2", cwd=tmp_path)
    assert set(both.verdicts) == {"test_many.Case.test_size(small)", *ended.verdicts}


SCENARIOS = """
    import testresources
    import testscenarios
    import testtools

    SIZES = [("small", {"size": 1}), ("large", {"size": 9})]


    class Plain(testscenarios.TestWithScenarios):
        scenarios = SIZES

        def test_size(self):
            self.assertLess(self.size, 5)


    class OfTesttools(testscenarios.WithScenarios, testtools.TestCase):
        scenarios = SIZES

        def test_size(self):
            self.assertLess(self.size, 5)


    class Single(Plain):
        scenarios = []
        size = 2
"""


HOOK = """

def load_tests(loader, tests, pattern):
    return testresources.OptimisingTestSuite(tests)
"""


@pytest.mark.parametrize(
    ("host", "hook"), [("unittest", ""), ("unittest", HOOK), ("trial", "")], ids=repr
)
def test_each_scenario_of_a_case_is_a_test(tmp_path: Path, host: str, hook: str) -> None:
    """Cases that run themselves once per scenario have a verdict for each, and none besides, in
    a suite of testresources, too; each can be asked for, and so can all of one method."""
    pytest.importorskip("testscenarios")
    pytest.importorskip("twisted")
    write_files(tmp_path, {"test_many.py": dedent(SCENARIOS) + hook})
    whole = run_tests(f"{host}:test_many", cwd=tmp_path)
    assert whole.verdicts == {
        "test_many.OfTesttools.test_size(large)": ["fail"],
        "test_many.OfTesttools.test_size(small)": ["success"],
        "test_many.Plain.test_size(large)": ["fail"],
        "test_many.Plain.test_size(small)": ["success"],
        "test_many.Single.test_size": ["success"],
    }
    one = run_tests(f"{host}:test_many.Plain.test_size(large)", cwd=tmp_path)
    assert one.verdicts == {"test_many.Plain.test_size(large)": ["fail"]}
    all_of_one = run_tests(f"{host}:test_many.Plain.test_size", "-j", "2", cwd=tmp_path)
    assert set(all_of_one.verdicts) == {
        "test_many.Plain.test_size(large)",
        "test_many.Plain.test_size(small)",
    }


def test_a_case_that_runs_under_other_names_ends_as_the_worst_of_them(tmp_path: Path) -> None:
    """Scenarios that are there only once a class is set up are not tests of their own: the test
    that was found fails if one of them does."""
    pytest.importorskip("testscenarios")
    write_files(
        tmp_path,
        {
            "test_late.py": """
                import testscenarios


                class Late(testscenarios.TestWithScenarios):
                    @classmethod
                    def setUpClass(cls):
                        cls.scenarios = [("small", {"size": 1}), ("large", {"size": 9})]

                    def test_any(self):
                        pass

                    def test_size(self):
                        self.assertLess(self.size, 5)
            """
        },
    )
    ended = run_tests("unittest:test_late", cwd=tmp_path)
    assert ended.verdicts["test_late.Late.test_any"] == ["success"]
    assert ended.verdicts["test_late.Late.test_size"] == ["fail"]


def test_tests_that_are_no_cases_have_a_verdict_too(tmp_path: Path) -> None:
    """Functions, objects without an id or with one that raises, and such as say nothing."""
    write_files(
        tmp_path,
        {
            "test_odd.py": """
                import unittest


                class Nameless(unittest.TestCase):
                    def id(self):
                        raise ValueError("no name")

                    def test_it(self):
                        pass


                class Mute:
                    def countTestCases(self):
                        return 1

                    def __call__(self, result):
                        pass


                class Slim(unittest.TestCase):
                    __slots__ = ("size",)

                    def test_it(self):
                        self.size = 1


                def load_tests(loader, tests, pattern):
                    tests.addTest(unittest.FunctionTestCase(lambda: None))
                    tests.addTest(Mute())
                    return tests
            """
        },
    )
    ended = run_tests("unittest:test_odd", cwd=tmp_path)
    assert {test_id: status for test_id, [status] in ended.verdicts.items()} == {
        "test_odd.Nameless.test_it": "success",
        "test_odd.Slim.test_it": "success",
        "<lambda>": "success",
        "test_odd.Mute.test": "fail",
    }


def test_trials_cases_may_be_run_as_unittest_does(tmp_path: Path) -> None:
    """Without trial's loader they still wait, and still expect failures."""
    pytest.importorskip("twisted", reason="twisted is not installed")
    write_files(
        tmp_path,
        {
            "test_later.py": """
                from twisted.internet import reactor, task
                from twisted.trial.unittest import TestCase


                class Later(TestCase):
                    def test_waits(self):
                        return task.deferLater(reactor, 0.001)

                    def test_fails(self):
                        return task.deferLater(reactor, 0.001, self.fail, "late")

                    def test_todo(self):
                        self.fail("one day")

                    test_todo.todo = "one day"
            """
        },
    )
    ended = run_tests("unittest:test_later.Later", cwd=tmp_path)
    assert ended.verdict == {"test_waits": "success", "test_fails": "fail", "test_todo": "xfail"}


def test_what_a_test_said_before_its_case_broke_down_is_kept_with_why(tmp_path: Path) -> None:
    """A case that tells of an error and then lets another one through has both tracebacks."""
    write_files(
        tmp_path,
        {
            "test_two.py": """
                import sys
                import unittest


                class Case(unittest.TestCase):
                    def run(self, result):
                        result.startTest(self)
                        try:
                            raise ValueError("the first")
                        except ValueError:
                            result.addError(self, sys.exc_info())
                        raise RuntimeError("the second")

                    def test_it(self):
                        pass
            """
        },
    )
    ended = run_tests("unittest:test_two", cwd=tmp_path)
    said = ended.said_of("test_it")
    assert "the first" in said["traceback"]
    assert "the second" in said["traceback-1"]
    assert "left out" not in ended.err


@pytest.mark.parametrize("off", [False, True])
def test_the_garbage_collector_is_the_programs(tmp_path: Path, off: bool) -> None:
    """It looks as often as in any process, or not at all where a module wants it so."""
    write_files(
        tmp_path,
        {
            "test_it.py": f"""
                import gc
                import unittest

                {"gc.disable()" if off else ""}


                class Case(unittest.TestCase):
                    def test_it(self):
                        self.assertEqual(gc.isenabled(), {not off})
                        self.assertEqual(gc.get_threshold(), {gc.get_threshold()})
            """
        },
    )
    ended = run_tests("unittest:test_it", cwd=tmp_path)
    assert ended.verdict == {"test_it": "success"}, ended.told
