"""Runs `whotests test` in a process of its own, and reads what it says of each test."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, ClassVar, NamedTuple

from measured_commands import SCRIPTS, write_files

PATIENCE = 120
"""Seconds for what takes a few on an idle machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """How a run of tests ended, and what was said of them."""

    __test__: ClassVar[bool] = False

    status: int
    err: str
    verdicts: dict[str, list[str]] = field(default_factory=dict)
    """Of each test that can be selected, all final statuses that it got."""
    outside: dict[str, list[str]] = field(default_factory=dict)
    """The same of what cannot be selected: fixtures, collections, ends."""
    told: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each test, its attachments by name."""
    tags: dict[str, list[str]] = field(default_factory=dict)
    """Of each test that has any, the last ones."""
    times: dict[str, list[datetime]] = field(default_factory=dict)
    """Of each test, when it began and ended."""
    notes: list[str] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> dict[str, str]:
        """The one verdict of each test, by the last part of its name; there must be just one."""
        assert all(len(each) == 1 for each in self.verdicts.values()), self.verdicts
        return {short(test_id): each[0] for test_id, each in self.verdicts.items()}

    def said_of(self, name: str) -> dict[str, str]:
        """The attachments of the test with this last part of its name."""
        return next((told for test_id, told in self.told.items() if short(test_id) == name), {})

    def passed(self) -> set[str]:
        """The last parts of the names of the tests that passed."""
        return {name for name, status in self.verdict.items() if status == "success"}


def short(test_id: str) -> str:
    """The last part of a test's name: 'test_a' of 'test_it.py::Case::test_a'."""
    return test_id.rpartition("::")[2].rpartition(".")[2]


def project(folder: Path, **modules: str) -> Path:
    """The folder, with a project of these modules in it."""
    files = {"pyproject.toml": "[project]\nname = 'product'\n"}
    write_files(folder, files | {f"{name}.py": text for name, text in modules.items()})
    return folder


def command(*words: str) -> list[str]:
    """`whotests test` with these words, and its events as JSON; nothing is measured."""
    return [sys.executable, "-P", "-m", "whotests", "test", "--no-measure", "--json", *words]


def environment(**more: str) -> dict[str, str]:
    """What the command finds, as it is at a prompt, but without plugins of pytest: with those that
    these tests need, each process would take twice the time. `PLUGINS` has them."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "COV_", "PYTHON", "WHOTESTS")) and name != "VIRTUAL_ENV"
    }
    path = SCRIPTS + os.pathsep + os.environ.get("PATH", "")
    usual = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": path}
    return {**inherited, **usual, **more}


def run_tests(*words: str, cwd: Path, **more: str) -> Tested:
    """Run the command to its end; further variables are given by name."""
    done = subprocess.run(
        command(*words),
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )
    return tested(done.returncode, done.stdout, done.stderr)


class Started(NamedTuple):
    """The command while it runs; what it writes goes into files, which never fill up."""

    process: "subprocess.Popen[bytes]"
    out: IO[bytes]
    err: IO[bytes]

    def ended(self) -> Tested:
        """What it comes to when it is waited for."""
        self.process.wait(PATIENCE)
        texts = []
        for file in (self.out, self.err):
            file.seek(0)
            texts.append(file.read().decode("utf-8"))
        return tested(self.process.returncode, *texts)


@contextmanager
def started_tests(*words: str, cwd: Path, **more: str) -> Iterator[Started]:
    """The command while it runs, in a session of its own; whatever is left of it is killed."""
    with TemporaryFile() as out, TemporaryFile() as err:
        process = subprocess.Popen(
            command(*words),
            cwd=cwd,
            env=environment(**more),
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            yield Started(process, out, err)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)


def tested(status: int, out: str, err: str) -> Tested:
    """What the lines of JSON say."""
    result = Tested(status=status, err=err)
    for line in out.splitlines():
        event = json.loads(line)
        test_id, said = event.get("test_id"), event.get("status")
        chunk = event.get("attachment")
        if test_id is None:
            if chunk is not None and chunk["name"] == "summary":
                result.summary.update(json.loads(chunk["text"]))
            elif chunk is not None and chunk["name"] == "note":
                result.notes.append(chunk["text"])
            continue
        if "status" in event and "timestamp" in event:
            result.times.setdefault(test_id, []).append(datetime.fromisoformat(event["timestamp"]))
        if said not in (None, "inprogress", "exists"):
            kind = result.verdicts if event.get("runnable", True) else result.outside
            kind.setdefault(test_id, []).append(said)
        if event.get("tags"):
            result.tags[test_id] = event["tags"]
        if chunk is not None:
            told = result.told.setdefault(test_id, {})
            told[chunk["name"]] = told.get(chunk["name"], "") + chunk.get("text", "")
    return result


def wait_until(condition: Callable[[], object]) -> None:
    """Come back when it holds; fail when it does not for very long."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether there is such a process, dead ones that nobody has waited for aside."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except FileNotFoundError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc/self/stat").exists()
    return stat.rpartition(b")")[2].split()[0] not in (b"Z", b"X")
