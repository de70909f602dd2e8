"""The facts of a coverage.py data file and of a whotests data file, side by side.

    python tests/facts.py COVERAGE_FILE WHOTESTS_FILE --root DIR

A fact is (context, file, first line of a statement), before exclusion. Contexts are named as
pytest-cov names them: 'nodeid|setup', 'nodeid|run', 'nodeid|teardown'. Ends with 0 when both
files hold the same facts of tests, with 1 otherwise.
"""

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from coverage import CoverageData
from coverage.exceptions import NotPython
from coverage.parser import PythonParser

from whotests.source.text import digest_of
from whotests.store.reader import Reader
from whotests.types import Phase, lines_in

__all__ = [
    "Difference",
    "Facts",
    "count",
    "coverage_facts",
    "differences",
    "of_tests",
    "statement_lines",
    "whotests_facts",
]

Facts = Mapping[tuple[str, str], int]
"""(context, path) to the bitmap of first lines; paths are relative to the root where below it."""

PHASES = {Phase.SETUP: "setup", Phase.CALL: "run", Phase.TEARDOWN: "teardown"}
LIMIT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A line that one side has in contexts in which the other has not."""

    path: str
    line: int
    contexts: tuple[str, ...]
    """Ascending."""


def statement_lines(path: Path) -> tuple[int, Mapping[int, int]]:
    """The statements of a file before exclusion, and the first line of each other line.

    Both are coverage.py's. A file that it cannot parse has none.
    """
    parser = PythonParser(filename=str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parser.parse_source()
        except NotPython:
            return 0, {}
    statements = 0
    for line in parser.statements:
        statements |= 1 << line
    return statements, parser.multiline_map


def coverage_facts(data_file: Path, root: Path) -> Facts:
    """The facts that coverage.py recorded: lines are folded, and those of no statement dropped."""
    data = CoverageData(basename=str(data_file))
    data.read()
    facts: dict[tuple[str, str], int] = {}
    for measured in data.measured_files():
        file = root / measured
        statements, first_lines = statement_lines(file)
        path = shown(file, root)
        for line, contexts in data.contexts_by_lineno(measured).items():
            bit = 1 << first_lines.get(line, line) if line > 0 else 0
            if bit & statements:
                for context in contexts:
                    facts[context, path] = facts.get((context, path), 0) | bit
    return facts


def whotests_facts(data_file: Path, root: Path) -> Facts:
    """The facts of the newest recorded version of each file, labels by their own names."""
    facts: dict[tuple[str, str], int] = {}
    with Reader.open(data_file) as reader:
        roots = {run.id: Path(run.root) for run in reader.runs}
        newest: dict[str, int] = {}
        for version in reader.files:  # of a path, the newest version comes first
            newest.setdefault(shown(roots[version.newest_run] / version.path, root), version.id)
        paths = {file_id: path for path, file_id in newest.items()}
        # A footprint as the facts of any context that has it.
        footprints: dict[int, dict[str, int]] = {}
        patterns = reader.all_patterns
        for footprint, ids in reader.footprints():
            lines = footprints[footprint] = {}
            for pattern in map(patterns.__getitem__, ids):
                file = paths.get(pattern.unit.file_id)
                if file is not None:
                    lines[file] = lines.get(file, 0) | pattern.lines
        for context in reader.contexts():
            name = context.label
            if context.test is not None and context.phase is not None:
                name = f"{context.test.name}|{PHASES[context.phase]}"
            for path, bits in footprints[context.footprint_id].items():
                facts[name, path] = facts.get((name, path), 0) | bits
    return facts


def changed_files(data_file: Path, root: Path) -> list[str]:
    """The files that are not on the disk as whotests recorded them last."""
    changed = []
    seen = set()
    with Reader.open(data_file) as reader:
        roots = {run.id: Path(run.root) for run in reader.runs}
        for version in reader.files:
            file = roots[version.newest_run] / version.path
            if file not in seen:
                seen.add(file)
                if not file.exists() or digest_of(file.read_bytes()) != version.digest:
                    changed.append(shown(file, root))
    return changed


def shown(file: Path, root: Path) -> str:
    """A file's path with '/', relative to the root when it is below it."""
    file, root = file.resolve(), root.resolve()
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()


def of_tests(facts: Facts) -> Facts:
    """The facts whose context is a phase of a test."""
    endings = tuple(f"|{name}" for name in PHASES.values())
    return {key: lines for key, lines in facts.items() if key[0].endswith(endings)}


def outside_tests(facts: Facts) -> Facts:
    """The other facts as those of one context: what ran before and between tests, or at import."""
    tests = of_tests(facts)
    union: dict[tuple[str, str], int] = {}
    for key, lines in facts.items():
        if key not in tests:
            union["", key[1]] = union.get(("", key[1]), 0) | lines
    return union


def count(facts: Facts) -> int:
    """How many facts these are."""
    return sum(lines.bit_count() for lines in facts.values())


def agreement(one: Facts, other: Facts) -> int:
    """How many facts are in both."""
    return sum((lines & other.get(key, 0)).bit_count() for key, lines in one.items())


def differences(facts: Facts, others: Facts) -> list[Difference]:
    """The lines of `facts` that `others` lacks, those in most contexts first."""
    contexts: dict[tuple[str, int], list[str]] = {}
    for (context, path), lines in facts.items():
        for line in lines_in(lines & ~others.get((context, path), 0)):
            contexts.setdefault((path, line), []).append(context)
    found = [
        Difference(path=path, line=line, contexts=tuple(sorted(names)))
        for (path, line), names in contexts.items()
    ]
    found.sort(key=lambda difference: (-len(difference.contexts), difference.path, difference.line))
    return found


def report(theirs: Facts, ours: Facts, *, root: Path, out: TextIO) -> bool:
    """Writes how far the facts of tests agree; whether they do so wholly."""
    their_tests, our_tests = of_tests(theirs), of_tests(ours)
    agreed = agreement(their_tests, our_tests)
    missing = differences(their_tests, our_tests)
    superfluous = differences(our_tests, their_tests)
    print(
        f"{agreed} facts of tests agree; coverage.py has {count(their_tests)}, "
        f"whotests {count(our_tests)}",
        file=out,
    )
    for title, found in (("missing", missing), ("superfluous", superfluous)):
        total = sum(len(difference.contexts) for difference in found)
        print(f"{title}: {total} facts on {len(found)} lines", file=out)
        by_file = Counter(difference.path for difference in found)
        chosen = found[:LIMIT]
        for path in dict.fromkeys(difference.path for difference in chosen):
            print(f"  {path} ({by_file[path]} lines)", file=out)
            text = source_lines(root / path)
            for difference in chosen:
                if difference.path == path:
                    source = text[difference.line - 1] if difference.line <= len(text) else ""
                    print(
                        f"    {difference.line:5} {len(difference.contexts):5}x  "
                        f"{source.rstrip()}    [{difference.contexts[0]}]",
                        file=out,
                    )
    for kind, one, other in (
        ("coverage.py", their_tests, our_tests),
        ("whotests", our_tests, their_tests),
    ):
        for place, what in enumerate(("contexts", "files")):
            only = sorted({key[place] for key in one} - {key[place] for key in other})
            if only:
                print(f"{len(only)} {what} only in {kind}: {only[:5]}", file=out)
    their_rest, our_rest = outside_tests(theirs), outside_tests(ours)
    print(
        f"outside tests (no verdict): {agreement(their_rest, our_rest)} lines agree; "
        f"coverage.py has {count(their_rest)}, whotests {count(our_rest)}",
        file=out,
    )
    return not missing and not superfluous


def source_lines(file: Path) -> Sequence[str]:
    """A file's lines to be shown; none when it is gone."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ()


def main(arguments: Sequence[str]) -> int:
    """The exit status of the command that the module's docstring describes."""
    parser = argparse.ArgumentParser(prog="facts.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("coverage_file", type=Path)
    parser.add_argument("whotests_file", type=Path)
    parser.add_argument("--root", type=Path, default=Path(), help="the project's folder")
    options = parser.parse_args(arguments)
    root = options.root.resolve()
    if not options.coverage_file.exists():
        parser.error(f"{options.coverage_file} does not exist; record it with pytest-cov first")
    for path in changed_files(options.whotests_file, root):
        print(f"changed since whotests recorded it: {path}")
    same = report(
        coverage_facts(options.coverage_file.resolve(), root),
        whotests_facts(options.whotests_file, root),
        root=root,
        out=sys.stdout,
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
