"""`whotests test`: run tests of any kind, and measure who tests what."""

import shlex
import sys
from math import isfinite
from pathlib import Path
from typing import Final

import click

from whotests.cli.configured import tell_unused
from whotests.cli.exit_statuses import ExitStatus
from whotests.cli.option_groups import GroupedCommand, group_of_options
from whotests.cli.standard_streams import open_standard_streams
from whotests.cli.test_run import TestRun, WhatToMeasure, Where
from whotests.cli.test_shown import Shown
from whotests.config.settings import load_settings
from whotests.errors import UsageError
from whotests.runner.agents.processors import usable_processors
from whotests.runner.cluster.terms import PATIENCE, SourceMode
from whotests.runner.wanted import Order, Wanted, parsed_order, parsed_shard

__all__ = ["test"]

_MOST_JOBS: Final = 1_000
"""A slip of the finger should not take a machine down."""

_which = group_of_options("Which tests")
_when = group_of_options("In which order, how often")
_where = group_of_options("Where and how")
_measured = group_of_options("What is recorded")
_shown = group_of_options("What is shown")


@click.command(
    cls=GroupedCommand,
    short_help="Run tests of any kind, in parallel, and record which runs which line.",
    options_metavar="[OPTIONS]",
    epilog="Exit status: 0 all passed; 1 some failed; 2 wrong use, or nothing could be run; "
    "3 passed, but what was recorded or written is not whole; 5 no test was run; "
    "130 interrupted. docs/running.md tells more.",
)
@_which(
    "-k",
    "keyword",
    default="",
    metavar="EXPRESSION",
    help="Tests whose names fit it, such as 'pay and not slow'.",
)
@_which("--failed", is_flag=True, help="Tests that failed when they were run last.")
@_which(
    "--load-list",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Tests whose ids are in FILE, one per line; - is standard input.",
)
@_which("--shard", metavar="I/N", help="The I-th of N equal parts, by how long tests take.")
@_which("--list", "only_list", is_flag=True, help="Print the ids of the tests; run none.")
@_when(
    "--order",
    metavar="ORDER",
    help="file, random, random:SEED, slowest, or list. Default: as found with one worker, the "
    "longest first with several.",
)
@_when("--repeat", type=click.IntRange(1), metavar="N", help="Run them N times.")
@_when("--until-failure", is_flag=True, help="Run them again and again, until one fails.")
@_when("-x", "--fail-fast", is_flag=True, help="Stop at the first failure.")
@_when("--max-failures", type=click.IntRange(1), metavar="N", help="Stop after N failures.")
@_when(
    "--isolate", default="", metavar="TEST", help="Find out which tests before TEST make it fail."
)
@_where(
    "-j",
    "--jobs",
    metavar="N|auto",
    help="How many tests run at the same time; auto: as many as there are processors. Default: 1.",
)
@_where(
    "--timeout",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long a test may take; 0 is any time. Default: 0.",
)
@_where(
    "--cluster",
    default=None,
    metavar="ADDRESS|local:N",
    help="Run on a Dask cluster: that of the scheduler at ADDRESS, or N processes here. Each "
    "thread of its workers runs one test at a time.",
)
@_where(
    "--cluster-source",
    type=click.Choice(["auto", "shared", "shipped"]),
    default="auto",
    metavar="HOW",
    help="auto, shared or shipped: whether its machines see the project's folder, or get the "
    "source shipped. Default: auto, as each machine needs.",
)
@_where(
    "--cluster-patience",
    type=click.FloatRange(0),
    default=PATIENCE,
    metavar="SECONDS",
    help=f"How long to wait for a machine while there is none. Default: {PATIENCE:g}.",
)
@_where("--pdb", is_flag=True, help="Open Python's debugger where a test fails.")
@_measured(
    "--measure/--no-measure", default=True, help="Record which test runs which line. Default: yes."
)
@_measured(
    "--source",
    multiple=True,
    metavar="PATH|PACKAGE",
    help="What to measure; may be repeated. Default: the project's own packages.",
)
@_measured(
    "--include", multiple=True, metavar="GLOB", help="Measure these files of the source only."
)
@_measured("--omit", multiple=True, metavar="GLOB", help="Files to leave out.")
@_measured("--branch/--no-branch", default=None, help="Record which branches are taken, too.")
@_measured("--context", metavar="LABEL", help="A label for the whole run.")
@_measured("--run-name", metavar="NAME", help="What to call the run.")
@_measured(
    "--keep-runs",
    type=click.IntRange(1),
    metavar="N",
    help="Keep the last N runs of this name and context, this one included. Default: 1.",
)
@_measured("--append", is_flag=True, help="Keep the tests of older runs that this one lacks.")
@_measured("--data", type=click.Path(path_type=Path), metavar="FILE", help="The data file.")
@_measured(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Read the settings from FILE."
)
@_shown("-v", "--verbose", is_flag=True, help="A line for each test.")
@_shown("-q", "--quiet", is_flag=True, help="Failures and the counts only.")
@_shown("--slowest", type=click.IntRange(0), metavar="N", help="List the N slowest tests.")
@_shown(
    "--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write a JUnit XML file, too."
)
@_shown("--subunit", is_flag=True, help="Write subunit v2 to standard output.")
@_shown(
    "--json",
    "as_json",
    is_flag=True,
    help="Write lines of JSON to standard output (docs/json.md describes them).",
)
@click.argument("targets", nargs=-1, metavar="[TARGETS]... [-- WORDS]")
@click.pass_context
def test(
    context_: click.Context,
    /,
    *,
    targets: tuple[str, ...],
    keyword: str,
    failed: bool,
    load_list: Path | None,
    shard: str | None,
    only_list: bool,
    order: str | None,
    repeat: int | None,
    until_failure: bool,
    fail_fast: bool,
    max_failures: int | None,
    isolate: str,
    jobs: str | None,
    timeout: float | None,
    cluster: str | None,
    cluster_source: SourceMode,
    cluster_patience: float,
    pdb: bool,
    measure: bool,
    source: tuple[str, ...],
    include: tuple[str, ...],
    omit: tuple[str, ...],
    branch: bool | None,
    context: str | None,
    run_name: str | None,
    keep_runs: int | None,
    append: bool,
    data: Path | None,
    config: Path | None,
    verbose: bool,
    quiet: bool,
    slowest: int | None,
    junit: Path | None,
    subunit: bool,
    as_json: bool,
) -> None:
    """Run the tests of TARGETS: paths, modules and test ids of pytest, unittest, testtools,
    Twisted trial and Django, each with 'pytest:', 'unittest:', 'trial:' or 'django:' in front
    where that is not clear. Default: all tests of the project. WORDS are options for pytest, or
    for the one runner of all tests."""
    open_standard_streams()
    cwd = Path.cwd()
    settings = load_settings(
        cwd,
        source=source,
        include=include,
        omit=omit,
        context=context,
        run_name=run_name,
        keep_runs=keep_runs,
        branch=branch,
        data=data,
        config=config,
    )
    tell_unused(settings, of_reports=False)
    wanted = Wanted(
        targets=targets,
        words=context_.meta[GroupedCommand.BEHIND],
        keyword=keyword,
        failed=failed,
        load_list=load_list,
        shard=None if shard is None else parsed_shard(shard),
        order=Order() if order is None else parsed_order(order),
        repeat=repeat or 1,
        until_failure=until_failure,
        isolate=isolate,
        max_failures=1 if fail_fast else max_failures or 0,
        only_list=only_list,
    )
    run = TestRun(
        settings,
        wanted,
        cwd=cwd,
        where=Where(
            workers=_workers(jobs, settings.jobs, debug=pdb),
            timeout=_timeout(timeout, settings.timeout),
            debug=pdb,
            cluster=_cluster(cluster, jobs, isolate=isolate, debug=pdb),
            cluster_source=cluster_source,
            cluster_patience=cluster_patience,
        ),
        measured=WhatToMeasure(facts=measure, append=append),
        shown=Shown(
            verbose=verbose,
            quiet=quiet,
            slowest=settings.slowest if slowest is None else slowest,
            junit=junit,
            subunit=subunit,
            as_json=as_json,
            again=_again(targets, wanted.words, data=data, config=config),
        ),
    )
    try:
        status = run.run()
    except KeyboardInterrupt:  # before there was anything to interrupt, or when all was done
        click.echo("whotests: interrupted", err=True)
        status = ExitStatus.INTERRUPTED
    sys.exit(status)


def _timeout(seconds: float | None, usual: float) -> float:
    """How long a test may take. Raises UsageError."""
    if seconds is None:
        return usual
    if isfinite(seconds):
        return seconds
    raise UsageError(f"--timeout {seconds}: give a number of seconds; 0 is any time")


def _again(
    targets: tuple[str, ...], words: tuple[str, ...], *, data: Path | None, config: Path | None
) -> str:
    """The command that runs what failed, of the same targets by the same data."""
    command = ["whotests", "test", "--failed"]
    for option, file in (("--data", data), ("--config", config)):
        if file is not None:
            command += [option, str(file)]
    return shlex.join([*command, *targets, *(("--", *words) if words else ())])


def _cluster(address: str | None, jobs: str | None, *, isolate: str, debug: bool) -> str:
    """The address, if nothing speaks against it; '' where none is given. Raises UsageError."""
    if address is not None:
        if not address.strip():
            raise UsageError(
                "--cluster: its ADDRESS is empty; give a scheduler's address, such as "
                "tcp://192.0.2.1:8786, or local:N, or leave the option out"
            )
        for option, given, why in (
            ("-j", jobs is not None, "each thread of the cluster's workers runs tests"),
            ("--isolate", isolate, "it looks for one test's failure here"),
            ("--pdb", debug, "a debugger needs this terminal"),
        ):
            if given:
                raise UsageError(f"--cluster and {option} do not fit: {why}; leave one of them out")
    return address or ""


def _workers(jobs: str | None, usual: int, *, debug: bool) -> int:
    """How many workers there are to be. Raises UsageError."""
    if debug:
        if jobs not in (None, "1"):
            raise UsageError(
                f"--pdb and -j {jobs} do not fit: a debugger talks to one test at a time; "
                "leave -j out"
            )
        return 1
    if jobs is None:
        return usual or usable_processors()
    if jobs == "auto":
        return usable_processors()
    if jobs.isdecimal() and int(jobs) > _MOST_JOBS:
        raise UsageError(
            f"-j {jobs}: one machine gets {_MOST_JOBS:,} processes at most; more machines are a "
            "cluster (--cluster)"
        )
    if jobs.isdecimal() and int(jobs) >= 1:
        return int(jobs)
    raise UsageError(f"-j {jobs}: give a whole number from 1 on, or auto")
