"""A temporary folder for the tests of all workers of a run that are on one machine."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["TEMPORARY", "TEMPORARY_PREFIX", "shared_folder"]

TEMPORARY: Final = "temporary"
"""A file of the run's folder: the path of that folder, which goes when the run's folder does."""

TEMPORARY_PREFIX: Final = "whotests-"
"""How the name of such a folder begins."""


def shared_folder(run: Path, *, worker: str) -> Path:
    """The one of the run with this folder, which whoever comes first has made.

    It is outside of the project, since tests may look for one in the folders above theirs.
    """
    note = run / TEMPORARY
    with suppress(FileNotFoundError):
        return Path(os.fsdecode(note.read_bytes()))
    mine = tempfile.mkdtemp(prefix=TEMPORARY_PREFIX)
    draft = run / f"{TEMPORARY}-{worker}"
    draft.write_bytes(os.fsencode(mine))
    try:
        os.link(draft, note)  # which one of all is the first
    except FileExistsError:
        os.rmdir(mine)
    finally:
        draft.unlink()
    return Path(os.fsdecode(note.read_bytes()))
