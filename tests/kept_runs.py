"""Data files with several runs, and the commands that ask them, in processes of their own.

record(data, 10, {ONE: INIT}, name="nightly", keep_runs=3)
answer(data, "runs", "--run", "nightly~1")
"""

import json
from pathlib import Path
from typing import Any

from data_files import ADD, INIT, MODULE, NOON, REFUSE, DataFile, Ran, basket_of
from measured_commands import Ended, run_plain
from whotests.types import RunStatus

__all__ = ["ONE", "TWO", "answer", "record", "record_nightly", "refusal", "value", "whotests"]

ONE, TWO = "tests/test_b.py::test_one", "tests/test_b.py::test_two"


def record(
    data: DataFile,
    when: float,
    tests: dict[str, Ran],
    *,
    name: str = "",
    label: str = "",
    keep_runs: int = 1,
    status: RunStatus = RunStatus.FINISHED,
    pid: int | None = None,
) -> None:
    """A run of these tests, `when` seconds after noon; 'import' and other labels of its own."""
    with data.run(
        started=NOON + when, name=name, label=label, keep_runs=keep_runs, status=status, pid=pid
    ) as run:
        run.file(basket_of())
        run.label("import", MODULE)
        for test, ran in tests.items():
            run.test(test, ran)


def record_nightly(data: DataFile) -> None:
    """Three generations of 'nightly', and a newer run of no name."""
    record(data, 0, {ONE: INIT}, name="nightly", keep_runs=3)
    record(data, 10, {ONE: INIT, TWO: ADD}, name="nightly", keep_runs=3)
    record(data, 20, {ONE: INIT, TWO: REFUSE}, name="nightly", keep_runs=3)
    record(data, 30, {TWO: REFUSE})


def whotests(folder: Path, *words: str, **environment: str) -> Ended:
    """A command of ours, as in a shell in the folder."""
    main = "from whotests.cli import main; main()"
    return run_plain("python", "-P", "-c", main, *words, cwd=folder, env=environment)


def answer(data: DataFile, *words: str) -> str:
    """What the command prints."""
    ended = whotests(data.root, *words)
    assert (ended.status, ended.err) == (0, "")
    return ended.out


def value(data: DataFile, *words: str) -> Any:
    """The JSON that the command prints."""
    return json.loads(answer(data, *words, "--json"))


def refusal(data: DataFile, *words: str) -> str:
    """What the command says when it refuses."""
    ended = whotests(data.root, *words)
    assert (ended.status, ended.out) == (2, "")
    assert "Traceback" not in ended.err
    return ended.err
