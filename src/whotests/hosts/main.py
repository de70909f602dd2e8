"""The process of a host: from its task to its end."""

import os
import sys

from whotests.hosts.host import Host
from whotests.hosts.orders import Orders
from whotests.hosts.reporter import Reporter
from whotests.hosts.stacks import tell_stacks
from whotests.hosts.stop_file import StopFile
from whotests.hosts.task import Task
from whotests.recording.dormant import wake_up
from whotests.stream.control import Control, RunControl
from whotests.system import System

__all__ = ["main"]


def main() -> None:
    """Do the task in the file `sys.argv[1]`, in this process. `sys.argv` becomes that of the
    host."""
    task = Task.read(sys.argv[1])
    for descriptor in (task.orders, task.bell):
        os.set_inheritable(descriptor, False)
    tell_stacks(task.stacks)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    journal = os.open(task.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    control: Control = StopFile(task.stop) if task.stop else RunControl()
    reporter = Reporter(
        journal,
        task.bell,
        found=task.found,
        control=control,
        max_failures=task.max_failures,
    )
    os.register_at_fork(after_in_child=lambda: _leave(reporter, task.orders, task.bell, journal))
    try:
        host_of(task, reporter, Orders(task.orders, control=control)).run()
    except KeyboardInterrupt:
        reporter.ended("interrupted")
    tell_stacks(task.stacks)  # a framework may have pointed them elsewhere
    wake_up()
    # Loaded where something is measured; else nobody should wait for it.
    recording = sys.modules.get("whotests.recording.session")
    if recording is not None and (session := recording.current()) is not None:
        session.tell_surprise()


def _leave(reporter: Reporter, *descriptors: int) -> None:
    """A fork says nothing and takes no orders, even where a test lets it return into the host."""
    reporter.leave()
    nowhere = System.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        System.dup2(nowhere, descriptor, inheritable=False)
    System.close(nowhere)


def host_of(task: Task, reporter: Reporter, orders: Orders) -> Host:
    """The host that the task's suite wants."""
    if task.suite.host == "pytest":
        from whotests.hosts.pytest_host import PytestHost

        return PytestHost(task, reporter, orders)
    if task.suite.host == "trial":
        from whotests.hosts.trial_host import TrialHost

        return TrialHost(task, reporter, orders)
    if task.suite.host == "django":
        from whotests.hosts.django_host import DjangoHost

        return DjangoHost(task, reporter, orders)
    from whotests.hosts.unittest_host import UnittestHost

    return UnittestHost(task, reporter, orders)
