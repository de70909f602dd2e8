"""The time as it passes, also where a test has stopped it.

Tools that do so (freezegun) replace the functions of `time`, and what modules have of them by name;
what is in a class stays what it is.
"""

import time

__all__ = ["Clock"]


class Clock:
    """In seconds."""

    monotonic = staticmethod(time.monotonic)
