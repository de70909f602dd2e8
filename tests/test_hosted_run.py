"""What `whotests test` records: of tests whose process died, of partial runs, and unmeasured."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from measured_commands import write_files
from tested_commands import environment
from whotests.config.settings import load_settings
from whotests.query.history import history
from whotests.recording.hosted_run import HostedRun
from whotests.recording.planning import plan_of
from whotests.store.past_tests import last_outcomes
from whotests.store.reader import Reader
from whotests.store.series import Series, read_series
from whotests.stream.event import Chunk, Event, Status
from whotests.types import FileState, Outcome, RunStatus, lines_in

PROJECT = {
    "pyproject.toml": """
        [project]
        name = "shop"
    """,
    "shop/__init__.py": "",
    "shop/basket.py": """
        def add(one, other):
            return one + other


        def take(one, other):
            return one - other
    """,
    "shop/unused.py": """
        def never():
            return 1
    """,
}

DATA = Path(".whotests", "data.db")


def make(folder: Path, tests: str) -> None:
    write_files(folder, PROJECT | {"tests/test_shop.py": tests})


def run(folder: Path, *words: str, status: int, command: str = "test") -> str:
    """The command's output; it ends with this status."""
    done = subprocess.run(
        [sys.executable, "-m", "whotests", command, *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def facts(folder: Path) -> dict[str, set[int]]:
    """Test -> the lines of shop/basket.py that it ran, by the names of its functions."""
    with Reader.open(folder / DATA) as reader:
        ran: dict[str, set[int]] = {test.name.rpartition("::")[2]: set() for test in reader.tests}
        patterns = reader.all_patterns
        for context in reader.contexts():
            if context.test is not None:
                name = context.test.name.rpartition("::")[2]
                for pattern in reader.pattern_ids([context.footprint_id])[context.footprint_id]:
                    ran[name].update(lines_in(patterns[pattern].lines))
        return ran


def outcomes(folder: Path) -> dict[str, str]:
    with Reader.open(folder / DATA) as reader:
        return {test.name.rpartition("::")[2]: test.outcome.value for test in reader.tests}


def entries(folder: Path, test: str) -> list[tuple[str, bool]]:
    """How a test ended in each run, and whether that recorded facts."""
    found: Iterable[Series] = history(read_series([folder / DATA]), test=test).asked
    (series,) = found
    return [(entry.outcome.value, entry.run.measured) for entry in series.entries]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_run_has_one_record_of_each_test_and_file(tmp_path: Path, jobs: str) -> None:
    """Outcomes, durations, facts, and the files that nothing imported, in one run that ended."""
    make(
        tmp_path,
        """
        from shop.basket import add, take

        def test_add():
            assert add(1, 2) == 3

        def test_take():
            assert take(1, 2) == 3
        """,
    )
    run(tmp_path, "-j", jobs, status=1)
    assert outcomes(tmp_path) == {"test_add": "passed", "test_take": "failed"}
    assert facts(tmp_path) == {"test_add": {2}, "test_take": {6}}
    with Reader.open(tmp_path / DATA) as reader:
        (one,) = reader.all_runs
        assert (one.status, one.exit_status, one.note) == (RunStatus.FINISHED, 1, "")
        assert one.command[:2] == ("whotests", "test")
        states = {file.path: file.state for file in reader.files if file.line_count}
        assert states == {
            "shop/basket.py": FileState.MEASURED,
            "shop/unused.py": FileState.NOT_IMPORTED,
        }
        assert all(test.duration is not None for test in reader.tests)


def test_a_test_whose_process_died_is_an_error_in_the_data(tmp_path: Path) -> None:
    """With the time that it took; the run is whole, as all others have what they ran."""
    make(
        tmp_path,
        """
        import os
        import signal
        from shop.basket import add, take

        def test_first():
            pass

        def test_add():
            with open("times", "a") as file:
                file.write("1")
            assert add(1, 2) == 3

        def test_killed():
            os.kill(os.getpid(), signal.SIGKILL)

        def test_take():
            assert take(2, 1) == 1
        """,
    )
    said = run(tmp_path, "--order", "file", status=1)
    assert "3 passed, 1 failed" in said
    assert outcomes(tmp_path) == {
        "test_first": "passed",
        "test_add": "passed",
        "test_killed": "error",
        "test_take": "passed",
    }
    ran = facts(tmp_path)
    assert (ran["test_add"], ran["test_take"]) == ({2}, {6})
    # It ran once more for them: its process had written what the first test ran, if that.
    assert (tmp_path / "times").read_text() == "11"
    with Reader.open(tmp_path / DATA) as reader:
        assert [each.status for each in reader.all_runs] == [RunStatus.FINISHED]
        (killed,) = (test for test in reader.tests if test.outcome is Outcome.ERROR)
        assert killed.duration is not None


def test_facts_that_are_lost_for_good_make_the_data_incomplete(tmp_path: Path) -> None:
    """Where a host died, a test that ended of itself must have its facts in the data; where none
    did, it may have run nothing that is measured. What died with its host is no reason."""
    make(tmp_path, "")
    plan = plan_of(load_settings(tmp_path), cwd=tmp_path, command=("whotests", "test"))
    for died, status in ((False, RunStatus.FINISHED), (True, RunStatus.INCOMPLETE)):
        hosted = HostedRun.begin(plan)
        for second, (test, end) in enumerate(
            [("a", Status.SUCCESS), ("b", Status.FAIL), ("c", Status.SKIP)]
        ):
            hosted.handle(Event(test, Status.INPROGRESS, timestamp=moment(second)))
            if test == "b":
                hosted.handle(Event(test, attachment=Chunk("reason", b"killed")))
            hosted.handle(Event(test, end, timestamp=moment(second + 0.5)))
        assert hosted.outcomes() == {
            "a": Outcome.PASSED,
            "b": Outcome.ERROR,
            "c": Outcome.SKIPPED,
        }
        said = hosted.finish(status=RunStatus.FINISHED, exit_status=1, died=died)
        assert ("what these tests ran: a;" in said.problem) is died
        with Reader.open(plan.data) as reader:
            assert reader.all_runs[-1].status is status
            assert [(test.name, test.duration) for test in reader.tests] == [
                ("a", 0.5),
                ("b", 0.5),
                ("c", 0.5),
            ]


def moment(seconds: float) -> datetime:
    return datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "words", [("-k", "take"), ("tests/test_shop.py::test_take",), ("--failed",), ("-x",)]
)
def test_a_partial_run_leaves_what_it_did_not_run(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Tests that were not chosen, or not come to, are as the run before left them; of those that
    ran again the history has what they did before."""
    tests = """
        import os
        from shop.basket import add, take

        def test_take():
            assert take(1, 2) == -1 and "FIXED" in os.listdir()

        def test_add():
            assert add(1, 2) == 3
        """
    make(tmp_path, tests)
    run(tmp_path, status=1)
    if words != ("-x",):
        (tmp_path / "FIXED").touch()
    run(tmp_path, *words, status=1 if words == ("-x",) else 0)
    after = "failed" if words == ("-x",) else "passed"
    assert outcomes(tmp_path) == {"test_take": after, "test_add": "passed"}
    assert facts(tmp_path) == {"test_take": {6}, "test_add": {2}}
    assert entries(tmp_path, "test_take") == [("failed", True), (after, True)]
    assert entries(tmp_path, "test_add") == [("passed", True)]


def test_an_unmeasured_run_records_outcomes_and_no_facts(tmp_path: Path) -> None:
    """Facts of before stay what they are; what failed last is what failed in it."""
    make(
        tmp_path,
        """
        import os
        from shop.basket import add

        def test_add():
            assert add(1, 2) == 3

        def test_other():
            assert "BROKEN" not in os.listdir()
        """,
    )
    run(tmp_path, status=0)
    before = facts(tmp_path), outcomes(tmp_path)
    (tmp_path / "BROKEN").touch()
    run(tmp_path, "--no-measure", status=1)
    assert (facts(tmp_path), outcomes(tmp_path)) == before
    assert entries(tmp_path, "test_other") == [("passed", True), ("failed", False)]
    last = last_outcomes(tmp_path / DATA)
    assert [end.value for end in last.values()] == ["passed", "failed"]
    (tmp_path / "BROKEN").unlink()
    assert "1 passed" in run(tmp_path, "--failed", status=0)


def test_what_is_surprising_is_said(tmp_path: Path) -> None:
    """That nothing of the source was imported; the exit status is what it is."""
    make(
        tmp_path,
        """
        def test_nothing():
            pass
        """,
    )
    said = run(tmp_path, status=0)
    assert "none of the 3 source files was imported, so nothing was measured" in said


def test_another_copy_that_hosts_imported_is_named(tmp_path: Path) -> None:
    """The runner's process imports nothing of the user's: what its hosts found is said."""
    make(
        tmp_path / "here",
        """
        import sys
        sys.path.insert(0, "../there")
        from shop.basket import add

        def test_add():
            assert add(1, 2) == 3
        """,
    )
    write_files(tmp_path / "there", PROJECT)
    said = run(tmp_path / "here", "--source", "shop", status=0)
    assert "shop was not measured: the command imported shop from" in said


def test_settings_of_runs_are_those_of_whotests_run(tmp_path: Path) -> None:
    """Branches, labels, names and how many are kept."""
    make(
        tmp_path,
        """
        from shop.basket import add

        def test_add():
            assert add(1, 2) == 3
        """,
    )
    words = ("--branch", "--context", "py3", "--run-name", "nightly", "--keep-runs", "2")
    for _ in range(3):
        run(tmp_path, *words, status=0)
    with Reader.open(tmp_path / DATA) as reader:
        assert [(each.name, each.label, each.branch) for each in reader.all_runs] == [
            ("nightly", "py3", True)
        ] * 2
    assert entries(tmp_path, "test_add") == [("passed", True)] * 3


SLOW = """
    import time
    from shop.basket import add

    def test_add():
        assert add(1, 2) == 3

    def test_slow():
        open("begun", "w").close()
        time.sleep(60)

    def test_late():
        assert add(2, 2) == 4
    """


def stopped(folder: Path, how: signal.Signals) -> int:
    """The exit status of a run that gets this signal while its second test runs."""
    (folder / "begun").unlink(missing_ok=True)
    command = [sys.executable, "-m", "whotests", "test", "--order", "file", "-j", "1"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        until = time.monotonic() + 60
        while not (folder / "begun").exists() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(1)  # what the first test ran is written meanwhile
        process.send_signal(how)
        process.communicate(timeout=60)
    return process.returncode


def test_an_interrupted_run_leaves_what_it_did_not_come_to(tmp_path: Path) -> None:
    """After Ctrl-C the data has what ended; the rest is as the run before left it."""
    make(tmp_path, SLOW.replace("60", "0"))
    run(tmp_path, status=0)
    make(tmp_path, SLOW)
    # It may end itself by the signal, as shells want it.
    assert stopped(tmp_path, signal.SIGINT) in (130, -signal.SIGINT)
    assert outcomes(tmp_path)["test_late"] == "passed"
    assert facts(tmp_path)["test_late"] == {2}
    assert entries(tmp_path, "test_add") == [("passed", True)] * 2
    with Reader.open(tmp_path / DATA) as reader:
        before, interrupted = reader.all_runs
        assert (before.status, interrupted.status) == (RunStatus.FINISHED, RunStatus.INTERRUPTED)
        assert before.superseded is None


def test_a_runner_that_is_killed_leaves_what_was_written(tmp_path: Path) -> None:
    """Its run counts as killed, costs no older data, and the next one takes its place."""
    make(tmp_path, SLOW.replace("60", "0"))
    run(tmp_path, status=0)
    make(tmp_path, SLOW)
    assert stopped(tmp_path, signal.SIGKILL) == -signal.SIGKILL
    with Reader.open(tmp_path / DATA) as reader:
        before, killed = reader.all_runs
        assert (before.superseded, killed.killed) == (None, True)
        newest = {test.name.rpartition("::")[2]: test.run_id for test in reader.tests}
        assert (newest["test_add"], newest["test_late"]) == (killed.id, before.id)
    assert facts(tmp_path)["test_late"] == {2}
    make(tmp_path, SLOW.replace("60", "0"))
    run(tmp_path, status=0)
    with Reader.open(tmp_path / DATA) as reader:
        assert [each.status for each in reader.all_runs] == [RunStatus.FINISHED]
    assert len(entries(tmp_path, "test_add")) == 3


def test_a_long_run_says_that_it_goes_on(tmp_path: Path) -> None:
    """It writes now and then, so that nobody takes it for dead."""
    make(tmp_path, "")
    plan = plan_of(load_settings(tmp_path), cwd=tmp_path, command=("whotests", "test"))
    hosted = HostedRun.begin(plan, beat=0.0)
    with Reader.open(plan.data) as reader:
        began = reader.all_runs[0].heartbeat
    while True:
        hosted.handle(Event("a", Status.INPROGRESS, timestamp=moment(0)))
        with Reader.open(plan.data) as reader:
            if reader.all_runs[0].heartbeat > began:
                break
    hosted.finish(status=RunStatus.FINISHED, exit_status=0)


def test_data_that_cannot_be_written_costs_no_verdict(tmp_path: Path) -> None:
    """The run says so at its end, with the status for what is not whole."""
    make(
        tmp_path,
        """
        from pathlib import Path
        from shop.basket import add

        def test_add():
            assert add(1, 2) == 3
            data = Path(".whotests/data.db")
            data.unlink()
            data.with_name("data.db-wal").unlink(missing_ok=True)
            data.write_text("nothing of ours, and long enough to be told from an empty file" * 9)
        """,
    )
    said = run(tmp_path, status=3)
    assert "1 passed" in said
    assert "the data is incomplete: " in said


def test_a_test_that_the_host_did_not_let_pass_has_not_passed(tmp_path: Path) -> None:
    """Its process saw nothing wrong, and the verdict counts: `--failed` runs it again."""
    make(
        tmp_path,
        """
        import unittest
        from shop.basket import add

        class Shop(unittest.TestCase):
            async def test_never_awaited(self):
                self.assertEqual(add(1, 2), 4)

            def test_add(self):
                self.assertEqual(add(1, 2), 3)
        """,
    )
    run(tmp_path, "unittest:tests/test_shop.py", status=1)
    with Reader.open(tmp_path / DATA) as reader:
        ends = {test.name.rpartition(".")[2]: test.outcome.value for test in reader.tests}
    assert ends == {"test_never_awaited": "error", "test_add": "passed"}


def test_names_that_the_data_writes_otherwise_are_not_taken_for_lost(tmp_path: Path) -> None:
    """After a death, tests of one id, and ids that are no text in UTF-8, do not run once more, and
    the data is not said to be incomplete."""
    make(
        tmp_path,
        """
        import os
        import unittest

        from shop.basket import add


        class Case(unittest.TestCase):
            name = ""

            def id(self):
                return self.name or super().id()

            def test_add(self):
                self.assertEqual(add(1, 2), 3)


        class Zz(unittest.TestCase):
            def test_end(self):
                os._exit(1)


        def load_tests(loader, tests, pattern):
            odd = Case("test_add")
            odd.name = "sur\\udc80rogate"
            return unittest.TestSuite([Case("test_add"), Case("test_add"), odd, Zz("test_end")])
        """,
    )
    said = run(tmp_path, "unittest:tests/test_shop.py", status=1)
    assert "3 passed, 1 failed" in said
    assert "once more" not in said
    assert "incomplete" not in said
