"""Runs a program twice, under coverage.py's C tracer and under whotests, and compares the facts.

The program finds in its namespace `switch(label)`, which ends one context and begins another,
and whatever `surroundings` makes anew for each of the two runs.
"""

import dis
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from coverage import Coverage

from branch_facts import FileBranches
from explained_branches import Explained
from facts import statement_lines
from whotests.packing.branches import unpack_branches
from whotests.probes.cache import Cache
from whotests.probes.collecting import block_of, collect, keys_of
from whotests.probes.load import Loading
from whotests.probes.loaded import LoadedFile, layout_of
from whotests.recording.contexts import Contexts
from whotests.records import FileContent
from whotests.source.compiler_warnings import kept_warnings
from whotests.source.logical_lines import continuations
from whotests.source.rules import Rules
from whotests.types import Runner, TestName, lines_in

__all__ = ["Comparing", "Comparison", "Found", "borrowed_lines"]

Arc = tuple[int, int]
Found = dict[str, set[Arc]]
"""Context -> what ran in it: branches, or first lines of statements with a 0."""
Surroundings = Callable[[], Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What both recorded of one program."""

    text: str
    branch: bool
    """Branches were compared, not lines."""
    theirs: Found
    ours: Found
    their_ending: str
    """How the module's code ended: '' or the exception."""
    our_ending: str

    @property
    def missing(self) -> set[tuple[str, Arc]]:
        """Facts that only coverage.py has."""
        return _pairs(self.theirs) - _pairs(self.ours)

    @property
    def superfluous(self) -> set[tuple[str, Arc]]:
        """Facts that only whotests has."""
        return _pairs(self.ours) - _pairs(self.theirs)

    @property
    def unexplained(self) -> set[tuple[str, Arc]]:
        """Facts that only one has and that docs/exactness.md does not name."""
        if not self.missing and not self.superfluous:
            return set()
        lent = borrowed_lines(self.text)
        if not self.branch:
            return self.superfluous | {fact for fact in self.missing if fact[1][0] not in lent}
        rules = Explained(self.text, lent)
        missing = {fact for fact in self.missing if not rules.missing(fact[1])}
        return missing | {fact for fact in self.superfluous if not rules.superfluous(fact[1])}

    def __str__(self) -> str:
        """The program, with the contexts that differ beside each line."""
        marks: dict[int, list[str]] = {}
        for sign, facts in (("-", self.missing), ("+", self.superfluous)):
            for context, (line, to) in sorted(facts):
                way = f"->{to}" if to else ""
                marks.setdefault(line, []).append(f"{sign}{context}{way}")
        shown = [
            f"{number:3} {' '.join(marks.get(number, ())):12} {line}"
            for number, line in enumerate(self.text.split("\n"), 1)
        ]
        if self.their_ending != self.our_ending:
            shown.append(f"ended: {self.their_ending!r}, measured by us: {self.our_ending!r}")
        return "\n".join(["(- missing, + superfluous)", *shown])


class Comparing:
    """Runs programs under both while it is entered; files go to a folder of its own.

    It compares lines, or with `branch` branches: then coverage.py files the line before a change
    of contexts under the later one.

    coverage.py's tracer is started once: since Python 3.12, one that is started often in a
    process misses lines at random.
    """

    def __init__(self, folder: Path, *, branch: bool = False) -> None:
        self._folder = folder
        self._branch = branch
        self._count = 0
        self._coverage = Coverage(
            data_file=None,
            config_file=False,
            include=[str(folder / "plain*")],
            messages=False,
            branch=branch,
        )
        self._coverage.set_option("run:core", "ctrace")
        self._coverage.set_option("run:disable_warnings", ["no-data-collected", "no-sysmon"])
        self._before: Any = None

    def __enter__(self) -> "Comparing":
        self._before = sys.gettrace()
        self._coverage.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._coverage.stop()
        sys.settrace(self._before)

    def compare(self, text: str, surroundings: Surroundings = dict) -> Comparison:
        """What both recorded of a program that each ran once."""
        self._count += 1
        theirs, their_ending = self._under_coverage(text, surroundings)
        path = self._folder / f"measured{self._count}.py"
        ours, our_ending = _under_whotests(path, text, surroundings, self._branch)
        return Comparison(
            text=text,
            branch=self._branch,
            theirs=theirs,
            ours=ours,
            their_ending=their_ending,
            our_ending=our_ending,
        )

    def _under_coverage(self, text: str, surroundings: Surroundings) -> tuple[Found, str]:
        path = self._folder / f"plain{self._count}.py"
        path.write_text(text, encoding="utf-8")
        code = compile(text, str(path), "exec", dont_inherit=True)
        coverage = self._coverage
        namespace = {"switch": coverage.switch_context, **surroundings()}
        coverage.switch_context("")
        ending = _run(code, path, namespace)
        facts = self._branches(path) if self._branch else self._lines(path)
        path.unlink()
        return facts, ending

    def _lines(self, path: Path) -> Found:
        statements, first_lines = statement_lines(path)
        facts: Found = {}
        by_line = self._coverage.get_data().contexts_by_lineno(str(path))
        for line, contexts in by_line.items():
            line = first_lines.get(line, line)
            if line > 0 and statements >> line & 1:
                for context in contexts:
                    facts.setdefault(context, set()).add((line, 0))
        return facts

    def _branches(self, path: Path) -> Found:
        branches = FileBranches(path)
        data = self._coverage.get_data()
        facts: Found = {}
        for context in data.measured_contexts():
            data.set_query_context(context)
            if taken := branches.taken(data.arcs(str(path)) or ()):
                facts[context] = set(taken)
        data.set_query_contexts(None)
        return facts


def borrowed_lines(text: str) -> set[int]:
    """First lines of statements which the compiler also gave to code that does not belong to them.

    Jumps, what leads out of a handler, and a function's last `return None` have no line of
    their own. The compiler lends them the line of a statement that stands before them, which
    has not run when they are reached by a jump; the tracer says that it has. The same goes for
    what restores the variables around a comprehension, and, since 3.13, for an `await` that an
    exception is thrown into.
    """
    first_lines = continuations(text)
    with kept_warnings():  # of a `finally` that jumps
        code = compile(text, "<program>", "exec", dont_inherit=True)
    found = _borrowed_by(code)
    return {first_lines.get(line, line) for line in found}


def _borrowed_by(code: CodeType) -> set[int]:
    found = set()
    runs: list[tuple[int | None, list[dis.Instruction]]] = []
    goes_on = False
    for instruction in dis.get_instructions(code):
        line = instruction.positions.lineno if instruction.positions else None
        if not goes_on or runs[-1][0] != line or instruction.is_jump_target:
            runs.append((line, []))
        runs[-1][1].append(instruction)
        goes_on = not instruction.opname.startswith(_ENDINGS)
    often = Counter(line for line, _ in runs)
    for line, instructions in runs:
        names = {instruction.opname for instruction in instructions}
        alone = often[line] > 1 or "RERAISE" in names
        if line is not None and (
            (alone and all(map(_leads_on, instructions)))
            or ("RERAISE" in names and names <= _RESTORING)
            or ("CLEANUP_THROW" in names and sys.version_info >= (3, 13))
        ):
            found.add(line)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= _borrowed_by(constant)
    return found


def _leads_on(instruction: dis.Instruction) -> bool:
    name = instruction.opname
    if name in ("LOAD_CONST", "RETURN_CONST"):
        return instruction.argval is None
    return name in _LEADING_ON or name.startswith("JUMP")


_ENDINGS = ("RERAISE", "RAISE_VARARGS", "RETURN_", "JUMP_FORWARD", "JUMP_BACKWARD")
_LEADING_ON = frozenset(
    ("NOP", "COPY", "SWAP", "POP_TOP", "POP_EXCEPT", "RERAISE", "RETURN_VALUE", "EXTENDED_ARG")
)
_RESTORING = _LEADING_ON | {"STORE_FAST", "STORE_FAST_MAYBE_NULL"}


def _pairs(found: Found) -> set[tuple[str, Arc]]:
    return {(context, arc) for context, arcs in found.items() for arc in arcs}


def _run(code: Any, path: Path, namespace: dict[str, object]) -> str:
    # An ordinary module's name is in sys.modules, for what looks there (dataclasses, pickle).
    try:
        exec(code, {"__name__": "program", "__file__": str(path), **namespace})
    except BaseException as error:
        return repr(error)
    return ""


def _under_whotests(
    path: Path, text: str, surroundings: Surroundings, branch: bool
) -> tuple[Found, str]:
    contexts = Contexts()
    loading = Loading(
        measures=lambda _: True,
        cache=Cache(path / "not a folder"),  # nothing is cached
        rules=Rules(branch=branch),
        began=_nothing,
        ended=_nothing,
    )
    code = loading.code_of(str(path), text.encode())
    assert code is not None, loading.files[0].reason
    in_test = False

    def switch(label: str) -> None:
        nonlocal in_test
        if in_test:
            contexts.stop_test()
        in_test = contexts.start_test(TestName(label), Runner.OTHER)

    collect()
    ending = _run(code, path, {"switch": switch, **surroundings()})
    contexts.finish()
    facts: Found = {}
    for context in [*contexts.closed, *contexts.unfinished]:
        for number in context.patterns:
            block = block_of(number)
            key = keys_of(block)[number]
            assert isinstance(block.file, LoadedFile)
            lines, branches = layout_of(block).hit(block, key)
            found = {(int(line), 0) for line in lines_in(lines)}
            if branch:
                arcs = unpack_branches(FileContent(*block.file.content).branches)
                found = {arcs[index] for index in lines_in(branches)}
            if found:
                facts.setdefault(context.test or "", set()).update(found)
    return facts, ending


def _nothing() -> None:
    """Import-time code has no context of its own here."""
