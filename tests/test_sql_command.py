"""`whotests sql` as a person meets it: tables, CSV, JSON, the prompt, errors."""

import csv
import io
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_files import DataFile
from sql_data import ODD, record_odd_shop

COMMAND = (sys.executable, "-c", "from whotests.cli import main; main()", "sql")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataFile:
    """A project with two runs."""
    data = DataFile(tmp_path_factory.mktemp("sql"))
    (data.root / "pyproject.toml").write_text('[project]\nname = "shop"\n')
    record_odd_shop(data)
    return data


def environment(**more: str) -> dict[str, str]:
    """That of these tests, without what changes the looks of output."""
    looks = {"COLUMNS", "FORCE_COLOR", "NO_COLOR", "PYTHONIOENCODING"}
    return {**{key: value for key, value in os.environ.items() if key not in looks}, **more}


def sql(
    data: DataFile, *arguments: str, status: int = 0, given: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command in the project's folder."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=data.root,
        env=environment(**more),
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_pipe_gets_one_line_a_row(data: DataFile) -> None:
    """Columns stand below their names, numbers to the right, NULL is nothing."""
    done = sql(data, "SELECT name, duration, lines FROM test WHERE label = '' ORDER BY name")
    assert done.stdout.splitlines() == [
        "name                              duration  lines",
        "tests/test_b.py::TEST_NEW             0.25      2",
        "tests/test_b.py::test_new             0.25      3",
        "tests/test_b.py::test_nothing                   0",
        "tests/test_b.py::test_one['a'|%]      0.25      2",
    ]
    assert done.stderr == ""


def test_no_rows_leave_the_names(data: DataFile) -> None:
    """Nothing found is an answer: status 0, and what was asked for."""
    assert sql(data, "SELECT id, lines FROM test WHERE 0").stdout == "id  lines\n"


def test_what_could_steer_a_terminal_is_escaped(data: DataFile) -> None:
    """Values are shown on one line, control characters as escapes, bytes as hexadecimal."""
    done = sql(data, "SELECT char(27) || '[31m' AS a, 'x' || char(10) || 'y' AS b, x'00ff' AS c")
    assert done.stdout.splitlines() == ["a         b     c", "\\x1b[31m  x\\ny  00ff"]


def test_columns_of_one_name_stay_apart(data: DataFile) -> None:
    """A join may have the same name twice."""
    assert sql(data, "SELECT 1 AS a, 2 AS a, 3 AS a").stdout == "a  a   a\n1   2    3\n"


def test_csv_is_what_spreadsheets_read(data: DataFile) -> None:
    """A header and all rows, quoted where it is needed."""
    done = sql(data, "--csv", "SELECT path, percent, reason FROM file ORDER BY path")
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == ["path", "percent", "reason"]
    assert [row[0] for row in rows[1:]] == sorted(
        [ODD, "src/shop/basket.py", "src/shop/left_out.py"]
    )
    assert sql(data, "--csv", "SELECT NULL AS a, 'x,\"y' AS b").stdout == 'a,b\n,"x,""y"\n'


def test_json_is_one_object(data: DataFile) -> None:
    """Columns, and rows as arrays; docs/json.md describes it."""
    done = sql(data, "--json", "SELECT id, lines, NULL, x'00ff', 1e999, 0.5 FROM test LIMIT 1")
    answer = json.loads(done.stdout)
    assert answer["format"] == "whotests-sql"
    assert answer["version"] == 1
    assert answer["data"] == str(data.path)
    assert answer["columns"][:2] == ["id", "lines"]
    assert len(answer["rows"]) == 1
    assert answer["rows"][0][2:] == [None, "00ff", "inf", 0.5]
    assert json.loads(sql(data, "--json", "SELECT 1 WHERE 0").stdout)["rows"] == []


def test_a_statement_may_come_from_standard_input(data: DataFile) -> None:
    """Without an argument, and with `-`."""
    assert sql(data, given="SELECT 1 AS a;\n").stdout == "a\n1\n"
    assert sql(data, "-", given="SELECT 'é' AS a").stdout == "a\né\n"


def test_a_run_can_be_chosen(data: DataFile) -> None:
    """--run and --data mean what they mean to other commands."""
    whole = ("SELECT count(*) FROM test",)
    assert sql(data, *whole).stdout.split()[-1] == "9"
    elsewhere = sql(data, "--data", str(data.path), "SELECT DISTINCT run FROM test", "--run", "1")
    assert elsewhere.stdout.split()[1:] == ["1"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("DELETE FROM data.run",), "refused, because SQL only reads here"),
        (("ATTACH 'mine.db' AS mine",), "refused, because SQL only reads here"),
        (("SELECT load_extension('mine')",), "refused, because SQL only reads here"),
        (("SELECT pth FROM file",), "did you mean path (of file)?"),
        (
            (
                "--seconds",
                "0.5",
                "WITH RECURSIVE c(x) AS (VALUES (1) UNION SELECT x + 1 FROM c) SELECT 1 FROM c"
                " WHERE x < 0",
            ),
            "took longer than 0.5 s and was stopped",
        ),
        (("--megabytes", "5", "SELECT randomblob(9000000)"), "more than 5 MB of memory"),
        (("--json", "--csv", "SELECT 1"), "--csv and --json do not go together"),
        (("",), "there is no SQL to run"),
        (("--data", "nowhere.db", "SELECT 1"), "no data yet"),
        (("--run", "nowhere", "SELECT 1"), "nowhere"),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    data: DataFile, arguments: tuple[str, ...], words: str
) -> None:
    """On standard error, with status 2 and nothing on standard output."""
    before = sorted(data.root.rglob("*"))
    done = sql(data, *arguments, status=2)
    assert done.stdout == ""
    assert done.stderr.startswith("whotests: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert sorted(data.root.rglob("*")) == before


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    """What the data holds may make no sense: a sentence, as everywhere."""
    data = DataFile(tmp_path)
    record_odd_shop(data)
    connection = sqlite3.connect(data.path)
    with connection:
        connection.execute("UPDATE footprint SET patterns = x'5a5a5a'")
        connection.execute("UPDATE pattern SET unit_id = 999")
    connection.close()
    for statement in ("SELECT count(*) FROM fact", "SELECT * FROM line", "SELECT * FROM test"):
        done = sql(data, "--data", str(data.path), statement, status=2)
        assert "damaged" in done.stderr
        assert "delete" in done.stderr


def test_without_apsw_the_way_is_told(data: DataFile, tmp_path: Path) -> None:
    """The extra is named, and what does without it."""
    (tmp_path / "apsw.py").write_text("raise ModuleNotFoundError('no apsw', name='apsw')\n")
    done = sql(data, "SELECT 1", status=2, PYTHONPATH=str(tmp_path))
    assert "pip install 'whotests[sql]'" in done.stderr
    assert "export sqlite" in done.stderr


# --- the prompt, on a terminal

if sys.platform != "win32":
    import pty


class Terminal:
    """A pseudo terminal in which the prompt runs."""

    def __init__(
        self, data: DataFile, state: Path, *, arguments: tuple[str, ...] = (), **more: str
    ) -> None:
        self.seen = ""
        self._told = 0
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.chdir(data.root)
            variables = environment(XDG_STATE_HOME=str(state), TERM="xterm-256color", **more)
            os.execve(COMMAND[0], (*COMMAND, *arguments), variables)

    def until(self, words: str) -> str:
        """What comes next, up to these words."""
        deadline = time.monotonic() + 30
        while words not in self.seen[self._told :]:
            assert self._read(deadline), f"no {words!r} in {self.seen[self._told :]!r}"
        start = self._told
        self._told = self.seen.index(words, start) + len(words)
        return self.seen[start : self._told]

    def type(self, text: str) -> None:
        """Keys."""
        os.write(self._end, text.encode())

    def ask(self, line: str) -> str:
        """What a line is answered with."""
        self.type(f"{line}\n")
        self.until(line)
        return self.until("sql> ")

    def status(self) -> int:
        """How it ended."""
        while self._read(time.monotonic() + 30):
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self._end)
        return os.waitstatus_to_exitcode(status)

    def _read(self, deadline: float) -> bool:
        """Whether there was more to see, before it was gone."""
        ready, _, _ = select.select([self._end], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError(f"nothing more after {self.seen[self._told :]!r}")
        try:
            octets = os.read(self._end, 65536)
        except OSError:  # as Linux says that nobody has the other side
            return False
        self.seen += octets.decode("utf-8", "replace")
        return bool(octets)


@pytest.fixture
def terminal(data: DataFile, tmp_path: Path) -> Iterator[Terminal]:
    """A prompt that was left by the test."""
    terminal = Terminal(data, tmp_path / "state")
    terminal.until("sql> ")
    yield terminal
    terminal.type("\x15.quit\n")
    assert terminal.status() == 0


needs_terminal = pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo terminal")


@needs_terminal
def test_the_prompt_says_what_can_be_asked(terminal: Terminal, data: DataFile) -> None:
    """The data file, the tables, how to leave."""
    assert str(data.path) in terminal.seen
    assert "lines_of(footprint" in terminal.seen
    assert ".quit" in terminal.seen


@needs_terminal
def test_the_prompt_answers(terminal: Terminal) -> None:
    """Statements may take several lines; rows are in a box, in colour."""
    assert "\x1b[" in terminal.ask("SELECT count(*) AS tests FROM test;")
    terminal.type("SELECT 20\n")
    terminal.until("...> ")
    assert "22" in terminal.ask("+ 2 AS sum;")
    assert "no rows" in terminal.ask("SELECT 1 WHERE 0;")
    assert "\\x1b[31m" in terminal.ask("SELECT char(27) || '[31m' AS a, NULL AS b;")
    assert "more than these 200 rows" in terminal.ask(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c;"
    )


@needs_terminal
def test_wide_rows_are_broken_into_lines(terminal: Terminal, data: DataFile) -> None:
    """In the prompt and outside: where columns do not fit, each value has its line."""
    assert "missing_branches\x1b[24m  0\r\n" in terminal.ask("SELECT * FROM file;")
    assert "\\x1b[31m" in terminal.ask(
        "SELECT char(27) || '[31m' AS a" + "".join(f", {n}" for n in range(40)) + ";"
    )
    shown = Terminal(data, data.root, arguments=("SELECT * FROM file",))
    shown.until("missing_branches  \x1b[0m0\r\n")
    assert shown.status() == 0


@needs_terminal
def test_options_for_output_go_with_a_statement(data: DataFile, tmp_path: Path) -> None:
    """A prompt has its own way to show rows."""
    terminal = Terminal(data, tmp_path, arguments=("--csv",))
    terminal.until("--csv and --json go with a statement")
    assert terminal.status() == 2


@needs_terminal
def test_the_prompt_completes_names(terminal: Terminal) -> None:
    """Tab fills in tables and columns."""
    terminal.type("SELECT next_l\t FROM branch_f\t LIMIT 1;")
    terminal.until("next_line")
    terminal.until("branch_fact")
    terminal.type("\n")
    assert "15" in terminal.until("sql> ")


@needs_terminal
def test_the_prompt_describes_tables(terminal: Terminal) -> None:
    """.tables lists them, and tells the columns of one."""
    assert "branch_fact" in terminal.ask(".tables")
    assert "seconds of wall time" in terminal.ask(".tables test")
    assert "there is no table 'xyzzy'" in terminal.ask(".tables xyzzy")


@needs_terminal
def test_the_prompt_survives_what_is_wrong(terminal: Terminal, tmp_path: Path) -> None:
    """Errors are one sentence, with their place in the statement; it goes on."""
    wrong = terminal.ask("SELECT pth FROM file;")
    assert "did you mean path" in wrong
    assert "       ^" in wrong
    assert "SQL only reads here" in terminal.ask("DELETE FROM data.run;")
    for command in (".open x.db", ".shell touch x", ".output x", ".load x", ".read x", ".py 1"):
        assert "there is no command" in terminal.ask(command)
    assert "SQL only reads here" in terminal.ask("ATTACH 'x.db' AS x;")
    assert "Traceback" not in terminal.seen


@needs_terminal
def test_the_prompt_is_interrupted(terminal: Terminal) -> None:
    """Ctrl-C ends a statement, not the prompt."""
    terminal.type(
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT 1 FROM c) SELECT count(*) FROM c;\n"
    )
    terminal.until("FROM c;\r\n")
    os.kill(terminal.pid, signal.SIGINT)
    terminal.until("sql> ")
    assert "42" in terminal.ask("SELECT 6 * 7;")


@needs_terminal
def test_the_prompt_ends_with_the_input_and_keeps_what_was_typed(
    data: DataFile, tmp_path: Path
) -> None:
    """Ctrl-D leaves; the lines come back in the next session, and nothing else is written."""
    before = sorted(data.root.rglob("*"))
    terminal = Terminal(data, tmp_path)
    terminal.until("sql> ")
    terminal.ask("SELECT 'remembered';")
    terminal.type("\x04")
    assert terminal.status() == 0
    again = Terminal(data, tmp_path)
    again.until("sql> ")
    again.type("\x1b[A")
    again.until("SELECT 'remembered';")
    again.type("\x15.quit\n")
    assert again.status() == 0
    assert sorted(data.root.rglob("*")) == before
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["sql_history"]


@needs_terminal
def test_the_prompt_needs_no_place_for_its_history(data: DataFile, tmp_path: Path) -> None:
    """Where nothing can be written, nothing is kept; colours can be turned off."""
    nowhere = tmp_path / "file"
    nowhere.touch()
    terminal = Terminal(data, nowhere, NO_COLOR="1")
    terminal.until("sql> ")
    assert "\x1b[3" not in terminal.ask("SELECT 'plain';")
    terminal.type(".exit\n")
    assert terminal.status() == 0
    assert "Traceback" not in terminal.seen
