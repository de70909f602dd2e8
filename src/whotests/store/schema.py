"""The data file's schema, as SQL to be read.

May import the standard library only. Refuses to run the SQL: the writer does.
"""

from typing import Final

from whotests.types import FileState, Outcome, Phase, Runner

__all__ = [
    "APPLICATION_ID",
    "FILE_STATES",
    "OUTCOMES",
    "PAGE_SIZE",
    "PHASES",
    "RUNNERS",
    "SCHEMA",
    "VERSION",
]

APPLICATION_ID: Final = 0x57686F54
"""'WhoT', in the SQLite header: tells our files from another program's."""

VERSION: Final = 8
"""`PRAGMA user_version`; raised with every change that another reader would misread."""

PAGE_SIZE: Final = 1024
"""Bytes. Small, because most tables of most files are: each takes a page at least."""

# Words are stored as their place in these tuples: append only.
OUTCOMES: Final = (
    Outcome.PASSED,
    Outcome.FAILED,
    Outcome.ERROR,
    Outcome.SKIPPED,
    Outcome.EXPECTED_FAILURE,
    Outcome.UNEXPECTED_SUCCESS,
    Outcome.UNKNOWN,
)
PHASES: Final = (Phase.SETUP, Phase.CALL, Phase.TEARDOWN)
RUNNERS: Final = (Runner.PYTEST, Runner.UNITTEST, Runner.TRIAL, Runner.OTHER)
FILE_STATES: Final = (FileState.MEASURED, FileState.NOT_IMPORTED, FileState.NOT_MEASURED)

SCHEMA: Final = """
-- One measured run of a command.
CREATE TABLE run (
    id          INTEGER PRIMARY KEY,  -- in the order in which the runs began
    uid         BLOB NOT NULL,        -- 16 random bytes: tells the same run in another data file.
                                      -- Of a run that several became: theirs, ascending
    name        TEXT NOT NULL,        -- what people call it ('nightly'), or ''; runs of one name
                                      -- and label take each other's place
    started     REAL NOT NULL,        -- when it began, seconds since the epoch, UTC
    heartbeat   REAL NOT NULL,        -- when it last wrote, seconds since the epoch, UTC
    ended       REAL,                 -- when it ended; NULL: it still runs, or it was killed
    status      TEXT NOT NULL,        -- 'running', 'finished', 'interrupted' or 'incomplete'
    note        TEXT NOT NULL,        -- what a person should know about it, or ''
    command     TEXT NOT NULL,        -- the command line as a JSON array of strings
    root        TEXT NOT NULL,        -- absolute path of the project; paths of files are relative
    label       TEXT NOT NULL,        -- the static context of the whole run, or ''
    superseded  REAL,                 -- when newer runs took its place, seconds since the epoch,
                                      -- UTC; NULL: it counts
    branch      INTEGER NOT NULL,     -- 1: it recorded branches too
    rules       TEXT NOT NULL,        -- its regular expressions, as JSON: [[those of excluded
                                      -- lines], [those of partial lines]]; '' when not known
    python      TEXT NOT NULL,        -- for instance 'CPython 3.11.7'
    platform    TEXT NOT NULL,        -- for instance 'Linux-6.1-x86_64'
    host        TEXT NOT NULL,        -- the machine's name: a pid means something there only
    pid         INTEGER NOT NULL,     -- the measured process
    whotests    TEXT NOT NULL,        -- the version of whotests that recorded it
    exit_status INTEGER,              -- the command's exit status, NULL when unknown
    part_of     INTEGER NOT NULL      -- the run that another process records for here, until that
                                      -- takes it in; 0: it is a run of its own
);

-- What the paths of files begin with. Stored once each.
CREATE TABLE folder (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL  -- with the '/' that it ends with, or ''
);

-- One version of one source file, shared by the runs that saw it. A path and digest occur once.
-- The writer sees to that: an index to enforce it would cost a thirtieth of the file.
CREATE TABLE file (
    id         INTEGER PRIMARY KEY,
    folder_id  INTEGER NOT NULL REFERENCES folder,
    name       TEXT NOT NULL,     -- the rest of its path: folder.name || file.name is relative to
                                  -- run.root with '/', or absolute when outside of it
    digest     BLOB NOT NULL,     -- BLAKE2b-128 of the file's bytes
    line_count INTEGER NOT NULL,  -- physical lines
    statements BLOB NOT NULL,     -- bitmap: first lines of the executable statements
    excluded   BLOB NOT NULL,     -- bitmap: lines that exclusion rules drop; deflated where that
                                  -- makes it shorter (whotests.packing), as `partial` is
    branches   BLOB NOT NULL,     -- ways out of lines that have several, exclusions included
                                  -- (whotests.packing); empty: no run recorded branches.
                                  -- Places in it stay what they are: it only ever grows
    partial    BLOB NOT NULL,     -- bitmap: lines of which not all branches have to be taken
    outline    BLOB NOT NULL      -- its units in source order (whotests.packing); empty
                                  -- when no run measured it: then the source has to tell
);

-- What a run did with a file.
CREATE TABLE run_file (
    run_id  INTEGER NOT NULL REFERENCES run,
    file_id INTEGER NOT NULL REFERENCES file,
    state   INTEGER NOT NULL,  -- 0 measured, 1 not imported, 2 not measured
    reason  TEXT NOT NULL,     -- why it was not measured, or ''
    PRIMARY KEY (run_id, file_id)
) WITHOUT ROWID;

-- A module body, function, method or class body of a file's version that ran. All others are in
-- the file's outline only: most functions of a library are run by none of a project's tests.
-- Units and patterns lie sorted by what they belong to. Their ids are unique by themselves:
-- the writer gives them out, and an index to enforce it would cost a tenth of the file.
CREATE TABLE unit (
    file_id     INTEGER NOT NULL REFERENCES file,
    place       INTEGER NOT NULL,  -- in the file's outline, from 0, the module
    id          INTEGER NOT NULL,  -- what pattern.unit_id speaks of
    fingerprint BLOB NOT NULL,     -- BLAKE2b-64 of its syntax tree without positions and comments
    PRIMARY KEY (file_id, place)
) WITHOUT ROWID;

-- A set of lines and branches of one unit that some context ran; each set is stored once.
CREATE TABLE pattern (
    unit_id INTEGER NOT NULL,  -- unit.id; undeclared, as SQLite wants an index on what is declared
    ran     BLOB NOT NULL,     -- bitmap of lines, bit 0 is the unit's first line; then, if any,
                               -- one of branches, bit 0 is the first in file.branches that
                               -- begins on a line of the unit; deflated where that makes it
                               -- shorter (whotests.packing)
    id      INTEGER NOT NULL,  -- what footprint.patterns speaks of
    PRIMARY KEY (unit_id, ran)
) WITHOUT ROWID;

-- A set of patterns, shared by all contexts that ran just these.
CREATE TABLE footprint (
    id       INTEGER PRIMARY KEY,
    patterns BLOB NOT NULL  -- sorted pattern ids, packed (whotests.packing)
);

-- Footprints the other way around, kept where there are very many (whotests.store.index). Those
-- that are newer than this are looked through.
CREATE TABLE occurrence (
    pattern_id INTEGER PRIMARY KEY,  -- 0: the row tells the highest footprint id that is in here
    footprints BLOB NOT NULL         -- sorted ids of the footprints that have the pattern, packed
                                     -- (whotests.packing)
);

-- How many lines the footprints of a test are together, kept where `occurrence` is. Of sets of
-- footprints that are not in here the patterns tell.
CREATE TABLE total (
    footprints TEXT PRIMARY KEY,  -- their ids, ascending, with spaces between them
    lines      INTEGER NOT NULL   -- a line that several of them have counts once
) WITHOUT ROWID;

-- What the names of tests begin with: file and class, or module and class. Stored once each.
CREATE TABLE scope (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL  -- with the '::' or '.' that it ends with, or ''
);

-- A test of a run and how it ended. A run has one writer, which names each test once.
CREATE TABLE test (
    id       INTEGER PRIMARY KEY,
    run_id   INTEGER NOT NULL REFERENCES run,
    scope_id INTEGER NOT NULL REFERENCES scope,
    name     TEXT NOT NULL,     -- the rest of the runner's own name: scope.name || test.name
    runner   INTEGER NOT NULL,  -- 0 pytest, 1 unittest, 2 trial, 3 other
    outcome  INTEGER NOT NULL,  -- 0 passed, 1 failed, 2 error, 3 skipped,
                                -- 4 expected failure, 5 unexpected success, 6 unknown
    duration INTEGER            -- microseconds over all phases; NULL when unknown
);

-- What ran under one label. A context that ran nothing measured has no row.
CREATE TABLE context (
    id           INTEGER PRIMARY KEY,
    run_id       INTEGER NOT NULL REFERENCES run,
    test_id      INTEGER REFERENCES test,  -- NULL: not a test's
    phase        INTEGER,                  -- 0 setup, 1 call, 2 teardown; NULL: not a test's
    label        TEXT,                     -- '' before or between tests, 'import', or a user's
                                           -- label; NULL for a test's context
    footprint_id INTEGER NOT NULL REFERENCES footprint,
    complete     INTEGER NOT NULL          -- 0: it was still open when this was written
);

-- A run whose facts went, or that recorded none: how its tests ended stays. Of one of which newer
-- runs ran some tests again, these are in here, and the others still in `test`.
CREATE TABLE past_run (
    id       INTEGER PRIMARY KEY,
    uid      BLOB NOT NULL,     -- its run.uid
    name     TEXT NOT NULL,     -- its run.name
    label    TEXT NOT NULL,     -- its run.label
    started  REAL NOT NULL,     -- its run.started
    measured INTEGER NOT NULL,  -- 0: it recorded outcomes only
    tests    BLOB NOT NULL,     -- sorted numbers of its tests, packed (whotests.packing)
    results  BLOB NOT NULL      -- how they ended, how long they took, and whether the code that
                                -- they ran was changed when they ran next, in the order of
                                -- `tests`, packed (whotests.store.results)
);

-- Names of tests that past runs had, many in one row.
CREATE TABLE past_test (
    id    INTEGER PRIMARY KEY,  -- the number of the first of them; each next one has the next
    names BLOB NOT NULL         -- packed (whotests.store.results)
);
"""
"""Bitmaps are little-endian bytes: bit L of the whole is line L, unless said otherwise."""
