"""Runs a program with labels under coverage.py's C tracer and under whotests; compares the facts.

The program takes its labels `from labels import label`. Under whotests that is
`whotests.context`. coverage.py knows one context at a time: there each opening and closing
switches to a context that is named for all labels that are open, and a fact of it counts for
each of them.
"""

from pathlib import Path

import pytest

from covered_programs import run_covered
from facts import coverage_facts, whotests_facts
from measured_commands import Ended, run_measured, write_files
from whotests.types import lines_in

__all__ = ["Lines", "compare_labels"]

Lines = dict[str, dict[int, str]]
"""Label -> the lines that ran under it, with their text."""

_OURS = """\
from whotests import context as label
"""

_THEIRS = """\
import threading
from coverage import Coverage

lock = threading.RLock()
opened = []

class label:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        with lock:
            opened.append(self.name)
            switch()
        return self

    def __exit__(self, *error):
        with lock:
            opened.remove(self.name)
            switch()

def switch():
    Coverage.current().switch_context(" ".join(sorted(set(opened))))
"""

_BOTH = """
import asyncio, contextlib, threading

opened_by_name = {}

async def begin(name):
    "Opens a label to be closed by whoever ends it."
    await asyncio.sleep(0)
    opened_by_name[name] = label(name)
    opened_by_name[name].__enter__()
    await asyncio.sleep(0)

async def end(name):
    await asyncio.sleep(0)
    opened_by_name.pop(name).__exit__(None, None, None)
    await asyncio.sleep(0)

class turn:
    "Waits for its turn, counted from 0, which lasts to the thread's next one or to its end."

    now = -1
    changed = threading.Condition()
    arrived = threading.Semaphore(0)
    mine = threading.local()

    def __init__(self, number):
        self.number = number

    def __enter__(self):
        turn.over()
        self.arrived.release()
        with self.changed:
            assert self.changed.wait_for(lambda: turn.now == self.number, timeout=20), self.number
        self.mine.is_it = True

    def __exit__(self, *error):
        return None

    @classmethod
    def over(cls):
        if getattr(cls.mine, "is_it", False):
            cls.mine.is_it = False
            with cls.changed:
                cls.now += 1
                cls.changed.notify_all()

def run_in_threads(*functions):
    "Calls each in a thread; nothing behind a thread's first turn runs before all are there."

    def run(function):
        function()
        turn.over()

    threads = [threading.Thread(target=run, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
        turn.arrived.acquire()
    turn.mine.is_it = True
    turn.over()
    for thread in threads:
        thread.join()
"""


def compare_labels(
    folder: Path, program: str, *, concurrency: str = "thread", files: dict[str, str] | None = None
) -> tuple[Lines, Lines, Ended]:
    """What coverage.py and whotests recorded of `subject.py`, and how the measured run ended.

    Both runs must end with status 0 and print the same.
    """
    pytest.importorskip("coverage.tracer", reason="coverage.py has no C tracer for this Python")
    write_files(folder, {"subject.py": program, **(files or {})})
    theirs_at = folder / "theirs"
    theirs_at.mkdir()
    write_files(theirs_at, {"labels.py": _THEIRS + _BOTH})
    data, output = run_covered(
        "subject.py",
        cwd=folder,
        apart=theirs_at,
        options={"include": ["subject*"], "concurrency": concurrency.split(",")},
        env={"PYTHONPATH": str(theirs_at)},
    )
    write_files(folder / "ours", {"labels.py": _OURS + _BOTH})
    measured = run_measured(
        "python",
        "subject.py",
        cwd=folder,
        options=("--source", "."),
        env={"PYTHONPATH": str(folder / "ours")},
    )
    assert measured.status == 0, measured.err
    assert measured.out == output
    texts = (folder / "subject.py").read_text(encoding="utf-8").split("\n")
    theirs: Lines = {}
    for (names, path), lines in coverage_facts(data, folder).items():
        if path == "subject.py":
            for name in names.split():
                shown = {int(line): texts[line - 1].strip() for line in lines_in(lines)}
                theirs.setdefault(name, {}).update(shown)
    ours: Lines = {}
    for (name, path), lines in whotests_facts(folder / ".whotests" / "data.db", folder).items():
        if path == "subject.py" and name and lines:
            ours[name] = {int(line): texts[line - 1].strip() for line in lines_in(lines)}
    return theirs, ours, measured
