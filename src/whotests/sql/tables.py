"""The tables that SQL is asked over, as descriptions: docs/schema.md is made of them.

May import the standard library only. Refuses to know where rows come from.
"""

from typing import Final, Literal, NamedTuple

__all__ = [
    "BRANCH",
    "BRANCHES_OF",
    "BRANCH_FACT",
    "CONTEXT",
    "FACT",
    "FILE",
    "HISTORY",
    "LINE",
    "LINES_OF",
    "RUN",
    "TABLES",
    "TEST",
    "UNIT",
    "Column",
    "Table",
    "Value",
]

Value = str | int | float | bytes | None
"""What stands in a row."""


class Column(NamedTuple):
    """One column, and what it says."""

    name: str
    type: Literal["TEXT", "INTEGER", "REAL", "BLOB", ""]
    description: str
    parameter: bool = False
    """It is given, in parentheses or as a condition, and `*` does not show it."""


class Table(NamedTuple):
    """One table."""

    name: str
    description: str
    key: tuple[str, ...]
    """No two rows have the same values in these columns."""
    columns: tuple[Column, ...]


RUN: Final = Table(
    "run",
    "A run that is asked: a current one, or those that --run names. All runs are in data.run.",
    ("id",),
    (
        Column("id", "INTEGER", "its number, in the order in which the runs began"),
        Column("name", "TEXT", "what people call it ('nightly'), or ''"),
        Column("label", "TEXT", "the static context of the whole run, or ''"),
        Column("started", "TEXT", "when it began, UTC: '2026-01-31 12:00:00'"),
        Column("ended", "TEXT", "when it ended, UTC; NULL: it still runs, or it was killed"),
        Column("status", "TEXT", "'running', 'killed', 'finished', 'interrupted' or 'incomplete'"),
        Column("exit_status", "INTEGER", "the command's exit status; NULL when unknown"),
        Column("branch", "INTEGER", "1: it recorded branches too"),
        Column("command", "TEXT", "the command line, as a shell takes it"),
        Column("root", "TEXT", "the absolute path of the project"),
        Column("python", "TEXT", "for instance 'CPython 3.11.7'"),
        Column("platform", "TEXT", "for instance 'Linux-6.1-x86_64'"),
        Column("host", "TEXT", "the machine's name"),
        Column("whotests", "TEXT", "the version of whotests that recorded it"),
        Column("note", "TEXT", "what a person should know about it, or ''"),
        Column("uid", "TEXT", "the same in every data file that has this run, in hexadecimal"),
    ),
)

TEST: Final = Table(
    "test",
    "A test, as the newest of the runs that has it saw it.",
    ("id",),
    (
        Column("id", "TEXT", "the name below the label, if any: 'py3.13/tests/test_a.py::test_b'"),
        Column("name", "TEXT", "the runner's own name: 'tests/test_a.py::test_b'"),
        Column("label", "TEXT", "the static context of its run, or ''"),
        Column("runner", "TEXT", "'pytest', 'unittest', 'trial' or 'other'"),
        Column(
            "outcome",
            "TEXT",
            "'passed', 'failed', 'error', 'skipped', 'expected failure', 'unexpected success' "
            "or 'unknown'",
        ),
        Column("duration", "REAL", "seconds of wall time over all phases; NULL when unknown"),
        Column("run", "INTEGER", "run.id of that run"),
        Column("lines", "INTEGER", "how many lines it ran in all of its phases, each counted once"),
        Column("files", "INTEGER", "how many files these are in"),
    ),
)

HISTORY: Final = Table(
    "history",
    "How a test ended in a run of the names that are asked, kept or past: `whotests history`.",
    ("test", "uid"),
    (
        Column("test", "TEXT", "test.id"),
        Column("uid", "TEXT", "run.uid; of a past run what it was"),
        Column("name", "TEXT", "the runner's own name of the test"),
        Column("label", "TEXT", "the static context of the run, or ''"),
        Column("started", "TEXT", "when the run began, UTC: '2026-01-31 12:00:00'"),
        Column("outcome", "TEXT", "as in test.outcome"),
        Column("duration", "REAL", "seconds, of past runs to within 4 %; NULL when unknown"),
        Column(
            "code",
            "INTEGER",
            "from 1 on, and one more with each change of the code that the test ran; NULL: the "
            "run did not record what tests ran",
        ),
        Column("run", "INTEGER", "the number of the run in data.run; NULL: its facts went"),
    ),
)

CONTEXT: Final = Table(
    "context",
    "A label under which code ran: a phase of a test, or something else.",
    ("name", "run"),
    (
        Column(
            "name",
            "TEXT",
            "'py3.13/tests/test_a.py::test_b|call'; 'import', '' or a user's label, below the "
            "run's label as well",
        ),
        Column("run", "INTEGER", "run.id of the run that recorded it"),
        Column("test", "TEXT", "test.id; NULL: it is not a test's"),
        Column("phase", "TEXT", "'setup', 'call' or 'teardown'; NULL: it is not a test's"),
        Column(
            "label",
            "TEXT",
            "'' before or between tests, 'import', or a user's label; NULL for a test's context",
        ),
        Column("complete", "INTEGER", "0: it was still open when the run's last write came"),
        Column("footprint", "INTEGER", "what it ran, for lines_of() and branches_of()"),
        Column("lines", "INTEGER", "how many lines these are"),
    ),
)

FILE: Final = Table(
    "file",
    "A source file, in the version that reports speak of: the one on the disk, or the last seen. "
    "Numbers follow coverage.py's rules and the exclusion rules of now, as in `whotests report`.",
    ("path",),
    (
        Column("path", "TEXT", "relative to the project with '/', or absolute when outside of it"),
        Column("state", "TEXT", "'measured', 'not imported' or 'not measured'"),
        Column("reason", "TEXT", "why it was not measured, or ''"),
        Column("statements", "INTEGER", "lines that count: those that no rule excludes"),
        Column("excluded", "INTEGER", "lines that a rule excludes"),
        Column("missing", "INTEGER", "statements that nothing ran"),
        Column("branches", "INTEGER", "branches that count; 0 when none were recorded"),
        Column("partial_branches", "INTEGER", "branches not taken, of lines that ran"),
        Column("missing_branches", "INTEGER", "branches that nothing took"),
        Column("percent", "REAL", "of statements and branches that ran, 0.0 to 100.0"),
        Column("tests", "INTEGER", "tests that ran a line of any function in it"),
        Column("stale", "INTEGER", "1: the disk has another version, or none"),
        Column("line_count", "INTEGER", "physical lines"),
        Column("digest", "TEXT", "BLAKE2b-128 of the file's bytes, in hexadecimal"),
        Column("id", "INTEGER", "data.file.id of this version"),
    ),
)

UNIT: Final = Table(
    "unit",
    "A module body, function, method or class body. Lines belong to the innermost one; a `def` "
    "line and its decorators belong to what is around it.",
    ("id",),
    (
        Column("id", "INTEGER", "data.unit.id where something of it ran, else a negative number"),
        Column("file", "TEXT", "file.path"),
        Column("name", "TEXT", "as people write it: 'Basket.add'; '' is the module"),
        Column("kind", "TEXT", "'module', 'function' or 'class'"),
        Column("first_line", "INTEGER", "of its definition, decorators included"),
        Column("last_line", "INTEGER", "the last of its lines"),
        Column("statements", "INTEGER", "statements that belong to it and that no rule excludes"),
        Column("missing", "INTEGER", "those of them that nothing ran"),
        Column("tests", "INTEGER", "tests that ran any line that belongs to it"),
    ),
)

LINE: Final = Table(
    "line",
    "A statement's first line, run or not, excluded or not.",
    ("file", "line"),
    (
        Column("file", "TEXT", "file.path"),
        Column("line", "INTEGER", "its number, from 1"),
        Column("unit", "INTEGER", "unit.id of what it belongs to; NULL when not known"),
        Column("unit_name", "TEXT", "unit.name"),
        Column("excluded", "INTEGER", "1: a rule excludes it, so that it does not count"),
        Column("ran", "INTEGER", "1: something ran it"),
        Column("tests", "INTEGER", "how many tests ran it"),
    ),
)

BRANCH: Final = Table(
    "branch",
    "A way out of a line that has more than one. Empty when no run recorded branches.",
    ("file", "line", "next_line"),
    (
        Column("file", "TEXT", "file.path"),
        Column("line", "INTEGER", "where it begins"),
        Column(
            "next_line",
            "INTEGER",
            "the first line of what runs next, or minus the first line of the unit that is left",
        ),
        Column("unit", "INTEGER", "unit.id of what the line belongs to; NULL when not known"),
        Column("unit_name", "TEXT", "unit.name"),
        Column("taken", "INTEGER", "1: something took it"),
        Column("missed", "INTEGER", "1: nothing took it, and it counts"),
        Column("tests", "INTEGER", "how many tests took it"),
    ),
)

_WHO: Final = (
    Column("context", "TEXT", "context.name of what ran it"),
    Column("file", "TEXT", "file.path"),
    Column("line", "INTEGER", "the line's number, from 1"),
)
_WHOSE: Final = (
    Column("test", "TEXT", "test.id of the context; NULL: it is not a test's"),
    Column("phase", "TEXT", "'setup', 'call' or 'teardown'; NULL: it is not a test's"),
    Column("unit", "INTEGER", "unit.id of what the line belongs to; NULL when not known"),
    Column("unit_name", "TEXT", "unit.name"),
)
_NEXT: Final = Column("next_line", "INTEGER", "where the branch leads, as in branch.next_line")

FACT: Final = Table(
    "fact",
    "A context ran a line. Quick with conditions on file, unit, context or test.",
    ("context", "file", "line"),
    (*_WHO, *_WHOSE),
)

BRANCH_FACT: Final = Table(
    "branch_fact",
    "A context took a branch. Quick with conditions on file, unit, context or test.",
    ("context", "file", "line", "next_line"),
    (*_WHO, _NEXT, *_WHOSE),
)

LINES_OF: Final = Table(
    "lines_of",
    "The lines of a footprint: lines_of(context.footprint).",
    ("footprint_id", "file", "line"),
    (
        Column("file", "TEXT", "file.path"),
        Column("line", "INTEGER", "the line's number, from 1"),
        Column("footprint_id", "INTEGER", "which one: context.footprint", parameter=True),
    ),
)

BRANCHES_OF: Final = Table(
    "branches_of",
    "The branches of a footprint: branches_of(context.footprint).",
    ("footprint_id", "file", "line", "next_line"),
    (
        Column("file", "TEXT", "file.path"),
        Column("line", "INTEGER", "where the branch begins"),
        _NEXT,
        Column("footprint_id", "INTEGER", "which one: context.footprint", parameter=True),
    ),
)

TABLES: Final = (
    FACT,
    BRANCH_FACT,
    TEST,
    HISTORY,
    CONTEXT,
    FILE,
    LINE,
    BRANCH,
    UNIT,
    RUN,
    LINES_OF,
    BRANCHES_OF,
)
"""In the order in which people are told of them."""
