"""Machines of a Dask cluster that go in mid-run: no test is lost, and no verdict repeated."""

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cluster_project import facts_in, here, make_project, said_so_far, verdicts_of
from dask_clusters import dask_cluster
from measured_commands import write_files
from tested_commands import is_alive, run_tests, started_tests, wait_until
from whotests.store.reader import Reader

KILLS = int(os.environ.get("WHOTESTS_KILLS", "3"))
"""Workers that are killed while tests run."""

WAITING = {
    "pytest.ini": "[pytest]\n",
    "test_it.py": """
        import os, pathlib, pytest, time

        @pytest.mark.parametrize("n", range(4))
        def test_quick(n):
            pass

        @pytest.mark.parametrize("n", range(200))
        def test_more(n):
            pass

        def test_waits():
            pathlib.Path(f"pid-{os.getpid()}").touch()
            while not pathlib.Path("go").exists():
                time.sleep(0.01)
    """,
}


def waiting_in(project: Path) -> list[int]:
    """The processes that the waiting test has been run in."""
    return [int(path.name.removeprefix("pid-")) for path in project.glob("pid-*")]


@pytest.mark.parametrize("source", ["shared", "shipped"])
def test_workers_that_are_killed_lose_nothing(tmp_path: Path, source: str) -> None:
    """Workers die by SIGKILL while tests run, and others come: verdicts and facts are as on one
    machine, each verdict once."""
    project = make_project(tmp_path / "project", git=True)
    slow = (project / "tests" / "test_prices.py").read_text().replace("0.01", "0.1")
    (project / "tests" / "test_prices.py").write_text(slow)
    expected, facts = here(project, tmp_path / "alone" / "data.db")
    data = tmp_path / source / "data.db"
    chance = random.Random(source)
    killed = 0
    with dask_cluster(tmp_path / "dask", workers=2, TMPDIR=str(tmp_path)) as cluster:
        words = ("--measure", "--data", str(data), "--cluster-source", source)
        while killed < KILLS:
            with started_tests("--cluster", cluster.address, *words, cwd=project) as started:
                wait_until(lambda: running(project, data, started.process.poll()))
                while killed < KILLS and started.process.poll() is None:
                    with suppress(ProcessLookupError):
                        cluster.kill_worker(chance.choice(list(cluster.workers)))
                    killed += 1
                    cluster.add_worker()
                    time.sleep(chance.uniform(0.1, 1.0))
                done = started.ended()
            assert verdicts_of(done) == verdicts_of(expected), done.err
            assert done.status == expected.status
            assert facts_in(data, project) == facts
    with Reader.open(data) as reader:
        assert [(run.status, run.note) for run in reader.runs] == [("finished", "")]


def running(project: Path, data: Path, status: int | None) -> bool:
    """Whether a worker of the newest run has a log, or the run is over."""
    runs = sorted((data.parent / "runs").glob("*"), key=lambda path: path.stat().st_mtime)
    folders = [*runs[-1:], *project.parent.glob("whotests-*/runs/*/logs")]
    return status is not None or any(list(folder.glob("w*.journal")) for folder in folders)


def test_a_test_in_progress_runs_elsewhere(tmp_path: Path) -> None:
    """The machine that ran it is gone: it gets the verdict of the next one, and no other test runs
    twice when nothing is measured."""
    write_files(tmp_path, WAITING)
    with dask_cluster(tmp_path / "dask", workers=1) as cluster:
        words = ("--cluster", cluster.address, "--order", "file", "test_it.py")
        with started_tests(*words, cwd=tmp_path) as started:
            wait_until(lambda: waiting_in(tmp_path))
            [first] = waiting_in(tmp_path)
            cluster.kill_worker(next(iter(cluster.workers)))
            wait_until(lambda: not is_alive(first))
            cluster.add_worker()
            wait_until(lambda: len(waiting_in(tmp_path)) == 2)
            (tmp_path / "go").touch()
            done = started.ended()
    assert done.status == 0, done
    assert set(verdicts_of(done).values()) == {"success"}
    assert len(done.verdicts) == 205
    assert any("is gone" in note for note in [*done.notes, done.err])


def test_a_worker_that_joins_gets_tests(tmp_path: Path) -> None:
    """While one worker is busy, one that comes later runs what waits."""
    write_files(tmp_path, WAITING)
    with dask_cluster(tmp_path / "dask", workers=1) as cluster:
        names = ("test_it.py::test_waits", "test_it.py::test_more")
        words = ("--cluster", cluster.address, "--order", "file", *names)
        with started_tests(*words, cwd=tmp_path) as started:
            wait_until(lambda: waiting_in(tmp_path))
            cluster.add_worker()
            wait_until(lambda: [e for e in said_so_far(started) if e.get("route_code") == "w1"])
            (tmp_path / "go").touch()
            done = started.ended()
    assert done.status == 0, done


@pytest.mark.parametrize("what", ["workers", "scheduler"])
def test_when_all_are_gone_each_test_has_a_verdict(tmp_path: Path, what: str) -> None:
    """After the patience for a new one, tests without a verdict fail, with the reason."""
    write_files(tmp_path, WAITING)
    with dask_cluster(tmp_path / "dask", workers=1) as cluster:
        words = ("--cluster", cluster.address, "--cluster-patience", "1")
        with started_tests(*words, "--order", "file", "test_it.py", cwd=tmp_path) as started:
            wait_until(lambda: waiting_in(tmp_path))
            if what == "workers":
                cluster.kill_worker(next(iter(cluster.workers)))
            else:
                cluster.kill_scheduler()
            done = started.ended()
    assert done.status == 1, done
    assert done.verdict["test_waits"] == "fail"
    assert done.verdict["test_quick[0]"] == "success"
    assert "all workers were lost" in done.said_of("test_waits")["reason"]


def test_a_cluster_without_workers_is_an_error(tmp_path: Path) -> None:
    """Nothing is run, and what to start is said."""
    write_files(tmp_path, WAITING)
    with dask_cluster(tmp_path / "dask", workers=0) as cluster:
        words = ("--cluster", cluster.address, "--cluster-patience", "0.5")
        done = run_tests(*words, cwd=tmp_path)
    assert done.status == 2
    assert "had no worker within 0.5 s; start one with `dask worker" in done.err


def test_hosts_end_when_the_command_is_killed(tmp_path: Path) -> None:
    """A command that dies by SIGKILL leaves no process and no source on the machines."""
    write_files(tmp_path, WAITING)
    with dask_cluster(tmp_path / "dask", workers=1, TMPDIR=str(tmp_path)) as cluster:
        words = ("--cluster", cluster.address, "--cluster-source", "shared")
        with started_tests(*words, "--order", "file", "test_it.py", cwd=tmp_path) as started:
            wait_until(lambda: waiting_in(tmp_path))
            started.process.send_signal(signal.SIGKILL)
            started.process.wait()
            [pid] = waiting_in(tmp_path)
            wait_until(lambda: not is_alive(pid))
        [base] = tmp_path.glob("whotests-*")
        wait_until(lambda: not list((base / "runs").iterdir()))


def test_a_nanny_replaces_its_worker(tmp_path: Path) -> None:
    """With `local:1`, the one worker is killed; its nanny starts another one, which goes on."""
    write_files(tmp_path, WAITING)
    words = ("--cluster", "local:1", "--order", "file", "test_it.py::test_waits")
    with started_tests(*words, cwd=tmp_path, TMPDIR=str(tmp_path)) as started:
        wait_until(lambda: waiting_in(tmp_path))
        [worker] = dask_workers_of(started.process.pid)
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: len(waiting_in(tmp_path)) == 2)
        (tmp_path / "go").touch()
        done = started.ended()
    assert done.status == 0, done
    assert done.verdict == {"test_waits": "success"}


def dask_workers_of(parent: int) -> list[int]:
    """The processes that a command's nannies have started."""
    found = []
    for line in subprocess.check_output(
        ["ps", "-ewwo", "pid=,ppid=,args="], text=True
    ).splitlines():
        pid, ppid, words = line.split(None, 2)
        if int(ppid) == parent and "spawn_main" in words:
            found.append(int(pid))
    return found
