"""A directory of a test's own."""

import os
import stat
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["make_directory", "remove_directory"]

LONGEST = 60
"""Characters of the test's id in the directory's name, from its end."""


def make_directory(test_id: str) -> "Path":
    """A new, empty directory with the test's id in its name."""
    import tempfile
    from pathlib import Path

    name = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in test_id)
    return Path(tempfile.mkdtemp(prefix=f"{name[-LONGEST:]}-"))


def remove_directory(path: "Path") -> None:
    """Remove it with all that is in it, even what may not be written to.

    Raises OSError if that fails; if it is gone already there is nothing to do.
    """
    import shutil

    def allow_and_retry(function: Callable[..., Any], name: str, error: Any) -> None:
        raised = error if isinstance(error, BaseException) else error[1]
        if isinstance(raised, FileNotFoundError):
            return
        for place in (os.path.dirname(name), name):
            if not os.path.islink(place):
                os.chmod(place, os.stat(place).st_mode | stat.S_IRWXU)
        if os.path.isdir(name) and not os.path.islink(name):
            shutil.rmtree(name)
        else:
            os.unlink(name)

    if not os.path.lexists(path):
        return
    if sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=allow_and_retry)
    else:
        shutil.rmtree(path, onerror=allow_and_retry)
