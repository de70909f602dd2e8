"""Facts of generated programs, against coverage.py's C tracer.

    python tests/test_exact_generated.py SECONDS [SEED] [branch]

does the same for as long as one likes, and prints the programs that differ.
"""

import sys
import tempfile
import time
import warnings
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from both_measured import Comparing, Comparison
from program_helpers import helpers
from program_maker import program

EXAMPLES = 250


@st.composite
def programs(draw: st.DrawFn) -> str:
    """The text of a program."""
    return program(lambda bound: draw(st.integers(0, bound - 1)) if bound > 1 else 0)


def compare(comparing: Comparing, text: str, seed: int) -> tuple[Comparison, bool]:
    """What both recorded of a program, and whether its calls ended alike in both runs."""
    logs: list[object] = []

    def surroundings() -> dict[str, object]:
        names = dict(helpers(seed))
        logs.append(names["log"])
        return names

    # Programs leave coroutines behind, and raise where generators are closed.
    unraisable, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compared = comparing.compare(text, surroundings)
    finally:
        sys.unraisablehook = unraisable
    return compared, logs[0] == logs[1]


def agree(compared: Comparison) -> bool:
    """Whether the facts are the same but for named differences, and the program ended as
    without us."""
    return not compared.unexplained and compared.their_ending == compared.our_ending


@pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
def test_generated_programs(tmp_path: Path, branch: bool) -> None:
    """Whatever is nested in whatever, and raises or suspends where: the facts are the same."""
    with Comparing(tmp_path, branch=branch) as comparing:

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(text=programs(), seed=st.integers(0, 1_000_000))
        def check(text: str, seed: int) -> None:
            compared, ended_alike = compare(comparing, text, seed)
            assert agree(compared), str(compared)
            assert ended_alike, text

        check()


def search(seconds: float, seed: int, *, branch: bool) -> int:
    """Compares programs made at random until the time is over; returns how many differed."""
    end = time.monotonic() + seconds
    count = facts = named = differing = 0
    with (
        tempfile.TemporaryDirectory() as folder,
        Comparing(Path(folder), branch=branch) as comparing,
    ):
        while time.monotonic() < end:
            seed += 1
            random = Random(seed)
            simplicity = random.choice((0.0, 0.15, 0.3))

            def choose(bound: int, random: Random = random, simplicity: float = simplicity) -> int:
                return 0 if random.random() < simplicity else random.randrange(bound)

            compared, ended_alike = compare(comparing, program(choose), seed)
            count += 1
            facts += sum(map(len, compared.theirs.values()))
            named += len(compared.missing) + len(compared.superfluous)
            if not agree(compared) or not ended_alike:
                differing += 1
                print(f"seed {seed}, calls ended alike: {ended_alike}\n{compared}\n")
    print(f"{count} programs, {facts} facts, {named} differ by rule, {differing} programs differ")
    return differing


if __name__ == "__main__":
    _, seconds, *rest = sys.argv
    branch = rest[-1:] == ["branch"]
    seed = int(rest[0]) if rest[: 1 - branch] else 0
    sys.exit(min(search(float(seconds), seed, branch=branch), 1))
