"""What the commands that go by the project's settings have in common."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from whotests.config.settings import Settings

__all__ = ["config_option", "tell_unused"]

config_option: Callable[..., Any] = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read the settings from FILE: a TOML file with [tool.whotests], else one of "
    "coverage.py's. Default: the project's, or what WHOTESTS_CONFIG names.",
)

_OF_REPORTS: Final = ("report", "html", "xml", "json", "lcov")


def tell_unused(settings: Settings, *, of_reports: bool) -> None:
    """Say on stderr which keys of coverage.py's settings have no meaning here, and why.

    Those of reports and those of runs are told by the commands that they are about.
    """
    if not settings.unused or settings.file is None:
        return
    file = os.path.relpath(settings.file)
    for section, key, reason in settings.unused:
        if (section in _OF_REPORTS) is of_reports:
            what = f"'{key}' of [{section}]" if key else f"[{section}]"
            click.echo(f"whotests: {file}: {what} changes nothing: {reason}", err=True)
