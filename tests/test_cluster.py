"""Runs on a Dask cluster of several processes: the same verdicts and facts as here."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster_project import DATA, facts_in, here, make_project, said_so_far, verdicts_of
from dask_clusters import DaskCluster, dask_cluster
from facts import Facts
from measured_commands import write_files
from tested_commands import run_tests, started_tests, wait_until
from whotests.store.reader import Reader

if TYPE_CHECKING:
    from tested_commands import Started, Tested


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[DaskCluster]:
    with dask_cluster(folder / "dask", workers=2, TMPDIR=str(folder)) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def project(folder: Path) -> Path:
    return make_project(folder / "project", git=True)


@pytest.fixture(scope="module")
def alone(project: Path, folder: Path) -> tuple["Tested", Facts]:
    return here(project, folder / "alone" / "data.db")


def on(cluster: DaskCluster, *words: str, cwd: Path, **more: str) -> "Tested":
    return run_tests("--cluster", cluster.address, *words, cwd=cwd, **more)


@pytest.mark.parametrize("source", ["shared", "shipped"])
def test_verdicts_and_facts_are_those_of_this_machine(
    cluster: DaskCluster,
    project: Path,
    folder: Path,
    alone: tuple["Tested", Facts],
    source: str,
) -> None:
    """pytest's and unittest's tests end and run the same, wherever the source is."""
    data = folder / source / "data.db"
    words = ("--measure", "--data", str(data), "--cluster-source", source)
    done = on(cluster, *words, cwd=project)
    expected, facts = alone
    assert done.status == expected.status == 1, done.err
    assert verdicts_of(done) == verdicts_of(expected)
    assert "it was said" in done.said_of("test_fails")["traceback"]
    assert facts_in(data, project) == facts
    with Reader.open(folder / "alone" / "data.db") as reader:
        outcomes = {test.name: test.outcome for test in reader.tests}
    with Reader.open(data) as reader:
        assert {test.name: test.outcome for test in reader.tests} == outcomes
        [run] = reader.runs
        assert (run.status, run.note) == ("finished", "")
        assert {version.path for version in reader.files} == {
            "src/shop/__init__.py",
            "src/shop/_version.py",
            "src/shop/prices.py",
        }


def test_what_is_shipped_goes_when_the_run_is_over(
    cluster: DaskCluster, project: Path, folder: Path
) -> None:
    """A machine keeps the cache and nothing else; what its processes wrote is in the run's folder
    here."""
    data = folder / "gone" / "data.db"
    done = on(cluster, "--data", str(data), "--cluster-source", "shipped", cwd=project)
    assert any("source is shipped: 7 files" in note for note in notes(done)), done
    [base] = folder.glob("whotests-*")
    wait_until(lambda: list((base / "runs").iterdir()) == [])
    [run] = (data.parent / "runs").iterdir()
    assert list(run.glob("w?-1.out"))


def notes(done: "Tested") -> list[str]:
    return [*done.notes, *done.err.splitlines()]


def test_the_tests_see_the_shipped_source_and_not_the_folder_here(
    cluster: DaskCluster, tmp_path: Path
) -> None:
    """A test finds its files beside it, in another folder, and leaves none in the project."""
    write_files(
        tmp_path,
        {
            "pytest.ini": "[pytest]\n",
            "beside.txt": "read me\n",
            "test_it.py": f"""
                from pathlib import Path
                def test_beside():
                    here = Path(__file__).parent
                    assert str(here) != {str(tmp_path)!r}
                    assert (here / "beside.txt").read_text() == "read me\\n"
                    (here / "left.txt").touch()
            """,
        },
    )
    done = on(cluster, "--cluster-source", "shipped", cwd=tmp_path)
    assert done.verdict == {"test_beside": "success"}, done
    assert not (tmp_path / "left.txt").exists()


def test_what_decides_how_tests_end_goes_along(cluster: DaskCluster, tmp_path: Path) -> None:
    """The time zone and pytest's options are those of the command, on all machines."""
    write_files(
        tmp_path,
        {
            "pytest.ini": "[pytest]\n",
            "test_it.py": """
                import os, pytest
                def test_zone():
                    assert os.environ["TZ"] == "Asia/Tokyo"
                @pytest.mark.slow
                def test_slow(): pass
            """,
        },
    )
    done = on(cluster, cwd=tmp_path, TZ="Asia/Tokyo", PYTEST_ADDOPTS="-k zone")
    assert done.verdict == {"test_zone": "success"}, done


def test_events_come_while_tests_run(cluster: DaskCluster, tmp_path: Path) -> None:
    """What a test comes to is known here when the next one has begun, not at the end."""
    write_files(
        tmp_path,
        {
            "pytest.ini": "[pytest]\n",
            "test_it.py": """
                import pathlib, time
                def test_first(): pass
                def test_second():
                    while not pathlib.Path("go").exists():
                        time.sleep(0.01)
            """,
        },
    )
    words = ("--cluster", cluster.address, "--order", "file", "test_it.py")
    with started_tests(*words, cwd=tmp_path) as started:
        wait_until(lambda: succeeded(started))
        assert succeeded(started) == ["test_it.py::test_first"]
        (tmp_path / "go").touch()
        done = started.ended()
    assert done.status == 0
    assert done.verdict["test_second"] == "success"


def succeeded(started: "Started") -> list[str]:
    events = said_so_far(started)
    return [event["test_id"] for event in events if event.get("status") == "success"]


def test_each_thread_of_a_worker_is_a_slot(project: Path, tmp_path: Path) -> None:
    """One worker with three threads has three hosts."""
    data = tmp_path / "data.db"
    with dask_cluster(tmp_path / "dask", workers=1, threads=3) as cluster:
        done = on(cluster, "--data", str(data), cwd=project)
    assert len(verdicts_of(done)) == 36
    [run] = (tmp_path / "runs").iterdir()
    assert {"w0-1.out", "w1-1.out", "w2-1.out"} <= {path.name for path in run.iterdir()}


def test_a_host_that_dies_there_is_replaced(cluster: DaskCluster, tmp_path: Path) -> None:
    """The test that ended the process fails with the reason; all others run."""
    write_files(
        tmp_path,
        {
            "pytest.ini": "[pytest]\n",
            "test_it.py": """
                import os, pytest, signal
                @pytest.mark.parametrize("n", range(8))
                def test_it(n):
                    if n == 3:
                        os.kill(os.getpid(), signal.SIGKILL)
            """,
        },
    )
    done = on(cluster, cwd=tmp_path)
    assert done.status == 1
    assert [name for name, status in done.verdict.items() if status == "fail"] == ["test_it[3]"]
    assert len(done.verdict) == 8
    assert "SIGKILL" in done.said_of("test_it[3]")["reason"]


def test_rounds_run_on_one_connection(cluster: DaskCluster, project: Path, folder: Path) -> None:
    """--repeat runs all tests again there, and the data has them once."""
    data = folder / "repeated" / "data.db"
    words = ("--measure", "--data", str(data), "--repeat", "2")
    done = on(cluster, *words, cwd=project)
    assert {len(each) for each in done.verdicts.values()} == {2}, done
    assert len(done.verdicts) == 36
    with Reader.open(data) as reader:
        assert len(reader.runs) == 1
        assert len(reader.tests) == 36


def test_a_local_cluster_is_started_for_the_run(
    project: Path, folder: Path, alone: tuple["Tested", Facts]
) -> None:
    """`local:2` needs no cluster, and leaves none."""
    data = folder / "local" / "data.db"
    words = ("--measure", "--data", str(data), "--cluster", "local:2")
    done = run_tests(*words, cwd=project, TMPDIR=str(folder))
    expected, facts = alone
    assert verdicts_of(done) == verdicts_of(expected), done.err
    assert facts_in(data, project) == facts
    assert "Traceback" not in done.err


def test_nothing_is_left_in_the_project(project: Path) -> None:
    """Whatever ran on clusters before, the project has its own files and `.whotests` only."""
    own = {"pyproject.toml", ".gitignore", "src", "notes.txt", "tests", "cases.py", ".git"}
    assert set(os.listdir(project)) <= own | {str(DATA.parent), "__pycache__", ".pytest_cache"}
