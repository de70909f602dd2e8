"""The experiments of `--isolate`: a test after others, each time in new processes."""

import os
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Final

from whotests.errors import UsageError
from whotests.runner.agents.slots import Slot
from whotests.runner.assignment import Brief
from whotests.runner.choosing.choice import Choosing
from whotests.runner.isolation.isolating import Isolation, isolated
from whotests.runner.isolation.past_order import past_order
from whotests.runner.items import Item, Key
from whotests.runner.running.run import Found, Run
from whotests.stream.control import Control
from whotests.stream.event import FAILED, FINAL, Event, Status
from whotests.stream.sink import Sink

__all__ = ["IsolatingRun", "StoppedError"]

_NEAR: Final = 3


class StoppedError(Exception):
    """The control was asked to stop before there was an answer."""


class IsolatingRun:
    """Finds out what makes one test fail. `run` once."""

    def __init__(
        self,
        test_id: str,
        brief: Brief,
        *,
        choosing: Choosing,
        slots: Callable[[Brief], Sequence[Slot]],
        sink: Sink,
        control: Control,
        tell: Callable[[str], object],
    ) -> None:
        """`slots` gives one new slot for a brief. `choosing` says which other tests there are, in
        which order. `sink` gets what happens while tests are collected, `tell` a sentence for
        each experiment."""
        self._test_id = test_id
        self._brief = brief
        self._choosing = choosing
        self._slots = slots
        self._sink = sink
        self._control = control
        self._tell = tell
        self._suite = 0
        self._count = 0

    def run(self) -> Isolation:
        """What makes the test fail.

        Raises UsageError when there is no such test among those that are chosen, StoppedError
        when the control was asked to stop.
        """
        before, after = self._collected()
        return isolated(self._fails, self._candidates(before, after))

    def _candidates(self, before: Sequence[str], after: Sequence[str]) -> Iterator[Sequence[str]]:
        """What to run before it, most promising first: what a worker had run when it failed, what
        comes before it in order, all others."""
        folder = self._brief.folder
        past = past_order(folder.parent, self._test_id, but=folder)
        if past is not None:
            others = {*before, *after}
            there = [each for each in past.before if each in others]
            if there and there != list(before):
                self._tell(f"it failed {_after(len(there))} in {os.path.relpath(past.journal)}")
                yield there
        yield before
        if after:
            yield (*before, *after)

    def _collected(self) -> tuple[list[str], list[str]]:
        """The other tests of its suite: before it and after it."""
        chosen: list[Item] = []

        def select(found: Sequence[Found]) -> list[Item]:
            chosen.extend(self._choosing.choose(found))
            return []

        self._run_once(self._brief, "collect", self._sink, select)
        place = next((i for i, each in enumerate(chosen) if each.key.test_id == self._test_id), -1)
        if place < 0:
            raise UsageError(self._unknown([item.key.test_id for item in chosen]))
        self._suite = chosen[place].key.suite
        before = [each.key.test_id for each in chosen[:place] if each.key.suite == self._suite]
        after = [each.key.test_id for each in chosen[place + 1 :] if each.key.suite == self._suite]
        return before, after

    def _fails(self, before: Sequence[str]) -> bool:
        self._count += 1
        # Hosts of other suites have nothing to do with it.
        brief = self._brief._replace(suites=(self._brief.suites[self._suite],))
        items = [Item(Key(0, each)) for each in (*before, self._test_id)]
        verdict = _Verdict(self._test_id)
        began = monotonic()
        self._run_once(brief, str(self._count), verdict, lambda _: items)
        if verdict.status is None:
            raise StoppedError
        failed = verdict.status in FAILED
        self._tell(
            f"experiment {self._count}: {'failed' if failed else 'passed'} "
            f"{_after(len(before))} ({monotonic() - began:.1f} s)"
        )
        return failed

    def _run_once(
        self, brief: Brief, name: str, sink: Sink, select: Callable[[Sequence[Found]], list[Item]]
    ) -> None:
        if self._control.should_stop:
            raise StoppedError
        part = brief.of_part(f"isolate-{name}")
        part.folder.mkdir()
        Run(
            part._replace(workers=1, handover="", max_failures=0),
            self._slots(part),
            sink=sink,
            select=select,
            control=self._control,
        ).run()
        if self._control.should_stop:
            raise StoppedError

    def _unknown(self, chosen: Sequence[str]) -> str:
        from difflib import get_close_matches

        if not chosen:
            return f"--isolate {self._test_id}: {self._choosing.why_none}"
        near = get_close_matches(self._test_id, chosen, n=_NEAR, cutoff=0.6)
        hint = f"; near to it: {', '.join(near)}" if near else "; whotests test --list names all"
        return (
            f"--isolate {self._test_id}: none of the {len(chosen):,} tests that were found has "
            f"that id{hint}"
        )


def _after(count: int) -> str:
    return "alone" if not count else f"after {count:,} other{'' if count == 1 else 's'}"


class _Verdict:
    """A sink that waits for one test's verdict."""

    def __init__(self, test_id: str) -> None:
        self._test_id = test_id
        self.status: Status | None = None

    def start_run(self) -> None:
        """Nothing is known yet."""

    def handle(self, event: Event, /) -> None:
        if event.test_id == self._test_id and event.runnable and event.status in FINAL:
            self.status = event.status

    def stop_run(self) -> None:
        """Nothing is left to do."""
