"""Reports of coverage tools, of any content, as text of each format."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from hypothesis import strategies as st

from foreign_files import Said

__all__ = ["Report", "cobertura_of", "json_of", "lcov_of", "reports", "wild_reports"]

Branch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """What is reported of one file."""

    ran: Mapping[str, frozenset[int]]
    """Context -> lines; '' is what ran in no other."""
    missing: frozenset[int]
    taken: frozenset[Branch]
    missed: frozenset[Branch]


@dataclass(frozen=True, slots=True)
class Report:
    """What is reported: path -> of that file."""

    files: Mapping[str, Part]

    def as_read(self, format_name: str) -> dict[str, Said]:
        """What a reader has to find in the report, written in a format."""
        found = {}
        for path, part in self.files.items():
            ran = {name: sorted(lines) for name, lines in part.ran.items() if lines}
            if format_name == "cobertura":
                every = sorted(set().union(*part.ran.values()))
                ran = {"": every} if every else {}
            everything = set(part.missing).union(*part.ran.values())
            if part.taken:
                ran.setdefault("", [])
            found[path] = Said(
                sorted(everything),
                ran,
                sorted(part.taken | part.missed),
                {"": sorted(part.taken)} if part.taken else {},
            )
        return found


NUMBERS = st.integers(1, 60)
CONTEXTS = st.sampled_from(("tests/a.py::t|run", "tests/a.py::t|setup", "nightly", "x y"))
LETTERS = st.characters(categories=("L", "N"), include_characters="/.-_ ")
PATHS = st.text(LETTERS, min_size=1, max_size=12).map(lambda text: f"src/{text.strip()}.py")


@st.composite
def parts(draw: st.DrawFn) -> Part:
    """What is reported of a file: no line both ran and is missing, nor is any branch."""
    lines = draw(st.sets(NUMBERS, max_size=12))
    executed = {line for line in lines if draw(st.booleans())}
    ran = {
        name: frozenset(draw(st.sets(st.sampled_from(sorted(executed)), min_size=1)))
        for name in (draw(st.sets(CONTEXTS, max_size=3)) if executed else ())
    }
    ran[""] = frozenset(executed.difference(*ran.values()))
    # A way out of a file's only unit is what every format can name.
    ends = st.tuples(st.sampled_from(sorted(executed) or [1]), NUMBERS).filter(
        lambda pair: pair[0] != pair[1]
    )
    ways = draw(st.sets(ends, max_size=6)) if executed else set()
    taken = frozenset(pair for pair in ways if draw(st.booleans()))
    return Part(ran, frozenset(lines - executed), taken, frozenset(ways) - taken)


def reports() -> st.SearchStrategy[Report]:
    """Reports that make sense."""
    return st.dictionaries(PATHS, parts(), min_size=1, max_size=3).map(Report)


WILD_NUMBERS = st.integers(1, 30) | st.integers() | st.sampled_from((0, -1, 1_000_000, 10**6 + 1))
WILD_TEXT = st.text(max_size=20) | st.sampled_from(
    ("../../etc/passwd", "/etc/passwd", "src/shop/basket.py", "a\0b", "\ud800", "C:\\x.py", "")
)


def wild_reports() -> st.SearchStrategy[Report]:
    """Reports of anything at all."""
    lines = st.frozensets(WILD_NUMBERS, max_size=5)
    pairs = st.frozensets(st.tuples(WILD_NUMBERS, WILD_NUMBERS), max_size=4)
    part = st.builds(Part, st.dictionaries(WILD_TEXT, lines, max_size=3), lines, pairs, pairs)
    return st.dictionaries(WILD_TEXT, part, max_size=4).map(Report)


def json_of(report: Report) -> bytes:
    """As coverage.py's JSON."""
    files: dict[str, Any] = {}
    for path, part in report.files.items():
        contexts: dict[str, list[str]] = {}
        for name, lines in part.ran.items():
            for line in lines:
                contexts.setdefault(str(line), []).append(name)
        files[path] = {
            "executed_lines": sorted(frozenset().union(*part.ran.values())),
            "missing_lines": sorted(part.missing),
            "excluded_lines": [],
            "contexts": contexts,
            "executed_branches": sorted(part.taken),
            "missing_branches": sorted(part.missed),
        }
    meta = {"format": 3, "branch_coverage": True, "show_contexts": True}
    return json.dumps({"meta": meta, "files": files, "totals": {}}).encode()


def lcov_of(report: Report) -> bytes:
    """As an LCOV tracefile: a record of all, and one for each context."""
    records = []
    for path, part in report.files.items():
        ran = frozenset().union(*part.ran.values())
        records += [f"SF:{path}"]
        records += [f"DA:{line},1" for line in sorted(ran)]
        records += [f"DA:{line},0" for line in sorted(part.missing)]
        for pairs, count in ((part.taken, 1), (part.missed, 0)):
            records += [f"BRDA:{line},0,jump to line {end},{count}" for line, end in sorted(pairs)]
        records += ["end_of_record"]
        for name, lines in part.ran.items():
            if name:
                records += [f"TN:{name}", f"SF:{path}", *(f"DA:{line},3" for line in lines)]
                records += ["end_of_record", "TN:"]
    return "\n".join([*records, ""]).encode("utf-8", "surrogatepass")


def cobertura_of(report: Report) -> bytes:
    """As Cobertura's XML, with conditions that name the ends of branches."""
    classes = []
    for path, part in report.files.items():
        ran = frozenset().union(*part.ran.values())
        lines = []
        for line in sorted(ran | part.missing):
            ends = [(end, 100) for start, end in sorted(part.taken) if start == line]
            ends += [(end, 0) for start, end in sorted(part.missed) if start == line]
            taken = sum(1 for _, percent in ends if percent)
            conditions = "".join(
                f'<condition number="{end}" type="branch" coverage="{percent}%"/>'
                for end, percent in ends
            )
            branch = f'branch="true" condition-coverage="0% ({taken}/{len(ends)})"' if ends else ""
            lines.append(
                f'<line number="{line}" hits="{int(line in ran)}" {branch}>'
                f"<conditions>{conditions}</conditions></line>"
            )
        name = quoteattr(path)
        classes.append(
            f"<class name={name} filename={name}><lines>{''.join(lines)}</lines></class>"
        )
    return (
        "<coverage><sources><source/></sources><packages><package><classes>"
        f"{''.join(classes)}</classes></package></packages></coverage>"
    ).encode("utf-8", "surrogatepass")
