"""Facts of small programs, statement kind by statement kind, against coverage.py's C tracer.

Each program of tests/programs runs in a context for every way that it can go; see exact_driver.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from both_measured import Comparing, borrowed_lines
from branch_facts import BranchFacts
from facts import Facts, agreement, count, coverage_facts, differences, whotests_facts
from measured_commands import run_measured, run_plain
from whotests.types import bits_of, lines_in

HERE = Path(__file__).parent
LEAST = 320
"""Programs."""
LEAST_BRANCHES = 2_000
"""Facts."""

RESUMED = {
    ("suspensions_async_comprehensions.py", 3),
    ("suspensions_async_for_on_one_line.py", 2),
    ("suspensions_async_generator_expression.py", 2),
    ("suspensions_generator_that_assigns.py", 4),
}
"""Lines that go on in a later context, on the line on which they were suspended: ours count
there, the tracer's only once the line changes or a loop turns."""

RESUMED_AND_JUMPED = {
    ("suspensions_generator_defaults_and_decorators.py", 2),
    ("suspensions_generator_defaults_and_decorators.py", 3),
    ("suspensions_generator_defaults_and_decorators.py", 5),
    ("suspensions_generator_that_gets_values.py", 3),
    ("suspensions_generator_with_several_on_a_line.py", 2),
}
"""The other way round: a `yield` in a decorator or default, and, since 3.12, one before an `or`."""


def programs() -> Mapping[str, str]:
    """The texts that this Python has the grammar for, by module name."""
    texts = {}
    for file in sorted((HERE / "programs").glob("*.txt")):
        newest = re.search("3([0-9]{2})$", file.stem)
        if newest and sys.version_info < (3, int(newest[1])):
            continue
        for part in file.read_text(encoding="utf-8").split("=== ")[1:]:
            title, _, text = part.partition("\n")
            texts[f"{file.stem}_{re.sub('[^a-z0-9]+', '_', title.lower())}"] = text
    return texts


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all programs were run: by coverage.py twice, by whotests once, with branches."""
    root = tmp_path_factory.mktemp("programs")
    folder = root / "small"
    folder.mkdir()
    for name, text in programs().items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    driver = ("python", str(HERE / "exact_driver.py"), str(folder))
    for words in ((".lines",), (".branches", "branch")):
        plain = run_plain(*driver, *words, cwd=root)
        assert plain.status == 0, plain.err
    measured = run_measured(*driver, cwd=root, options=("--source", "small", "--branch"))
    assert measured.status == 0, measured.err
    return root


@pytest.fixture(scope="module")
def both(root: Path) -> tuple[Facts, Facts]:
    """The lines that coverage.py and that whotests recorded."""
    return (
        _of_labels(coverage_facts(root / ".lines", root)),
        _of_labels(whotests_facts(root / ".whotests" / "data.db", root)),
    )


def _of_labels(facts: Facts) -> Facts:
    return {key: lines for key, lines in facts.items() if key[0] not in ("", "import")}


def _shown(found: Facts, others: Facts, known: set[tuple[str, int]]) -> list[str]:
    texts = programs()
    return [
        f"{difference.path}:{difference.line} "
        f"{texts[Path(difference.path).stem].splitlines()[difference.line - 1]!r} "
        f"in {len(difference.contexts)}: {difference.contexts[0]}"
        for difference in differences(found, others)
        if (Path(difference.path).name, difference.line) not in known
    ]


def test_there_are_many_programs(both: tuple[Facts, Facts]) -> None:
    """All of them ran, under both."""
    for facts in both:
        assert len({path for _, path in facts}) == len(programs()) >= LEAST
        assert count(facts) > 10_000


def test_no_fact_is_superfluous(both: tuple[Facts, Facts]) -> None:
    """A line counts for no context in which it did not run."""
    theirs, ours = both
    assert _shown(ours, theirs, RESUMED) == []


def test_no_fact_is_missing(both: tuple[Facts, Facts]) -> None:
    """Every line counts for each context in which it ran. Left out are the facts on lines that
    the compiler lent to code of other statements (docs/exactness.md)."""
    theirs, ours = both
    lent = {f"small/{name}.py": borrowed_lines(text) for name, text in programs().items()}
    rest = {
        key: bits_of(line for line in lines_in(lines) if line not in lent[key[1]])
        for key, lines in theirs.items()
    }
    assert _shown(rest, ours, RESUMED_AND_JUMPED) == []


def test_branches_are_the_same(root: Path) -> None:
    """Every branch counts for each context in which it was taken, and for no other, but for the
    differences that docs/exactness.md names."""
    facts = BranchFacts(root)
    theirs = _of_labels(facts.of_coverage(root / ".branches"))
    ours = _of_labels(facts.of_whotests(root / ".whotests" / "data.db"))
    assert agreement(theirs, ours) > LEAST_BRANCHES
    lent = {f"small/{name}.py": borrowed_lines(text) for name, text in programs().items()}
    assert facts.unexplained(theirs, ours, lent) == []


def test_a_line_lent_to_other_code_does_not_run(tmp_path: Path) -> None:
    """Before 3.12, what leads out of a `finally` that raises has the line of its last statement:
    the tracer says that this has run, whotests that it has not."""
    text = """\
def f():
    try:
        fail()
    finally:
        fail()
        never = 1
switch("a")
try:
    f()
except NameError:
    done = 1
"""
    with Comparing(tmp_path) as comparing:
        compared = comparing.compare(text)
    assert compared.missing == ({("a", (6, 0))} if sys.version_info < (3, 12) else set())
    assert not compared.unexplained
    assert not compared.superfluous


def test_a_label_begins_within_a_function(tmp_path: Path) -> None:
    """What a function ran before and after a `with` that begins a context is not in that."""
    text = """\
class label:
    def __init__(self, name):
        self.name = name
    def __enter__(self):
        switch(self.name)
    def __exit__(self, *_):
        switch("rest")
def f():
    before = 1
    before = 2
    with label("x"):
        inside = 1
        inside = 2
    after = 1
    after = 2
switch("rest")
f()
"""
    with Comparing(tmp_path) as comparing:
        compared = comparing.compare(text)
    assert {line for line, _ in compared.ours["x"]} == {7, 11, 12, 13}, str(compared)
    assert compared.theirs == compared.ours


def test_a_thread_stays_in_its_loop_over_contexts(tmp_path: Path) -> None:
    """What a thread ran before its loop is in no context that came later."""
    text = """\
from queue import SimpleQueue
from threading import Thread
given, taken = SimpleQueue(), SimpleQueue()
def work():
    before = 1
    before = 2
    while True:
        value = given.get()
        if value is None:
            return
        inside = value
        taken.put(inside)
thread = Thread(target=work)
thread.start()
given.put(1)
taken.get()
switch("a")
given.put(2)
taken.get()
switch("b")
given.put(None)
thread.join()
"""
    with Comparing(tmp_path) as comparing:
        compared = comparing.compare(text)
    # It may wait for the next value before a switch, or behind it.
    waiting = {7, 8}
    for context, lines in (("a", {9, 11, 12, 18, 19, 20}), ("b", {9, 10, 21, 22})):
        for recorded in (compared.ours, compared.theirs):
            assert {line for line, _ in recorded[context]} - waiting == lines, str(compared)


def test_the_deepest_nesting_is_measured(tmp_path: Path) -> None:
    """Where the compiler allows no more blocks, ours give way: a probe for each statement."""
    lines = ["def f():"]
    for depth in range(1, 19, 2):
        lines += [" " * depth + "for x in (1, 2):", " " * (depth + 1) + "try:"]
    lines += [" " * 19 + "before = 1", " " * 19 + "fail()", " " * 19 + "never = 1"]
    for depth in range(17, 0, -2):
        lines += [" " * (depth + 1) + "finally:", " " * (depth + 2) + "done = 1"]
    lines += ['switch("a")', "try:", " f()", "except NameError:", " pass"]
    with Comparing(tmp_path) as comparing:
        compared = comparing.compare("\n".join(lines) + "\n")
    assert compared.theirs == compared.ours, str(compared)
    assert len(compared.ours["a"]) > 30


def test_the_deepest_module_is_measured(tmp_path: Path) -> None:
    """The same at the top level, where the module's own block gives way as well."""
    lines = ['switch("a")']
    lines += [f"{' ' * depth}for x in 'a':" for depth in range(20)]
    lines += [" " * 20 + "done = 1"]
    with Comparing(tmp_path) as comparing:
        compared = comparing.compare("\n".join(lines) + "\n")
    assert compared.theirs == compared.ours, str(compared)
    assert len(compared.ours["a"]) == 21
