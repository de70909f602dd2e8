"""`whotests test`: its options, what it writes where, and how it ends."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from measured_commands import write_files
from stream_events import told_statuses
from tested_commands import PATIENCE, environment
from whotests.cli.group import cli
from whotests.cli.test import test as command
from whotests.errors import UsageError
from whotests.store.reader import Reader
from whotests.stream import EventLog, read_json_lines
from whotests.stream.subunit import read_subunit

PROJECT = {
    "pyproject.toml": "[tool.whotests]\nsource = ['shop.py']\n",
    "shop.py": "def pay(card):\n    return card + 1\n",
    "test_shop.py": """
        import unittest
        import shop

        class Paying(unittest.TestCase):
            def test_paid(self):
                self.assertEqual(shop.pay(1), 2)

            def test_nothing_paid(self):
                print("no card")
                self.assertEqual(shop.pay(1), 3)

            @unittest.skip("no network")
            def test_far_away(self):
                pass
    """,
    "test_good.py": """
        import sys
        import unittest

        class Good(unittest.TestCase):
            def test_good(self):
                pass

            def test_optimized(self):
                self.assertEqual(sys.flags.optimize, 1)
    """,
}

PAID, NOTHING, FAR = (
    f"test_shop.Paying.{name}" for name in ("test_paid", "test_nothing_paid", "test_far_away")
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one test that passes, one that fails, and one that is skipped."""
    write_files(tmp_path, PROJECT)
    return tmp_path


def run(
    *words: str, cwd: Path, python: tuple[str, ...] = (), out: int = subprocess.PIPE
) -> "subprocess.CompletedProcess[bytes]":
    """The command; nothing is measured unless it says so."""
    return subprocess.run(
        [sys.executable, "-P", *python, "-m", "whotests", "test", *words],
        cwd=cwd,
        env=environment(NO_COLOR="1"),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )


def text_of(done: "subprocess.CompletedProcess[bytes]") -> str:
    """What was shown; nothing may be told on standard error beside."""
    assert done.stderr == b""
    return done.stdout.decode()


# -- what is shown -----------------------------------------------------------------------------


def test_a_run(project: Path) -> None:
    """Failures with what they attached, the counts, what to do next; who tests what is recorded."""
    done = run("unittest:test_shop", "--slowest", "1", cwd=project)
    assert done.returncode == 1
    shown = text_of(done)
    assert shown.startswith(f"failed  {NOTHING}  0.")
    assert "\n  output: no card\n" in shown
    assert "    AssertionError: 2 != 3\n" in shown
    summary = shown.partition("\n1 failure\n")[2]
    assert summary.startswith(f"  failed {NOTHING}\n\nslowest\n  ")
    assert "\nFAILED: 1 passed, 1 failed, 1 skipped in " in summary
    assert summary.endswith(
        "again: whotests test --failed unittest:test_shop\nlogs: .whotests/runs/1\n"
    )
    with Reader.open(project / ".whotests" / "data.db") as reader:
        assert reader.runs[-1].exit_status == 1
    again = run("unittest:test_shop", "--failed", "-q", "--no-measure", cwd=project)
    assert again.returncode == 1
    assert "FAILED: 1 failed in " in text_of(again)


def test_a_line_for_each_test(project: Path) -> None:
    """-v, with why a test was skipped; no word of what is all right without it."""
    shown = text_of(
        run("-v", "--no-measure", "unittest:test_shop", "-k", "not nothing", cwd=project)
    )
    assert f"skipped {FAR}: no network  " in shown
    assert f"passed  {PAID}  0." in shown
    quiet = text_of(run("--no-measure", "unittest:test_shop", "-k", "not nothing", cwd=project))
    assert quiet.startswith("passed: 1 passed, 1 skipped in ")
    assert quiet.count("\n") == 1


def test_colours_without_a_terminal(project: Path) -> None:
    """FORCE_COLOR, as many CI services set it, gives colours and no more."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "whotests", "test", "--no-measure", "unittest:test_shop"],
        cwd=project,
        env={**environment(FORCE_COLOR="1"), "TERM": "xterm"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "\x1b[1;31mFAILED\x1b[0m: " in done.stdout
    assert set(re.findall(r"\x1b\[[0-9;?]*([A-Za-z])", done.stdout)) == {"m"}


def test_for_programs(project: Path) -> None:
    """JSON on standard output, and nothing else; a JUnit file besides, whole; people are told on
    standard error."""
    done = run(
        "--json", "--junit", "out/junit.xml", "--no-measure", "unittest:test_shop", cwd=project
    )
    assert done.returncode == 1
    assert b"FAILED: 1 passed, 1 failed, 1 skipped" in done.stderr
    events = list(read_json_lines(done.stdout.decode("ascii").splitlines()))
    expected = {PAID: "success", NOTHING: "fail", FAR: "skip"}
    assert told_statuses(events) == expected
    assert events[-1].attachment is not None
    summary = json.loads(events[-1].attachment.content)
    assert summary.pop("seconds") > 0
    assert summary == {
        "exit_status": 1,
        "tests": 3,
        "counts": {"success": 1, "fail": 1, "skip": 1},
        "outside": {},
        "not_run": 0,
        "workers": 1,
    }
    page = (Path(__file__).parents[1] / "docs" / "json.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `(\w+)`", page.partition("\n## test\n")[2], re.MULTILINE))
    lines = [json.loads(line) for line in done.stdout.splitlines()[1:]]
    told = {key for line in lines for key in line}
    told |= {key for line in lines for key in line.get("attachment", ())}
    assert told | set(summary) - {"seconds"} <= documented
    suite = ElementTree.parse(project / "out" / "junit.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")


def test_subunit(project: Path) -> None:
    """Packets of subunit v2 alone on standard output, with every verdict."""
    done = run("--subunit", "--no-measure", "unittest:test_shop", cwd=project)
    log = EventLog()
    read_subunit(io.BytesIO(done.stdout), log)
    assert told_statuses(log.events) == {PAID: "success", NOTHING: "fail", FAR: "skip"}
    assert not any(event.attachment and event.test_id is None for event in log.events)


def test_a_list(project: Path) -> None:
    """Ids alone, one per line, of the tests that would run; nothing runs, nothing is recorded;
    for programs, as tests that exist."""
    done = run("--list", "unittest:test_shop", "-k", "paid", cwd=project)
    assert (done.returncode, done.stderr) == (0, b"")
    assert sorted(done.stdout.decode().splitlines()) == [NOTHING, PAID]
    assert not (project / ".whotests" / "data.db").exists()
    done = run("--list", "--json", "unittest:test_shop", cwd=project)
    events = read_json_lines(done.stdout.decode().splitlines())
    assert set(told_statuses(list(events)).values()) == {"exists"}


def test_a_locale_without_the_letters(tmp_path: Path) -> None:
    """Names that the locale cannot write have escapes in what is shown."""
    case = (
        "import unittest\nclass A(unittest.TestCase):\n    def test_\u0436(self): self.fail('no')\n"
    )
    (tmp_path / "test_it.py").write_text(case, "utf-8")
    (tmp_path / "pyproject.toml").touch()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "whotests", "test", "--no-measure", "unittest:test_it"],
        cwd=tmp_path,
        env=environment(LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0"),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"\n  failed test_it.A.test_\\u0436\n" in done.stdout


# -- how it ends -------------------------------------------------------------------------------


def test_no_test(project: Path) -> None:
    """That no test ran is an error of its own, which says what was looked for."""
    done = run("--no-measure", "unittest:test_shop", "-k", "nowhere", cwd=project)
    assert done.returncode == 5
    shown = text_of(done)
    assert shown.startswith("FAILED: no test in ")
    assert "no test was found that fits -k 'nowhere'; looked for unittest: test_shop\n" in shown


@pytest.mark.parametrize("python", [(), ("-u",)], ids=["later", "at once"])
def test_a_stream_that_is_full(project: Path, python: tuple[str, ...]) -> None:
    """The run goes on, all else is told, and a run that passed has an exit status of its own,
    whether the stream says so at its first line or at its end."""
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        words = ("--json", "unittest:test_shop", "-k", "not nothing")
        done = run(*words, cwd=project, python=python, out=full)
    finally:
        os.close(full)
    assert done.returncode == 3
    assert b"passed, but not all is recorded or written: 1 passed, 1 skipped" in done.stderr
    assert b"whotests: the JSON stream is not whole: No space left on device\n" in done.stderr
    with Reader.open(project / ".whotests" / "data.db") as reader:
        assert reader.runs[-1].complete


def test_a_display_that_is_full(project: Path) -> None:
    """Where nothing can be shown any more, failures are failures all the same."""
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        # What is told before there are tests: why they are unittest's.
        done = run("-v", "--no-measure", "test_shop.py", cwd=project, python=("-u",), out=full)
    finally:
        os.close(full)
    assert done.returncode == 1
    assert done.stderr == b"whotests: what is shown is not whole: No space left on device\n"


def test_data_that_is_destroyed(project: Path) -> None:
    """Where the data file takes nothing any more, how the tests ended is told all the same."""
    write_files(
        project,
        {
            "test_bad.py": """
                import glob
                import os
                import unittest

                class Bad(unittest.TestCase):
                    def test_destroys(self):
                        for file in glob.glob(".whotests/data.db*"):
                            os.remove(file)
                        os.mkdir(".whotests/data.db")

                    def test_good(self):
                        pass
            """
        },
    )
    done = run("unittest:test_bad", cwd=project)
    assert done.returncode == 3
    assert b"2 passed in " in done.stdout
    assert b"whotests: the data is incomplete: " in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_file_that_cannot_be_written(project: Path) -> None:
    """Is told before any test runs; the data says that the run came to nothing."""
    done = run("--junit", "shop.py/junit.xml", "unittest:test_shop", cwd=project)
    assert done.returncode == 2
    assert b"whotests: the JUnit XML cannot be written to " in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"passed" not in done.stdout


def test_nobody_reads(project: Path) -> None:
    """When whoever read the output is gone, the run ends soon, with what is done recorded."""
    many = (
        "import time, unittest\nclass Many(unittest.TestCase):\n    pass\nfor n in range(2000):\n"
    )
    many += "    setattr(Many, f'test_{n}', lambda self: time.sleep(0.05))\n"
    (project / "test_many.py").write_text(many)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "whotests", "test", "-v", "unittest:test_many"],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    line = b""
    while b"passed" not in line:
        line = process.stdout.readline()
    began = time.monotonic()
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(PATIENCE) == 130
    assert time.monotonic() - began < 60
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said
    process.stderr.close()
    with Reader.open(project / ".whotests" / "data.db") as reader:
        assert reader.runs[-1].status == "interrupted"


@pytest.mark.skipif(sys.platform == "win32", reason="signals, and pipes with names")
def test_interrupted_before_it_has_begun(project: Path) -> None:
    """Ctrl-C while whotests itself waits for something has the same exit status."""
    os.mkfifo(project / "ids")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "whotests", "test", "--load-list", "ids"],
        cwd=project,
        env=environment(),
        stderr=subprocess.PIPE,
    )
    with open(project / "ids", "wb"):  # as soon as it reads
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert said == b"whotests: interrupted\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(project: Path, closed: str) -> None:
    """Where a standard stream is not there, the run is what it is otherwise."""
    words = (
        f'"{sys.executable}" -P -m whotests test --junit out.xml -k test_paid unittest:test_shop'
    )
    done = subprocess.run(
        f"{words} {closed}",
        shell=True,
        cwd=project,
        env=environment(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    suite = ElementTree.parse(project / "out.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")


def test_options_of_the_interpreter(project: Path) -> None:
    """Those that whotests was started with are those that tests run with."""
    words = ("--no-measure", "unittest:test_good")
    assert run(*words, cwd=project).returncode == 1
    assert run(*words, cwd=project, python=("-O",)).returncode == 0


def test_settings_are_defaults(project: Path) -> None:
    """jobs, timeout, slowest and tests come from the settings, where the command says nothing."""
    settings = "jobs = 2\ntimeout = 90.5\nslowest = 2\ntests = ['unittest:test_shop']\n"
    (project / "pyproject.toml").write_text(f"[tool.whotests]\n{settings}")
    shown = text_of(run("--no-measure", cwd=project))
    assert "\nslowest\n  " in shown
    assert "FAILED: 1 passed, 1 failed, 1 skipped in " in shown
    assert " by 2 workers\n" in shown
    shown = text_of(run("--no-measure", "-j1", "--slowest", "0", cwd=project))
    assert "slowest" not in shown
    assert "workers" not in shown


# -- wrong use ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--subunit --json", "--subunit and --json both write to standard output"),
        ("--pdb -j2", "--pdb and -j 2 do not fit"),
        ("-j 0", "-j 0: give a whole number from 1 on, or auto"),
        ("-j many", "-j many: give a whole number"),
        ("-j 100000", "-j 100000: one machine gets 1,000 processes at most"),
        ("--order backwards", "--order backwards: there is no such order"),
        ("--timeout nan", "--timeout nan: give a number of seconds"),
        ("--shard 3/2", "--shard 3/2: write I/N"),
        ("--load-list nowhere.txt", "cannot read nowhere.txt"),
        ("nowhere", "nowhere"),
    ],
)
def test_wrong_use(project: Path, monkeypatch: pytest.MonkeyPatch, words: str, told: str) -> None:
    """Is told in a sentence that names it, with exit status 2, before anything runs."""
    monkeypatch.chdir(project)
    ended = CliRunner().invoke(cli, ["test", *words.split()])
    assert ended.exit_code == 2
    assert ended.stderr.startswith("whotests: ")
    assert told in ended.stderr
    assert not (project / ".whotests" / "data.db").exists()


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("-n2", "no such option '-n'; it is -j N here"),
        ("--lf", "no such option '--lf'; it is --failed here"),
        ("--cov=shop", "no such option '--cov'; what runs is recorded anyway: --source says"),
        ("--until-fail", "no such option '--until-fail'; did you mean --until-failure"),
        ("-m", "stands behind '--': whotests test -- -m"),
    ],
)
def test_options_of_other_runners(
    project: Path, monkeypatch: pytest.MonkeyPatch, word: str, told: str
) -> None:
    """Are refused with what to write instead."""
    monkeypatch.chdir(project)
    ended = CliRunner().invoke(cli, ["test", word], prog_name="whotests")
    assert ended.exit_code == 2
    assert told in ended.stderr


def test_help_has_every_option_in_a_group() -> None:
    """Options stand in groups with a title; what they and the exit statuses mean is told."""
    shown = CliRunner().invoke(command, ["--help"]).output
    for title in (
        "Which tests:",
        "In which order, how often:",
        "Where and how:",
        "What is recorded:",
        "What is shown:",
    ):
        assert f"\n{title}\n" in shown
    assert "\nOther:\n  -h, --help" in shown or "\nOther:\n  --help" in shown
    for param in command.params:
        if param.opts[0].startswith("-"):
            assert param.opts[0] in shown
    assert "Exit status: 0 all passed" in shown


@pytest.mark.parametrize("words", [["-j", "2"], ["-j", "auto"], []])
def test_numbers_of_workers(words: list[str]) -> None:
    """As the command line says, else as the settings do."""
    from whotests.cli.test import _workers
    from whotests.runner.agents.processors import usable_processors

    jobs = words[1] if words else None
    expected = {None: 3, "2": 2, "auto": usable_processors()}[jobs]
    assert _workers(jobs, 3, debug=False) == expected
    assert _workers(None, 0, debug=False) == usable_processors()
    assert _workers(None, 3, debug=True) == 1
    with pytest.raises(UsageError):
        _workers("2", 1, debug=True)


@pytest.mark.parametrize(
    ("text", "most"), [("150000 100000", 2), ("max 100000", None), ("nonsense", None), (None, None)]
)
def test_processors_of_a_container(tmp_path: Path, text: str | None, most: int | None) -> None:
    """A quota of processor time counts as so many processors; no less than one is used."""
    from whotests.runner.agents.processors import usable_processors

    quota = tmp_path / "cpu.max"
    if text is not None:
        quota.write_text(text)
    usual = usable_processors(tmp_path / "none")
    assert usable_processors(quota) == (usual if most is None else min(usual, most))
    quota.write_text("1000 100000")
    assert usable_processors(quota) == 1
