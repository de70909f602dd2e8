"""How runs on a Dask cluster end early, and what cannot begin."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dask_clusters import DaskCluster, dask_cluster
from measured_commands import write_files
from tested_commands import is_alive, run_tests, started_tests, wait_until

PYTEST = {"pytest.ini": "[pytest]\n", "test_it.py": "def test_it(): pass\n"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    folder = tmp_path_factory.mktemp("cluster")
    with dask_cluster(folder, workers=2, TMPDIR=str(folder)) as cluster:
        yield cluster


@pytest.mark.parametrize("source", ["shared", "shipped"])
def test_a_failure_stops_the_other_machines(
    cluster: DaskCluster, tmp_path: Path, source: str
) -> None:
    """With -x, no machine begins another test of those that it has."""
    write_files(
        tmp_path,
        {
            "pytest.ini": "[pytest]\n",
            "test_it.py": """
                import pytest, time
                @pytest.mark.parametrize("n", range(40))
                def test_it(n):
                    time.sleep(0.2)
                    assert n
            """,
        },
    )
    done = run_tests("--cluster", cluster.address, "-x", "--cluster-source", source, cwd=tmp_path)
    assert done.status == 1
    assert done.verdict["test_it[0]"] == "fail"
    assert len(done.verdict) < 20


def test_control_c_ends_what_runs_there(cluster: DaskCluster, tmp_path: Path) -> None:
    """The test in progress gets no verdict, its process ends, and the exit status is 130."""
    write_files(
        tmp_path,
        {
            "pytest.ini": "[pytest]\n",
            "test_it.py": """
                import os, pathlib, time
                def test_first(): pass
                def test_waits():
                    pathlib.Path("pid.new").write_text(str(os.getpid()))
                    os.rename("pid.new", "pid")
                    time.sleep(100)
            """,
        },
    )
    words = ("--cluster", cluster.address, "--order", "file", "test_it.py")
    with started_tests(*words, cwd=tmp_path) as started:
        wait_until((tmp_path / "pid").exists)
        started.process.send_signal(signal.SIGINT)
        done = started.ended()
    assert done.status == 130, done
    assert done.verdict.get("test_waits") in (None, "unknown")
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not is_alive(pid))


def test_an_extra_is_asked_for_by_name(tmp_path: Path) -> None:
    """Without Dask, the error names what to install."""
    write_files(tmp_path, {**PYTEST, "distributed.py": "raise ImportError('not here')\n"})
    done = run_tests("--cluster", "local:1", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.status == 2
    assert "pip install 'whotests[cluster]'" in done.err


def test_data_that_is_destroyed(cluster: DaskCluster, tmp_path: Path) -> None:
    """Where the data file takes nothing any more, how the tests ended counts all the same."""
    write_files(
        tmp_path,
        {
            "pyproject.toml": "",
            "test_bad.py": """
                import glob, os, unittest
                class Bad(unittest.TestCase):
                    def test_destroys(self):
                        for file in glob.glob(".whotests/data.db*"):
                            os.remove(file)
                        os.mkdir(".whotests/data.db")
                    def test_good(self): pass
            """,
        },
    )
    words = ("--measure", "--cluster", cluster.address, "unittest:test_bad")
    done = run_tests(*words, cwd=tmp_path)
    assert done.passed() == {"test_destroys", "test_good"}
    assert done.status == 3
    assert "passed, but not all is recorded or written: 2 passed" in done.err
    assert "whotests: the data is incomplete: " in done.err


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("local:none", "'none' is no number of workers"),
        ("tcp://127.0.0.1:1", "no cluster at tcp://127.0.0.1:1"),
        ("nonsense", "--cluster nonsense: missing port number"),
        ("http://127.0.0.1:8786", "unknown address scheme 'http'"),
        ("tls://127.0.0.1:8786", "no certificates"),
        ("", "its ADDRESS is empty"),
    ],
)
def test_what_is_no_cluster_is_an_error(tmp_path: Path, address: str, why: str) -> None:
    """An address where nobody answers, or that is none, is told, with what to give."""
    write_files(tmp_path, PYTEST)
    done = run_tests("--cluster", address, "--cluster-patience", "1", cwd=tmp_path)
    assert done.status == 2
    assert why in done.err
    assert "Traceback" not in done.err


def test_versions_that_no_test_needs_are_not_spoken_of(tmp_path: Path) -> None:
    """Dask's own table of versions that differ, of packages that the project does not import, is
    not shown."""
    described = {
        "lz4-0.0.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: lz4\nVersion: 0.0.1\n"
    }
    write_files(tmp_path / "there", described)
    write_files(tmp_path / "here", PYTEST)
    with dask_cluster(
        tmp_path / "cluster", workers=1, PYTHONPATH=str(tmp_path / "there")
    ) as cluster:
        done = run_tests("--cluster", cluster.address, cwd=tmp_path / "here")
    assert done.passed()
    assert "Mismatched" not in done.err
    assert "lz4" not in done.err
