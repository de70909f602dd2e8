"""What a process tells those that it starts, so that they record for its run.

It travels in one variable of the environment, which names a file with the plan: that is as long
as a project's settings are, and the same for thousands of processes.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b

from whotests import __version__
from whotests.recording.plan import Plan

__all__ = ["VARIABLE", "Handover", "PlanFile"]

VARIABLE = "WHOTESTS_PART"
"""The variable's name. The `.pth` file that comes with the package looks for it."""

_LONGEST = 60_000
"""Characters of a value. Linux takes 128 KiB for one variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A run, and what was open in the process that started this one."""

    plan: str
    """The path of the file with the plan, or the plan itself as JSON."""
    run: int
    """The id of the run in the data file: that of the first process, for all that follow."""
    tests: tuple[tuple[str, str], ...] = ()
    """Names and phases of the tests that were open."""
    labels: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The value of the variable: ASCII, without a line end. Very long lists are cut off."""
        tests, labels = self.tests, self.labels
        while True:
            value = json.dumps(
                (__version__, self.plan, self.run, tests, labels), separators=(",", ":")
            )
            if len(value) <= _LONGEST or not (tests or labels):
                return value
            tests, labels = tests[: len(tests) // 2], labels[: len(labels) // 2]

    @classmethod
    def from_text(cls, text: str) -> "Handover | None":
        """What `to_text` wrote; None when it comes from another version of whotests."""
        version, *rest = json.loads(text)
        if version != __version__:
            return None
        plan, run, tests, labels = rest
        return cls(
            plan=plan,
            run=run,
            tests=tuple((name, phase) for name, phase in tests),
            labels=tuple(labels),
        )

    def read_plan(self) -> Plan:
        """The plan. Raises OSError or ValueError when it is not there any more."""
        if self.plan.startswith("{"):
            return Plan.from_json(self.plan)
        with open(self.plan, encoding="utf-8") as file:
            return Plan.from_json(file.read())


class PlanFile:
    """Where the processes that are started find the plan: beside the cache, by its content."""

    def __init__(self, plan: Plan) -> None:
        self._plan = replace(plan, command=(), append=True)
        self._told = ""

    def tell(self) -> str:
        """The path of the file, which is written when it is asked for first; or the plan itself,
        where nothing can be written."""
        if not self._told:
            text = self._plan.to_json()
            name = blake2b(text.encode(), digest_size=12).hexdigest()
            path = os.path.join(self._plan.cache, "plans", f"{name}.json")
            self._told = path if os.path.exists(path) or _written(path, text) else text
        return self._told


def _written(path: str, text: str) -> bool:
    unfinished = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(unfinished, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(unfinished, path)
    except OSError:
        with suppress(OSError):
            os.unlink(unfinished)
        return False
    return True
