"""Begins the session of a pytest-xdist worker whose interpreter did not. (PYTEST_DONT_REWRITE)"""

import atexit

from whotests.errors import WhotestsError
from whotests.integrations.install import install
from whotests.recording.handover import Handover
from whotests.recording.session import Session, current

__all__ = ["begin"]


def begin(told: str) -> str:
    """Begin a part of the controller's run in this worker; why that cannot be, or ''."""
    if current() is not None:
        return ""
    try:
        handover = Handover.from_text(told)
        if handover is None:
            return "it has another version of whotests; install the same one there"
        session = Session.start(handover.read_plan(), handover=handover)
        install(session, session.plan)
    except WhotestsError as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"the plan of the run cannot be read there: {error}"
    atexit.register(session.finish)
    return ""
