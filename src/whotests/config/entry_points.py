"""Installed packages that supply contexts, found without asking each one for its metadata."""

import os
from collections.abc import Iterable

__all__ = ["CONTEXTS", "context_providers"]

CONTEXTS = "whotests.contexts"
"""The entry-point group of those who supply contexts; see docs/contexts.md."""


def context_providers(path: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Name and 'module:attribute' of each entry point of the group, for a `sys.path`."""
    if not any(_mentions_the_group(folder) for folder in path):
        return ()
    # It takes longer to import than all of whotests, and nearly nobody has such a package.
    from importlib.metadata import entry_points

    return tuple((point.name, point.value) for point in entry_points(group=CONTEXTS))


def _mentions_the_group(folder: str) -> bool:
    if os.path.isfile(folder):
        return True  # an archive: only its metadata can tell
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return False
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                    if CONTEXTS.encode() in file.read():
                        return True
            except OSError:
                continue
    return False
