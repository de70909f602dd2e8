"""SQL typed on a terminal: apsw's shell, with the commands that fit a place that only reads.

May import apsw. Refuses to keep anything but the history of what was typed.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final

import apsw.shell

from whotests.errors import UsageError
from whotests.sql.relations import Row
from whotests.sql.sandbox import Sandbox
from whotests.sql.tables import TABLES, Table, Value

__all__ = ["Prompt"]

_COMMANDS: Final = {
    "tables": "all tables, or .tables NAME: its columns and what they say",
    "help": "this list",
    "quit": "leave; so does Ctrl-D",
    "exit": "leave",
}
_HISTORY: Final = 1_000
"""So many lines are kept."""

_SHOWN: Final = 200
"""So many rows are shown: all of them are laid out at once."""

_AROUND: Final = 35
_READABLE: Final = 16
"""A column that is narrower than its texts reads badly below this."""


class Prompt:
    """Reads statements from standard input, a terminal, until it ends."""

    def __init__(self, sandbox: Sandbox, *, title: str, history: Path | None = None) -> None:
        """`title` says what is asked; `history` is where lines are kept, by default below the
        user's folder for such things (XDG_STATE_HOME)."""
        self._shell = _Shell(sandbox)
        self._title = title
        self._history = _history_file() if history is None else history

    def run(self) -> None:
        """Until .quit or the end of input."""
        shell: Any = self._shell  # apsw gives its shell no types
        shell.introduce(self._title)
        with suppress(ImportError):
            self._use_readline()
        while True:
            try:
                line = shell.get_complete_line()
                if line is None:
                    print()
                    break
                shell.process_complete_line(line)
            except SystemExit:
                break
            except BaseException:
                # It says what is wrong, and passes on what is none of its business.
                shell.handle_exception()
        with suppress(ImportError, OSError):
            self._keep()

    def _use_readline(self) -> None:
        import readline

        readline.set_completer(self._shell.complete)
        libedit = "libedit" in (readline.__doc__ or "")
        readline.parse_and_bind("bind ^I rl_complete" if libedit else "tab: complete")
        self._shell.begin_completion()
        with suppress(OSError):
            readline.read_history_file(self._history)

    def _keep(self) -> None:
        import readline

        self._history.parent.mkdir(parents=True, exist_ok=True)
        readline.set_history_length(_HISTORY)
        readline.write_history_file(self._history)


class _Shell(apsw.shell.Shell):
    """What apsw's shell does with a line, in a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        super().__init__(db=sandbox.connection)
        self.prompt = "sql> "
        self.moreprompt = "...> "
        self.box_options.update(string_sanitize=_printable, binary=_printable, null="")
        if os.environ.get("NO_COLOR"):
            self.command_colour(["off"])  # type: ignore[no-untyped-call]
        self._builtin_commands = [f".{name}" for name in _COMMANDS]

    def _apply_fts(self) -> None:
        """Adds no functions to the connection, unlike apsw's."""

    def begin_completion(self) -> None:
        """Tab completes names from now on."""
        functions = {
            name for (name,) in self.db.execute("SELECT DISTINCT name FROM pragma_function_list")
        }
        self._completion_cache = [
            sorted({*_names_of_tables(), *(f"data.{name}" for name in self._stored())}),
            sorted({column.name for table in TABLES for column in table.columns}),
            self._sqlite_keywords,
            sorted(f"{name}(" for name in functions if name.isidentifier()),
        ]
        self._using_readline = True

    def _stored(self) -> Sequence[str]:
        return [name for (name,) in self.db.execute("SELECT name FROM data.sqlite_schema")]

    def introduce(self, title: str) -> None:
        """Says what can be asked, and how."""
        self._say(f"SQL over {title}; it only reads. End statements with ; and leave with .quit\n")
        self._say(f"Tables: {', '.join(map(_signature, TABLES))}\n")
        self._say(".tables fact tells its columns, .help what else there is; Tab completes.\n")

    def process_sql(
        self, sql: str, bindings: Any = None, internal: bool = False, summary: Any = None
    ) -> None:
        """Shows what the statement tells, or the first rows of it."""
        try:
            answer = self._sandbox.ask(sql)
            rows = list(islice(answer.rows, _SHOWN + 1))
        except UsageError as error:
            self._point_at(sql, getattr(error.__cause__, "error_offset", -1))
            raise
        if not rows:
            self._say("no rows\n")
            return
        self._show(answer.columns, rows[:_SHOWN])
        if len(rows) > _SHOWN:
            self._say(
                f"There are more than these {_SHOWN:,} rows: add conditions or a LIMIT, or give "
                "the statement to `whotests sql --csv`.\n"
            )

    def _show(self, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """A box; where the terminal is too narrow for it, each value on a line of its own."""
        least = 1
        for place, column in enumerate(columns):
            texts = [column, *(str(row[place]) for row in rows)]
            least += 3 + min(_READABLE, max(map(len, texts)))
        if least <= shutil.get_terminal_size().columns:
            self.output_box(columns, rows)  # type: ignore[no-untyped-call]
            return
        width = max(map(len, columns))
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                self._say(f"{column:>{width}}", self.colour.header, self.colour.header_)
                self._say(f"  {'' if value is None else _printable(value)}\n")
            self._say("\n")

    def _point_at(self, sql: str, offset: int) -> None:
        """Shows the place of an error in a statement; `offset` is in its bytes."""
        if offset < 0:
            return
        whole = sql.encode()
        before = whole[:offset].decode(errors="replace").rpartition("\n")[2][-_AROUND:]
        after = whole[offset:].decode(errors="replace").partition("\n")[0][:_AROUND]
        self._say(f"  {before}{after}\n  {' ' * len(before)}^\n")

    def process_command(self, command: str) -> None:
        """Runs one of the commands of this prompt."""
        name = command.split()[0][1:]
        if name not in _COMMANDS:
            raise UsageError(f"there is no command .{name} here; .help lists them")
        super().process_command(command)  # type: ignore[no-untyped-call]

    def command_help(self, cmd: Sequence[str]) -> None:
        """help: Lists the commands"""
        for name, text in _COMMANDS.items():
            self._say(f".{name:<8} {text}\n")

    def command_tables(self, cmd: Sequence[str]) -> None:
        """tables ?NAME?: Lists tables, or the columns of one"""
        if not cmd:
            for table in TABLES:
                self._say(f"{_signature(table)}: ", self.colour.header, self.colour.header_)
                self._say(f"{table.description}\n")
            self._say("data.*: the tables of the data file itself (docs/schema.md)\n")
            return
        for name in cmd:
            for table in TABLES:
                if table.name == name:
                    self._describe(table)
                    break
            else:
                raise UsageError(f"there is no table {name!r}; .tables lists them")

    def _describe(self, table: Table) -> None:
        self._say(f"{table.description}\n")
        width = max(len(column.name) for column in table.columns)
        for column in table.columns:
            self._say(f"  {column.name:<{width}}", self.colour.header, self.colour.header_)
            self._say(f"  {column.type:<7}  {column.description}\n")

    def _say(self, text: str, before: str = "", after: str = "") -> None:
        self.stdout.write(f"{before}{text}{after}")


def _printable(value: Value) -> str:
    """A value on one line, with escapes for what could steer the terminal."""
    text = value.hex() if isinstance(value, bytes) else str(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _names_of_tables() -> Sequence[str]:
    """With a parenthesis where a parameter follows."""
    return [table.name + "(" * _has_parameters(table) for table in TABLES]


def _has_parameters(table: Table) -> bool:
    return any(column.parameter for column in table.columns)


def _signature(table: Table) -> str:
    parameters = [column.name for column in table.columns if column.parameter]
    return f"{table.name}({', '.join(parameters)})" if parameters else table.name


def _history_file() -> Path:
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "whotests" / "sql_history"
