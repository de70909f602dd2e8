"""Whether coverage.py's data of a project has relative paths.

May import config and errors. Refuses to know what is in the data.
"""

from collections.abc import Mapping
from pathlib import Path

from whotests.config.coverage_file import find_coverage_file
from whotests.config.project import find_project

__all__ = ["coverage_has_relative_files"]


def coverage_has_relative_files(cwd: Path, *, environ: Mapping[str, str]) -> bool:
    """`relative_files` as coverage.py reads it in the project that `cwd` lies in, whatever our
    own settings say: with it, its reports take absolute paths for other files.

    Raises `UsageError` for settings that cannot be read.
    """
    project = find_project(cwd)
    found = find_coverage_file(project.root, tool=project.tool, cwd=cwd, environ=environ)
    return found is not None and bool(found.values.get(("run", "relative_files"), False))
