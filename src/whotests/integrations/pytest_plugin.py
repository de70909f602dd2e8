"""The `--whotests` option of pytest. Importing this loads nothing else of whotests.

A run without the option pays for parsing it, and that is all. (PYTEST_DONT_REWRITE)
"""

import sys

from pluggy import HookimplMarker

TYPE_CHECKING = False  # what typing calls so, without importing typing
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    import pytest

_hookimpl = HookimplMarker("pytest")


def pytest_addoption(parser: "pytest.Parser") -> None:
    group = parser.getgroup("whotests", "recording which test runs which line")
    group.addoption(
        "--whotests",
        action="append",
        nargs="?",
        const="",
        default=None,
        metavar="SOURCE",
        help="Record which test runs which line of SOURCE, a path or package; may be repeated "
        "(default: the project's own packages). Write it with '=': --whotests=SOURCE",
    )
    group.addoption(
        "--whotests-reset",
        action="store_const",
        const=None,
        dest="whotests",
        help="Forget --whotests so far, for instance of addopts.",
    )
    group.addoption(
        "--no-whotests", action="store_true", help="Record nothing, whatever else is said."
    )
    group.addoption("--whotests-data", metavar="FILE", help="The data file.")
    group.addoption("--whotests-context", metavar="LABEL", help="A label for the whole run.")
    group.addoption("--whotests-run-name", metavar="NAME", help="What to call the run.")
    group.addoption(
        "--whotests-keep-runs",
        type=int,
        metavar="N",
        help="Keep the last N runs of this name and context, this one included.",
    )
    group.addoption(
        "--whotests-branch", action="store_true", help="Record which branches are taken, too."
    )
    group.addoption(
        "--whotests-include",
        action="append",
        metavar="GLOB",
        help="Measure these files of the source only.",
    )
    group.addoption("--whotests-omit", action="append", metavar="GLOB", help="Files to leave out.")
    group.addoption(
        "--whotests-config",
        metavar="FILE",
        help="Read the settings from FILE, ours or coverage.py's.",
    )
    group.addoption(
        "--whotests-append",
        action="store_true",
        help="Keep the tests of older runs that this one lacks.",
    )
    group.addoption(
        "--whotests-report",
        action="append",
        metavar="KIND[:FILE]",
        help="Report when the run is over: term, term-missing, term:skip-covered, "
        "markdown[:FILE], markdown-append[:FILE], json[:FILE], xml[:FILE] or lcov[:FILE]; "
        "may be repeated.",
    )
    group.addoption(
        "--whotests-no-report-on-fail",
        action="store_true",
        help="Make no report of a run that failed.",
    )
    group.addoption(
        "--whotests-fail-under",
        type=float,
        metavar="N",
        help="Fail when less than N percent ran (default: what the settings say).",
    )
    group.addoption(
        "--whotests-precision",
        type=int,
        metavar="DIGITS",
        help="Digits of percentages after the point.",
    )


def _leave_ours_alone() -> None:
    """Take our modules from those whose asserts pytest rewrites, as it does for each plugin's.

    There are none in them, and where no bytecode is written they would be compiled in each run.
    """
    for finder in sys.meta_path:
        marked = getattr(finder, "_must_rewrite", None)
        if isinstance(marked, set):
            ours = {name for name in marked if name.partition(".")[0] == "whotests"}
            marked.difference_update(ours)


_leave_ours_alone()


@_hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: "Any", parser: "Any", args: list[str]
) -> "Generator[None, None, None]":
    if any(word.startswith("--whotests") for word in args):
        from whotests.integrations.pytest_session import begin, detach_value

        detach_value(early_config, parser, args)
        options = early_config.known_args_namespace
        # `whotests test` measures itself, unless it shall not.
        hosted = early_config.pluginmanager.hasplugin("whotests-host")
        if options.whotests is not None and not options.no_whotests and not hosted:
            begin(early_config)
    yield
