"""Where all threads are when a signal ends the process, written from within it."""

import faulthandler
import os

__all__ = ["tell_stacks"]

_files: dict[str, int] = {}
"""What faulthandler writes to has to stay open."""


def tell_stacks(path: str) -> None:
    """Let the file get the stacks of all threads when this process crashes, or is told to by
    SIGABRT. No path: nobody wants them.

    To be called again when a framework has pointed `faulthandler` elsewhere, as pytest does.
    """
    if not path:
        return
    if path not in _files:
        _files[path] = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    faulthandler.enable(file=_files[path], all_threads=True)
