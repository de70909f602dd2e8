"""`whotests migrate`: coverage.py's settings as ours."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import click

from whotests.config.coverage_file import find_coverage_file, read_coverage_file
from whotests.config.migration import migration_of, with_table
from whotests.config.project import find_project, shown_file
from whotests.config.pytest_cov import pytest_words
from whotests.errors import MachineError, UsageError

__all__ = ["migrate"]

_PAGES = "--cov-report[= ]html"


@click.command(short_help="Write coverage.py's settings as [tool.whotests].")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Coverage.py's configuration. Default: where coverage.py looks for it.",
)
@click.option(
    "--print", "print_only", is_flag=True, help="Print the table, and leave all files as they are."
)
def migrate(config: Path | None, print_only: bool) -> None:
    """Append [tool.whotests] to pyproject.toml, with what coverage.py's settings say.

    What is different afterwards, and which keys have no meaning here, is told on standard error;
    and so is what pytest's addopts need instead of options of pytest-cov.
    """
    cwd = Path.cwd()
    project = find_project(cwd)
    if config is None:
        found = find_coverage_file(project.root, tool=project.tool, cwd=cwd, environ=os.environ)
    else:
        found = read_coverage_file(cwd / config, environ=os.environ)
    if found is None:
        raise UsageError(
            f"there are no settings of coverage.py's in {project.root}: no .coveragerc, and none "
            "in setup.cfg, tox.ini or pyproject.toml; name their file with --config FILE"
        )
    migration = migration_of(found, root=project.root, environ=os.environ)
    if print_only:
        click.echo(migration.table, nl=False)
    else:
        _append(migration.table, project.pyproject)
        click.echo(f"wrote [tool.whotests] to {shown_file(project.pyproject)}:\n")
        click.echo(migration.table, nl=False)
    for sentence in migration.changes:
        click.echo(f"whotests: {sentence}", err=True)
    for file, before, after in pytest_words(project.root, project.tool):
        click.echo(
            f"whotests: {shown_file(file)}: instead of `{before}` pytest needs `{after}`"
            + ("; there are no reports in HTML" if re.search(_PAGES, before) else ""),
            err=True,
        )


def _append(table: str, file: Path) -> None:
    """Puts a new file in the old one's place, when it is whole."""
    try:
        before = file.read_bytes().decode("utf-8") if file.exists() else ""
        after = with_table(before, table, file=file)
        place = file.resolve()  # a link stays one
        with tempfile.TemporaryDirectory(prefix=".whotests-", dir=place.parent) as folder:
            new = Path(folder) / place.name
            new.write_bytes(after.encode("utf-8"))
            if place.exists():
                shutil.copymode(place, new)
            os.replace(new, place)
    except OSError as error:
        raise MachineError(
            f"cannot write {file}: {error.strerror or error}; print the table with --print"
        ) from error
