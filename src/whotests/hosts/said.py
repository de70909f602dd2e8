"""What this process has written into its log from some time on."""

import os

from whotests.hosts.output import flush

__all__ = ["Said"]


class Said:
    """Where a log ends now, and later what has come since."""

    def __init__(self, path: str) -> None:
        """The log's path; there need not be one."""
        self._path = path
        try:
            self._begin = os.stat(path).st_size
        except OSError:
            self._begin = 0

    def read(self) -> str:
        """What was written since, without white space around it."""
        flush()
        try:
            with open(self._path, "rb") as file:
                file.seek(self._begin)
                return file.read().decode("utf-8", "replace").strip()
        except OSError:
            return ""
