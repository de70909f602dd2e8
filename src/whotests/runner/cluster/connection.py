"""The connection to a Dask cluster, or to one that is started here for the run."""

import logging
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import uuid4

from whotests.errors import MachineError, UsageError
from whotests.runner.cluster import undisturbed

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["Connection"]

_LOCAL: Final = "local:"

_ANSWER_WITHIN: Final = 10.0
"""Seconds."""

_LOOK: Final = 0.5
"""Seconds between looks at whether who is waited for is still there."""

_NO_DASK: Final = (
    "--cluster needs Dask's distributed, which is not installed here: "
    "python -m pip install 'whotests[cluster]'"
)


class Connection:
    """A client of a Dask cluster, as far as a run needs one. Use it as a context manager.

    What Dask has to say goes into a log file.
    """

    def __init__(self, client: "Client", *, name: str, local: Any, log: logging.Handler) -> None:
        self.client = client
        self.name = name
        """The cluster's, for people."""
        self._local = local
        self._log = log

    @classmethod
    def open(cls, address: str, *, log: Path, patience: float = _ANSWER_WITHIN) -> Self:
        """Connect to a scheduler ('tcp://…:8786'), or begin a cluster of N processes here
        ('local:N'). A scheduler has 10 seconds to answer, or `patience` where that is less.

        Raises UsageError when Dask is not installed or the address is none, MachineError when
        nobody answers there.
        """
        try:
            from distributed import Client, LocalCluster
            from distributed.versions import VersionMismatchWarning
        except ImportError:
            raise UsageError(_NO_DASK) from None
        # What tests need is looked at on each machine; Dask counts what they may well do without.
        warnings.simplefilter("ignore", VersionMismatchWarning)
        handler = _log_to(log)
        local = None
        try:
            if address.startswith(_LOCAL):
                local = LocalCluster(
                    n_workers=_count(address),
                    threads_per_worker=1,
                    processes=True,
                    # Any port, though nothing is shown there: Dask warns of one that is taken.
                    dashboard_address=":0",
                    scheduler_kwargs={"dashboard": False},
                    silence_logs=logging.CRITICAL,
                    preload=[undisturbed.__name__],
                )
            else:
                _check(address)
            client = Client(
                local if local is not None else address,
                set_as_default=False,
                timeout=max(1.0, min(_ANSWER_WITHIN, patience)),
            )
        except (OSError, TimeoutError, RuntimeError) as failure:
            _log_no_more(handler)
            if local is not None:
                local.close()
            raise MachineError(
                f"no cluster at {address}: {failure}; is `dask scheduler` running there, and can "
                "this machine reach it?"
            ) from failure
        except ValueError as failure:
            _log_no_more(handler)
            raise UsageError(
                f"--cluster {address}: {failure}; give a scheduler's address, such as "
                "tcp://192.0.2.1:8786, or local:N"
            ) from failure
        return cls(client, name=address, local=local, log=handler)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the cluster; one that was started for the run ends."""
        with suppress(Exception):  # a scheduler that is gone is nothing to tell at the end
            self.client.close(timeout=_ANSWER_WITHIN)
        if self._local is not None:
            with suppress(Exception):
                self._local.close(timeout=_ANSWER_WITHIN)
        _log_no_more(self._log)

    # -- what a run needs ----------------------------------------------------------------------

    @property
    def topic(self) -> str:
        """Of what workers say to this client: the scheduler forgets it when the client goes."""
        return str(self.client.id)

    def listen(self, hear: Callable[[tuple[Any, ...]], None], changed: Callable[[], None]) -> None:
        """`hear` is called with what workers say, `changed` when workers come or go; both in
        Dask's thread, which must not wait."""

        def said(event: tuple[float, Any]) -> None:
            if isinstance(event[1], tuple | list):
                hear(tuple(event[1]))

        def happened(event: tuple[float, Any]) -> None:
            message = event[1]
            if isinstance(message, dict) and message.get("action") in (
                "add-worker",
                "remove-worker",
            ):
                changed()

        self.client.subscribe_topic(self.topic, said)
        self.client.subscribe_topic("all", happened)

    def listen_no_more(self) -> None:
        """Nobody is called any more."""
        for topic in (self.topic, "all"):
            with suppress(Exception):  # the scheduler may be gone
                self.client.unsubscribe_topic(topic)

    def workers(self) -> Mapping[str, int]:
        """The addresses of all workers there are now, and how many threads each has. Raises
        OSError when the scheduler does not answer."""
        if self.client.status != "running":
            raise OSError(f"the connection to the scheduler is {self.client.status}")
        return dict(self.client.nthreads())

    def ask(
        self,
        worker: str,
        expression: str,
        names: Mapping[str, Any],
        *,
        what: str = "",
        key: str = "",
    ) -> "Future[Any]":
        """Dask's future of an expression that is evaluated in a thread of the worker. As long as
        it is held, the worker has what came of it, under that key."""
        return self.client.submit(
            eval,
            expression,
            dict(names),
            workers=[worker],
            allow_other_workers=False,
            pure=False,
            retries=0,
            key=key or f"whotests-{what}-{uuid4().hex}",
        )

    def wait(self, asked: "Future[Any]", worker: str, *, within: float) -> Any:
        """What came of what the worker was asked. Raises what was raised there, TimeoutError
        after so many seconds, OSError when the worker goes: Dask itself would wait for another
        one of its address."""
        deadline = time.monotonic() + within
        while True:
            left = deadline - time.monotonic()
            try:
                return asked.result(timeout=min(_LOOK, max(left, 0.01)))
            except TimeoutError:
                if asked.done():
                    return asked.result()  # it came meanwhile, or was raised there
                gone = worker not in self.workers()
                if gone or left <= 0:
                    asked.cancel()
                    if gone:
                        raise OSError("it is gone") from None
                    raise

    def executor(self, worker: str) -> Any:
        """The threads of a worker, as a `concurrent.futures.Executor`."""
        return self.client.get_executor(
            workers=[worker], allow_other_workers=False, pure=False, retries=0
        )

    def tell(self, worker: str, expression: str, names: Mapping[str, Any]) -> None:
        """Evaluate an expression in the worker's process now, whatever its threads do. Nothing
        is said if that fails."""

        def tell() -> None:
            with suppress(Exception):  # a worker that is gone needs not be told
                self.client.run(eval, expression, dict(names), workers=[worker], on_error="ignore")

        threading.Thread(target=tell, daemon=True).start()


def _check(address: str) -> None:
    """Raises ValueError for what is no scheduler's address: Dask would say so too late, when its
    client is half made and complains of its own end."""
    from distributed import Security
    from distributed.comm.addressing import get_address_host_port

    get_address_host_port(address)
    encrypted = address.startswith(("tls://", "wss://"))
    if encrypted and Security().get_connection_args("client")["ssl_context"] is None:
        raise ValueError("Dask's settings here have no certificates for it (distributed.comm.tls)")


def _count(address: str) -> int:
    text = address.removeprefix(_LOCAL)
    if not text.isdecimal() or not int(text):
        raise ValueError(f"{text!r} is no number of workers")
    return int(text)


def _log_to(path: Path) -> logging.Handler:
    handler = logging.FileHandler(path, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in ("distributed", "tornado.application"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.addHandler(handler)
        logger.propagate = False
    return handler


def _log_no_more(handler: logging.Handler) -> None:
    for name in ("distributed", "tornado.application"):
        logger = logging.getLogger(name)
        logger.removeHandler(handler)
        logger.addHandler(logging.NullHandler())
    handler.close()
