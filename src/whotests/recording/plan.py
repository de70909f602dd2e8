"""What a run is going to do, as it travels from the command line to the measured process."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from whotests.source.rules import ALWAYS_PARTIAL, DEFAULT_EXCLUDE, DEFAULT_PARTIAL, Rules

__all__ = ["Plan"]


class Plan(NamedTuple):
    """Everything that a session needs; all paths are absolute."""

    root: Path
    data: Path
    cache: Path
    source: tuple[str, ...]
    """Folders and files to measure, found and absolute: what `config.scope.Scope` takes."""
    include: tuple[str, ...] = ()
    """Globs of which a file of the source has to match one; none: all files do."""
    omit: tuple[str, ...] = ()
    """Globs of files to leave out."""
    namespace_packages: bool = False
    """List files that nothing imported in folders without `__init__.py`, too."""
    context: str = ""
    """The label of the whole run, or ''."""
    run_name: str = ""
    """What people call the run, or ''."""
    keep_runs: int = 1
    """How many generations of runs of its name and label are kept, the current one included."""
    keep_history: int = 100
    """Of how many runs of its name and label the outcomes stay when their facts went."""
    branch: bool = False
    """Record branches too."""
    exclude: tuple[str, ...] = DEFAULT_EXCLUDE
    """Regular expressions of what is excluded, all of them."""
    partial: tuple[str, ...] = DEFAULT_PARTIAL + ALWAYS_PARTIAL
    """Regular expressions of lines whose branches need not all be taken, all of them."""
    append: bool = False
    """Keep the tests of older runs that this one does not run."""
    command: tuple[str, ...] = ()
    """As the user typed it, for the record."""
    providers: tuple[tuple[str, str], ...] = ()
    """Name and 'module:attribute' of each entry point in the group `whotests.contexts`."""

    @property
    def rules(self) -> Rules:
        """What counts in this run."""
        return Rules(branch=self.branch, exclude=self.exclude, partial=self.partial)

    def to_json(self) -> str:
        """The plan as one line of text."""
        return json.dumps(self._asdict(), default=str, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """The plan that `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        return cls(
            root=Path(data["root"]),
            data=Path(data["data"]),
            cache=Path(data["cache"]),
            source=tuple(data["source"]),
            include=tuple(data["include"]),
            omit=tuple(data["omit"]),
            namespace_packages=data["namespace_packages"],
            context=data["context"],
            run_name=data["run_name"],
            keep_runs=data["keep_runs"],
            keep_history=data["keep_history"],
            branch=data["branch"],
            exclude=tuple(data["exclude"]),
            partial=tuple(data["partial"]),
            append=data["append"],
            command=tuple(data["command"]),
            providers=tuple((name, target) for name, target in data["providers"]),
        )
