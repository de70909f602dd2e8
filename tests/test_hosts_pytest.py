"""Pytest's own suites under `whotests test`: its verdicts, its words, what it captured."""

import sys
from pathlib import Path

import pytest

from measured_commands import PLUGINS, write_files
from tested_commands import Tested as Ended
from tested_commands import run_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

KINDS = """
    import logging
    import sys
    import unittest
    import warnings

    import pytest


    def test_pass():
        print("to stdout")
        sys.stderr.write("to stderr")
        logging.warning("to the log")
        warnings.warn("to warnings")


    def test_fail():
        assert 1 == 2


    def test_skip():
        pytest.skip("for a reason")


    @pytest.mark.xfail(reason="known")
    def test_xfail():
        assert 0


    @pytest.mark.xfail(reason="known")
    def test_xpass():
        pass


    @pytest.mark.xfail(strict=True)
    def test_xpass_strict():
        pass


    @pytest.fixture
    def broken():
        raise RuntimeError("in setup")


    def test_setup(broken):
        pass


    @pytest.fixture
    def broken_later():
        yield
        raise RuntimeError("in teardown")


    def test_teardown(broken_later):
        pass


    def test_fail_and_teardown(broken_later):
        assert 0


    def test_subtests(subtests):
        for i in range(3):
            with subtests.test("part", i=i):
                assert i != 1


    def test_subtests_skip(subtests):
        with subtests.test("part"):
            pytest.skip("one of them")


    class TestCases(unittest.TestCase):
        def test_case(self):
            pass

        def test_case_subtests(self):
            for i in range(2):
                with self.subTest(i=i):
                    self.assertEqual(i, 0)

        @unittest.expectedFailure
        def test_case_xfail(self):
            self.fail()

        @unittest.expectedFailure
        def test_case_xpass(self):
            pass

        @unittest.skip("whole")
        def test_case_skip(self):
            pass

        def setUp(self):
            self.addCleanup(print, "cleaned up")
"""
DOCTEST = '''
    def twice(number):
        """
        >>> twice(2)
        4
        """
        return 2 * number
'''
SHARED = """
    import pytest

    @pytest.mark.parametrize("n", range(4))
    def test_it(module, n): pass
"""
VERDICTS = {
    "test_pass": "success",
    "test_fail": "fail",
    "test_skip": "skip",
    "test_xfail": "xfail",
    "test_xpass": "success",
    "test_xpass_strict": "fail",
    "test_setup": "fail",
    "test_teardown": "fail",
    "test_fail_and_teardown": "fail",
    "test_subtests": "fail",
    "test_subtests_skip": "success",
    "test_case": "success",
    "test_case_subtests": "fail",
    "test_case_xfail": "xfail",
    "test_case_xpass": "fail",
    "test_case_skip": "skip",
    "twice": "success",
}


def project(folder: Path, options: str = "", **files: str) -> Path:
    """A project of pytest's with these files and options of its configuration."""
    ini = f"[pytest]\n{options}"
    write_files(folder, {"pytest.ini": ini} | {f"{name}.py": text for name, text in files.items()})
    return folder


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A run of tests of each kind, with one worker."""
    return run_tests("pytest:.", cwd=with_kinds(tmp_path_factory.mktemp("kinds")))


def with_kinds(folder: Path) -> Path:
    """A project with tests of each kind, one module that has an error, one that is skipped."""
    return project(
        folder,
        "addopts = --doctest-modules",
        test_kinds=KINDS,
        test_broken="import nowhere",
        test_left_out="import pytest; pytest.importorskip('nowhere')",
        doc=DOCTEST,
    )


def test_each_outcome_of_pytest_has_its_verdict(kinds: Ended) -> None:
    """Errors of fixtures, expected failures, subtests, test cases and doctests, as pytest counts
    them."""
    assert kinds.verdict == VERDICTS
    assert kinds.status == 1
    assert kinds.tags["test_kinds.py::test_xpass"] == ["xpassed"]
    assert "test_kinds.py::test_pass" not in kinds.tags


def test_what_cannot_be_collected_fails_and_the_rest_runs(kinds: Ended) -> None:
    """A module with an import error is a failure that cannot be selected; a skipped one is said
    to be; neither keeps the other tests from running."""
    assert kinds.outside == {"test_broken.py": ["fail"], "test_left_out.py": ["skip"]}
    assert "No module named 'nowhere'" in kinds.told["test_broken.py"]["traceback"]
    assert "could not import 'nowhere'" in kinds.told["test_left_out.py"]["reason"]


def test_what_a_test_wrote_is_attached_to_it(kinds: Ended) -> None:
    """Standard output, standard error, log and warnings, each by itself."""
    said = kinds.said_of("test_pass")
    assert said["stdout"] == "to stdout\n"
    assert said["stderr"] == "to stderr"
    assert "to the log" in said["log"]
    assert "UserWarning: to warnings" in said["warnings"]
    assert kinds.said_of("test_case")["stdout"] == "cleaned up\n"
    assert "stdout" not in kinds.said_of("test_subtests")


def test_why_a_test_failed_or_did_not_run_is_attached_to_it(kinds: Ended) -> None:
    """Tracebacks by phase and subtest, and reasons."""
    assert "assert 1 == 2" in kinds.said_of("test_fail")["traceback"]
    assert "in setup" in kinds.said_of("test_setup")["traceback setup"]
    both = kinds.said_of("test_fail_and_teardown")
    assert "assert 0" in both["traceback"]
    assert "in teardown" in both["traceback teardown"]
    subtests = kinds.said_of("test_subtests")
    assert any(name.startswith("traceback [part]") and "i=" in name for name in subtests)
    assert kinds.said_of("test_skip")["reason"] == "for a reason"
    assert kinds.said_of("test_xfail")["reason"] == "known"
    assert kinds.said_of("test_case_skip")["reason"] == "whole"
    assert "Unexpected success" in kinds.said_of("test_case_xpass")["traceback"]


def test_two_workers_say_the_same(tmp_path: Path, kinds: Ended) -> None:
    """Verdicts, what failed outside of tests, and attachments do not depend on how many run."""
    two = run_tests("-j", "2", "pytest:.", cwd=with_kinds(tmp_path))
    assert two.verdicts == kinds.verdicts
    assert two.outside == kinds.outside
    assert {test_id: set(said) for test_id, said in two.told.items()} == {
        test_id: set(said) for test_id, said in kinds.told.items()
    }


def test_words_for_pytest_are_pytests(tmp_path: Path) -> None:
    """What stands behind `--` chooses as in pytest; so do ids; xdist's words do nothing."""
    folder = project(
        tmp_path,
        "addopts = -n 2 --dist loadfile --cov=shop\nmarkers = slow",
        test_it="""
            import pytest

            @pytest.mark.slow
            def test_a(): pass

            @pytest.mark.parametrize("n", [1, 2])
            def test_b(n): pass
        """,
    )
    assert run_tests("pytest:.", "--", "-m", "slow", cwd=folder, **PLUGINS).passed() == {"test_a"}
    assert run_tests("-k", "not test_a", cwd=folder, **PLUGINS).passed() == {
        "test_b[1]",
        "test_b[2]",
    }
    one = run_tests("test_it.py::test_b[2]", cwd=folder, **PLUGINS)
    assert one.verdicts == {"test_it.py::test_b[2]": ["success"]}
    assert not list(folder.glob(".coverage*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--", "--nonsense"], "pytest: error: unrecognized arguments: --nonsense"),
        (["pytest:test_it.py::test_no"], "ERROR: not found: "),
        (["--", "-p", "nowhere"], 'Error importing plugin "nowhere"'),
    ],
)
def test_what_pytest_refuses_is_said_in_its_words(
    tmp_path: Path, words: list[str], said: str
) -> None:
    """Words it does not know, ids that there are not, plugins that cannot be imported."""
    folder = project(tmp_path, test_it="def test_a(): pass")
    ended = run_tests(*words, cwd=folder)
    assert ended.status not in (0, 5)
    assert not ended.verdicts
    assert said in str(ended.told) + ended.err


def test_what_ends_pytest_is_told_with_its_place(tmp_path: Path) -> None:
    """Of an exception that ends all, the line that raised it: in a conftest, in a test."""
    folder = project(tmp_path, test_it="def test_a():\n    raise KeyboardInterrupt('enough')\n")
    ended = run_tests("pytest:test_it.py", cwd=folder)
    (reason,) = ended.said_of("test_a").values()
    assert reason == f"KeyboardInterrupt: enough, at {folder / 'test_it.py'}:2 in test_a"
    (folder / "conftest.py").write_text("import sys\n\nsys.exit('no database')\n")
    ended = run_tests("pytest:", cwd=folder)
    assert ended.outside == {"pytest": ["fail"]}
    assert f"SystemExit: no database, at {folder / 'conftest.py'}:3 in <module>" in ended.err


def test_a_conftest_that_cannot_be_imported_is_told(tmp_path: Path) -> None:
    """With pytest's own words, which name the file and the error."""
    folder = project(tmp_path, test_it="def test_a(): pass", conftest="import nowhere")
    ended = run_tests(cwd=folder)
    assert ended.status not in (0, 5)
    assert "ImportError while loading conftest" in str(ended.told) + ended.err
    assert "No module named 'nowhere'" in str(ended.told) + ended.err


def test_an_id_that_is_gone_when_tests_run_is_a_failure(tmp_path: Path) -> None:
    """A test that the list names and that pytest does not find fails; the others run."""
    folder = project(tmp_path, test_it="def test_a(): pass")
    (folder / "ids").write_text("test_it.py::test_a\ntest_it.py::test_gone\n")
    ended = run_tests("--load-list", "ids", cwd=folder)
    assert ended.status not in (0, 5)
    assert "test_it.py::test_gone" in str(ended.verdicts) + ended.err


def test_tests_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Where several have one node id, each has its verdict and its number."""
    folder = project(
        tmp_path,
        test_it="""
            numbers = iter(range(9))

            def test_a(): assert next(numbers)
        """,
    )
    ended = run_tests(
        "pytest:test_it.py", "--", "--keep-duplicates", "test_it.py", "test_it.py", cwd=folder
    )
    assert ended.verdicts == {
        "test_it.py::test_a": ["fail"],
        "test_it.py::test_a #2": ["success"],
        "test_it.py::test_a #3": ["success"],
    }


def test_of_much_output_the_beginning_and_the_end_are_attached(tmp_path: Path) -> None:
    """So that what one test writes does not fill the runner's memory."""
    folder = project(
        tmp_path,
        test_it="""
            def test_a():
                print("begin")
                for _ in range(300): print("x" * 9_999)
                print("end")
        """,
    )
    said = run_tests("pytest:.", cwd=folder).said_of("test_a")["stdout"]
    assert said.startswith("begin\n")
    assert said.endswith("end\n")
    assert "characters more]" in said
    assert len(said) < 1_100_000


@pytest.mark.parametrize("how", ["no", "sys", "fd"])
def test_what_pytest_is_told_to_let_through_is_attached_too(tmp_path: Path, how: str) -> None:
    """With `--capture=no` all that the test writes, with `sys` what its processes write."""
    folder = project(
        tmp_path,
        f"addopts = --capture={how}",
        test_it="""
            import os

            def test_a(): print("from python"); os.system("echo from a process")
            def test_b(): assert 0
        """,
    )
    said = run_tests("pytest:.", cwd=folder).said_of("test_a")
    assert (
        said
        == {
            "no": {"output": "from python\nfrom a process\n"},
            "sys": {"output": "from a process\n", "stdout": "from python\n"},
            "fd": {"stdout": "from python\nfrom a process\n"},
        }[how]
    )


def test_pytests_own_limits_of_failures_stop_the_run(tmp_path: Path) -> None:
    """`--maxfail` in addopts: no test begins after so many; what was not run has no verdict."""
    folder = project(
        tmp_path,
        "addopts = --maxfail=2",
        test_it="""
            import pytest

            @pytest.mark.parametrize("n", range(9))
            def test_n(n): assert n % 2
        """,
    )
    ended = run_tests("pytest:.", cwd=folder)
    assert ended.status == 1
    assert list(ended.verdict) == ["test_n[0]", "test_n[1]", "test_n[2]"]
    assert any("stopping after 2 failures" in note for note in ended.notes)


def test_fixtures_live_as_long_as_with_pytest(tmp_path: Path) -> None:
    """Those of a session once per worker, those of a module once, torn down after its last test,
    whose failure an error in there is."""
    folder = project(
        tmp_path,
        conftest="""
            import os
            import pytest

            def note(word):
                with open("notes", "a") as file:
                    file.write(f"{os.getpid()} {word}\\n")

            @pytest.fixture(scope="session", autouse=True)
            def session():
                note("session")
                yield
                note("session over")

            @pytest.fixture(scope="module")
            def module(request):
                note(f"begin {request.module.__name__}")
                yield
                note(f"end {request.module.__name__}")
                raise RuntimeError("late")
        """,
        **dict.fromkeys(("test_1", "test_2", "test_3"), SHARED),
    )
    ended = run_tests("-j", "2", "pytest:.", cwd=folder)
    notes = [line.partition(" ") for line in (folder / "notes").read_text().splitlines()]
    assert len(ended.verdicts) == 12
    for name in ("test_1", "test_2", "test_3"):
        assert sum(word == f"begin {name}" for _, _, word in notes) == 1
        assert ended.verdicts[f"{name}.py::test_it[3]"] == ["fail"]
        assert "late" in ended.told[f"{name}.py::test_it[3]"]["traceback teardown"]
    assert sum(each == ["fail"] for each in ended.verdicts.values()) == 3
    for process in {process for process, _, _ in notes}:
        words = [word for owner, _, word in notes if owner == process]
        assert (words[0], words[-1]) == ("session", "session over")
        assert words.count("session") == 1


def test_an_error_within_pytest_fails_its_test_and_the_others_run(tmp_path: Path) -> None:
    """A hook that raises ends pytest's session; another process goes on."""
    folder = project(
        tmp_path,
        conftest="""
            def pytest_runtest_logreport(report):
                if "test_b" in report.nodeid:
                    raise RuntimeError("a broken hook")
        """,
        test_it="def test_a(): pass\ndef test_b(): pass\ndef test_c(): pass",
    )
    ended = run_tests("pytest:.", cwd=folder)
    assert ended.verdict == {"test_a": "success", "test_b": "fail", "test_c": "success"}
    assert "a broken hook" in ended.said_of("test_b")["traceback"]


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("session.exitstatus = 7", "exit status 7"),
        ("raise SystemExit(6)", "exit status 6"),
        ("raise RuntimeError('too late')", "too late"),
    ],
)
def test_a_session_that_fails_without_a_test_is_a_failure(
    tmp_path: Path, end: str, said: str
) -> None:
    """A plugin that changes pytest's exit status, or raises at the end, is not passed over."""
    folder = project(
        tmp_path,
        conftest=f"def pytest_sessionfinish(session): {end}",
        test_it="def test_a(): pass",
    )
    ended = run_tests("pytest:.", cwd=folder)
    assert ended.status == 1
    assert ended.verdict == {"test_a": "success"}
    assert said in ended.told["pytest session"]["traceback"]


def test_a_test_that_takes_too_long_is_stopped_and_its_fixtures_are_torn_down(
    tmp_path: Path,
) -> None:
    """In pytest's functions and in test cases; it is said once, and the process goes on."""
    folder = project(
        tmp_path,
        test_it="""
            import time, unittest, pytest

            @pytest.fixture
            def noted():
                yield
                open("torn-down", "w").close()

            def test_slow(noted):
                while True: time.sleep(0.01)

            class TestIt(unittest.TestCase):
                def test_slow_case(self): time.sleep(60)

            def test_last(): pass
        """,
    )
    ended = run_tests("--timeout", "0.5", "pytest:.", cwd=folder)
    assert ended.verdict == {"test_slow": "fail", "test_slow_case": "fail", "test_last": "success"}
    assert "took longer than 0.5 s" in ended.said_of("test_slow")["traceback"]
    assert set(ended.said_of("test_slow")) == {"traceback"}
    assert (folder / "torn-down").exists()
    assert len(list((folder / ".whotests" / "runs" / "1").glob("*.journal"))) == 1
