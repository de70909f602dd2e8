"""The host of unittest's cases: what it loads, how it runs that, and what it tells."""

import sys
from pathlib import Path

import pytest

from measured_commands import write_files
from peer_verdicts import by_unittest
from tested_commands import Tested as Ended
from tested_commands import run_tests

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

KINDS = {
    "test_kinds.py": """
        import asyncio
        import logging
        import os
        import sys
        import unittest


        class Kinds(unittest.TestCase):
            def test_passes(self):
                pass

            def test_fails(self):
                self.assertEqual(1, 2)

            def test_errs(self):
                raise OSError("it is broken")

            @unittest.skip("not today")
            def test_skipped(self):
                raise AssertionError

            def test_skips(self):
                self.skipTest("not now")

            @unittest.expectedFailure
            def test_expected(self):
                self.fail("as expected")

            @unittest.expectedFailure
            def test_unexpected(self):
                pass

            def test_parts(self):
                for number in range(4):
                    with self.subTest(number=number):
                        self.assertNotEqual(number % 2, 1)

            def test_part_skips(self):
                with self.subTest("first"):
                    self.skipTest("a part")

            def test_exits(self):
                sys.exit("by itself")

            def test_interrupts(self):
                raise KeyboardInterrupt

            def test_says(self):
                print("printed")
                os.write(2, b"written\\n")
                os.system("echo by a child")
                logging.getLogger("shop").warning("sold %s", "out")


        class Untidy(unittest.TestCase):
            def setUp(self):
                self.addCleanup(self.clean)

            def clean(self):
                raise OSError("cleaning")

            def test_fails(self):
                self.fail("in the test")

            def test_skips(self):
                self.skipTest("in the test")


        class Waiting(unittest.IsolatedAsyncioTestCase):
            async def test_passes(self):
                await asyncio.sleep(0)

            async def test_fails(self):
                await asyncio.sleep(0)
                self.fail("later")


        @unittest.skip("the whole class")
        class Skipped(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                raise AssertionError

            def test_it(self):
                raise AssertionError
    """
}

FIXTURES = {
    "test_fixtures.py": """
        import sys
        import unittest

        LOG = []


        def setUpModule():
            LOG.append("module")


        def tearDownModule():
            raise OSError(f"after {LOG}")


        class Shared(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                LOG.append("class")

            @classmethod
            def tearDownClass(cls):
                sys.exit("in the class")

            def test_first(self):
                self.assertEqual(LOG, ["module", "class"])

            def test_second(self):
                self.assertEqual(LOG, ["module", "class"])


        class Broken(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                raise OSError("no server")

            def test_first(self):
                pass

            def test_second(self):
                pass


        class Leaving(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                sys.exit("no server")

            def test_it(self):
                pass


        class Absent(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                raise unittest.SkipTest("nothing to test")

            def test_it(self):
                pass
    """,
    "test_module.py": """
        import unittest


        def setUpModule():
            raise OSError("no database")


        class One(unittest.TestCase):
            def test_it(self):
                pass


        class Two(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                raise AssertionError

            def test_it(self):
                pass
    """,
}

GREEN = {
    "test_green.py": """
        import functools
        import unittest


        async def told():
            raise AssertionError


        class Green(unittest.TestCase):
            async def test_coroutine(self):
                self.fail("it ran")

            def test_generator(self):
                yield self.fail("it ran")

            async def test_async_generator(self):
                yield self.fail("it ran")

            def test_returned(self):
                return told()

            def test_cleaned(self):
                self.addCleanup(told)

            @functools.partial(lambda function: lambda self: function(self))
            async def test_decorated(self):
                self.fail("it ran")

            def test_plain(self):
                pass


        class Ready(unittest.TestCase):
            async def setUp(self):
                self.fail("it ran")

            def test_set_up(self):
                pass


        class Awaited(unittest.IsolatedAsyncioTestCase):
            async def asyncSetUp(self):
                self.ready = True

            async def test_awaited(self):
                self.assertTrue(self.ready)


        class Runs(unittest.TestCase):
            def _callTestMethod(self, method):
                for _ in method():
                    pass

            def test_run_by_its_case(self):
                yield
    """
}


def run(files: dict[str, str], folder: Path, *words: str) -> Ended:
    """What comes of a project of these files."""
    write_files(folder, files)
    return run_tests(*(words or ("unittest:.",)), cwd=folder)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    """A case of each kind, run once."""
    folder = tmp_path_factory.mktemp("kinds")
    return folder, run(KINDS, folder)


def test_each_kind_ends_as_with_unittest(kinds: tuple[Path, Ended]) -> None:
    """All statuses are unittest's own; what ends its runner is a failure of that test alone."""
    folder, ended = kinds
    ours = {test_id: status for test_id, [status] in ended.verdicts.items()}
    assert ours.pop("test_kinds.Kinds.test_interrupts") == "fail"
    names = [name for name in ours if name.startswith("test_kinds")]
    assert len(names) == len(ours) == 16
    assert ours == by_unittest(*names, cwd=folder)
    assert ended.status == 1


def test_order_is_unittests(kinds: tuple[Path, Ended]) -> None:
    """One worker runs them one after the other, in unittest's order."""
    _, ended = kinds
    assert list(ended.verdicts) == sorted(
        ended.verdicts, key=lambda name: (["K", "S", "U", "W"].index(name[11]), name)
    )


def test_what_a_test_writes_and_logs_is_attached_to_it(kinds: tuple[Path, Ended]) -> None:
    """Prints, descriptors, children and loggers; and nothing to a test that did nothing."""
    _, ended = kinds
    told = ended.told["test_kinds.Kinds.test_says"]
    assert told["output"] == "printed\nwritten\nby a child\nsold out\n"
    assert told["log"] == "WARNING shop: sold out\n"
    assert "test_kinds.Kinds.test_passes" not in ended.told


def test_tracebacks_begin_with_the_users_code(kinds: tuple[Path, Ended]) -> None:
    """No frame of ours or unittest's is shown; parts are told apart by their description."""
    _, ended = kinds
    for name in ("Kinds.test_fails", "Kinds.test_exits", "Kinds.test_interrupts"):
        lines = ended.told[f"test_kinds.{name}"]["traceback"].splitlines()
        assert "test_kinds.py" in lines[1]
        assert not any("whotests" in line or "unittest" in line for line in lines)
    assert {"traceback (number=1)", "traceback (number=3)"} == set(
        ended.told["test_kinds.Kinds.test_parts"]
    )


def test_all_that_goes_wrong_in_a_test_is_attached(kinds: tuple[Path, Ended]) -> None:
    """A failure and one in a clean-up after it are two tracebacks; with a skip, it has failed."""
    _, ended = kinds
    assert {"traceback", "traceback-1"} == set(ended.told["test_kinds.Untidy.test_fails"])
    assert ended.verdicts["test_kinds.Untidy.test_skips"] == ["fail"]


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Fixtures of classes and modules that fail, run once."""
    return run(FIXTURES, tmp_path_factory.mktemp("fixtures"))


def test_failures_of_fixtures_are_told_once_and_cannot_be_selected(fixtures: Ended) -> None:
    """Each failure of a fixture is told of, once, and fails the run."""
    assert fixtures.outside == {
        "setUpClass (test_fixtures.Broken)": ["fail"],
        "setUpClass (test_fixtures.Leaving)": ["fail"],
        "tearDownClass (test_fixtures.Shared)": ["fail"],
        "tearDownModule (test_fixtures)": ["fail"],
        "setUpModule (test_module)": ["fail"],
    }
    assert fixtures.status == 1


def test_tests_without_their_fixtures_have_failed(fixtures: Ended) -> None:
    """Where unittest says nothing of such tests, each has a verdict and its reason."""
    ours = {test_id: status for test_id, [status] in fixtures.verdicts.items()}
    assert ours == {
        "test_fixtures.Shared.test_first": "success",
        "test_fixtures.Shared.test_second": "success",
        "test_fixtures.Broken.test_first": "fail",
        "test_fixtures.Broken.test_second": "fail",
        "test_fixtures.Leaving.test_it": "fail",
        "test_fixtures.Absent.test_it": "skip",
        "test_module.One.test_it": "fail",
        "test_module.Two.test_it": "fail",
    }
    for name in ("Broken.test_first", "Broken.test_second"):
        assert "no server" in fixtures.told[f"test_fixtures.{name}"]["reason"]
    assert "no database" in fixtures.told["test_module.Two.test_it"]["reason"]
    assert fixtures.told["test_fixtures.Absent.test_it"]["reason"] == "nothing to test"


def test_tests_that_share_fixtures_stay_together(tmp_path: Path) -> None:
    """With two workers, a class's fixture is set up once, and so is a module's."""
    write_files(
        tmp_path,
        {
            "test_together.py": "import unittest\nfrom pathlib import Path\n"
            + "".join(
                f"""
class Class{letter}(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open("ups", "a") as file:
            file.write("{letter}")

    def test_1(self): pass
    def test_2(self): pass
    def test_3(self): pass
"""
                for letter in "ABCDEF"
            )
        },
    )
    ended = run_tests("-j", "2", "unittest:.", cwd=tmp_path)
    assert ended.summary["counts"] == {"success": 18}
    assert sorted((tmp_path / "ups").read_text()) == [*"ABCDEF"]


@pytest.fixture(scope="module")
def green(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Tests of which nothing runs, run once."""
    return run(GREEN, tmp_path_factory.mktemp("green"))


def test_what_never_ran_has_failed(green: Ended) -> None:
    """Coroutines and generators that the case does not run; not those that it does."""
    assert green.passed() == {"test_plain", "test_awaited", "test_run_by_its_case"}
    assert set(green.verdict.values()) == {"success", "fail"}
    for name in ("test_coroutine", "test_generator", "test_decorated", "test_set_up"):
        assert "NeverRan" in green.said_of(name)["traceback"]
