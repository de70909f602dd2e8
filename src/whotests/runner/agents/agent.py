"""One worker: starts hosts, gives them what is to be done, replaces those that die."""

import re
import time
from contextlib import suppress
from datetime import datetime
from typing import Final

from whotests.errors import MachineError
from whotests.runner.agents.attended import INTERRUPTED, AttendedHost, Death, Say
from whotests.runner.agents.post_mortem import PostMortem
from whotests.runner.assignment import Assignment, Brief, Done

__all__ = ["Agent", "Say"]

DEATHS: Final = 3
"""How often in a row a host may die without a verdict; then what it came to fails."""

DEATHS_ON_THE_WAY: Final = 10
"""The same for hosts that have not found their tests yet, where one before them has: it is rather
the machine that ends them than what they load."""

PAUSE: Final = 0.3
"""Seconds before the system is asked again for what it has refused."""

_PARAMETERS: Final = re.compile(r"[\[( ]")
"""Where a test's name ends, and what tells it from others of that name begins."""


class Agent:
    """At most one host's process at a time, replaced when it dies.

    One thread at a time calls `work` and `close`; any may call the others.
    """

    def __init__(self, brief: Brief, name: str) -> None:
        self.brief = brief
        self.name = name
        self._host: AttendedHost | None = None
        self._started = 0
        self._held: tuple[str, ...] = ()
        """What the host holds back."""
        self._collected: set[int] = set()
        """Suites whose tests a host here has found."""
        self._interrupted = False
        self._killed = False
        self._blamed: dict[str, set[str]] = {}
        """Group -> owners of tests in it that failed as hosts died before they began."""
        self._notes: list[str] = []
        self._deaths = 0

    def work(self, assignment: Assignment, say: Say) -> Done:
        """Do the assignment; comes back when it is done, or a host has died of it.

        The test that a dying host ran gets its verdict. A host that dies without a verdict since
        the assignment began is replaced at once, twice; then the test that was to come next gets
        its verdict, and with it those that share its fixtures and are of the same class; those of
        all classes when that was the third.
        """
        said = 0

        def counted(octets: bytes) -> None:
            nonlocal said
            said += len(octets)
            say(octets)

        self._notes = []
        self._deaths = 0
        done = self._work(assignment, counted)
        return done._replace(said=said, notes=tuple(self._notes), deaths=self._deaths)

    def interrupt(self) -> None:
        """Let the host end as by Ctrl-C, and begin nothing any more."""
        self._interrupted = True

    def kill(self) -> None:
        """End the host's process at once, and begin nothing any more."""
        self._interrupted = self._killed = True

    def close(self) -> None:
        """End the host that is left, if any."""
        self._end_host(None)

    # -- how it is done ------------------------------------------------------------------------

    def _work(self, assignment: Assignment, say: Say) -> Done:
        if self._host is not None and self._host.suite != assignment.suite:
            self._end_host(say)
        todo = (*self._held, *assignment.tests)
        if self._host is None and assignment.end and not todo:
            return Done(0)
        deaths = 0
        while not self._interrupted:
            # A host that lives still has what it holds back.
            fresh = self._host is None
            death = self._try(assignment._replace(tests=todo) if fresh else assignment, say)
            if isinstance(death, Done):
                return death
            deaths += 1
            died = death.why.reason
            left = [test_id for test_id in todo if test_id in death.left]
            if death.running:
                say(death.why.frames(death.running))
                return Done(0, died=died)
            if assignment.end and not left and death.collected:
                say(death.why.frames(self._end_of(assignment.suite), runnable=False))
                return Done(0, died=died)
            if death.fruitful:
                return Done(0, died=died)
            known = assignment.suite in self._collected and not death.collected
            if deaths < (DEATHS_ON_THE_WAY if known else DEATHS) and not death.in_vain:
                self._note(f"{died}; no test was in progress, and it is started anew")
                continue
            if left and death.collected and not death.in_vain:
                self._blame(left, death, say)
                return Done(0, died=died)
            if assignment.collect:
                # Whether the suite has failed with that is the run's to say.
                title = self.brief.suites[assignment.suite].title
                say(death.why._replace(reason="").frames(title, runnable=False, verdict=False))
            return Done(0, died=died, hopeless=True)
        self._end_host(say)
        return Done(0, ended=INTERRUPTED)

    def _try(self, assignment: Assignment, say: Say) -> Done | Death:
        """Do the assignment in the host that is there, or in a new one."""
        if self._host is None:
            self._started += 1
            try:
                self._host = AttendedHost(
                    self.brief, worker=self.name, suite=assignment.suite, number=self._started
                )
            except MachineError as error:
                time.sleep(PAUSE)
                return Death(PostMortem(str(error)), left=assignment.tests)
            self._log(f"process {self._host.pid} begins")
        done = self._host.do(
            assignment, say, lambda: self._interrupted + self._killed, held=self._held
        )
        if self._host.collected:
            self._collected.add(assignment.suite)
        if isinstance(done, Death):
            self._deaths += 1
            self._log(done.why.reason)
            self._end_host(None)
        elif assignment.end or done.ended:
            self._end_host(say)
        else:
            self._held = done.held
        return done

    def _end_host(self, say: Say | None) -> None:
        """End the host, if there is one, and tell what came of that."""
        host, self._host, self._held = self._host, None, ()
        if host is None:
            return
        burial = host.end(say or (lambda _: None), lambda: self._killed)
        self._log(f"process {host.pid} is over")
        for note in burial.notes:
            self._note(note)
        self._deaths += burial.crash is not None
        if burial.crash is not None and say is not None:
            self._log(burial.crash.reason)
            say(burial.crash.frames(self._end_of(host.suite), runnable=False))

    def _blame(self, left: list[str], death: Death, say: Say) -> None:
        """Give its verdict to the test that was to come next, and to those of its group.

        A group may be a whole module, for its own fixture; as long as it may be that of a class
        that ends hosts, only the tests of that class fail.
        """
        head, *others = left
        why = death.why
        first = f"{why.reason} before it began this test, {DEATHS} times in a row"
        say(why._replace(reason=first).frames(head))
        group = death.groups.get(head, "")
        if not group:
            return
        blamed = self._blamed.setdefault(group, set())
        blamed.add(owner_of(head))
        reason = f"{why.reason} before it began {head}, with which this test shares fixtures"
        for test_id in others:
            if death.groups.get(test_id) == group and (
                len(blamed) >= DEATHS or owner_of(test_id) in blamed
            ):
                say(PostMortem(reason).frames(test_id))

    def _end_of(self, suite: int) -> str:
        return f"{self.brief.suites[suite].host}: end of worker {self.name}"

    def _note(self, text: str) -> None:
        self._notes.append(text)
        self._log(text)

    def _log(self, text: str) -> None:
        now = datetime.now().astimezone().isoformat(timespec="milliseconds")
        with suppress(OSError), open(self.brief.folder / f"{self.name}.log", "a") as log:
            log.write(f"{now} {text}\n")


def owner_of(test_id: str) -> str:
    """What a test's id says that it is of: a class, or a file with functions."""
    name = _PARAMETERS.split(test_id, maxsplit=1)[0]
    return name.rpartition("::" if "::" in name else ".")[0]
