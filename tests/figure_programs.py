"""Programs whose figures are compared with coverage.py's, and the same facts for both tools."""

import json
import random
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import coverage

from data_files import DataFile, run_record
from source_programs import SOURCES
from whotests import records
from whotests.records import Batch, ContextRecord, FileRecord, PatternRecord
from whotests.source.analysis import Analysis, analyse
from whotests.source.content import packed_content, unit_spans
from whotests.source.rules import Rules, in_force
from whotests.store.writer import Writer
from whotests.types import FileState, Outcome, Phase, Runner, RunStatus, TestName, bits_of, lines_in

__all__ = [
    "RULES",
    "SHAPES",
    "coverage_of",
    "patterns_of",
    "record_as",
    "rules_of",
    "save_arcs",
    "texts",
    "theirs",
    "write_programs",
]

SHAPES = '''
    """Functions and classes in each other, and rules on all of them."""
    import functools
    from typing import TYPE_CHECKING

    if TYPE_CHECKING:
        import os


    def decorated(f):
        @functools.wraps(f)
        def inner(*args):
            if args:
                return f(*args)
        return inner


    class Outer:
        """A docstring."""
        limit = 10 if TYPE_CHECKING else 11
        if limit:
            def chosen(self): return self.limit
        else:
            def chosen(self):
                return 0

        @property
        def size(self):
            for item in self.items:
                if item:
                    continue
                while item:  # pragma: no branch
                    item -= 1
            else:
                return 0

        @size.setter
        def size(self, value):
            """Another of this name."""
            class Local:
                def method(self):
                    if value:
                        return 1
                class Deeper:
                    def method(self):
                        return [x for x in value if x]
            def helper():
                @decorated
                def innermost():
                    while True:
                        if value: break
                        return Local
                return innermost
            return helper()

        class Inner:
            def method(self):
                try:
                    if self:
                        raise ValueError
                except ValueError:
                    return 1
                finally:
                    self.done = True

            def excluded(self):  # pragma: no cover
                if self:
                    # more
                    return 1

                return 2

            def abstract(self): ...

        async def later(self, items):
            async for item in items:
                async with item as other, other:
                    if other:
                        yield other


    def unused(
        value,
        other=None,
    ):
        match value:
            case 1 | 2:
                result = 1
            case {"a": a} if a:
                result = a
            case _:
                result = 3
        if value:
            if other:
                result = 5
            else:  # pragma: no cover
                result = 4
        if other: def_ = 1
        def nested(): return result
        return nested


    def one_line(x): return x if x else 2
    @decorated
    @decorated
    def last(
        x):

        return (lambda y: y if
                x else 3)
'''

RULES: dict[str, dict[str, list[str]]] = {
    "usual": {},
    "more": {"exclude_also": [r"def helper", r"^\s*else:"], "partial_also": ["if value"]},
    "other": {"exclude_lines": ["class Inner", "elif"], "partial_branches": ["for item in"]},
    "none": {"exclude_lines": [], "partial_branches": []},
}


def texts() -> dict[str, bytes]:
    """Path -> source."""
    shapes = {"src/shapes.py": textwrap.dedent(SHAPES).encode()}
    return shapes | {
        f"src/program_{number:03}.py": source for number, source in enumerate(SOURCES.values())
    }


def rules_of(settings: Mapping[str, Any]) -> Rules:
    """All expressions in force under settings as they stand in pyproject.toml."""
    names = ("exclude_lines", "partial_branches")
    replacing = {name: tuple(settings[name]) if name in settings else None for name in names}
    exclude, partial = in_force(
        exclude_lines=replacing["exclude_lines"],
        exclude_also=tuple(settings.get("exclude_also", ())),
        partial_branches=replacing["partial_branches"],
        partial_also=tuple(settings.get("partial_also", ())),
    )
    return Rules(branch=True, exclude=exclude, partial=partial)


def coverage_of(root: Path, settings: Mapping[str, Any]) -> coverage.Coverage:
    """coverage.py for a project under these settings, without data."""
    listed = "".join(
        f"{name} =\n" + "".join(f"    {one}\n" for one in value) for name, value in settings.items()
    )
    (root / "coverage.ini").write_text(f"[report]\n{listed}")
    return coverage.Coverage(
        data_file=str(root / "cov"),
        branch=True,
        config_file=str(root / "coverage.ini"),
        source=[str(root / "src")],
    )


def save_arcs(root: Path, share: float) -> None:
    """Data of coverage.py in which a share of all that could run did, chosen by chance."""
    chance = random.Random(share)
    arcs = {}
    for path in sorted((root / "src").glob("*.py")):
        parser = coverage.parser.PythonParser(filename=str(path))
        parser.parse_source()
        possible = sorted(parser.arcs())
        arcs[str(path)] = [arc for arc in possible if chance.random() < share]
    data = coverage.CoverageData(str(root / "cov"))
    data.add_arcs(arcs)
    data.touch_files(arcs)
    data.write()


def theirs(found: coverage.Coverage, root: Path) -> dict[str, Any]:
    """What `coverage json` says, with paths relative to the project."""
    found.json_report(outfile=str(root / "cov.json"))
    document: dict[str, Any] = json.loads((root / "cov.json").read_text())
    document["files"] = {
        Path(root, path).resolve().relative_to(root.resolve()).as_posix(): file
        for path, file in document["files"].items()
    }
    return document


def record_as(found: coverage.Coverage, data: DataFile, rules: Rules) -> None:
    """Writes what coverage.py says that ran, under `rules`, as the recorder would."""
    writer = Writer.open(data.path)
    writer.begin_run(
        run_record(data.root, branch=True, exclude=rules.exclude, partial=rules.partial)
    )
    keys: list[int] = []
    for file_key, path in enumerate(sorted((data.root / "src").glob("*.py"))):
        analysis = analyse(
            path.read_bytes(),
            str(path),
            rules=rules.exclude,
            partial_rules=rules.partial,
            branch=True,
        )
        ran = found._analyze(str(path))
        file = FileRecord(
            key=file_key,
            path=path.relative_to(data.root).as_posix(),
            digest=analysis.digest,
            content=packed_content(
                line_count=analysis.line_count,
                statements=analysis.statements,
                excluded=analysis.excluded,
                branches=analysis.branches.arcs,
                partial=analysis.partial,
                units=analysis.units,
            ),
            units=unit_spans(analysis.units, analysis.branches.arcs),
            state=FileState.MEASURED,
        )
        patterns = patterns_of(analysis, ran.executed, ran.arcs_executed, file_key, len(keys))
        keys += [pattern.key for pattern in patterns]
        writer.write(Batch(files=(file,), patterns=patterns))
    test = records.TestRecord(
        name=TestName("t"), runner=Runner.PYTEST, outcome=Outcome.PASSED, duration=None
    )
    context = ContextRecord(
        key=0,
        test=test.name,
        phase=Phase.CALL,
        label="",
        patterns=tuple(keys),
        complete=True,
    )
    writer.write(Batch(tests=(test,), contexts=(context,)))
    writer.finish_run(ended=0, status=RunStatus.FINISHED, exit_status=0, note="", append=False)
    writer.close()


def patterns_of(
    analysis: Analysis,
    lines: Iterable[int],
    arcs: Iterable[tuple[int, int]],
    file_key: int,
    first_key: int,
) -> tuple[PatternRecord, ...]:
    """One pattern for each unit: a line belongs to the innermost unit around it."""
    places = {arc: place for place, arc in enumerate(analysis.branches.arcs)}
    unit_of = [0] * (analysis.line_count + 2)
    for index, unit in enumerate(analysis.units):
        for line in range(unit.first_line, unit.last_line + 1):
            unit_of[line] = index
    lines_of: dict[int, int] = {}
    branches_of: dict[int, int] = {}
    for line in lines_in(bits_of(lines) & analysis.statements):
        lines_of[unit_of[line]] = lines_of.get(unit_of[line], 0) | 1 << line
    for arc in arcs:
        if arc in places:
            index = unit_of[arc[0]]
            branches_of[index] = branches_of.get(index, 0) | 1 << places[arc]
    return tuple(
        PatternRecord(
            key=first_key + number,
            file_key=file_key,
            unit_index=index,
            lines=bits_of(lines_in(lines_of.get(index, 0))),
            branches=branches_of.get(index, 0),
        )
        for number, index in enumerate(sorted(lines_of.keys() | branches_of.keys()))
    )


def write_programs(root: Path) -> None:
    """Puts all of them below a folder."""
    for path, source in texts().items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes(source)
