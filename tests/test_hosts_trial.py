"""The host of trial's tests: a project of trial's and testtools' cases ends as under trial."""

import sys
from pathlib import Path

import pytest

from measured_commands import write_files
from mixed_project import MIXED, TESTS
from peer_verdicts import by_trial
from tested_commands import Tested as Ended
from tested_commands import run_tests

pytest.importorskip("twisted", reason="twisted is not installed")
pytest.importorskip("testtools", reason="testtools is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mixed project."""
    folder = tmp_path_factory.mktemp("mixed")
    write_files(folder, MIXED)
    return folder


@pytest.fixture(scope="module")
def theirs(project: Path) -> dict[str, str]:
    """What trial says of it."""
    return by_trial(TESTS, cwd=project)


@pytest.fixture(scope="module")
def ours(project: Path) -> Ended:
    """What we say of it, by one worker."""
    return run_tests(f"trial:{TESTS}", cwd=project)


def same(ended: Ended, theirs: dict[str, str]) -> None:
    """Fail unless the verdicts are trial's own, one for each test."""
    broken = {"grid.test.test_gone": theirs["grid.test.test_gone"]}
    assert ended.outside == {name: [status] for name, status in broken.items()}
    said = {test_id: status for test_id, [status] in ended.verdicts.items()}
    assert said == {name: status for name, status in theirs.items() if name not in broken}


def test_verdicts_are_trials(ours: Ended, theirs: dict[str, str]) -> None:
    """Deferreds, timeouts, todos, dirty reactors, logged errors, testtools' and plain cases."""
    assert len(theirs) > 45
    assert set(theirs.values()) == {"success", "fail", "skip", "xfail"}
    same(ours, theirs)


def test_order_is_trials(ours: Ended, theirs: dict[str, str]) -> None:
    """One worker runs the tests in the order of trial's loader."""
    assert list(ours.verdicts) == [name for name in theirs if name != "grid.test.test_gone"]


@pytest.mark.parametrize("words", [("-j", "2"), ("-j", "2", "--order", "random:7")])
def test_verdicts_are_trials_in_workers(
    project: Path, theirs: dict[str, str], words: tuple[str, ...]
) -> None:
    """So they are in two workers, in any order."""
    same(run_tests(*words, f"trial:{TESTS}", cwd=project), theirs)


def test_verdicts_are_the_same_measured(project: Path, theirs: dict[str, str]) -> None:
    """So they are while it is recorded who tests what."""
    same(run_tests("--measure", "-j", "2", f"trial:{TESTS}", cwd=project), theirs)


def test_successes_that_were_not_expected_are_tagged(ours: Ended) -> None:
    """trial passes with them: they are successes, and are told apart."""
    assert ours.verdict["test_todo_done"] == "success"
    assert ours.tags == {"grid.test.test_storage.Later.test_todo_done": ["xpassed"]}


def test_what_is_told_of_failures(ours: Ended) -> None:
    """Tracebacks of failures begin with the user's code; the log of Twisted is attached."""
    told = ours.told["grid.test.test_storage.Later.test_logs"]
    assert "Full: logged" in told["traceback"]
    assert "Full: logged" in told["trial log"]
    assert "grid.test.test_storage.At.test_fired" not in ours.told
    fails = ours.told["grid.test.test_storage.Later.test_fails"]["traceback"]
    assert "2 != 3" in fails
    todo = ours.told["grid.test.test_storage.Later.test_todo"]
    assert todo["reason"] == "make room"
    assert ours.told["grid.test.test_client.Client.test_details"]["shares"] == "none"


def test_tests_run_in_a_folder_of_the_run(project: Path, ours: Ended) -> None:
    """Nothing is left beside the sources; what tests leave is in the run's folder."""
    beside = {path.name for path in project.iterdir()} - {"peer-verdicts.json", "_trial_temp"}
    assert {name for name in beside if not name.startswith("_trial_temp")} == {
        "grid",
        "setup.cfg",
        ".whotests",
    }
    assert list((project / ".whotests" / "runs" / "1").glob("w0-1/**/test.log"))


REACTOR = {
    "test_reactor.py": """
        import asyncio

        from twisted.internet import defer, reactor, task
        from twisted.trial.unittest import SkipTest, TestCase


        class Asyncio(TestCase):
            async def setUp(self):
                await asyncio.sleep(0.001)
                self.ready = True

            async def test_sleep(self):
                await asyncio.sleep(0.001)
                self.assertTrue(self.ready)

            async def test_both(self):
                async with asyncio.timeout(10):
                    await task.deferLater(reactor, 0.001)
                    await asyncio.gather(asyncio.sleep(0.001), asyncio.sleep(0.002))

            async def test_fails(self):
                await asyncio.sleep(0)
                self.fail("after all")

            async def test_skips(self):
                await asyncio.sleep(0)
                raise SkipTest("not here")

            async def test_exits(self):
                await asyncio.sleep(0)
                raise SystemExit(3)

            async def test_goes_on(self):
                await asyncio.sleep(0)

            async def test_times_out(self):
                await asyncio.sleep(60)

            test_times_out.timeout = 0.1

            async def test_waits_for_nothing(self):
                await defer.Deferred()

            test_waits_for_nothing.timeout = 0.1
    """,
    "test_which.py": """
        from twisted.internet import reactor
        from twisted.trial.unittest import TestCase


        class Which(TestCase):
            def test_name(self):
                print(type(reactor).__name__, type(reactor).__mro__[1].__name__)
    """,
}


def test_coroutines_may_await_what_is_asyncios(tmp_path: Path) -> None:
    """On asyncio's reactor, setUp and tests await futures and Deferreds alike."""
    write_files(tmp_path, REACTOR)
    ended = run_tests("trial:test_reactor", cwd=tmp_path)
    assert ended.verdict == {
        "test_sleep": "success",
        "test_both": "success",
        "test_fails": "fail",
        "test_skips": "skip",
        "test_exits": "fail",
        "test_goes_on": "success",
        "test_times_out": "fail",
        "test_waits_for_nothing": "fail",
    }
    for name in ("test_times_out", "test_waits_for_nothing"):
        assert "still running at 0.1 secs" in ended.said_of(name)["traceback"]


@pytest.mark.parametrize(
    ("words", "reactor"), [((), "Asyncio"), (("--", "--reactor", "select"), "SelectReactor")]
)
def test_the_reactor_can_be_chosen(tmp_path: Path, words: tuple[str, ...], reactor: str) -> None:
    """asyncio's unless trial's own option names another one."""
    write_files(tmp_path, REACTOR)
    ended = run_tests("trial:test_which", *words, cwd=tmp_path)
    assert reactor in ended.said_of("test_name")["output"]


OPTIONS = {
    "test_options.py": """
        import sys

        from twisted.internet import defer, reactor
        from twisted.python import log
        from twisted.trial.unittest import TestCase


        class Dirty(TestCase):
            def test_leaves(self):
                reactor.callLater(100, lambda: None)


        class Logs:
            def __del__(self):
                log.err(OSError("as it goes"))


        class Collected(TestCase):
            def test_cycle(self):
                one = Logs()
                one.itself = one


        class Without(TestCase):
            def test_module(self):
                with self.assertRaises(ImportError):
                    import colorsys  # noqa: F401
                self.assertEqual(sys.getrecursionlimit(), 777)
    """
}


def test_options_of_trials_own(tmp_path: Path) -> None:
    """What trial's command does with them: dirt is a warning, garbage is collected at once."""
    write_files(tmp_path, OPTIONS)
    words = ["--unclean-warnings", "--force-gc", "--without-module", "colorsys"]
    more = ["--recursionlimit", "777", "--disablegc"]
    ended = run_tests("trial:test_options", "--", *words, *more, cwd=tmp_path)
    assert ended.verdict == {
        "test_leaves": "success",
        "test_cycle": "success",
        "test_module": "success",
    }
    assert "Reactor was unclean" in ended.said_of("test_leaves")["trial log"]
    assert list(ended.outside) == ["collected after test_options.Collected.test_cycle"]
    assert ended.status == 1


def test_unknown_options_are_told(tmp_path: Path) -> None:
    """In words, and no test runs."""
    write_files(tmp_path, OPTIONS)
    ended = run_tests("trial:test_options", "--", "--nonsense", cwd=tmp_path)
    assert ended.status != 0
    assert "--nonsense" in ended.err
    assert ended.verdicts == {}


def test_a_loop_that_something_else_ends_ends_no_later_test(tmp_path: Path) -> None:
    """What stops the reactor's loop in the middle of a turn leaves nothing behind that stops it
    while a later test waits."""
    text = """\
        from twisted.internet import defer, reactor
        from twisted.trial import unittest

        class Test(unittest.TestCase):
            def test_a(self):
                reactor.callLater(0, reactor._asyncioEventloop.stop)
                reactor.iterate(0)

            def test_b(self):
                fired = defer.Deferred()
                reactor.callLater(0.05, fired.callback, None)
                return fired
        """
    write_files(tmp_path, {"test_it.py": text})
    ended = run_tests("trial:test_it", cwd=tmp_path)
    assert ended.passed() == {"test_a", "test_b"}


def test_what_a_killed_process_left_half_done_is_not_found_by_the_next(tmp_path: Path) -> None:
    """Each process runs its tests in a folder of its own, which is empty when it begins."""
    text = """
        import os

        from twisted.trial import unittest


        class Case(unittest.TestCase):
            def test_a(self):
                os.mkdir("half")
                os.kill(os.getpid(), 9)

            def test_b(self):
                os.mkdir("half")
    """
    write_files(tmp_path, {"test_it.py": text})
    ended = run_tests("trial:test_it", cwd=tmp_path)
    assert ended.verdict == {"test_a": "fail", "test_b": "success"}
