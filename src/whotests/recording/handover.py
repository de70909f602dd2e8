"""What a process tells those that it starts, so that they record for its run.

It travels in one variable of the environment. Most processes that get it never run anything
that is measured: reading it imports nothing.
"""

from __future__ import annotations

import marshal

from whotests import __version__

TYPE_CHECKING = False  # what typing calls so: every process that is started imports this
if TYPE_CHECKING:
    from whotests.recording.plan import Plan

__all__ = ["VARIABLE", "Handover"]

VARIABLE = "WHOTESTS_PART"
"""The variable's name. The `.pth` file that comes with the package looks for it."""

_LONGEST = 60_000
"""Characters of a value. Linux takes 128 KiB for one variable."""


class Handover:
    """A run, and what was open in the process that started this one. Is never changed."""

    __slots__ = ("labels", "plan", "run", "source", "tests")

    def __init__(
        self,
        *,
        plan: str,
        run: int,
        source: tuple[str, ...],
        tests: tuple[tuple[str, str], ...] = (),
        labels: tuple[str, ...] = (),
    ) -> None:
        self.plan = plan
        """The path of the file with the plan, or the plan itself as JSON."""
        self.run = run
        """The id of the run in the data file: that of the first process, for all that follow."""
        self.source = source
        """Absolute folders and files: what is measured is in there."""
        self.tests = tests
        """Names and phases of the tests that were open."""
        self.labels = labels

    def to_text(self) -> str:
        """The value of the variable: ASCII. Very long lists of what is open are cut off."""
        tests, labels = self.tests, self.labels
        while True:
            told = (__version__, self.plan, self.run, self.source, tests, labels)
            value = marshal.dumps(told, 2).hex()
            if len(value) <= _LONGEST or not (tests or labels):
                return value
            tests, labels = tests[: len(tests) // 2], labels[: len(labels) // 2]

    @classmethod
    def from_text(cls, text: str) -> Handover | None:
        """What `to_text` wrote; None when another version of whotests did. Raises ValueError,
        EOFError or TypeError for anything else."""
        version, *told = marshal.loads(bytes.fromhex(text))
        if version != __version__:
            return None
        plan, run, source, tests, labels = told
        return cls(plan=plan, run=run, source=source, tests=tests, labels=labels)

    def read_plan(self) -> Plan:
        """The plan. Raises OSError or ValueError when it is not there any more."""
        from whotests.recording.plan import Plan

        if self.plan.startswith("{"):
            return Plan.from_json(self.plan)
        with open(self.plan, encoding="utf-8") as file:
            return Plan.from_json(file.read())
