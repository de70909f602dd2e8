"""Begins the part that a process records for the run of the one that started it.

The `.pth` file that comes with the package calls this when an interpreter starts and finds our
variable in its environment. (PYTEST_DONT_REWRITE)
"""

import atexit
import os

from whotests.recording.dormant import Dormant
from whotests.recording.handover import VARIABLE, Handover

__all__ = ["begin"]

_ends: list[object] = []


def begin() -> None:
    """Begin it once something is measured; the program under test sees neither the variable nor
    a failure.

    There is nobody to tell of a failure: the run of another version of whotests, a project or a
    data file that is gone.
    """
    text = os.environ.pop(VARIABLE, "")
    try:
        handover = Handover.from_text(text) if text else None
        if handover is not None:
            Dormant(handover, _begin).install()
            # Before the program's own functions, so it runs after all of them.
            atexit.register(_finish)
    except Exception:
        return


def _begin(handover: Handover) -> None:
    try:
        # Only now, because it takes as long as the interpreter's own start.
        from whotests.integrations.install import install
        from whotests.recording.session import Session

        session = Session.start(handover.read_plan(), handover=handover)
        _ends.append(session)
        install(session, session.plan)
    except Exception:
        return


def _finish() -> None:
    for session in _ends:
        session.finish()  # type: ignore[attr-defined]
