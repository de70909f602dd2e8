"""The workers of one run on a cluster: slots come and go with its machines."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from whotests.errors import MachineError, WhotestsError
from whotests.recording.plan import Plan
from whotests.runner.agents.slots import Slot
from whotests.runner.assignment import Brief
from whotests.runner.cluster import at_work
from whotests.runner.cluster.connection import Connection
from whotests.runner.cluster.facts import Facts
from whotests.runner.cluster.machines import Machines, UnfitError
from whotests.runner.cluster.moved import Move
from whotests.runner.cluster.orders import ANSWER, SAID, Opened, Opening, request
from whotests.runner.cluster.slot import ClusterSlot
from whotests.runner.cluster.slot_there import libraries
from whotests.runner.cluster.terms import PATIENCE, SourceMode

if TYPE_CHECKING:
    from distributed import Future

__all__ = ["ClusterWorkers"]

_FOR_THE_LAST: Final = 15.0
"""Seconds that a run waits for more workers before it begins with those that are ready."""

_OPENED_WITHIN: Final = 60.0
_CLOSED_WITHIN: Final = 20.0
"""Seconds."""

_LOOK: Final = 0.25
_LOOK_AT_WORKERS: Final = 5.0
"""Seconds between looks at the file that stops the run, and at which workers there are, of which
news come as well."""

_VARIABLES: Final = (
    "DJANGO_SETTINGS_MODULE",
    "LANG",
    "LC_ALL",
    "PYTEST_ADDOPTS",
    "PYTHONDEVMODE",
    "PYTHONHASHSEED",
    "PYTHONUTF8",
    "PYTHONWARNINGS",
    "TZ",
)
"""What decides how tests end, and is the same wherever they run."""

_AT_ONCE: Final = 16
"""Workers that are looked at at the same time."""

_ATTEMPTS: Final = 3
"""How often a slot is opened on a worker that goes on without it."""


class _Open:
    """A slot that is open."""

    def __init__(self, slot: ClusterSlot, worker: str, lease: "Future[Any]") -> None:
        self.slot = slot
        self.worker = worker
        self.lease = lease


class ClusterWorkers:
    """Has a slot for each thread of each worker of the cluster that can run the tests.

    Use it as a context manager around a run: `slots` are those to begin with, `follow` tells of
    others, and what is on the machines is gone afterwards.
    """

    def __init__(
        self,
        connection: Connection,
        brief: Brief,
        *,
        plan: Plan | None,
        source: SourceMode,
        tell: Callable[[str], None],
        patience: float = PATIENCE,
    ) -> None:
        """`plan` is what is recorded, None: nothing is. `tell` gets what the user had better
        know, from any thread. Raises MachineError or UsageError."""
        self.patience = patience
        self._connection = connection
        told = tuple((name, os.environ[name]) for name in _VARIABLES if name in os.environ)
        self._brief = brief._replace(environment=(*told, *brief.environment))
        self._plan = "" if plan is None else plan.to_json()
        self._tell = tell
        self._run = uuid4().hex
        self._machines = Machines(
            connection,
            run=self._run,
            root=brief.root,
            folder=brief.folder,
            hosts=frozenset(suite.host for suite in brief.suites),
            mode=source,
            tell=tell,
        )
        self.facts = None if plan is None else Facts(brief.folder / "facts")
        self._lock = threading.RLock()
        self._known: dict[str, str] = {}
        """Worker -> 'coming', 'open', or why it is not used."""
        self._attempts: dict[str, int] = {}
        self._open: dict[str, _Open] = {}
        self._count = 0
        self._ready: list[Slot] = []
        self._join: Callable[[Slot], None] | None = None
        self._said: SimpleQueue[tuple[Any, ...] | None] = SimpleQueue()
        self._wake = threading.Event()
        self._over = False
        self._stopped = False
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="whotests cluster")
        # What slots have done does not wait until a thousand other workers were looked at.
        self._admitting = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="whotests admits")
        self._threads = [
            threading.Thread(target=self._listen, name="whotests hears", daemon=True),
            threading.Thread(target=self._keep, name="whotests cluster", daemon=True),
        ]

    def __enter__(self) -> Self:
        self._connection.listen(self._said.put, self._wake.set)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._wake.set()
        self._connection.listen_no_more()
        self._said.put(None)
        for thread in self._threads:
            thread.join()
        for pool in (self._admitting, self._pool):
            pool.shutdown(wait=False, cancel_futures=True)
        self._close_all()

    def wait_slots(self) -> list[Slot]:
        """Those that are ready: all that can be had now, when that does not take long.

        Raises MachineError when no worker can be had within `patience` seconds.
        """
        begun = time.monotonic()
        first: float | None = None
        while True:
            with self._lock:
                coming = "coming" in self._known.values()
                now = time.monotonic()
                if self._ready and first is None:
                    first = now
                if self._ready and (not coming or now - (first or now) > _FOR_THE_LAST):
                    slots, self._ready = self._ready, []
                    return slots
                refused = [why for why in self._known.values() if why not in ("coming", "open")]
            if now - begun > self.patience or (refused and not coming):
                raise MachineError(self._nobody(refused))
            time.sleep(0.02)

    def follow(self, join: Callable[[Slot], None]) -> None:
        """Call `join` for each slot that comes from now on, from any thread."""
        with self._lock:
            self._join = join
            ready, self._ready = self._ready, []
            for slot in ready:
                join(slot)

    def _nobody(self, refused: list[str]) -> str:
        name = self._connection.name
        if refused:
            return f"no worker of the cluster {name} can run the tests: {'; '.join(set(refused))}"
        return (
            f"the cluster {name} had no worker within {self.patience:g} s; start one with "
            "`dask worker ADDRESS`"
        )

    # -- which workers there are ---------------------------------------------------------------

    def _keep(self) -> None:
        """See that each worker that comes gets slots, and each that goes loses them."""
        looked = 0.0
        while not self._over:
            now = time.monotonic()
            news = self._wake.is_set()
            self._wake.clear()
            if news or now - looked > _LOOK_AT_WORKERS or not self._known:
                looked = now
                self._compare()
            if not self._stopped and (self._brief.folder / "stop").exists():
                self._stopped = True
                for worker in {each.worker for each in self._slots_open()}:
                    self._connection.tell(worker, ANSWER, request(at_work.stop, self._run))
            self._wake.wait(_LOOK)

    def _compare(self) -> None:
        try:
            there = self._connection.workers()
        except Exception as failure:  # Dask's and the system's, of many kinds
            for each in self._slots_open():
                self._later(partial(each.slot.lose, f"the scheduler is gone: {failure}"))
            with self._lock:
                self._known.clear()
            return
        with self._lock:
            gone = [worker for worker in self._known if worker not in there]
            new = [worker for worker in there if worker not in self._known]
            for worker in gone:
                del self._known[worker]
                self._attempts.pop(worker, None)
            self._known.update(dict.fromkeys(new, "coming"))
        for each in self._slots_open():
            if each.worker not in there:
                reason = f"its machine, or the Dask worker {each.worker} on it, is gone"
                self._later(partial(each.slot.lose, reason))
        for worker in new:
            with suppress(RuntimeError):  # the run is over
                self._admitting.submit(self._admit, worker, there[worker])

    def _slots_open(self) -> list[_Open]:
        with self._lock:
            return list(self._open.values())

    def _later(self, what: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the run is over
            self._pool.submit(what)

    def _admit(self, worker: str, threads: int) -> None:
        """Open slots on a worker, if the tests can run there."""
        why = "open"
        try:
            shipped = self._machines.admit(worker)
            for _ in range(threads):
                self._open_slot(worker, shipped=shipped)
        except UnfitError as unfit:
            why = f"{worker} {unfit}"
        except WhotestsError as error:
            why = str(error)
        except Exception as failure:  # Dask's, of many kinds: the worker may be gone meanwhile
            why = f"{worker} does not answer as it should: {type(failure).__name__}: {failure}"
        with self._lock:
            if self._over or worker not in self._known:
                return
            self._known[worker] = why
        if why != "open":
            self._tell(f"not used: {why}")

    def _open_slot(self, worker: str, *, shipped: bool) -> None:
        with self._lock:
            name = f"w{self._count}"
            self._count += 1
        lease = f"whotests-lease-{uuid4().hex}"
        opening = Opening(
            run=self._run,
            slot=name,
            brief=self._brief,
            plan=self._plan,
            shipped=shipped,
            imported_from=self._machines.imported_from,
            libraries=libraries(),
            topic=self._connection.topic,
            lease=lease,
        )
        asked = self._connection.ask(worker, ANSWER, request(at_work.open_slot, opening), key=lease)
        opened: Opened = self._connection.wait(asked, worker, within=_OPENED_WITHIN)
        home = Move(
            [
                *zip(opened.libraries, libraries(), strict=False),
                (opened.root, str(self._brief.root)),
            ]
        )
        slot = ClusterSlot(
            name,
            run=self._run,
            process=opened.process,
            executor=self._connection.executor(worker),
            facts=self.facts,
            home=home,
            command=lambda function, slot: self._connection.tell(
                worker, ANSWER, request(function, self._run, slot)
            ),
            later=self._later,
            on_lost=lambda slot, _: self._lost(slot, worker, shipped=shipped),
        )
        with self._lock:
            self._open[name] = _Open(slot, worker, asked)
            if self._join is None:
                self._ready.append(slot)
            else:
                self._join(slot)

    def _lost(self, slot: ClusterSlot, worker: str, *, shipped: bool) -> None:
        """A slot is lost; if its worker is not, another one is opened there."""
        with self._lock:
            gone = self._open.pop(slot.name, None)
            if slot in self._ready:
                self._ready.remove(slot)
        if gone is not None:
            with suppress(Exception):  # what is left there goes without the lease
                gone.lease.release()
        self._wake.set()
        with suppress(Exception):
            if self._over or worker not in self._connection.workers():
                return
            with self._lock:
                attempts = self._attempts[worker] = self._attempts.get(worker, 0) + 1
            if attempts < _ATTEMPTS and self._known.get(worker) == "open":
                self._admitting.submit(self._open_slot, worker, shipped=shipped)

    # -- what they say -------------------------------------------------------------------------

    def _listen(self) -> None:
        while (message := self._said.get()) is not None:
            if message[0] == SAID:
                _, name, turn, offset, octets = message
                with self._lock:
                    there = self._open.get(name)
                if there is not None:
                    there.slot.hear(turn, offset, octets)

    # -- the end -------------------------------------------------------------------------------

    def _close_all(self) -> None:
        """Let go of what is on the machines, and keep what their processes wrote."""
        asked = {}
        for each in self._slots_open():
            close = request(at_work.close_slot, self._run, each.slot.name)
            with suppress(Exception):  # a machine that is gone has nothing to close
                asked[each.slot.name] = self._connection.ask(
                    each.worker, ANSWER, close, what="close"
                )
        deadline = time.monotonic() + _CLOSED_WITHIN
        for future in asked.values():
            with suppress(Exception):
                logs: Mapping[str, bytes] = future.result(
                    timeout=max(0.1, deadline - time.monotonic())
                )
                for name, octets in logs.items():
                    (self._brief.folder / name).write_bytes(octets)
        self._open.clear()
