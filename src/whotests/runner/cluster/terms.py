"""What the user can say of how a cluster is used; imports nothing, for commands that use none."""

from typing import Final, Literal

__all__ = ["PATIENCE", "SourceMode"]

SourceMode = Literal["auto", "shared", "shipped"]
"""Whether all machines see the project's folder; auto: those that do use it."""

PATIENCE: Final = 60.0
"""Seconds that a run waits for a worker when it has none."""
