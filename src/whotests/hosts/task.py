"""What a host is started for, as it travels to its process."""

import json
from typing import NamedTuple

__all__ = ["Suite", "Task"]

_SHOWN = 10
"""Targets in the title of a suite."""


class Suite(NamedTuple):
    """Tests of one kind that one host collects and runs."""

    host: str
    """'pytest', 'unittest', 'trial' or 'django'."""
    targets: tuple[str, ...] = ()
    """What to collect: paths, modules, ids, as the host takes them; none: what it finds itself."""
    options: tuple[str, ...] = ()
    """Further words of the host's own command line."""
    keyword: str = ""
    """The expression of `-k`, or ''."""

    @property
    def title(self) -> str:
        """What stands for the suite as a whole: 'pytest: tests/unit'; of many targets some, and
        the host alone where there are none."""
        if not self.targets:
            return self.host
        more = len(self.targets) - _SHOWN
        left_out = (f"and {more:,} more",) if more > 0 else ()
        return " ".join((f"{self.host}:", *self.targets[:_SHOWN], *left_out))


class Task(NamedTuple):
    """All that a host's process needs to know; paths are absolute there."""

    suite: Suite
    root: str
    """The project's folder."""
    cwd: str
    """Where the command was called."""
    work: str
    """A folder of this process alone, which exists."""
    worker: str
    """The name of who runs it: 'w0', 'w1'..."""
    workers: int
    """How many there are."""
    orders: int
    """The file descriptor from which orders come."""
    bell: int
    """The file descriptor to which an octet goes when somebody had better look at the journal."""
    journal: str
    """The path of the file that the host's frames are added to."""
    timeout: float = 0.0
    """Seconds that a test may take; 0: any time."""
    capture: bool = True
    """Attach what a test writes to it."""
    debug: bool = False
    """Open pdb where a test fails; then nothing is captured."""
    stacks: str = ""
    """The path of the file that gets the stacks of all threads when a signal ends the process."""
    output: str = ""
    """The path of the file that standard output and error go to; nowhere else with `debug`."""
    found: str = ""
    """The path of the file that the tests which there are go into, as frames."""
    stop: str = ""
    """The path of a file: once it is there, no test is to be begun any more."""
    max_failures: int = 0
    """After so many failures the host itself asks all to stop; 0: it never does."""

    run: str = ""
    """Tells the run from any other one; the same for all of its workers."""

    def write(self, path: str) -> None:
        """Write it into a file. Raises OSError."""
        with open(path, "w", encoding="ascii") as file:
            json.dump(self._asdict() | {"suite": self.suite._asdict()}, file)

    @classmethod
    def read(cls, path: str) -> "Task":
        """The task in the file that `write` wrote."""
        with open(path, encoding="ascii") as file:
            data = json.load(file)
        suite = data.pop("suite")
        return cls(
            suite=Suite(
                host=suite["host"],
                targets=tuple(suite["targets"]),
                options=tuple(suite["options"]),
                keyword=suite["keyword"],
            ),
            **data,
        )
