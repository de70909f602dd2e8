"""What the commands that go by the project's settings have in common."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from whotests.config.settings import Settings
from whotests.config.unused import unused_sentences

__all__ = ["config_option", "tell_unused"]

config_option: Callable[..., Any] = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read the settings from FILE: a TOML file with [tool.whotests], else one of "
    "coverage.py's. Default: the project's, or what WHOTESTS_CONFIG names.",
)


def tell_unused(settings: Settings, *, of_reports: bool) -> None:
    """Say on stderr which keys of coverage.py's settings have no meaning here, and why."""
    for sentence in unused_sentences(settings, of_reports=of_reports):
        click.echo(f"whotests: {sentence}", err=True)
