"""Suites with a way of their own to run: testtools', testresources'; and testtools' cases."""

import sys
from pathlib import Path

import pytest

from measured_commands import write_files
from tested_commands import Tested as Ended
from tested_commands import run_tests

pytest.importorskip("testtools", reason="testtools is not installed")
pytest.importorskip("testresources", reason="testresources is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

SUITES = {
    "test_suites.py": """
        import unittest

        import fixtures
        import testresources
        import testtools
        from testtools.content import text_content


        def note(word):
            with open("notes", "a") as file:
                file.write(word + "\\n")


        class Server(fixtures.Fixture):
            def _setUp(self):
                note("server up")
                self.addCleanup(note, "server down")


        class Asking(unittest.TestCase):
            def test_first(self):
                note("asked")

            def test_second(self):
                note("asked")


        class Database(testresources.TestResourceManager):
            def make(self, dependencies):
                note("database made")
                return object()

            def clean(self, resource):
                note("database gone")


        class Storing(testresources.ResourcedTestCase):
            resources = [("database", Database())]

            def test_read(self):
                self.assertIsNotNone(self.database)

            def test_write(self):
                self.assertIsNotNone(self.database)


        class Parts(unittest.TestCase):
            def test_part_fails(self):
                for number in range(3):
                    with self.subTest(number=number):
                        self.assertNotEqual(number, 1)

            def test_parts_pass(self):
                with self.subTest(number=1):
                    pass


        class Detailed(testtools.TestCase):
            def test_details(self):
                self.addDetail("state", text_content("it was open"))
                self.fail("and it should not")

            def test_expected(self):
                self.expectFailure("not yet", self.assertEqual, 1, 2)

            def test_skips(self):
                self.skipTest("not here")

            async def test_coroutine(self):
                self.fail("it ran")

            def test_generator(self):
                yield self.fail("it ran")


        class Leaving(unittest.TestSuite):
            def run(self, result):
                super().run(result)
                raise SystemExit("the suite leaves")


        class Silent(unittest.TestSuite):
            def run(self, result):
                return result


        class Last(unittest.TestCase):
            def test_before_it_leaves(self):
                pass


        class Never(unittest.TestCase):
            def test_never(self):
                pass


        def load_tests(loader, tests, pattern):
            of = loader.loadTestsFromTestCase
            together = unittest.TestSuite([of(Parts), of(Detailed)])
            return unittest.TestSuite(
                [
                    testtools.FixtureSuite(Server(), [of(Asking)]),
                    testresources.OptimisingTestSuite([of(Storing)]),
                    testtools.ConcurrentTestSuite(
                        together, lambda suite: list(testtools.iterate_tests(suite))
                    ),
                    Leaving([of(Last)]),
                    Silent([of(Never)]),
                ]
            )
    """
}


@pytest.fixture(scope="module", params=["1", "2"])
def suites(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The suites, run by one worker and by two."""
    folder = tmp_path_factory.mktemp("suites")
    write_files(folder, SUITES)
    ended = run_tests("-j", request.param, "unittest:test_suites", cwd=folder)
    ended.told["notes"] = {"notes": (folder / "notes").read_text()}
    return ended


def test_suites_run_as_themselves(suites: Ended) -> None:
    """A suite's fixture is set up once for its tests; a resource is made once."""
    notes = suites.told["notes"]["notes"].splitlines()
    begun = notes.index("server up")
    assert notes[begun : begun + 4] == ["server up", "asked", "asked", "server down"] or (
        notes.count("server up") == notes.count("server down") == 1
    )
    assert notes.count("asked") == 2
    assert notes.count("database made") == notes.count("database gone") == 1


def test_each_test_in_a_suite_has_one_verdict(suites: Ended) -> None:
    """Whatever a suite does to its result: threads, a SystemExit, nothing at all."""
    assert suites.verdict == {
        "test_first": "success",
        "test_second": "success",
        "test_read": "success",
        "test_write": "success",
        "test_part_fails": "fail",
        "test_parts_pass": "success",
        "test_details": "fail",
        "test_expected": "xfail",
        "test_skips": "skip",
        "test_coroutine": "fail",
        "test_generator": "fail",
        "test_before_it_leaves": "success",
        "test_never": "fail",
    }
    assert "has told nothing" in suites.said_of("test_never")["reason"]


def test_parts_that_fail_in_concurrent_suites_are_shown(suites: Ended) -> None:
    """testtools' results between the case and ours drop them."""
    assert "1 == 1" in suites.said_of("test_part_fails")["traceback"]


def test_details_of_testtools_are_attachments(suites: Ended) -> None:
    """Each detail under its own name, the traceback among them, without frames of ours."""
    told = suites.said_of("test_details")
    assert told["state"] == "it was open"
    assert "whotests" not in told["traceback"]
    assert suites.said_of("test_skips")["reason"] == "not here"


def test_tests_of_a_suite_can_be_chosen(tmp_path: Path) -> None:
    """A suite runs with those of its tests that are wanted."""
    write_files(tmp_path, SUITES)
    ended = run_tests("unittest:test_suites", "-k", "test_second or test_write", cwd=tmp_path)
    assert ended.verdict == {"test_second": "success", "test_write": "success"}
    notes = (tmp_path / "notes").read_text().splitlines()
    assert notes == ["server up", "asked", "server down", "database made", "database gone"]
