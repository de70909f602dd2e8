"""A source file of which single units change from run to run, for tests of what changed.

versions = Version(units={"Basket.add": 2})
with data.run(started=NOON + 10) as run:
    run.file(versions)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from data_files import NOON, DataFile, Measured, Ran, basket_of
from whotests.query.history import History, history
from whotests.records import FileRecord
from whotests.source.text import digest_of
from whotests.store.series import read_series
from whotests.types import FileState, Outcome, RunStatus

__all__ = ["Version", "codes", "ends", "history_of", "record", "version"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Measured):
    """A file whose units have the fingerprints of these versions of them, 0 by default."""

    unit_versions: Mapping[str, int] = field(default_factory=dict)

    def record(self, key: int) -> FileRecord:
        """As the recorder writes it."""
        plain = Measured.record(self, key)
        return plain._replace(
            digest=digest_of(f"{self.path} {sorted(self.unit_versions.items())}".encode()),
            units=tuple(
                (*place[:3], digest_of(f"{name} {self.unit_versions.get(name, 0)}".encode())[:8])
                for name, place in zip(self.units, plain.units, strict=True)
            ),
        )


def version(
    path: str = "src/shop/basket.py",
    *,
    state: FileState = FileState.MEASURED,
    **units: int,
) -> Version:
    """The basket with these versions of its units, named by the last part: `add=2`; `module`."""
    names = {"module": "", "Basket": "Basket"}
    said = {names.get(name, f"Basket.{name}"): number for name, number in units.items()}
    basket = basket_of(path)
    return Version(
        path=basket.path,
        text=basket.text,
        statements=basket.statements,
        units=basket.units if state is FileState.MEASURED else {},
        state=state,
        unit_versions=said,
    )


def record(
    data: DataFile,
    when: float,
    tests: Mapping[str, tuple[Ran, Outcome]],
    *,
    files: Iterable[Measured] = (version(),),
    duration: float = 0.25,
    append: bool = False,
    keep_runs: int = 1,
    keep_history: int = 100,
    status: RunStatus = RunStatus.FINISHED,
    label: str = "",
    name: str = "",
) -> None:
    """A run `when` seconds after noon: what each test ran, and how it ended."""
    with data.run(
        started=NOON + when,
        append=append,
        keep_runs=keep_runs,
        keep_history=keep_history,
        status=status,
        label=label,
        name=name,
    ) as run:
        for file in files:
            run.file(file)
        for test, (ran, outcome) in tests.items():
            run.test(test, ran, outcome=outcome, duration=duration)


def history_of(data: DataFile, *, test: str | None = None, run: str | None = None) -> History:
    """What `whotests history` answers."""
    return history(read_series([data.path], run=run, clock=lambda: NOON + 1e6), test=test)


def ends(data: DataFile, test: str, *, run: str | None = None) -> list[tuple[float, str]]:
    """When a test ran, in seconds after noon, and how it ended."""
    (series,) = history_of(data, test=test, run=run).asked
    return [(entry.run.started - NOON, entry.outcome.value) for entry in series.entries]


def codes(data: DataFile, test: str) -> list[int | None]:
    """The number of the code that a test ran, for each of its runs."""
    (series,) = history_of(data, test=test).asked
    return [entry.code for entry in series.entries]
