"""What other plugins of pytest do under `whotests test`, and which tests stay together."""

import json
import sys
from pathlib import Path

import pytest

from measured_commands import PLUGINS, run_plain, write_files
from tested_commands import run_tests
from whotests.runner.run_folder import RunFolder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of Unix")

WORKERS = """
    import json
    import os
    import time

    import pytest

    @pytest.mark.parametrize("n", range(4))
    def test_it(n, worker_id, testrun_uid, tmp_path_factory):
        base = tmp_path_factory.getbasetemp()
        (base.parent / worker_id).touch()
        until = time.monotonic() + 30
        while len(list(base.parent.glob("gw?"))) < 2 and time.monotonic() < until:
            time.sleep(0.01)  # until each worker has a test
        print(json.dumps([worker_id, testrun_uid, str(base), os.environ["PYTEST_XDIST_WORKER"]]))
"""
GROUPS = """
    import unittest
    import pytest

    @pytest.fixture(scope="module")
    def of_module(): pass

    @pytest.fixture(scope="class")
    def of_class(): pass

    @pytest.fixture(scope="session")
    def of_session(): pass

    def test_free(of_session, tmp_path): pass

    def test_module_1(of_module): pass

    def test_module_2(of_module): pass

    class TestShared:
        def test_1(self, of_class): pass
        def test_2(self, of_class): pass
        def test_3(self): pass

    class TestMixed:
        def test_1(self, of_class): pass
        def test_2(self, of_class, of_module): pass

    class TestPlainCase(unittest.TestCase):
        def test_1(self): pass
        def test_2(self): pass

    class TestSetUpCase(unittest.TestCase):
        @classmethod
        def setUpClass(cls): pass
        def test_1(self): pass
        def test_2(self): pass

    @pytest.mark.xdist_group("elsewhere")
    def test_group_1(): pass

    @pytest.mark.xdist_group(name="elsewhere")
    def test_group_2(): pass

    def test_alone_in_its_class(of_class): pass
"""
TELLS_GROUPS = """
    import json
    from whotests.hosts.pytest_groups import groups_of

    def pytest_collection_finish(session):
        names = [item.nodeid.partition("::")[2] for item in session.items]
        with open("groups", "w") as file:
            json.dump(dict(zip(names, groups_of(session.items))), file)
"""


def project(folder: Path, options: str = "", **files: str) -> Path:
    """A project of pytest's with these files and options of its configuration."""
    ini = f"[pytest]\n{options}"
    write_files(folder, {"pytest.ini": ini} | {f"{name}.py": text for name, text in files.items()})
    return folder


def test_tests_that_share_a_fixture_of_a_class_or_module_are_of_one_group(tmp_path: Path) -> None:
    """Others are free, those of plain test cases and of the session's fixtures among them."""
    folder = project(tmp_path, "markers = xdist_group", test_it=GROUPS, conftest=TELLS_GROUPS)
    done = run_plain("python", "-m", "pytest", "--collect-only", cwd=folder)
    assert done.status == 0, done.out + done.err
    groups = json.loads((folder / "groups").read_text())
    together: dict[str, list[str]] = {}
    for name, group in groups.items():
        together.setdefault(group, []).append(name)
    free = together.pop("")
    assert free == [
        "test_free",
        "TestShared::test_3",
        "TestPlainCase::test_1",
        "TestPlainCase::test_2",
        "test_alone_in_its_class",
    ]
    assert sorted(together.values()) == [
        ["TestSetUpCase::test_1", "TestSetUpCase::test_2"],
        ["TestShared::test_1", "TestShared::test_2"],
        ["test_group_1", "test_group_2"],
        ["test_module_1", "test_module_2", "TestMixed::test_1", "TestMixed::test_2"],
    ]


def test_each_of_several_workers_is_told_apart_as_by_xdist(tmp_path: Path) -> None:
    """By `worker_id` and the environment; their temporary folders lie side by side in one of the
    run; one `testrun_uid`. What plugins write for a whole run, no worker overwrites."""
    folder = project(tmp_path, "addopts = --junitxml=junit.xml", test_it=WORKERS)
    ended = run_tests("-j", "2", "pytest:.", cwd=folder, **PLUGINS)
    assert ended.status == 0, ended
    assert all(set(said) == {"stdout"} for said in ended.told.values())
    told = [json.loads(said["stdout"]) for said in ended.told.values()]
    assert {worker for worker, *_ in told} == {"gw0", "gw1"}
    assert len({uid for _, uid, *_ in told}) == 1
    assert len({Path(base).parent for _, _, base, _ in told}) == 1
    assert {Path(base).name for _, _, base, _ in told} == {"popen-gw0", "popen-gw1"}
    assert all(worker == variable for worker, _, _, variable in told)
    assert not (folder / "junit.xml").exists()
    assert not (folder / ".pytest_cache/v/cache/nodeids").exists()


def test_one_worker_is_plain_pytest(tmp_path: Path) -> None:
    """It is xdist's 'master', and writes what pytest writes."""
    folder = project(
        tmp_path,
        "addopts = --junitxml=junit.xml",
        test_it="""
            import os

            def test_it(worker_id):
                assert worker_id == "master"
                assert "PYTEST_XDIST_WORKER" not in os.environ
        """,
    )
    assert run_tests("pytest:.", cwd=folder, **PLUGINS).status == 0
    assert (folder / "junit.xml").exists()
    assert (folder / ".pytest_cache/v/cache/nodeids").exists()


def test_the_temporary_folder_of_a_run_goes_with_the_runs_folder(tmp_path: Path) -> None:
    """As long as the run's folder is kept, tests' files are; then they are removed. What a note
    says that has come with the project is not believed."""
    folder = project(tmp_path, test_it="def test_it(tmp_path): (tmp_path / 'a').touch()")
    run_tests("-j", "2", cwd=folder, **PLUGINS)
    runs = folder / ".whotests/runs"
    temporary = Path((runs / "1/temporary").read_text())
    assert list(temporary.glob("popen-gw?/test_it0/a"))
    treasure = tmp_path / "whotests-treasure"
    treasure.mkdir()
    (runs / "2").mkdir()
    (runs / "2/temporary").write_text(str(treasure))
    for _ in range(5):
        RunFolder.make(runs).close()
    assert sorted(each.name for each in runs.iterdir()) == ["3", "4", "5", "6", "7"]
    assert not temporary.exists()
    assert treasure.exists()


def test_an_option_of_ours_in_addopts_begins_no_run_of_its_own(tmp_path: Path) -> None:
    """`--whotests` in the project's own configuration, under `whotests test --no-measure`."""
    folder = project(tmp_path, "addopts = --whotests", test_it="def test_it(): pass")
    before = run_tests("pytest:.", cwd=folder, **PLUGINS)
    assert before.passed() == {"test_it"}
    log = (folder / ".whotests/runs/1/w0-1.out").read_text()
    assert "recorded in" not in log


def test_hypothesis_and_timeouts_of_plugins_work(tmp_path: Path) -> None:
    """A falsified example is the test's failure; pytest-timeout stops a test, even where it ends
    the process, with what it wrote as the last output."""
    pytest.importorskip("pytest_timeout")
    folder = project(
        tmp_path,
        test_it="""
            import time
            import pytest
            from hypothesis import given, strategies

            @given(strategies.integers())
            def test_example(number): assert number < 50

            @pytest.mark.timeout(0.3)
            def test_signal(): time.sleep(60)

            @pytest.mark.timeout(0.3, method="thread")
            def test_thread(): time.sleep(60)

            def test_last(): pass
        """,
    )
    ended = run_tests("pytest:.", cwd=folder, **PLUGINS)
    assert ended.passed() == {"test_last"}
    assert len(ended.verdict) == 4
    assert "number=50" in ended.said_of("test_example")["traceback"]
    assert "Timeout" in ended.said_of("test_signal")["traceback"]
    assert "Timeout" in ended.said_of("test_thread")["output"]
