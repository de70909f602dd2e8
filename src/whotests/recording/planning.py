"""From the settings of a project to the plan of a run."""

import sys
from collections.abc import Sequence
from pathlib import Path

from whotests.config.discover import find_source
from whotests.config.entry_points import context_providers
from whotests.config.settings import Settings
from whotests.recording.plan import Plan
from whotests.source.rules import in_force

__all__ = ["plan_of"]


def plan_of(
    settings: Settings,
    *,
    cwd: Path,
    command: tuple[str, ...],
    path: Sequence[str] | None = None,
    script: str | None = None,
    append: bool = False,
) -> Plan:
    """What a run of `command` in the folder `cwd` is going to record.

    `path` is where the command looks for modules; None: where this process does, and in the
    project. `script` is the script that it runs, when it is the user's own. Raises UsageError for
    a source that is not there.
    """
    root = settings.root
    exclude, partial = in_force(
        exclude_lines=settings.exclude_lines,
        exclude_also=settings.exclude_also,
        partial_branches=settings.partial_branches,
        partial_also=settings.partial_also,
    )
    if path is None:
        path = [*sys.path, str(cwd), str(root), str(root / "src")]
    return Plan(
        root=root,
        data=settings.data,
        cache=settings.cache,
        source=find_source(
            settings.source,
            root=root,
            cwd=cwd,
            path=path,
            packages=settings.source_pkgs,
            script=script,
        ),
        include=settings.include,
        omit=settings.omit,
        namespace_packages=settings.include_namespace_packages,
        context=settings.context,
        run_name=settings.run_name,
        keep_runs=settings.keep_runs,
        keep_history=settings.keep_history,
        branch=settings.branch,
        exclude=exclude,
        partial=partial,
        append=append,
        command=command,
        providers=context_providers(sys.path),
    )
