"""One run of a suite, plainly or under whotests, and what became of its tests."""

import os
import resource
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workplaces import Workplace
from compat.outcomes import Outcomes, read_outcomes
from compat.suites import Suite

__all__ = ["Run", "RunError", "run_suite"]

RECORDERS = Path(__file__).resolve().parent / "recorders"
LIMIT = 900
"""Seconds after which a run counts as stuck."""
LEFT_BY_RUNS = (".hypothesis", ".pytest_cache", "_trial_temp", "_trial_temp.lock")
"""What one run leaves in the folder and the next one would go by."""


class RunError(Exception):
    """A run did not come to its end; the message holds the end of its output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a run ended and what it cost."""

    outcomes: Outcomes
    cpu: float
    """Seconds, user and system, of the whole process tree."""
    incomplete: str
    """whotests' own line about data that it lost, or ''."""


def run_suite(suite: Suite, place: Workplace[Suite], *, options: tuple[str, ...] | None) -> Run:
    """Run the suite: plainly for None, else by `whotests run` with those options.

    Raises RunError when the runner does not come to its end within `LIMIT` seconds.
    """
    folder = place.folder / suite.folder
    for name in LEFT_BY_RUNS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    command = [str(place.python), *runner_words(suite)]
    if options is None and suite.runner == "pytest":
        command += ["-p", "no:whotests"]
    if options is not None:
        measuring = [str(place.venv / "bin" / "whotests"), "run", "--source", suite.package]
        command = [*measuring, *options, "--", *command_under_whotests(command)]
    with tempfile.TemporaryDirectory() as temporary, tempfile.TemporaryFile() as output:
        events = Path(temporary, "events")
        environment = place.environment() | {
            "COMPAT_EVENTS": str(events),
            "PYTHONPATH": str(RECORDERS),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": temporary,
        }
        child = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        usage = wait(child)
        output.seek(0)
        text = output.read().decode(errors="replace")
        try:
            outcomes = read_outcomes(events, status=child.returncode)
        except ValueError as error:
            raise RunError(f"{' '.join(command)}: {error}\n{text[-3000:]}") from error
    told = [line for line in text.splitlines() if line.startswith("whotests: the data is inc")]
    return Run(
        outcomes=outcomes,
        cpu=usage.ru_utime + usage.ru_stime,
        incomplete=told[0] if told else "",
    )


def wait(child: "subprocess.Popen[bytes]") -> resource.struct_rusage:
    """Waits for the child, and kills it with all that it started when it is stuck."""
    killer = threading.Timer(LIMIT, os.killpg, (child.pid, signal.SIGKILL))
    killer.start()
    # wait4 gives the usage of this child and its descendants, not of all children so far.
    _, status, usage = os.wait4(child.pid, 0)
    killer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage


def runner_words(suite: Suite) -> list[str]:
    """What follows the interpreter's name."""
    if suite.runner == "unittest":
        return [str(RECORDERS / "compat_unittest.py"), *suite.arguments]
    if suite.runner == "trial":
        return ["-m", "twisted.trial", "--reporter=compat", *suite.arguments]
    if suite.runner == "django":
        return [
            "runtests.py",
            "--settings=compat_django",
            "--parallel=1",
            "--verbosity=0",
            *suite.arguments,
        ]
    options = ("-q", "-p", "no:cacheprovider", "-p", "compat_pytest", "-c", suite.settings)
    return ["-m", "pytest", *options, *suite.arguments]


def command_under_whotests(command: list[str]) -> list[str]:
    """The same command, by the interpreter that runs whotests, as `run` promises."""
    return ["python", *command[1:]]
