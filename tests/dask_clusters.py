"""Dask clusters of real processes on the loopback, whose workers come, go and are killed.

python tests/dask_clusters.py    is the process that the workers are forked from
"""

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path

from tested_commands import environment

__all__ = ["DaskCluster", "dask_cluster"]

PATIENCE = 60
"""Seconds for what takes a few on an idle machine."""


class DaskCluster:
    """A scheduler and workers without nannies, each a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.workers: dict[int, str] = {}
        """Process id -> address, of those that were not killed."""
        self.address = self._read()

    def add_worker(self, *, threads: int = 1) -> int:
        """Start one; its process id. It is there for the scheduler when this comes back."""
        pid, address = self._ask(f"worker {threads}").split()
        self.workers[int(pid)] = address
        return int(pid)

    def kill_worker(self, pid: int, number: int = signal.SIGKILL) -> None:
        """Send a worker's process a signal that ends it."""
        os.kill(pid, number)
        del self.workers[pid]

    def kill_scheduler(self) -> None:
        """The scheduler is gone."""
        self._ask("no scheduler")

    def close(self) -> None:
        """End all of it."""
        for pid in list(self.workers):
            with suppress(ProcessLookupError):
                self.kill_worker(pid)
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _ask(self, text: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        assert ready, "the cluster's process says nothing"
        answer = self._process.stdout.readline().strip()
        assert answer, "the cluster's process has ended"
        return answer


@contextmanager
def dask_cluster(
    folder: Path, *, workers: int = 2, threads: int = 1, **more: str
) -> Iterator[DaskCluster]:
    """A cluster whose processes work in `folder` and write to a log there; variables of their
    environment may be given by name."""
    folder.mkdir(exist_ok=True)
    with open(folder / "cluster.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=environment(
                DASK_TEMPORARY_DIRECTORY=str(folder),
                DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL="10s",
                **more,
            ),
            text=True,
        )
    cluster = DaskCluster(process)
    try:
        for _ in range(workers):
            cluster.add_worker(threads=threads)
        yield cluster
    finally:
        cluster.close()


def main() -> None:
    """Do what is asked on standard input, until that ends."""
    import_module("distributed")  # once, for all that are forked
    scheduler, address = _forked_scheduler()
    print(address, flush=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "worker":
            print(*_forked_worker(address, int(words[1])), flush=True)
        else:
            os.kill(scheduler, signal.SIGKILL)
            print("gone", flush=True)
    with suppress(ProcessLookupError):
        os.kill(scheduler, signal.SIGKILL)


def _forked_scheduler() -> tuple[int, str]:
    from distributed import Scheduler

    async def serve(out: int) -> None:
        async with Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
            os.write(out, scheduler.address.encode())
            os.close(out)
            await scheduler.finished()

    return _forked(serve)


def _forked_worker(address: str, threads: int) -> tuple[int, str]:
    from distributed import Worker

    async def serve(out: int) -> None:
        name = f"{os.getpid()}-{time.monotonic_ns()}"
        async with Worker(
            address, nthreads=threads, name=name, host="127.0.0.1", dashboard=False
        ) as worker:
            os.write(out, worker.address.encode())
            os.close(out)
            await worker.finished()

    return _forked(serve)


def _forked(serve: object) -> tuple[int, str]:
    """A process that serves; its id, and what it said first."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(read)
        os.close(0)
        os.dup2(2, 1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        try:
            asyncio.run(serve(write))  # type: ignore[operator]
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        return pid, said.read()


if __name__ == "__main__":
    main()
