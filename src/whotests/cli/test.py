"""`whotests test`: run suites, and measure who tests what."""

import os
import sys
from pathlib import Path

import click

from whotests.cli.configured import config_option, tell_unused
from whotests.config.discover import find_source
from whotests.config.settings import load_settings
from whotests.hosts.task import Suite
from whotests.recording.hosted_run import HostedRun
from whotests.recording.plan import Plan
from whotests.runner.assignment import Brief
from whotests.runner.run import Run
from whotests.runner.run_folder import RunFolder
from whotests.runner.scheduler import Item
from whotests.runner.slots import local_slots
from whotests.source.rules import in_force
from whotests.stream.control import RunControl
from whotests.stream.text import TextSink
from whotests.types import RunStatus

__all__ = ["test"]


@click.command(short_help="Run tests of any kind, in parallel, and record which runs which line.")
@click.option("-j", "--jobs", default="1", metavar="N|auto", help="How many workers. Default: 1.")
@click.option("--measure/--no-measure", default=True, help="Record which test runs which line.")
@config_option
@click.argument("targets", nargs=-1, metavar="[TARGETS]...")
def test(jobs: str, measure: bool, config: Path | None, targets: tuple[str, ...]) -> None:
    """Run the tests of TARGETS: paths, modules, test ids, each with 'pytest:', 'unittest:',
    'trial:' or 'django:' in front where that is not clear."""
    cwd = Path.cwd()
    settings = load_settings(cwd, config=config)
    suites: dict[str, list[str]] = {}
    for target in targets:
        host, colon, rest = target.partition(":")
        if not colon or host not in ("pytest", "unittest", "trial", "django"):
            host, rest = "pytest", target
        suites.setdefault(host, []).append(rest)
    if not suites:
        suites["pytest"] = []
    workers = (os.cpu_count() or 1) if jobs == "auto" else int(jobs)
    folder = RunFolder.make(settings.data.parent / "runs")
    hosted = None
    if measure:
        exclude, partial = in_force(
            exclude_lines=settings.exclude_lines,
            exclude_also=settings.exclude_also,
            partial_branches=settings.partial_branches,
            partial_also=settings.partial_also,
        )
        plan = Plan(
            root=settings.root,
            data=settings.data,
            cache=settings.cache,
            source=find_source(
                settings.source,
                root=settings.root,
                cwd=cwd,
                path=[*sys.path, str(cwd), str(settings.root), str(settings.root / "src")],
                packages=settings.source_pkgs,
            ),
            branch=settings.branch,
            exclude=exclude,
            partial=partial,
            command=("whotests", *sys.argv[1:]),
        )
        hosted = HostedRun.begin(plan)
    tell_unused(settings, of_reports=False)
    brief = Brief(
        run=str(os.getpid()),
        root=settings.root,
        cwd=cwd,
        folder=folder.path,
        suites=tuple(Suite(host, tuple(each)) for host, each in suites.items()),
        workers=workers,
        handover=hosted.handover() if hosted else "",
    )
    sink = TextSink(sys.stdout)
    run = Run(
        brief,
        local_slots(brief, workers),
        sink=sink,
        select=lambda found: [Item(each.key, each.group) for each in found],
        control=RunControl(),
    )
    sink.start_run()
    run.run()
    sink.stop_run()
    status = 1 if run.book.failed else 0
    if hosted:
        hosted.finish(status=RunStatus.FINISHED, exit_status=status)
    folder.close()
    sys.exit(status)
