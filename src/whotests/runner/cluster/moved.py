"""Paths of the command's machine as they are on another one."""

from collections.abc import Sequence
from pathlib import Path

from whotests.hosts.task import Suite
from whotests.recording.plan import Plan
from whotests.runner.assignment import Brief

__all__ = ["Move"]


class Move:
    """The folders that are elsewhere: pairs of there and here, the first that fits counts."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = [(before.rstrip("/"), after.rstrip("/")) for before, after in pairs]

    def text(self, path: str) -> str:
        """The path, or what begins with one; what is in none of the folders stays."""
        for before, after in self._pairs:
            if path == before or path.startswith(before + "/"):
                return after + path[len(before) :]
        return path

    def path(self, path: Path) -> Path:
        """The same of a path."""
        return Path(self.text(str(path)))

    def brief(self, brief: Brief) -> Brief:
        """The brief with the paths that it has there; its folder stays."""
        return brief._replace(
            root=self.path(brief.root),
            cwd=self.path(brief.cwd),
            suites=tuple(self._suite(suite) for suite in brief.suites),
        )

    def plan(self, plan: Plan) -> Plan:
        """The plan with the paths that it has there; the data file and the cache stay."""
        return plan._replace(
            root=self.path(plan.root),
            source=tuple(map(self.text, plan.source)),
            include=tuple(map(self.text, plan.include)),
            omit=tuple(map(self.text, plan.omit)),
        )

    def _suite(self, suite: Suite) -> Suite:
        return suite._replace(
            targets=tuple(map(self.text, suite.targets)),
            options=tuple(map(self._option, suite.options)),
        )

    def _option(self, word: str) -> str:
        name, equals, value = word.partition("=")
        return f"{name}={self.text(value)}" if equals else self.text(word)
