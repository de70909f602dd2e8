"""What a run says of itself as it begins."""

import os
import sys
from _socket import gethostname  # `socket` itself takes longer to import than all of ours

from whotests.recording.plan import Plan
from whotests.records import RunRecord
from whotests.store.connection import prepare_folder
from whotests.system import System

__all__ = ["hide_cache", "run_record"]

_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy"}


def hide_cache(plan: Plan) -> None:
    """Sees to it that git ignores the cache where the data is elsewhere, too."""
    if plan.cache.parent != plan.data.parent:
        try:
            prepare_folder(plan.cache)
        except OSError:
            return  # nothing will be cached, either


def run_record(plan: Plan, *, part_of: int = 0) -> RunRecord:
    """The run of this process as it begins."""
    name = sys.implementation.name
    return RunRecord(
        started=System.since_the_epoch(),
        command=tuple(sys.orig_argv) if part_of else plan.command,
        root=str(plan.root),
        label=plan.context,
        name=plan.run_name,
        python=f"{_IMPLEMENTATIONS.get(name, name)} {sys.version.split()[0]}",
        platform=sys.platform,
        host=gethostname(),
        pid=os.getpid(),
        part_of=part_of,
        branch=plan.branch,
        exclude=plan.exclude,
        partial=plan.partial,
    )
