"""Begins the part that a process records for the run of the one that started it.

The `.pth` file that comes with the package calls this when an interpreter starts and finds our
variable in its environment. (PYTEST_DONT_REWRITE)
"""

import atexit
import os

from whotests.integrations.install import install
from whotests.recording.handover import VARIABLE, Handover
from whotests.recording.session import Session, current

__all__ = ["begin"]


def begin() -> None:
    """Begin it, if that can be; the program under test sees neither the variable nor a failure.

    There is nobody to tell of a failure: the run of another version of whotests, a project or a
    data file that is gone.
    """
    text = os.environ.pop(VARIABLE, "")
    try:
        handover = Handover.from_text(text) if text else None
        if handover is None or current() is not None:
            return
        session = Session.start(handover.read_plan(), handover=handover)
        atexit.register(session.finish)
        install(session, session.plan)
    except Exception:
        return
