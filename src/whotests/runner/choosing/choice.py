"""Which of the tests that hosts found are run, and in which order."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from whotests.errors import UsageError
from whotests.hosts.task import Suite
from whotests.runner.choosing.kept_splits import KeptSplits
from whotests.runner.choosing.ordering import in_order
from whotests.runner.choosing.sharding import part_of
from whotests.runner.items import Item, Key
from whotests.runner.running.run import Found
from whotests.runner.wanted import Wanted
from whotests.types import Outcome

__all__ = ["FAILED", "Choosing"]

FAILED: Final = frozenset(
    (Outcome.FAILED, Outcome.ERROR, Outcome.UNEXPECTED_SUCCESS, Outcome.UNKNOWN)
)
"""Outcomes of tests that `--failed` runs again."""

_PASSES_UNEXPECTED: Final = frozenset(("pytest", "trial"))
"""Hosts for which a success that was not expected is one, unless they call it a failure."""

_make_tuple = tuple.__new__  # takes a third of the time of Item(...)

_SHOWN: Final = 10
"""Ids in one sentence."""


class Choosing:
    """Chooses as the command line wants; a `Select` of `runner.run`, for any number of rounds."""

    def __init__(
        self,
        wanted: Wanted,
        *,
        suites: Sequence[Suite],
        listed: Sequence[str] = (),
        durations: Mapping[str, float],
        outcomes: Mapping[str, Outcome],
        tell: Callable[[str], object],
        splits: KeptSplits | None = None,
    ) -> None:
        """`listed` are the ids of the list that `wanted.load_list` names; `durations` in seconds
        and `outcomes` are those of the past, by id. `tell` gets a sentence for whatever people
        need in order to understand or repeat the choice. `splits` keeps shards equal to each
        other from one to the next."""
        self._wanted = wanted
        self._suites = suites
        self._listed = tuple(dict.fromkeys(listed))
        self._durations = durations
        self._outcomes = outcomes
        self._failed = {each for each, outcome in outcomes.items() if outcome in FAILED}
        self._tell = tell
        self._splits = splits
        self.order = wanted.order
        """Of the next choice: rounds may differ in it."""
        self.chosen: tuple[str, ...] = ()
        """Ids of what was chosen last, in order."""
        self._why_none = ""
        self._unknown: frozenset[str] = frozenset()
        """Of the list, what was not found."""

    @property
    def why_none(self) -> str:
        """Why nothing was chosen, as a sentence that names what was looked for; else ''."""
        return "" if self.chosen else self._why_none

    def __call__(self, found: Sequence[Found]) -> list[Item]:
        """What is to be run. Ids of the list that nothing has are among it: their hosts say that
        there is no such test. Empty where tests are but listed. Raises UsageError, for such ids
        too where tests are but listed."""
        items = self.choose(found)
        if not self._wanted.only_list:
            return items
        if self._unknown:
            raise UsageError(
                f"{_counted(len(self._unknown), 'id')} of {self._wanted.load_list} "
                f"{'is' if len(self._unknown) == 1 else 'are'} of no test: {_shown(self._unknown)}"
            )
        return []

    def choose(self, found: Sequence[Found]) -> list[Item]:
        """What is to be run, whether or not tests are but listed. Raises UsageError."""
        self._why_none = self._nothing_found()
        seconds_of = self._durations.get
        items = [
            _make_tuple(Item, (key, group, seconds_of(key.test_id)))
            for key, group in dict(found).items()
        ]
        if self._wanted.load_list is not None:
            items = self._of_the_list(items)
        if self._wanted.shard is not None:
            items = self._of_the_shard(items)
        # Behind the shard: tests that pass in one shard would move the failed ones of the next.
        if self._wanted.failed:
            items = self._that_failed(items)
        items = in_order(items, self.order, listed=self._listed)
        if items and self.order.by == "random":
            self._tell(f"order {self.order}; the same once more: --order {self.order}")
        self.chosen = tuple(item.key.test_id for item in items)
        return items

    def _of_the_list(self, items: list[Item]) -> list[Item]:
        wanted = frozenset(self._listed)
        known = [item for item in items if item.key.test_id in wanted]
        has = {item.key.test_id for item in known}
        unknown = [each for each in self._listed if each not in has]
        self._why_none = f"{self._wanted.load_list} lists no test"
        if unknown and self._wanted.keyword:
            # They may be there and not fit the keyword: which ones, the hosts do not say.
            self._tell(
                f"{_counted(len(unknown), 'test')} of {self._wanted.load_list} "
                f"{'does' if len(unknown) == 1 else 'do'} not fit -k {self._wanted.keyword!r}, "
                f"or {'is' if len(unknown) == 1 else 'are'} not there: {_shown(unknown)}"
            )
            self._why_none = f"no test of {self._wanted.load_list} fits -k {self._wanted.keyword!r}"
            return known
        self._unknown = frozenset(unknown)
        return known + [Item(Key(self._suite_of(each), each)) for each in unknown]

    def _suite_of(self, unknown: str) -> int:
        """The suite whose host says that it has no such test."""
        for number, suite in enumerate(self._suites):
            if (suite.host == "pytest") == ("::" in unknown):
                return number
        return 0

    def _that_failed(self, items: list[Item]) -> list[Item]:
        if not items:
            return items
        before = self._failed - {item.key.test_id for item in items if self._succeeded(item)}
        wanted = before | self._unknown
        failed = [item for item in items if item.key.test_id in wanted]
        seen = self._outcomes.keys() | self._unknown
        unseen = [item.key.test_id for item in items if item.key.test_id not in seen]
        if not self._outcomes:
            self._why_none = "no earlier run is in the data; leave --failed out to make one"
        elif unseen:
            # Those of a module, for instance, that could not be imported then.
            self._tell(
                f"{_counted(len(unseen), 'test')} that no run has seen "
                f"{'is' if len(unseen) == 1 else 'are'} left out by --failed: {_shown(unseen)}"
            )
        if before:
            self._why_none = (
                f"none of the {_counted(len(items), 'test')} that were found failed last; "
                f"{_counted(len(before), 'test')} of other names did: {_shown(before)}"
            )
        elif self._outcomes:
            self._why_none = (
                "no test failed when it was run last; leave --failed out to run all of them"
            )
        return failed

    def _succeeded(self, item: Item) -> bool:
        """Whether it did last, though that was not expected, and its host lets that pass."""
        outcome = self._outcomes.get(item.key.test_id)
        host = self._suites[item.key.suite].host
        return outcome is Outcome.UNEXPECTED_SUCCESS and host in _PASSES_UNEXPECTED

    def _of_the_shard(self, items: list[Item]) -> list[Item]:
        shard = self._wanted.shard
        if shard is None or not items:
            return items
        weights = None if self._splits is None else self._splits.weights(items)
        part = part_of(items, shard, weights)
        untimed = sum(item.seconds is None for item in items)
        timed = "" if untimed == len(items) else _time(part.seconds, part.whole_seconds)
        self._tell(
            f"shard {shard}: {len(part.items):,} of {_counted(len(items), 'test')}{timed}, worked "
            f"out from {part.digest}; all shards must say the same, or tests are lost or doubled"
        )
        self._why_none = (
            f"shard {shard} has no test: {_counted(len(items), 'test')} in fewer groups than "
            "there are shards; ask for fewer shards"
        )
        return list(part.items)

    def _nothing_found(self) -> str:
        places = ", ".join(
            suite.title if suite.targets else f"{suite.host}: all that it finds itself"
            for suite in self._suites
        )
        words = [*dict.fromkeys(shlex.join(each.options) for each in self._suites if each.options)]
        places += f", with {', '.join(words)}" if words else ""
        fitting = f" that fits -k {self._wanted.keyword!r}" if self._wanted.keyword else ""
        return f"no test was found{fitting}; looked for {places}"


def _time(seconds: float, whole: float) -> str:
    return f", about {seconds:.3g} s of {whole:.3g} s"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _shown(ids: Iterable[str]) -> str:
    ordered = sorted(ids)
    more = f" and {len(ordered) - _SHOWN:,} more" if len(ordered) > _SHOWN else ""
    return ", ".join(ordered[:_SHOWN]) + more
