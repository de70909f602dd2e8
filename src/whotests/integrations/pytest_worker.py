"""Begins the session of a pytest-xdist worker, in its process. (PYTEST_DONT_REWRITE)"""

import atexit

from whotests.errors import WhotestsError
from whotests.integrations.install import install
from whotests.recording.plan import Plan
from whotests.recording.session import Session

__all__ = ["begin"]


def begin(plan: str) -> str:
    """Begin a session in this worker; why that cannot be, or ''."""
    try:
        session = Session.start(Plan.from_json(plan))
        install(session, session.plan)
    except WhotestsError as error:
        return str(error)
    atexit.register(session.finish)
    return ""
