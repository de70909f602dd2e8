"""The branches that `whotests.source` finds in a file are those of coverage.py.

    python tests/test_source_branches.py FOLDER...

compares all files of folders, and prints where they differ.
"""

import ast
import inspect
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from coverage.config import DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS
from coverage.exceptions import NotPython
from coverage.misc import join_regex
from coverage.parser import PythonParser

from source_maker import program
from source_programs import SOURCES
from test_source_differential import real_files, with_pragmas
from whotests.source import rules
from whotests.source.analysis import Analysis, analyse
from whotests.source.branches import Way, branches_of
from whotests.source.text import decode
from whotests.source.units import unit_nodes
from whotests.types import lines_in

HERE = Path(__file__).parent
PARTIAL = DEFAULT_PARTIAL + DEFAULT_PARTIAL_ALWAYS
Arc = tuple[int, int]


def branch_arcs(parser: PythonParser) -> list[Arc]:
    """coverage.py's arcs of the lines that have more than one."""
    counts = Counter(line for line, _ in parser.arcs())
    return sorted((line, to) for line, to in parser.arcs() if counts[line] > 1)


def branch_counts(analysis: Analysis) -> dict[int, int]:
    """How many branches each line has that has several, exclusion applied."""
    excluded = analysis.excluded
    counts: dict[int, int] = defaultdict(int)
    for line, to in analysis.branches.arcs:
        if not excluded >> line & 1 and (to < 0 or not excluded >> to & 1):
            counts[line] += 1
    return {line: count for line, count in counts.items() if count > 1}


class UnknownError(Exception):
    """coverage.py finds several ways out of a `with` where it expects one, and gives up."""


def differences(source: bytes, name: str) -> list[str]:
    """Where whotests and coverage.py disagree about branches, in words.

    None where both refuse the file. Raises UnknownError.
    """
    theirs = ours = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            text = decode(source).replace("\f", " ")  # as it does itself
            theirs = PythonParser(text=text, filename=name, exclude=join_regex(DEFAULT_EXCLUDE))
            theirs.parse_source()
            unrestricted = PythonParser(text=text, filename=name)
            unrestricted.parse_source()
            unrestricted.arcs()
        except AssertionError as error:
            raise UnknownError(name) from error
        except (NotPython, SyntaxError, ValueError, RecursionError):
            theirs = None
        try:
            ours = analyse(source, name, branch=True)
        except (SyntaxError, ValueError, RecursionError):
            ours = None
    if theirs is None or ours is None:
        return (
            []
            if not theirs and not ours
            else [f"{name}: refused by {'us' if theirs else 'them'} alone"]
        )
    exits = {line: count for line, count in theirs.exit_counts().items() if count > 1}
    pairs: dict[str, tuple[object, object]] = {
        "branches": (list(ours.branches.arcs), branch_arcs(unrestricted)),
        "branches left": (sorted(branch_counts(ours).items()), sorted(exits.items())),
        "partial": (
            list(lines_in(ours.partial)),
            sorted(theirs.lines_matching(join_regex(PARTIAL))),
        ),
        "taken by some way": (set(ours.branches.ways.values()), {*range(len(ours.branches.arcs))}),
    }
    return [
        f"{name}: {what}: ours {mine}, coverage.py's {other}"
        for what, (mine, other) in pairs.items()
        if mine != other
    ]


def small_programs() -> Iterator[tuple[str, bytes]]:
    """What tests/programs has, those for newer Pythons too."""
    for file in sorted((HERE / "programs").glob("*.txt")):
        for part in file.read_text(encoding="utf-8").split("=== ")[1:]:
            title, _, text = part.partition("\n")
            yield f"{file.stem}: {title}", text.encode()


def made_programs(seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Programs of odd statements that compile, always the same of a seed."""
    random = Random(seed)
    while count:
        text = program(random.randrange)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compile(text, "program.py", "exec", dont_inherit=True)
        except SyntaxError:
            continue
        count -= 1
        yield text, text.encode()


def test_default_rules() -> None:
    """The default rules of partial branches are coverage.py's."""
    assert list(rules.DEFAULT_PARTIAL + rules.ALWAYS_PARTIAL) == PARTIAL


@pytest.mark.parametrize("name", SOURCES)
def test_program(name: str) -> None:
    """Each kind of statement and each odd case has coverage.py's branches, with a pragma on any
    line, too."""
    sources = [SOURCES[name], *with_pragmas(SOURCES[name])]
    sources += [source.replace(b"no cover", b"no branch") for source in sources]
    assert [text for source in sources for text in differences(source, repr(source))] == []


def test_small_programs() -> None:
    """The programs that are run to compare facts have coverage.py's branches, with a pragma on
    any line, too."""
    found = []
    for name, source in small_programs():
        found += differences(source, name)
        for excluding in with_pragmas(source):
            found += differences(excluding, excluding.decode())
    assert found == []


def test_made_programs() -> None:
    """Programs of any statements in any order, dead code among them, have coverage.py's
    branches."""
    found, refused = [], 0
    for name, source in made_programs(seed=7, count=600):
        try:
            found += differences(source, name)
        except UnknownError:
            refused += 1
    assert found == []
    assert refused < 30


def test_real_files() -> None:
    """Real files, a sample, have coverage.py's branches."""
    paths = list(real_files(part=120))
    assert len(paths) > 10
    assert [text for path in paths for text in differences(path.read_bytes(), str(path))] == []


def taken(text: str) -> dict[str, dict[Way, Arc]]:
    """The branches of a program by the first line of what takes them, as the text has it."""
    tree = ast.parse(text)
    branches = analyse(text.encode(), "program.py", tree, text, branch=True).branches
    lines = text.splitlines()
    ways: dict[str, dict[Way, Arc]] = {}
    for node in ast.walk(tree):
        number = getattr(node, "lineno", None)
        if isinstance(node, ast.match_case):
            number = node.pattern.lineno
        for way in Way:
            index = branches.ways.get((id(node), way))
            if index is not None:
                assert number is not None
                name = f"{type(node).__name__} {lines[number - 1].strip()}"
                ways.setdefault(name, {})[way] = branches.arcs[index]
    return ways


def test_ways_of_a_test() -> None:
    """A test leads into its suite, or past it; what it leads past to may be the function's end."""
    assert taken("def f():\n    if a:\n        b\n    elif c:\n        d\n") == {
        "If if a:": {Way.BODY: (2, 3), Way.ELSE: (2, 4)},
        "If elif c:": {Way.BODY: (4, 5), Way.ELSE: (4, -1)},
    }


def test_ways_of_a_suite_on_the_line_of_its_header() -> None:
    """The last statement of such a suite takes the branch, the way into it is none."""
    assert taken("@a\ndef f():\n    if a: b; return c\n    while d: e\n    f\n") == {
        "If if a: b; return c": {Way.ELSE: (3, 4)},
        "Return if a: b; return c": {Way.NEXT: (3, -1)},
    }
    assert taken("if a: b\nelse: c\nd\n") == {
        "If if a: b": {Way.ELSE: (1, 2)},
        "Expr if a: b": {Way.NEXT: (1, 3)},
    }


def test_ways_of_a_definition_on_one_line() -> None:
    """Its line leads on where it is defined, and out of the function where that runs."""
    assert taken("a\ndef f(): return b\nc\n") == {
        "FunctionDef def f(): return b": {Way.NEXT: (2, 3)},
        "Return def f(): return b": {Way.NEXT: (2, -2)},
    }


def test_ways_of_loops() -> None:
    """A loop leads into its suite or past it; out of `while True` there is only the `break`."""
    assert taken("for a in b:\n    c\nwhile d:\n    e\nelse:\n    f\nwhile 1:\n    g\n") == {
        "For for a in b:": {Way.BODY: (1, 2), Way.ELSE: (1, 3)},
        "While while d:": {Way.BODY: (3, 4), Way.ELSE: (3, 6)},
    }


def test_ways_of_a_match() -> None:
    """A case leads into its suite or to the next case; a last one that takes all, only into it."""
    assert taken("match a:\n    case 1:\n        b\n    case _:\n        c\n") == {
        "match_case case 1:": {Way.BODY: (2, 3), Way.ELSE: (2, 4)},
    }
    assert taken("match a:\n    case 1:\n        b\nc\n") == {
        "match_case case 1:": {Way.BODY: (2, 3), Way.ELSE: (2, 4)},
    }


def test_the_way_out_through_a_with() -> None:
    """What ends the suite of a `with` leads to what follows that."""
    assert taken("with a:\n    with b:\n        if c:\n            d\ne\n") == {
        "If if c:": {Way.BODY: (3, 4), Way.ELSE: (3, 5)},
    }


def test_ways_through_a_finally() -> None:
    """A suite leads into its `finally`; where none before it can complete, that leads nowhere."""
    goes_on = "def f():\n    try:\n        {}\n    finally:\n        if b:\n            c\n    d\n"
    assert taken(goes_on.format("a")) == {"If if b:": {Way.BODY: (5, 6), Way.ELSE: (5, 7)}}
    assert taken(goes_on.format("return")) == {}


def test_a_long_chain_of_tests() -> None:
    """A chain of `elif` is a tree that is deeper than Python may recurse, and is no trouble."""
    count = 300
    elifs = "".join(f"    elif a == {number}:\n        b\n" for number in range(count))
    text = f"try:\n    if a:\n        b\n{elifs}finally:\n    if c:\n        d\ne\n"
    units = unit_nodes(ast.parse(text))
    lines = {number for number, line in enumerate(text.splitlines(), 1) if line != "finally:"}
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 50)
    try:
        branches = branches_of(units, first_lines={}, statements=lines)
    finally:
        sys.setrecursionlimit(limit)
    assert len(branches.arcs) == 2 * (count + 2)


def main(folders: list[str]) -> None:
    """Compares all files of the folders."""
    files = lines = unknown = 0
    different = set()
    for path in sorted({path for folder in folders for path in Path(folder).rglob("*.py")}):
        source = path.read_bytes()
        try:
            found = differences(source, str(path))
        except UnknownError:
            unknown += 1
            continue
        files += 1
        lines += source.count(b"\n")
        for text in found:
            print(text)
            different.add(path)
    print(f"{files} files, {lines} lines, {len(different)} differ, {unknown} not known")


if __name__ == "__main__":
    main(sys.argv[1:])
