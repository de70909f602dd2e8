"""Which workers of a cluster can run the tests of a project, and what they need for it."""

import importlib.resources
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from whotests.runner.cluster import at_work
from whotests.runner.cluster.archive import Archive, folders_imported_from, packed
from whotests.runner.cluster.connection import Connection
from whotests.runner.cluster.orders import ANSWER, SURVEY, request
from whotests.runner.cluster.project_files import files_of, names_imported
from whotests.runner.cluster.requirements import environment_here
from whotests.runner.cluster.terms import SourceMode

__all__ = ["LARGEST", "Machines", "UnfitError"]

LARGEST: Final = 512 << 20
"""Octets of an archive that is shipped."""

_PREPARE: Final = (
    "__import__('whotests.runner.cluster.at_work', fromlist=['_']).prepare(run, digest, octets)"
)

_SURVEYED_WITHIN: Final = 60.0
_SHIPPED_WITHIN: Final = 600.0
"""Seconds."""


class UnfitError(Exception):
    """No test can run on a machine; the sentences say why."""


class Machines:
    """Looks at workers, and brings the project's source to their machines. Any thread may call."""

    def __init__(
        self,
        connection: Connection,
        *,
        run: str,
        root: Path,
        folder: Path,
        hosts: frozenset[str],
        mode: SourceMode,
        tell: Callable[[str], None],
    ) -> None:
        """`folder` is the run's here, `hosts` are those of its suites. Raises MachineError when
        the project's files cannot be read."""
        self._connection = connection
        self._run = run
        self._root = root
        self._mode = mode
        self._tell = tell
        self._files = files_of(root)
        self._here = environment_here(names_imported(root, self._files), root=root, hosts=hosts)
        self.imported_from = tuple(folders_imported_from(root))
        self._token = folder / "token"
        self._secret = uuid4().hex
        self._token.write_text(self._secret, encoding="ascii")
        self._lock = threading.Lock()
        self._places: dict[str, threading.Lock] = {}
        self._archive: Archive | None = None
        self._scattered: Any = None
        self._told: set[str] = set()

    def admit(self, worker: str) -> bool:
        """Whether the worker's machine has the source as an archive now; otherwise it sees the
        project's folder.

        Raises UnfitError when no test can run there, UsageError when the source is too large to
        be shipped, and what Dask raises when the worker goes.
        """
        survey = self._survey(worker)
        unfit = self._here.unfit(survey)
        for note in unfit.notes:
            self._tell_once(f"the machine {survey['host']}: {note}")
        if unfit.refused:
            raise UnfitError(f"on {survey['host']}: {'; '.join(unfit.refused)}")
        sees = survey["seen"] == self._secret
        if self._mode == "shared" and not sees:
            raise UnfitError(
                f"on {survey['host']}: it does not see {self._root} and the run's folder as they "
                "are here; mount them there, or let the source be shipped"
            )
        if self._mode == "shared" or (self._mode == "auto" and sees):
            return False
        self._ship(worker, survey["place"])
        return True

    def _survey(self, worker: str) -> dict[str, Any]:
        text = importlib.resources.files(__package__).joinpath("survey.py").read_text("utf-8")
        names = {
            "text": text,
            "names": {"__name__": "whotests_survey"},
            "token": str(self._token),
            "root": str(self._root),
        }
        future = self._connection.ask(worker, SURVEY, names, what="survey")
        found: dict[str, Any] = self._connection.wait(future, worker, within=_SURVEYED_WITHIN)
        return found

    def _ship(self, worker: str, place: str) -> None:
        """Have the source at the worker's place, once for all that share it."""
        with self._lock:
            lock = self._places.setdefault(place, threading.Lock())
        with lock:
            has = request(at_work.has_source, self._run)
            future = self._connection.ask(worker, ANSWER, has, what="source")
            if self._connection.wait(future, worker, within=_SURVEYED_WITHIN):
                return
            with self._lock:
                archive = self._archive_here()
            for way in (self._scattered, archive.octets):
                names = {"run": self._run, "digest": archive.digest, "octets": way}
                try:
                    future = self._connection.ask(worker, _PREPARE, names, what="source")
                    self._connection.wait(future, worker, within=_SHIPPED_WITHIN)
                    break
                except Exception:
                    # The worker that had the archive may be gone: once more, from here.
                    if way is archive.octets or worker not in self._connection.workers():
                        raise

    def _archive_here(self) -> Archive:
        if self._archive is None:
            archive = packed(self._root, self._files, most=LARGEST)
            size = len(archive.octets)
            self._tell(
                f"the project's source is shipped: {archive.files} files, "
                + (f"{size / (1 << 20):.1f} MiB" if size >= 1 << 20 else f"{size / 1024:.0f} KiB")
            )
            self._scattered = self._connection.client.scatter(
                archive.octets, broadcast=False, hash=False
            )
            self._archive = archive
        return self._archive

    def _tell_once(self, text: str) -> None:
        with self._lock:
            if text in self._told:
                return
            self._told.add(text)
        self._tell(text)
