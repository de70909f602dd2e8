"""How a host tells the runner: a journal in a file, and a bell beside it."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from itertools import islice
from typing import NoReturn

from whotests.hosts.frames import COLLECTED, ENDED, EVENT, FOUND, IDLE, OUTPUT, FrameWriter, framed
from whotests.stream.control import Control, RunControl
from whotests.stream.event import FAILED, Chunk, Event, Status
from whotests.system import System

__all__ = ["Reporter"]

_AT_ONCE = 5_000
"""Tests in one frame."""


class Reporter:
    """A sink that writes each event into the journal, where it outlives the process.

    A file, because what is in it is there whatever ends the process, and because nobody has to
    be woken for each test: who watches looks now and then, and at once when the bell rings.
    """

    def __init__(
        self,
        journal: int,
        bell: int,
        *,
        found: str = "",
        control: Control | None = None,
        max_failures: int = 0,
    ) -> None:
        """`journal` and `bell` are open file descriptors, `found` is the path of a file that is
        made for the tests that there are; after `max_failures` the control is asked to stop."""
        self._frames = FrameWriter(journal, refused=self._give_up)
        self._bell = bell
        self._found = found
        self._control: Control = RunControl() if control is None else control
        self._failures_left = max_failures
        self._in_fork = False
        # No clock that is put forward or back while a test runs makes it longer or shorter.
        self._ahead = System.since_the_epoch() - System.monotonic()

    def leave(self) -> None:
        """This process is a fork that a test made. It may run that test to its end, and ends there
        with 0, or with 1 where the test fails in it: all other tests are the parent's."""
        self._in_fork = True

    def found(self, tests: Iterable[tuple[str, str]], *, ordered: bool = False) -> None:
        """All tests: ids, and the groups that they share fixtures in ('' for those in none); and
        whether they depend on their order."""
        digest = blake2b(digest_size=16)
        count = 0
        rest = iter(tests)
        try:
            with open(self._found or os.devnull, "wb") as file:
                while some := list(islice(rest, _AT_ONCE)):
                    count += len(some)
                    octets = framed((FOUND, some))
                    digest.update(octets)
                    file.write(octets)
        except OSError as error:
            self._give_up(error)
        self._frames.put((COLLECTED, count, digest.hexdigest(), ordered))
        self.ring()

    def idle(self, held: Sequence[str] = ()) -> None:
        """The orders are done but for the tests that are held back."""
        self._frames.put((IDLE, list(held)))
        self.ring()

    def output(self, descriptors: Sequence[int]) -> None:
        """What the test in progress writes is in the files behind these, from their beginning."""
        self._frames.put((OUTPUT, list(descriptors)))
        self.ring()

    def ended(self, reason: str = "") -> None:
        """Nothing is run any more."""
        self._frames.put((ENDED, reason))
        self.ring()

    def ring(self) -> None:
        """Let the runner look at the journal now."""
        try:
            System.write(self._bell, b".")
        except OSError:
            return  # it is gone; the next order will say so

    def _give_up(self, error: OSError) -> NoReturn:
        """Nothing can be told any more, so nothing may be run: say why where no disk is needed."""
        why = f"its journal cannot be written: {error}".encode("utf-8", "backslashreplace")
        try:
            System.write(self._bell, why)
        except OSError:  # a test has closed all that it could, say; then it is part of the output
            with suppress(OSError):
                System.write(2, b"whotests gave up: " + why + b"\n")
        System.exit(os.EX_IOERR)

    # -- the events of a test, now: the same as `handle`, at a fraction of the cost ------------

    def began(self, test_id: str, *, at: float | None = None) -> None:
        """The test is in progress; since now, or since a time in seconds since the epoch."""
        at = self._now() if at is None else at
        self._frames.put((EVENT, test_id, "inprogress", None, True, None, None, at))

    def attached(self, test_id: str | None, chunk: Chunk, *, runnable: bool = True) -> None:
        """A chunk of an attachment came; without a test, it belongs to none."""
        self._frames.put((EVENT, test_id, None, None, runnable, tuple(chunk), None, self._now()))

    def over(
        self,
        test_id: str,
        status: Status,
        *,
        tags: Iterable[str] = (),
        runnable: bool = True,
        at: float | None = None,
    ) -> None:
        """The test has its verdict."""
        if self._in_fork and runnable:
            System.exit(int(status in FAILED))
        at = self._now() if at is None else at
        self._frames.put(
            (
                EVENT,
                test_id,
                status._value_,
                sorted(tags) if tags else None,
                runnable,
                None,
                None,
                at,
            )
        )
        if status in FAILED:
            self._count_failure()

    # -- any events ----------------------------------------------------------------------------

    def start_run(self) -> None:
        """Nothing: the runner knows."""

    def handle(self, event: Event, /) -> None:
        """Write one event."""
        test_id, status, tags, runnable, chunk, route_code, timestamp = event
        frame = (
            EVENT,
            test_id,
            None if status is None else status.value,
            None if tags is None else sorted(tags),
            runnable,
            None if chunk is None else tuple(chunk),
            route_code,
            None if timestamp is None else timestamp.timestamp(),
        )
        self._frames.put(frame)
        if status in FAILED:
            self._count_failure()

    def stop_run(self) -> None:
        """Nothing: `ended` says more."""

    def _now(self) -> float:
        """Seconds since the epoch."""
        return self._ahead + System.monotonic()

    def _count_failure(self) -> None:
        if self._failures_left:
            self._failures_left -= 1
            if not self._failures_left:
                self._control.stop()
