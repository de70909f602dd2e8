"""What can go wrong, by who must act.

    WhotestsError
    ├── UsageError      the caller: an unknown option, key, target or source
    ├── DataError       the data file: missing, cut short, of another program, newer
    ├── MachineError    the machine: a full disk, a missing permission
    └── InternalError   us: a bug in whotests

Every message names the thing, the reason and the next step. Expected outcomes
(a failed test, a line that nothing runs) are values, never errors.
"""

__all__ = ["DataError", "InternalError", "MachineError", "UsageError", "WhotestsError"]


class WhotestsError(Exception):
    """Base of everything that whotests raises on purpose; a command ends with `exit_status`."""

    exit_status = 2


class UsageError(WhotestsError):
    """The caller asked for something that does not exist or does not fit together."""


class DataError(WhotestsError):
    """The data file cannot be read or does not hold what is needed."""


class MachineError(WhotestsError):
    """The machine refuses: no space, no permission, no such device."""


class InternalError(WhotestsError):
    """A bug in whotests itself; please report it."""
