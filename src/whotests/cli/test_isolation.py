"""`whotests test --isolate TEST`: what makes a test fail, told as it is found out."""

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from whotests.cli.exit_statuses import ExitStatus
from whotests.errors import MachineError
from whotests.reports.isolation_text import isolation_text
from whotests.runner.agents.slots import Slot, local_slots
from whotests.runner.assignment import Brief
from whotests.runner.choosing.choice import Choosing
from whotests.runner.isolation.isolating import Answer
from whotests.runner.isolation.isolating_run import IsolatingRun, StoppedError
from whotests.runner.wanted import Wanted
from whotests.stream.control import Control
from whotests.stream.sink import Sink

__all__ = ["isolate"]


def isolate(
    wanted: Wanted,
    brief: Brief,
    *,
    choosing: Choosing,
    sink: Sink,
    control: Control,
    reaches: Callable[[Sequence[Slot]], object],
    quiet: bool,
) -> int:
    """Find out, and say so: the exit status, which is that of the test. `reaches` gets the slot
    of each experiment, so that it can be interrupted.

    The tests to run again are left in a file beside the folders of runs, of which only the last
    few are kept. Raises UsageError when there is no such test.
    """

    def slots(part: Brief) -> Sequence[Slot]:
        made = local_slots(part, 1)
        reaches(made)
        return made

    run = IsolatingRun(
        wanted.isolate,
        brief,
        choosing=choosing,
        slots=slots,
        sink=sink,
        control=control,
        tell=(lambda sentence: None) if quiet else click.echo,
    )
    try:
        found = run.run()
    except StoppedError:
        click.echo("interrupted before there was an answer", err=True)
        return ExitStatus.INTERRUPTED
    again, file = "", brief.folder.parent.parent / "isolated.txt"
    if found.answer in (Answer.OTHERS, Answer.UNSTEADY):
        again = _again(wanted, (*found.culprits, wanted.isolate), file)
    elif found.answer is Answer.ALONE:
        again = _again(wanted, (wanted.isolate,), file)
    click.echo(isolation_text(wanted.isolate, found, again=again))
    return ExitStatus.PASSED if found.answer is Answer.NEVER else ExitStatus.FAILED


def _again(wanted: Wanted, tests: Sequence[str], file: Path) -> str:
    """The command that runs these tests, in this order."""
    try:
        file.write_text("".join(f"{test_id}\n" for test_id in tests), "utf-8")
    except OSError as error:
        raise MachineError(
            f"cannot write {file}: {error.strerror}; these make it fail, in this order: "
            f"{', '.join(tests)}"
        ) from error
    words = ["whotests", "test", "-j1", "--order", "list", "--load-list", os.path.relpath(file)]
    words += wanted.targets
    if wanted.words:
        words += ["--", *wanted.words]
    return shlex.join(words)
