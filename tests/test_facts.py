"""The tool that compares a coverage.py data file with a whotests data file."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facts import (
    Facts,
    count,
    coverage_facts,
    differences,
    main,
    of_tests,
    report,
    shown,
    whotests_facts,
)

# By the module: pytest would take a class named Test... for a test case.
from whotests import records
from whotests.source.analysis import analyse
from whotests.source.content import packed_content, unit_spans
from whotests.store.writer import Writer
from whotests.types import (
    FileState,
    Outcome,
    Phase,
    Runner,
    RunStatus,
    TestName,
    bits_of,
    lines_in,
)

MODULE = '''"""Doc."""
def f(a,
      b=1):
    """Doc."""
    x = [
        a,
        b,
    ]
    if a:
        return x
    return g()  # pragma: no cover

def g():
    return (
        1 +
        f.__code__.co_argcount)
'''
TESTS = """import pytest
from module import f

@pytest.fixture
def fixture():
    yield f(1)
    f(0)

def test_one(fixture):
    assert f(0) == 3

def test_two():
    pass
"""
# What the two tests run of the module, read off its text.
EXPECTED = {
    ("test_module.py::test_one|setup", "module.py"): {5, 9, 10},
    ("test_module.py::test_one|run", "module.py"): {5, 9, 11, 14},
    ("test_module.py::test_one|teardown", "module.py"): {5, 9, 11, 14},
}
PHASES = {"setup": Phase.SETUP, "run": Phase.CALL, "teardown": Phase.TEARDOWN}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a `.coverage` file of its tests, recorded by pytest-cov."""
    root = tmp_path_factory.mktemp("project")
    (root / "module.py").write_text(MODULE)
    (root / "test_module.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "pytest_cov", "--rootdir=."]
    command += ["-c", os.devnull, "--cov=module", "--cov-context=test", "--cov-report="]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COVERAGE_CORE": "ctrace"}
    environment.pop("COVERAGE_FILE", None)
    run = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return root


def write(data_file: Path, root: Path, facts: Facts) -> None:
    """A whotests data file with these facts of tests, all in the modules' units."""
    paths = sorted({path for _, path in facts})
    files = []
    for key, path in enumerate(paths):
        analysis = analyse((root / path).read_bytes(), path)
        files.append(
            records.FileRecord(
                key=key,
                path=path,
                digest=analysis.digest,
                content=packed_content(
                    line_count=analysis.line_count,
                    statements=analysis.statements,
                    excluded=analysis.excluded,
                    units=analysis.units,
                ),
                units=unit_spans(analysis.units),
                state=FileState.MEASURED,
            )
        )
    patterns, contexts, names = [], [], {}
    for key, ((context, path), lines) in enumerate(facts.items()):
        name, _, phase = context.rpartition("|")
        names[name] = records.TestRecord(
            name=TestName(name), runner=Runner.PYTEST, outcome=Outcome.PASSED, duration=0.1
        )
        patterns.append(
            records.PatternRecord(
                key=key,
                file_key=paths.index(path),
                unit_index=0,
                lines=bits_of(lines_in(lines)),
            )
        )
        contexts.append(
            records.ContextRecord(
                key=key,
                test=TestName(name),
                phase=PHASES[phase],
                label="",
                patterns=(key,),
                complete=True,
            )
        )
    writer = Writer.open(data_file, clock=lambda: 2.0)
    writer.begin_run(
        records.RunRecord(
            started=1.0,
            command=("pytest",),
            root=str(root),
            label="",
            python="CPython",
            platform="",
            host="here",
            pid=1,
        )
    )
    writer.write(
        records.Batch(
            files=tuple(files),
            patterns=tuple(patterns),
            tests=tuple(names.values()),
            contexts=tuple(contexts),
        )
    )
    writer.finish_run(ended=2.0, status=RunStatus.FINISHED, exit_status=0, note="", append=False)
    writer.close()


def test_coverage_facts_are_first_lines(project: Path) -> None:
    """Recorded lines are folded to first lines; excluded statements count, docstrings do not."""
    found = of_tests(coverage_facts(project / ".coverage", project))
    assert {key: set(lines_in(lines)) for key, lines in found.items()} == EXPECTED


def test_whotests_facts_are_what_was_written(project: Path, tmp_path: Path) -> None:
    """The facts of a whotests data file come back under pytest-cov's names."""
    facts = of_tests(coverage_facts(project / ".coverage", project))
    write(tmp_path / "data.db", project, facts)
    assert whotests_facts(tmp_path / "data.db", project) == facts


def test_equal_files_end_with_zero(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two files with the same facts of tests agree, whatever ran outside of tests."""
    facts = of_tests(coverage_facts(project / ".coverage", project))
    write(tmp_path / "data.db", project, facts)
    arguments = [str(project / ".coverage"), str(tmp_path / "data.db"), "--root", str(project)]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "11 facts of tests agree; coverage.py has 11, whotests 11" in out
    assert "missing: 0 facts on 0 lines" in out


def test_different_files_end_with_one(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fact that only one file has is shown with its file, its line and the line's text."""
    facts = dict(of_tests(coverage_facts(project / ".coverage", project)))
    facts["test_module.py::test_one|run", "module.py"] ^= 1 << 9 | 1 << 10
    write(tmp_path / "data.db", project, facts)
    arguments = [str(project / ".coverage"), str(tmp_path / "data.db"), "--root", str(project)]
    assert main(arguments) == 1
    out = capsys.readouterr().out
    assert "10 facts of tests agree; coverage.py has 11, whotests 11" in out
    assert "missing: 1 facts on 1 lines" in out
    assert "        9     1x      if a:    [test_module.py::test_one|run]" in out
    assert "superfluous: 1 facts on 1 lines" in out
    assert "       10     1x          return x    [test_module.py::test_one|run]" in out


def test_differences_are_grouped_by_line(tmp_path: Path) -> None:
    """The line that most contexts differ in comes first, with those contexts."""
    one = {("b|run", "x.py"): 0b110, ("a|run", "x.py"): 0b100, ("", "x.py"): 0b1000}
    found = differences(of_tests(one), {})
    assert [(d.line, d.contexts) for d in found] == [(2, ("a|run", "b|run")), (1, ("b|run",))]
    assert count(one) == 4
    assert not report(one, {}, root=tmp_path, out=io.StringIO())


def test_paths_outside_the_root_are_absolute(tmp_path: Path) -> None:
    """A file below the root is named relative to it, any other by its whole path."""
    assert shown(tmp_path / "a" / "b.py", tmp_path) == "a/b.py"
    assert shown(tmp_path / "b.py", tmp_path / "a") == (tmp_path / "b.py").resolve().as_posix()
