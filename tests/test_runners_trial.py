"""trial, in one process and in workers: facts and outcomes are the same."""

import shutil
import sys
from pathlib import Path

import pytest

from measured_commands import run_measured, run_plain
from runner_project import Recorded, explained, make, recorded
from test_runners_unittest import CASES, OPTIONS

pytest.importorskip("twisted", reason="twisted is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

TRIAL = {
    "tests/test_trial.py": """
        import sys

        from shop.basket import Basket, sign, size
        from twisted.internet import defer, reactor, task, threads, utils
        from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase


        class Plain(SynchronousTestCase):
            def setUp(self):
                self.basket = Basket("book")
                self.addCleanup(self.basket.clear)

            def tearDown(self):
                size("")

            def test_rates(self):
                self.assertEqual(list(self.basket.rates()), [7])

            def test_fails(self):
                self.assertEqual(sign(1), 0)

            def test_todo(self):
                self.assertEqual(sign(-1), 0)

            test_todo.todo = "one day"

            def test_skips(self):
                raise SkipTest(sign(0))

            def test_logs(self):
                from twisted.python import log
                log.err(OSError(size("abcd")))


        class Later(TestCase):
            def setUp(self):
                self.basket = Basket("lamp", "tea")
                return task.deferLater(reactor, 0.001, size, "ab")

            def tearDown(self):
                return task.deferLater(reactor, 0, self.basket.clear)

            async def wait(self, name):
                await task.deferLater(reactor, 0.001)
                if name == "tea":
                    raise OSError

            async def test_order(self):
                self.assertFalse(await self.basket.order(self.wait))

            def test_errs(self):
                later = task.deferLater(reactor, 0.001, self.basket.total, {})
                return later.addCallback(lambda _: sign(1))

            @defer.inlineCallbacks
            def test_fails(self):
                number = yield threads.deferToThread(sign, -3)
                self.assertEqual(number, 1)

            def test_child(self):
                code = "from shop.basket import sign; sign(0)"
                return utils.getProcessValue(sys.executable, ["-c", code])

            def test_late(self):
                return defer.Deferred()

            test_late.timeout = 0.05
    """,
    "more/test_luck.py": """
        import os

        from shop.basket import sign
        from twisted.trial.unittest import TestCase


        class Luck(TestCase):
            def test_steady(self):
                sign(-1)

            def test_luck(self):
                with open(os.environ["COUNT"], "a+") as file:
                    file.write("x")
                    file.seek(0)
                    self.assertNotEqual(sign(2 - len(file.read())), -1)
    """,
}
# trial cannot show what unittest.expectedFailure reports, and knows subtests in workers only.
OF_UNITTEST = {
    name: text.replace("@unittest.exp", "# ").replace("test_parts", "parts")
    for name, text in CASES.items()
}
OUTCOMES = {
    "Plain.test_rates": "passed",
    "Plain.test_fails": "failed",
    "Plain.test_todo": "expected failure",
    "Plain.test_skips": "skipped",
    "Plain.test_logs": "error",
    "Later.test_order": "passed",
    "Later.test_errs": "error",
    "Later.test_fails": "failed",
    "Later.test_child": "passed",
    "Later.test_late": "error",
}


def trial(folder: Path, *words: str) -> Recorded:
    """What a measured run of trial records; it ends as it does without measuring."""
    command = ("python", "-m", "twisted.trial", *words, "tests")
    environment = {"PYTHONPATH": str(folder)}  # for the children of tests: trial changes folders
    plain = run_plain(*command, cwd=folder, env=environment)
    shutil.rmtree(folder / ".whotests", ignore_errors=True)
    done = run_measured(*command, cwd=folder, options=OPTIONS, env=environment)
    assert (done.status, done.err) == (plain.status, ""), explained(done)
    assert done.out.splitlines()[-1] == plain.out.splitlines()[-1], explained(done)
    return recorded(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with tests of unittest and of trial."""
    return make(tmp_path_factory.mktemp("project"), OF_UNITTEST, TRIAL)


@pytest.fixture(scope="module")
def serial(folder: Path) -> Recorded:
    """What trial records in one process."""
    return trial(folder)


def test_outcomes_are_known(serial: Recorded) -> None:
    """Tests of Deferreds, threads, children and of unittest."""
    assert {
        name.removeprefix("tests.test_trial."): outcome
        for name, outcome in serial.outcomes.items()
        if name.startswith("tests.test_trial.")
    } == OUTCOMES
    waiting = {name: out for name, out in serial.outcomes.items() if ".Waiting." in name}
    assert set(waiting.values()) == {"passed", "failed"}
    lines = serial.lines["tests.test_trial.Later.test_order|run", "shop/basket.py"]
    assert lines.bit_count() == 6


@pytest.mark.parametrize("words", [("-j2",), ("-z", "3")], ids="".join)
def test_facts_are_those_of_a_serial_run(
    folder: Path, serial: Recorded, words: tuple[str, ...]
) -> None:
    """In workers and in any order: the same outcomes, lines and branches."""
    assert trial(folder, *words) == serial


def test_until_failure_the_last_run_counts(folder: Path) -> None:
    """With `--until-failure` a test has the outcome of its last run and the facts of all."""
    count = folder / "count"
    count.unlink(missing_ok=True)
    words = ("python", "-m", "twisted.trial", "--until-failure", "more.test_luck")
    shutil.rmtree(folder / ".whotests", ignore_errors=True)
    done = run_measured(*words, cwd=folder, options=OPTIONS, env={"COUNT": str(count)})
    assert done.status == 1, explained(done)
    assert count.read_text() == "xxx"
    found = recorded(folder)
    assert {name.rpartition("_")[2]: out for name, out in found.outcomes.items()} == {
        "steady": "passed",
        "luck": "failed",
    }
    ran, taken = (
        next(bits for key, bits in facts.items() if "luck|run" in key[0] and "shop" in key[1])
        for facts in (found.lines, found.branches)
    )
    assert (ran.bit_count(), taken.bit_count()) == (3, 2)
