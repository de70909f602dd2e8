"""One suite run plainly and measured, and every difference between the two put in its place."""

import shutil
from dataclasses import dataclass

from benchmarks.workplaces import Workplace
from compat.outcomes import differences
from compat.reasons import reason_for
from compat.running import Run, run_suite
from compat.suites import Suite

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The runs of one suite held against each other."""

    suite: Suite
    options: tuple[str, ...]
    plain: Run
    measured: Run
    """The second measured one, whose cache was filled."""
    flaky: tuple[str, ...]
    """Differences that two plain runs have as well."""
    explained: tuple[tuple[str, str], ...]
    """Differences and the reason that is known for each."""
    unexplained: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Processor time with a filled cache over that of the plain run."""
        return self.measured.cpu / self.plain.cpu

    @property
    def incomplete(self) -> str:
        """What whotests said of data that it lost, or ''."""
        return self.measured.incomplete

    @property
    def told(self) -> str:
        """One line for each difference, below one for the suite."""
        outcomes = self.plain.outcomes
        lines = [f"{self.suite.name}: {outcomes.count:,} tests, {outcomes.summary}"]
        lines += [f"  DIFFERENT {line}" for line in self.unexplained]
        lines += [f"  {self.incomplete}"] if self.incomplete else []
        lines += [f"  differs by itself: {line}" for line in self.flaky]
        lines += [f"  {line}: {reason}" for line, reason in self.explained]
        return "\n".join([*lines, f"  {self.ratio:.2f} times the plain suite's processor time"])


def compare(suite: Suite, place: Workplace[Suite], *, options: tuple[str, ...]) -> Comparison:
    """Run the suite plainly, and measured with an empty cache and with a filled one.

    Where these differ it is run plainly twice more: what differs then, too, differs by itself.
    Raises RunError when a run does not come to its end.
    """
    plain = run_suite(suite, place, options=None)
    shutil.rmtree(place.data_folder, ignore_errors=True)
    cold = run_suite(suite, place, options=options)
    warm = run_suite(suite, place, options=options)
    found = [
        line
        for measured in (cold, warm)
        for line in differences(plain.outcomes, measured.outcomes, ordered=suite.ordered)
    ]
    found = list(dict.fromkeys(found))
    flaky: set[str] = set()
    if found:
        again = [run_suite(suite, place, options=None) for _ in range(2)]
        for one, other in ((plain, again[0]), (plain, again[1]), (again[0], again[1])):
            changes = differences(one.outcomes, other.outcomes, ordered=suite.ordered)
            flaky.update(map(subject, changes))
    rest = [line for line in found if subject(line) not in flaky]
    reasons = [(line, reason_for(suite.name, line)) for line in rest]
    return Comparison(
        suite=suite,
        options=options,
        plain=plain,
        measured=warm,
        flaky=tuple(line for line in found if subject(line) in flaky),
        explained=tuple((line, reason) for line, reason in reasons if reason),
        unexplained=tuple(line for line, reason in reasons if not reason),
    )


def subject(difference: str) -> str:
    """What a line of `differences` is about: the kind of event and the test."""
    words = difference.split(": ", 2)
    return words[1] if words[0].startswith("only") else words[0]
