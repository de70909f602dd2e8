"""coverage.py's data file (`.coverage`) written: its SQLite schema of version 7.

May import formats and what is below. Refuses to claim what was not recorded: a pair of lines is
written for a branch that was taken, and for nothing else.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from whotests import __version__
from whotests.formats.coverage_contexts import MEANINGS, context_name, unclear
from whotests.formats.coverage_file import SCHEMA_VERSION, read, recognises
from whotests.formats.exporting import Export
from whotests.formats.registry import Format
from whotests.packing.bitmaps import pack_bits
from whotests.packing.branches import Branch
from whotests.query.facts import ContextKey, FileFacts, Ran
from whotests.types import FileState, LineBits, lines_in

__all__ = ["FORMAT", "write"]

# The tables and columns that coverage.py 5.0 to 7 know, each under its own name.
_SCHEMA: Final = """
CREATE TABLE coverage_schema (version integer);
CREATE TABLE meta (key text, value text, unique (key));
CREATE TABLE file (id integer primary key, path text, unique (path));
CREATE TABLE context (id integer primary key, context text, unique (context));
CREATE TABLE line_bits (
    file_id integer, context_id integer, numbits blob,
    foreign key (file_id) references file (id),
    foreign key (context_id) references context (id),
    unique (file_id, context_id)
);
CREATE TABLE arc (
    file_id integer, context_id integer, fromno integer, tono integer,
    foreign key (file_id) references file (id),
    foreign key (context_id) references context (id),
    unique (file_id, context_id, fromno, tono)
);
CREATE TABLE tracer (
    file_id integer primary key, tracer text,
    foreign key (file_id) references file (id)
);
"""

_ENTRY: Final = -1
"""Where a line comes from that no branch leads to or from: from outside of the module. This is no
way out of any line, so no version of coverage.py takes it for a branch."""

_Contexts = Mapping[ContextKey, Ran]


def write(export: Export, out: Path) -> tuple[str, ...]:
    """Writes all facts to `out`, which is not there yet, and tells what it could not hold."""
    with closing(sqlite3.connect(out, isolation_level=None)) as connection:
        connection.executescript(_SCHEMA)
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        found = _write_all(connection, export)
        connection.execute("COMMIT")
    return found.unsaid(export)


class _Written:
    """What went into the file, and what did not."""

    def __init__(self) -> None:
        self.contexts: dict[ContextKey, int] = {}
        self.ids: dict[str, int] = {}
        self.not_measured: list[str] = []
        self.other_text: list[str] = []
        self.gone: list[str] = []
        self.shared = 0
        """Contexts that share a name with another one."""
        self.unheld = 0
        """Kinds of contexts that took a branch and did not come to its line."""

    def context_id(self, key: ContextKey) -> int:
        """The number of a context; contexts of one name have one."""
        known = self.contexts.get(key)
        if known is None:
            name = context_name(key)
            self.shared += name in self.ids
            known = self.contexts[key] = self.ids.setdefault(name, len(self.ids) + 1)
        return known

    def unsaid(self, export: Export) -> tuple[str, ...]:
        """What the file does not tell, a sentence each."""
        said = [
            "coverage.py's data has no outcomes and durations of tests, no runs and no text of the "
            "sources: its reports read them from the disk and exclude by their own settings"
        ]
        if export.branch and not all(run.branch for run in export.reader.runs):
            said.append(
                "some of the runs recorded no branches: what only they took counts as missing there"
            )
        if self.shared:
            said.append(f"{self.shared} contexts share a name with another one there")
        if self.unheld:
            said.append(
                f"a branch that was taken without its line being run is left out ({self.unheld} "
                "times): there, both lines of a branch count as run"
            )
        if self.other_text:
            said.append(
                "of these the disk has another text than was recorded, so that reports of "
                f"coverage.py will not fit: {', '.join(self.other_text)}"
            )
        if self.gone:
            said.append(
                "these are not there any more, so that reports of coverage.py end with an error, "
                f"unless they get --ignore-errors: {', '.join(self.gone)}"
            )
        if self.not_measured:
            said.append(f"left out, because they were not measured: {', '.join(self.not_measured)}")
        return tuple(said)


def _write_all(connection: sqlite3.Connection, export: Export) -> _Written:
    written = _Written()
    label = next((run.label for run in export.reader.runs), "")
    importing = ContextKey(label, None, None, "import")
    connection.execute("INSERT INTO coverage_schema VALUES (?)", (SCHEMA_VERSION,))
    for file_id, facts in enumerate(export.files(), start=1):
        if facts.file.state is FileState.NOT_MEASURED and not facts.contexts:
            written.not_measured.append(facts.path)
            continue
        if facts.stale is not None:
            (written.gone if facts.stale.gone else written.other_text).append(facts.path)
        contexts = facts.contexts
        if facts.imported and not contexts and not facts.file.statements:
            # A text without code: coverage.py sees its first line run, and counts nothing.
            contexts = {importing: Ran(LineBits(1 << 1), 0)}
        place = facts.path if export.relative else str(export.place(facts.path))
        connection.execute("INSERT INTO file (id, path) VALUES (?, ?)", (file_id, place))
        if export.branch:
            connection.executemany(
                "INSERT OR IGNORE INTO arc (file_id, context_id, fromno, tono) VALUES (?, ?, ?, ?)",
                _arc_rows(file_id, facts, contexts, written),
            )
        else:
            connection.executemany(
                "INSERT INTO line_bits (file_id, context_id, numbits) VALUES (?, ?, ?)",
                _line_rows(file_id, contexts, written),
            )
    connection.executemany(
        "INSERT INTO context (id, context) VALUES (?, ?)",
        [(context_id, name) for name, context_id in written.ids.items()],
    )
    meta = {"version": f"whotests {__version__}", "has_arcs": str(int(export.branch))}
    if meanings := unclear(written.contexts):
        meta[MEANINGS] = json.dumps(meanings)
    connection.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", meta.items())
    return written


def _line_rows(
    file_id: int, contexts: _Contexts, written: _Written
) -> Iterator[tuple[int, int, bytes]]:
    """What ran of a file: one bitmap for each context."""
    lines: dict[int, int] = {}
    for key, ran in contexts.items():
        context_id = written.context_id(key)
        lines[context_id] = lines.get(context_id, 0) | ran.lines
    for context_id, bits in lines.items():
        yield file_id, context_id, pack_bits(bits)


def _arc_rows(
    file_id: int, facts: FileFacts, contexts: _Contexts, written: _Written
) -> Iterator[tuple[int, int, int, int]]:
    """What ran of a file: pairs of lines for each context."""
    pairs = _Pairs(facts, contexts)
    for key, ran in contexts.items():
        context_id = written.context_id(key)
        for line, end in pairs.of(ran):
            yield file_id, context_id, line, end
    written.unheld += pairs.unheld


class _Pairs:
    """Pairs of lines for what contexts ran of one file.

    Who reads them takes both lines of a pair for lines that ran. But a `finally` may go on as if
    nothing had been raised, as far as branches go, and still not come to the next line.
    """

    def __init__(self, facts: FileFacts, contexts: _Contexts) -> None:
        self.unheld = 0
        """Branches in contexts that are left out, since the context did not run both lines."""
        self._branches = facts.branches
        self._statements = facts.file.statements
        self._ran = facts.ran
        self._whole = 0
        """Branches that some context took that ran both lines."""
        for ran in set(contexts.values()):
            for place in lines_in(ran.branches & ~self._whole):
                self._whole |= self._is_whole(place, ran.lines) << place
        self._shared: dict[Ran, list[Branch]] = {}

    def of(self, ran: Ran) -> list[Branch]:
        """Branches that were taken, and an entry for each line that is in none of them."""
        pairs = self._shared.get(ran)
        if pairs is None:
            pairs = self._shared[ran] = []
            seen = 0
            for place in lines_in(ran.branches):
                if not self._is_held(place, ran.lines):
                    self.unheld += 1
                    continue
                line, end = self._branches[place]
                pairs.append((line, end))
                seen |= 1 << line | (1 << end if end > 0 else 0)
            pairs += ((_ENTRY, line) for line in lines_in(ran.lines & ~seen))
        return pairs

    def _is_held(self, place: int, lines: int) -> bool:
        """Whether the branch may be told of who ran these lines: to tell a line too much is worse
        than not to tell the branch, unless nobody else took it and the line ran anyway."""
        if self._is_whole(place, lines):
            return True
        return not self._whole >> place & 1 and self._is_whole(place, self._ran)

    def _is_whole(self, place: int, lines: int) -> bool:
        ends = sum(1 << line for line in self._branches[place] if line > 0)
        return not ends & self._statements & ~lines


FORMAT: Final = Format(
    name="coverage",
    title="coverage.py's data",
    file_name=".coverage",
    recognises=recognises,
    read=read,
    write=write,
)
