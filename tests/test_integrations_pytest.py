"""pytest's tests get their contexts and outcomes, and run as they do without us."""

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
    "conftest.py": "",
    "shop/__init__.py": """
        def prepare():
            return 1

        def work():
            return 2

        def tidy():
            return 3
    """,
}
PREPARE, WORK, TIDY = 2, 5, 8

TESTS = """
    import unittest
    import pytest
    import shop

    @pytest.fixture
    def shopping():
        shop.prepare()
        yield
        shop.tidy()

    @pytest.fixture
    def broken():
        raise ValueError("set up")

    @pytest.fixture
    def breaks_late():
        yield
        raise ValueError("teardown")

    @pytest.fixture(scope="class")
    def of_class():
        shop.prepare()
        yield
        shop.tidy()

    def test_passes(shopping):
        shop.work()

    def test_fails(shopping):
        left, right = [1, 2], [1, 3]
        assert left == right, "a message"

    def test_raises():
        raise LookupError("x")

    def test_error(broken):
        pass

    def test_late_error(breaks_late):
        pass

    def test_skips():
        pytest.skip("why")

    @pytest.mark.skip
    def test_is_skipped():
        pass

    @pytest.mark.xfail
    def test_expected():
        assert 0

    @pytest.mark.xfail
    def test_unexpected():
        pass

    @pytest.mark.xfail(strict=True)
    def test_strict():
        pass

    @pytest.mark.parametrize("value", ["a b", "::", "x/y"])
    def test_each(value):
        shop.work()

    def test_subtests(subtests):
        for number in range(3):
            with subtests.test(number=number):
                assert number != 1

    class TestGroup:
        def test_one(self, of_class):
            pass

        def test_two(self, of_class):
            shop.work()

    class TestCase(unittest.TestCase):
        def setUp(self):
            shop.prepare()

        def test_case(self):
            shop.work()

        def test_case_fails(self):
            with self.subTest(x=1):
                self.fail()
"""

FILE = "tests/test_shop.py"
EXPECTED = {
    "test_passes": "passed",
    "test_fails": "failed",
    "test_raises": "failed",
    "test_error": "error",
    "test_late_error": "error",
    "test_skips": "skipped",
    "test_is_skipped": "skipped",
    "test_expected": "expected failure",
    "test_unexpected": "unexpected success",
    "test_strict": "failed",
    "test_each[a b]": "passed",
    "test_each[::]": "passed",
    "test_each[x/y]": "passed",
    "test_subtests": "failed",
    "TestGroup::test_one": "passed",
    "TestGroup::test_two": "passed",
    "TestCase::test_case": "passed",
    "TestCase::test_case_fails": "failed",
}
OUTCOMES = {f"{FILE}::{name}": outcome for name, outcome in EXPECTED.items()}

WITHOUT_PLUGIN = [
    ((), {}),
    (("-p", "no:whotests"), {}),
    (
        # Subtests are part of pytest from 9 on.
        () if pytest.version_tuple >= (9,) else ("-p", "subtests"),
        {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    ),
]


def without_times(ended: Ended) -> Ended:
    """The same with seconds and addresses left out."""
    pattern = re.compile(r"\d+\.\d+s|0x[0-9a-f]+")
    return Ended(
        status=ended.status, out=pattern.sub("T", ended.out), err=pattern.sub("T", ended.err)
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a package and tests of every kind of ending."""
    write_files(tmp_path, {**PACKAGE, FILE: TESTS})
    return tmp_path


@pytest.mark.parametrize(
    ("extra", "env"), WITHOUT_PLUGIN, ids=["plain", "no plugin", "no autoload"]
)
def test_pytest_runs_and_is_recorded(
    project: Path, extra: tuple[str, ...], env: dict[str, str]
) -> None:
    """`whotests run -- pytest`: same output and every outcome, whatever plugins are loaded."""
    words = ("python", "-m", "pytest", "-v", *extra)
    measured = without_times(run_measured(*words, cwd=project, env=env))
    assert measured == without_times(run_plain(*words, cwd=project, env=env))
    assert recorded_outcomes(project) == OUTCOMES


def test_console_script_with_full_traces(project: Path) -> None:
    """`pytest --full-trace` shows the frames that it shows without us, whoever raises."""
    words = ("pytest", "--full-trace", "-k", "test_fails or error", "-p", "no:cacheprovider")
    env = {"PYTHONPATH": str(project)}
    frames = re.compile(r"^(?:>|E|\S+:\d+:) .*$", re.MULTILINE)
    plain = run_plain(*words, cwd=project, env=env)
    measured = run_measured(*words, cwd=project, env=env)
    assert "pluggy" in measured.out
    assert frames.findall(measured.out) == frames.findall(plain.out)


def test_phases_have_the_lines_that_they_ran(project: Path) -> None:
    """Fixtures count for setup and teardown, a class's for its first and last test."""
    run_measured("python", "-m", "pytest", "-q", cwd=project)
    lines = {name: ran for name, ran in recorded_lines(project, "shop/__init__.py").items() if ran}
    found = {
        name.removeprefix(f"{FILE}::"): ran
        for name, ran in lines.items()
        if "test_passes" in name or "Test" in name
    }
    assert found == {
        "test_passes|setup": {PREPARE},
        "test_passes|call": {WORK},
        "test_passes|teardown": {TIDY},
        "TestGroup::test_one|setup": {PREPARE},
        "TestGroup::test_two|call": {WORK},
        "TestGroup::test_two|teardown": {TIDY},
        "TestCase::test_case|call": {PREPARE, WORK},
        "TestCase::test_case_fails|call": {PREPARE},
    }


def test_rewritten_test_files_are_measured(project: Path) -> None:
    """Test files in the source: their lines are recorded, assertions explain as ever."""
    words = ("python", "-m", "pytest", "-v")
    options = ("--source", "tests", "--source", "shop")
    for _ in ("cold", "warm"):
        measured = without_times(run_measured(*words, options=options, cwd=project))
        assert measured == without_times(run_plain(*words, cwd=project))
    assert "At index 1 diff: 2 != 3" in measured.out
    source = (project / FILE).read_text().splitlines()
    called = recorded_lines(project, FILE)[f"{FILE}::test_fails|call"]
    assert [source[line - 1].strip() for line in sorted(called)] == [
        "left, right = [1, 2], [1, 3]",
        'assert left == right, "a message"',
    ]


def test_asserts_of_other_plugins_explain_as_ever(tmp_path: Path) -> None:
    """pytest compiles none of our modules, and rewrites those of a plugin whose name begins as
    ours does."""
    checks = "whotests_checks-1.0.dist-info"
    write_files(
        tmp_path,
        {
            "site/whotests_checks/__init__.py": "",
            "site/whotests_checks/late.py": """
                def check(numbers):
                    assert numbers == [1, 2, 4]
            """,
            f"site/{checks}/METADATA": "Metadata-Version: 2.1\nName: whotests-checks\nVersion: 1.0",
            f"site/{checks}/entry_points.txt": "[pytest11]\nwhotests_checks = whotests_checks",
            f"site/{checks}/RECORD": "whotests_checks/__init__.py,,\nwhotests_checks/late.py,,",
            "shop.py": "",
            "test_shop.py": """
                import sys
                import shop

                def test_explained():
                    from whotests_checks.late import check
                    check([1, 2, 3])

                def test_loaders():
                    kinds = {
                        name: type(module.__spec__.loader).__name__
                        for name, module in sys.modules.items()
                        if name.startswith("whotests.")
                        and "integrations" not in name
                        and not name.endswith("._blocks")  # in C
                    }
                    assert len(kinds) > 20
                    assert set(kinds.values()) == {"SourceFileLoader"}, kinds
            """,
        },
    )
    env = {"PYTHONPATH": str(tmp_path / "site")}
    ended = run_plain("python", "-m", "pytest", "--whotests=shop.py", cwd=tmp_path, env=env)
    assert "At index 2 diff: 3 != 4" in ended.out
    assert "1 failed, 1 passed" in ended.out


def test_own_option_records_and_says_so(project: Path) -> None:
    """`pytest --whotests tests`: a summary line; the folder stays a folder of tests."""
    ended = run_plain("python", "-m", "pytest", "--whotests", "tests", cwd=project)
    assert ended.status == 1
    assert "whotests: 18 tests and 1 file recorded in .whotests/data.db" in ended.out
    assert recorded_outcomes(project) == OUTCOMES
    lines = recorded_lines(project, "shop/__init__.py")
    assert lines[f"{FILE}::test_passes|call"] == {WORK}


def test_own_option_with_a_source_and_data(project: Path) -> None:
    """`--whotests=SOURCE` with a data file of its own."""
    words = ("--whotests=tests", "--whotests-data", "d/x.db", "--whotests-context", "nightly")
    ended = run_plain("python", "-m", "pytest", "-q", *words, cwd=project)
    assert "1 file recorded in d/x.db" in ended.out
    (project / ".whotests").mkdir(exist_ok=True)
    (project / "d" / "x.db").rename(project / ".whotests" / "data.db")
    assert recorded_lines(project, FILE)[f"{FILE}::test_raises|call"]


def test_own_option_with_a_wrong_source(project: Path) -> None:
    """An unknown source is pytest's usage error, and nothing runs."""
    ended = run_plain("python", "-m", "pytest", "--whotests=shpo", cwd=project)
    assert ended.status == 4
    assert "'shpo'" in ended.err
    assert "'shop'" in ended.err


def test_without_the_option_nothing_is_loaded(project: Path) -> None:
    """Plain pytest imports the plugin and nothing else of whotests."""
    text = """
        import sys
        def test_modules():
            ours = {name for name in sys.modules if name.startswith("whotests")}
            assert ours <= {
                "whotests", "whotests.integrations", "whotests.integrations.pytest_plugin"
            }
    """
    write_files(project, {"tests/test_none.py": text})
    ended = run_plain("python", "-m", "pytest", "-q", "tests/test_none.py", cwd=project)
    assert ended.status == 0, ended.out
    assert not (project / ".whotests").exists()


def test_nested_runs_belong_to_the_outer_test(project: Path) -> None:
    """A test that runs pytest, in its process, owns all that this runs."""
    text = """
        import shop
        pytest_plugins = ["pytester"]

        def test_outer(pytester):
            passes, fails = "def test_inner(): shop.work()", "def test_bad(): 0/0"
            pytester.makepyfile(test_inside=f"import shop\\n{passes}\\n{fails}")
            pytester.inline_run().assertoutcome(passed=1, failed=1)
            shop.tidy()
    """
    write_files(project, {"test_outer.py": text})
    ended = run_measured("python", "-m", "pytest", "-q", "test_outer.py", cwd=project)
    assert ended.status == 0, ended.out
    assert recorded_outcomes(project) == {"test_outer.py::test_outer": "passed"}
    lines = recorded_lines(project, "shop/__init__.py")
    assert lines["test_outer.py::test_outer|call"] >= {WORK, TIDY}


def test_two_runs_in_one_process(project: Path) -> None:
    """A program that runs pytest twice has the tests of both."""
    text = """
        import pytest
        if __name__ == "__main__":
            pytest.main(["-q", "tests", "-k", "test_passes"])
            pytest.main(["-q", "tests", "-k", "test_raises"])
    """
    write_files(project, {"twice.py": text})
    run_measured("python", "twice.py", cwd=project, options=("--source", "shop"))
    assert set(recorded_outcomes(project)) == {f"{FILE}::test_passes", f"{FILE}::test_raises"}


def test_interrupted_run_keeps_what_ran(project: Path) -> None:
    """Ctrl-C in a test: pytest ends as ever, and the tests before it are there."""
    text = """
        import shop
        def test_a(): shop.work()
        def test_b(): raise KeyboardInterrupt
        def test_c(): pass
    """
    write_files(project, {"test_stop.py": text})
    words = ("python", "-m", "pytest", "-q", "test_stop.py")
    measured = without_times(run_measured(*words, cwd=project))
    assert measured == without_times(run_plain(*words, cwd=project))
    assert recorded_outcomes(project)["test_stop.py::test_a"] == "passed"
    assert "test_stop.py::test_c" not in recorded_outcomes(project)


def test_own_option_says_when_data_is_incomplete(project: Path) -> None:
    """`pytest --whotests` that lost data says so in its summary, and ends with 3 for 0."""
    text = """
        from pathlib import Path
        def test_breaks():
            with Path(".whotests/data.db").open("r+b") as file:
                file.truncate(0)
    """
    write_files(project, {"test_break.py": text})
    ended = run_plain("python", "-m", "pytest", "--whotests", "test_break.py", cwd=project)
    assert ended.status == 3, ended.out
    assert ended.out.count("whotests: the data is incomplete: ") == 1


def test_setup_only_has_no_call(project: Path) -> None:
    """With `--setup-only` fixtures are set up and torn down, in those phases."""
    words = ("python", "-m", "pytest", "-q", "--setup-only", "-k", "test_passes")
    assert run_measured(*words, cwd=project).status == 0
    lines = recorded_lines(project, "shop/__init__.py")
    assert lines[f"{FILE}::test_passes|setup"] == {PREPARE}
    assert lines[f"{FILE}::test_passes|teardown"] == {TIDY}


def test_subtests_do_not_end_the_call(tmp_path: Path) -> None:
    """What runs after a subtest is of the call still; so is `tearDown`, as pytest has it."""
    tests = """\
        import unittest
        import shop


        class TestCase(unittest.TestCase):
            def test_case(self):
                with self.subTest(x=1):
                    pass
                shop.work()

            def tearDown(self):
                shop.prepare()
    """
    write_files(tmp_path, {**PACKAGE, FILE: tests})
    done = run_measured("python", "-m", "pytest", "-q", cwd=tmp_path)
    assert done.status == 0, done.out
    facts = recorded_lines(tmp_path, "shop/__init__.py")
    name = f"{FILE}::TestCase::test_case"
    assert facts[f"{name}|call"] == {PREPARE, WORK}
    assert not facts.get(f"{name}|teardown")


REPORTS = """
    import pytest
    import shop

    class Untimed:
        def __init__(self, report):
            self.__dict__.update(vars(report))
            del self.duration

        def __getattr__(self, name):
            raise AttributeError(f"no {name}")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(item, call):
        outcome = yield
        if call.when == item.name.removeprefix("test_"):
            report = outcome.get_result()
            outcome.force_result(type("Untimed", (Untimed, type(report)), {})(report))

    def pytest_runtest_logfinish():
        shop.work()
"""


@pytest.mark.parametrize("phase", ["setup", "call", "teardown"])
def test_reports_of_a_plugin_that_lack_something(tmp_path: Path, phase: str) -> None:
    """The test goes on, and is over with its teardown's; the end tells of it."""
    test = f"import shop\ndef test_{phase}():\n    shop.prepare()\n    shop.tidy()\n"
    write_files(tmp_path, {**PACKAGE, "conftest.py": REPORTS, "test_it.py": test})
    done = run_measured("pytest", "-p", "no:terminal", cwd=tmp_path)
    assert "the data is incomplete: a bug in whotests" in done.err
    assert "no duration" in done.err
    assert done.status == 3
    found = recorded_lines(tmp_path, "shop/__init__.py")
    assert found[f"test_it.py::test_{phase}|call"] == {PREPARE, TIDY}
    assert not any(WORK in lines for name, lines in found.items() if "|" in name)
