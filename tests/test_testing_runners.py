"""The test case under unittest, pytest, trial and testtools' runner, and measured by whotests."""

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

FILES = {
    "shop.py": """
        def in_set_up():
            return "setUp"


        def in_test():
            return "test"


        def in_coroutine():
            return "coroutine"


        def in_tear_down():
            return "tearDown"


        def in_clean_up():
            return "clean-up"


        def close():
            raise OSError("not open")
    """,
    "test_shop.py": """
        import unittest

        import shop
        from whotests.testing import TestCase, skip, text_content


        class Shop(TestCase):
            def setUp(self):
                super().setUp()
                shop.in_set_up()

            def tearDown(self):
                shop.in_tear_down()
                super().tearDown()

            def test_passes(self):
                self.addCleanup(shop.in_clean_up)
                self.assertEqual("test", shop.in_test())

            async def test_coroutine(self):
                self.assertEqual("coroutine", shop.in_coroutine())

            def test_parts(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertNotEqual(1, number)

            def test_fails(self):
                self.addDetail("log", text_content("what was logged"))
                self.addCleanup(self.skipTest, "too late")
                self.assertEqual("cat", "dog")

            async def test_coroutine_fails(self):
                self.fail("in a coroutine")

            def test_errs(self):
                raise KeyError("gone")

            def test_exits(self):
                raise SystemExit(0)

            def test_clean_up_errs(self):
                self.addCleanup(shop.close)

            def test_generator(self):
                yield 1

            def test_expects(self):
                self.expectThat("cat", Never())

            def test_skipped(self):
                self.skipTest("not here")

            @skip("decorated")
            def test_skipped_whole(self):
                pass

            @unittest.expectedFailure
            def test_known(self):
                self.fail("known")

            @unittest.expectedFailure
            def test_mended(self):
                pass


        class Never:
            def match(self, thing):
                return self

            def describe(self):
                return "never"


        class Fixtures(TestCase):
            @classmethod
            def setUpClass(cls):
                cls.shared = "shared"

            def test_shared(self):
                self.assertEqual("shared", self.shared)
    """,
}

OUTCOMES = {
    "Shop.test_passes": "passed",
    "Shop.test_coroutine": "passed",
    "Shop.test_parts": "failed",
    "Shop.test_fails": "failed",
    "Shop.test_coroutine_fails": "failed",
    "Shop.test_errs": "error",
    "Shop.test_exits": "error",
    "Shop.test_clean_up_errs": "error",
    "Shop.test_generator": "error",
    "Shop.test_expects": "failed",
    "Shop.test_skipped": "skipped",
    "Shop.test_skipped_whole": "skipped",
    "Shop.test_known": "expected failure",
    "Shop.test_mended": "unexpected success",
    "Fixtures.test_shared": "passed",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_files(tmp_path, FILES)
    return tmp_path


def assert_told_well(text: str, *, notes: bool = True) -> None:
    """All that `test_fails` said is there, and no frame of ours."""
    assert "'cat' != 'dog'" in text
    assert "never" in text
    assert not re.search(r"whotests.testing.(case|assertions|aio|bridging)\.py", text)
    if notes:
        assert "what was logged" in text
        assert "too late" in text


def test_unittest(project: Path) -> None:
    """Under unittest each test has its outcome, and failures are told with all that was said."""
    ended = run_plain("python", "-m", "unittest", "-v", "test_shop", cwd=project)
    assert ended.status == 1
    told = dict(re.findall(r"^\w+ \(test_shop\.(\S+)\) \.\.\. (.+)$", ended.err, re.MULTILINE))
    words = {
        "passed": "ok",
        "failed": "FAIL",
        "error": "ERROR",
        "expected failure": "expected failure",
        "unexpected success": "unexpected success",
    }
    for name, outcome in OUTCOMES.items():
        if outcome == "skipped":
            assert told[name].startswith("skipped '")
        elif name != "Shop.test_parts":  # the lines of its parts come between
            assert told[name] == words[outcome], name
    assert "FAIL: test_parts (test_shop.Shop.test_parts) (number=1)" in ended.err
    counted = "(failures=4, errors=4, skipped=2, expected failures=1, unexpected successes=1)"
    assert ended.err.endswith(f"FAILED {counted}\n")
    assert_told_well(ended.err)


PYTEST = ("python", "-m", "pytest", "-p", "no:cacheprovider", "-v")


def test_pytest(project: Path) -> None:
    """Under pytest each test has its outcome, and failures show the author's own line."""
    ended = run_plain(*PYTEST, "test_shop.py", cwd=project)
    assert ended.status == 1
    found = re.findall(r"^test_shop\.py::(\w+)::(\w+) ([A-Z]+)", ended.out, re.MULTILINE)
    told = {f"{group}.{name}": word for group, name, word in found}
    words = {
        "passed": "PASSED",
        "failed": "FAILED",
        "error": "FAILED",
        "skipped": "SKIPPED",
        "expected failure": "XFAIL",
        "unexpected success": "FAILED",
    }
    told.pop("Shop.test_parts")  # as pytest tells parts, in each of its versions its own way
    assert told == {
        name: words[outcome] for name, outcome in OUTCOMES.items() if name != "Shop.test_parts"
    }
    assert '>       self.assertEqual("cat", "dog")' in ended.out
    assert '>       self.fail("in a coroutine")' in ended.out
    assert_told_well(ended.out)


def test_pytest_skips(project: Path) -> None:
    """pytest's own skip, fail and xfail count in a test case."""
    write_files(
        project,
        {
            "test_own.py": """
            import pytest
            from whotests.testing import TestCase

            class Own(TestCase):
                def test_skip(self):
                    pytest.skip("by pytest")

                def test_fail(self):
                    pytest.fail("by pytest")

                @pytest.mark.skip
                def test_marked(self):
                    self.fail("ran")
            """
        },
    )
    ended = run_plain(*PYTEST, "test_own.py", cwd=project)
    told = dict(re.findall(r"Own::(\w+) ([A-Z]+)", ended.out.partition("= short")[0]))
    assert told == {"test_skip": "SKIPPED", "test_fail": "FAILED", "test_marked": "SKIPPED"}


def test_trial(project: Path) -> None:
    """Under trial each test has its outcome, expected failures and details are shown."""
    ended = run_plain("python", "-m", "twisted.trial", "test_shop.Shop", cwd=project)
    assert ended.status == 1
    told = dict(re.findall(r"^    (\w+) \.\.\. +\[(.*)\]$", ended.out, re.MULTILINE))
    words = {
        "passed": "OK",
        "failed": "FAIL",
        "error": "ERROR",
        "skipped": "SKIPPED",
        "expected failure": "TODO",
        "unexpected success": "SUCCESS!?!",
    }
    assert told == {
        name.partition(".")[2]: words[outcome]
        for name, outcome in OUTCOMES.items()
        if name.startswith("Shop.")
    }
    assert_told_well(ended.out)


def test_testtools_runner(project: Path) -> None:
    """Under testtools' runner the same tests fail, with their details."""
    ended = run_plain("python", "-m", "testtools.run", "test_shop", cwd=project)
    assert ended.status == 1
    told = re.findall(r"^([A-Z ]+): test_shop\.(\S+)", ended.out, re.MULTILINE)
    words = {"failed": "FAIL", "error": "ERROR", "unexpected success": "UNEXPECTED SUCCESS"}
    assert {name: word for word, name in told} == {
        name: words[outcome] for name, outcome in OUTCOMES.items() if outcome in words
    }
    assert_told_well(ended.out)


MEASURED = {
    "unittest": ("python", "-m", "unittest", "test_shop"),
    "trial": ("python", "-m", "twisted.trial", "test_shop.Shop"),
    "testtools": ("python", "-m", "testtools.run", "test_shop"),
}


@pytest.mark.parametrize("runner", MEASURED)
def test_measured(project: Path, runner: str) -> None:
    """whotests tells tests and phases apart, and has the outcomes, whatever runs the case."""
    ended: Ended = run_measured(*MEASURED[runner], cwd=project)
    assert ended.status == 1
    lines = recorded_lines(project, "shop.py")
    text = (project / "shop.py").read_text().splitlines()
    ran = {
        (context, text[line - 1].partition('"')[2].rstrip('"'))
        for context, found in lines.items()
        for line in found
        if context and "return" in text[line - 1]
    }
    one, two = ("test_shop.Shop.test_passes", "test_shop.Shop.test_coroutine")
    assert {(context, what) for context, what in ran if context.startswith((one, two + "|"))} == {
        (f"{one}|setup", "setUp"),
        (f"{one}|call", "test"),
        (f"{one}|teardown", "tearDown"),
        (f"{one}|teardown", "clean-up"),
        (f"{two}|setup", "setUp"),
        (f"{two}|call", "coroutine"),
        (f"{two}|teardown", "tearDown"),
    }
    expected = {
        f"test_shop.{name}": outcome
        for name, outcome in OUTCOMES.items()
        if runner != "trial" or name.startswith("Shop.")
    }
    assert recorded_outcomes(project) == expected
