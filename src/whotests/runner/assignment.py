"""What travels between the runner and those who run tests for it, by an executor."""

from pathlib import Path
from typing import NamedTuple

from whotests.hosts.task import Suite

__all__ = ["Assignment", "Brief", "Done"]


class Brief(NamedTuple):
    """What an agent needs to know of a run, on the machine where it works. Can be pickled."""

    run: str
    """Tells this run from any other one."""
    root: Path
    """The project's folder."""
    cwd: Path
    folder: Path
    """Where the agent keeps its hosts' files: the run's own folder."""
    suites: tuple[Suite, ...]
    workers: int
    """How many agents there are."""
    handover: str = ""
    """What makes a host's process record for the run, or '': nothing is measured."""
    python: tuple[str, ...] = ()
    """Options of the interpreter."""
    timeout: float = 0.0
    """Seconds that a test may take; 0: any time."""
    capture: bool = True
    debug: bool = False
    max_failures: int = 0
    """How many failures end the run; 0: any number is borne."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables that hosts get beside those of the agent's process."""

    def of_part(self, name: str) -> "Brief":
        """The brief of a part of the run that has hosts of its own, such as a round: its files
        are in a folder of their own, which has to be made, in the run's."""
        return self._replace(run=f"{self.run}-{name}", folder=self.folder / name)


class Assignment(NamedTuple):
    """What one agent does next. Of one suite; an agent works at one assignment at a time."""

    suite: int
    """The place of the suite in the brief."""
    tests: tuple[str, ...] = ()
    """Ids, in the order to run them in. What the host held back comes before."""
    collect: bool = False
    """Say which tests there are (FOUND frames), before the COLLECTED frame if that was not said
    yet. Without it only the COLLECTED frame is said, once for each host: it tells whether the
    host found what another one did."""
    end: bool = False
    """Then run what is held back and end the host. None is started for this alone."""


class Done(NamedTuple):
    """How an assignment ended. All that happened was said in frames before."""

    said: int
    """Octets of frames that were said for the assignment: so much must have arrived."""
    held: tuple[str, ...] = ()
    """Tests that the host holds back until it knows what comes next."""
    died: str = ""
    """Why the host's process ended before the assignment did, or ''. The test that it ran then
    has had its verdict; the other tests without one are to be run elsewhere."""
    ended: str = ""
    """Why the host runs nothing any more though nobody told it so, or ''."""
    hopeless: bool = False
    """With `died`: no host of this suite could be had here, time after time. This worker is
    given no more tests of it; if no other worker has them either, they fail with that reason."""
    notes: tuple[str, ...] = ()
    """What the user had better know of, in sentences: processes that tests have left behind, a
    host that did not end. None of it is a verdict."""
    deaths: int = 0
    """How many hosts died meanwhile: what they had not written of what their tests ran is lost."""
