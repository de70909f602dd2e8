"""One slot on a machine of the cluster: an agent, and the data file of what its hosts run."""

import os
import sqlite3
import sysconfig
import threading
import time
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from whotests.recording.hosted_run import HostedRun
from whotests.recording.plan import Plan
from whotests.runner.agents.agent import Agent
from whotests.runner.assignment import Assignment
from whotests.runner.cluster.archive import METADATA
from whotests.runner.cluster.moved import Move
from whotests.runner.cluster.orders import SAID, Opening, Report
from whotests.runner.cluster.tree import Tree

__all__ = ["SlotThere", "libraries"]

_PIECE: Final = 1 << 16
"""Octets of what is said in one message: the scheduler keeps the last thousand of them."""

_OFTEN: Final = 5.0
"""Seconds between two data files that are sent, at least..."""

_SHARE: Final = 0.05
"""...and so much of the time may go to making them."""

_LOG: Final = 1 << 18
"""Octets of each log that are sent at the end: the last ones."""


class SlotThere:
    """A slot, in the process of its Dask worker."""

    def __init__(self, opening: Opening, tree: Tree, worker: Any) -> None:
        """`worker` is Dask's. Raises what the system, or the data file, does."""
        self._opening = opening
        self._worker = worker
        self._busy = threading.Lock()
        self._turn = 0
        brief = opening.brief
        self.libraries = libraries()
        root = tree.source if opening.shipped else brief.root
        self.root = str(root)
        # Libraries may be in the project's folder.
        move = Move(
            [
                *zip(opening.libraries, self.libraries, strict=False),
                (str(brief.root), self.root),
            ]
        )
        folder = tree.folder / "logs" if opening.shipped else brief.folder
        folder.mkdir(parents=True, exist_ok=True)
        brief = move.brief(brief)._replace(folder=folder)
        self._data = tree.folder / f"{opening.slot}.db"
        self._hosted: HostedRun | None = None
        if opening.plan:
            plan = move.plan(Plan.from_json(opening.plan))
            plan = plan._replace(data=self._data, cache=tree.base / "cache")
            self._hosted = HostedRun.begin(plan)
            brief = brief._replace(handover=self._hosted.handover())
        path = [str(Path(root, each)) for each in opening.imported_from]
        metadata = root / METADATA
        path += map(str, metadata.iterdir() if metadata.is_dir() else ())
        path += filter(None, [os.environ.get("PYTHONPATH", "")])
        if path:
            own = (*brief.environment, ("PYTHONPATH", os.pathsep.join(path)))
            brief = brief._replace(environment=own)
        self._folder = folder
        self.agent = Agent(brief, opening.slot)
        self._next_facts = time.monotonic() + _OFTEN

    def work(self, turn: int, assignment: Assignment) -> Report:
        """Do the assignment; what hosts say goes out as it comes."""
        with self._busy:
            return self._work(turn, assignment)

    def _work(self, turn: int, assignment: Assignment) -> Report:
        if turn <= self._turn:
            raise LookupError(f"the slot has done its turn {turn}, and does none twice")
        self._turn = turn
        offset = 0

        def say(octets: bytes) -> None:
            nonlocal offset
            for start in range(0, len(octets), _PIECE):
                piece = octets[start : start + _PIECE]
                message = (SAID, self._opening.slot, turn, offset, piece)
                self._worker.log_event(self._opening.topic, message)
                offset += len(piece)

        done = self.agent.work(assignment, say)
        over = assignment.end or bool(done.died) or bool(done.ended)
        facts = b""
        if self._hosted is not None and (over or time.monotonic() > self._next_facts):
            began = time.monotonic()
            facts = self._facts()
            now = time.monotonic()
            self._next_facts = now + max(_OFTEN, (now - began) / _SHARE)
        return Report(done, facts)

    def stop(self) -> None:
        """Let hosts begin no test any more."""
        (self._folder / "stop").touch()

    def is_left(self) -> bool:
        """Whether the command, or Dask's worker, is gone."""
        gone = str(self._worker.status.name) in ("closing", "closed", "failed")
        # The worker forgets a task when nobody wants what came of it any more.
        return gone or self._opening.lease not in self._worker.state.tasks

    def close(self) -> dict[str, bytes]:
        """End what is left, and let go of all; what processes wrote, by the names of files. It
        waits for an assignment that is not done."""
        with self._busy:
            self.agent.close()
            if self._hosted is not None:
                self._hosted.leave()
        if not self._opening.shipped:
            return {}
        mine = f"{self._opening.slot}"
        return {
            path.name: _end_of(path)
            for path in sorted(self._folder.iterdir())
            if path.is_file() and path.name.split("-")[0].split(".")[0] == mine
        }

    def _facts(self) -> bytes:
        """The data file as it is now."""
        copy = self._data.with_suffix(".copy")
        copy.unlink(missing_ok=True)
        with closing(sqlite3.connect(self._data)) as data, closing(sqlite3.connect(copy)) as target:
            data.backup(target)
        octets = copy.read_bytes()
        copy.unlink()
        return zlib.compress(octets, 1)


def libraries() -> tuple[str, ...]:
    """Where installed packages are on this machine."""
    return tuple(sysconfig.get_path(name) for name in ("purelib", "platlib"))


def _end_of(path: Path) -> bytes:
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LOG))
        return file.read()
