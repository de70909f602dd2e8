"""What `whotests test` tells whoever called it, as a number."""

from enum import IntEnum

__all__ = ["ExitStatus"]


class ExitStatus(IntEnum):
    """The first that holds of: interrupted, failed, no test, not whole, passed. Wrong use, and
    whatever keeps a run from beginning or going on, is a `WhotestsError`, with its status 2."""

    PASSED = 0
    FAILED = 1
    NOT_WHOLE = 3
    """All passed, but what was recorded or written is not whole."""
    NO_TEST = 5
    INTERRUPTED = 130
    """By a signal, or because nobody read any more what the run wrote."""
