"""How a death is told: signals by name, stacks without ours, the end of the output."""

import signal
import sys
from pathlib import Path

import pytest

import whotests
from whotests.hosts.frames import FrameReader
from whotests.runner.agents.post_mortem import OutputTail, PostMortem, how_it_ended, last_stacks

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

HOSTS = Path(whotests.__file__).parent / "hosts" / "main.py"
FLUSHER = Path(whotests.__file__).parent / "recording" / "flusher.py"


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "exited with status 0"),
        (3, "exited with status 3"),
        (-signal.SIGSEGV, "was killed by SIGSEGV (Segmentation fault)"),
        (-signal.SIGKILL, "was killed by SIGKILL (Killed)"),
        (-250, "was killed by signal 250"),
    ],
)
def test_a_status_is_told_in_words(status: int, text: str) -> None:
    """An exit by its number, a signal by its names."""
    assert how_it_ended(status) == text


def test_a_kill_while_memory_was_short_says_so() -> None:
    """Only of SIGKILL: that is how systems that have run out of memory kill."""
    assert "out of memory" in how_it_ended(-signal.SIGKILL, memory_short=True)
    assert "out of memory" not in how_it_ended(-signal.SIGSEGV, memory_short=True)


def test_stacks_are_the_last_crash_without_what_is_ours(tmp_path: Path) -> None:
    """Of several dumps the last one counts; the host's own frames and threads are left out."""
    stacks = tmp_path / "stacks"
    stacks.write_text(
        "Fatal Python error: Aborted\n\nCurrent thread 0x1 (most recent call first):\n"
        '  File "child.py", line 1 in child\n\n'
        "Fatal Python error: Segmentation fault\n\n"
        "Thread 0x2 (most recent call first):\n"
        f'  File "{FLUSHER}", line 1 in run\n\n'
        "Current thread 0x3 (most recent call first):\n"
        '  File "test_it.py", line 5 in test_a\n'
        f'  File "{HOSTS}", line 9 in main\n'
        '  File "<string>", line 9 in <module>\n'
    )
    assert last_stacks(stacks).decode().split("\n") == [
        "Fatal Python error: Segmentation fault",
        "",
        "Current thread 0x3 (most recent call first):",
        '  File "test_it.py", line 5 in test_a',
    ]
    assert last_stacks(tmp_path / "none") == b""


def test_output_of_earlier_tests_is_not_told(tmp_path: Path) -> None:
    """What came after the mark is told, the end of it if there is much, from a whole line on."""
    path = tmp_path / "out"
    path.write_text("of an earlier test\n")
    tail = OutputTail(path)
    tail.mark()
    with path.open("a") as file:
        file.write("line\n")
    assert tail.read() == b"line\n"
    with path.open("a") as file:
        file.writelines(f"line {number}\n" for number in range(10_000))
    told = tail.read()
    first, _, rest = told.partition(b"\n")
    assert len(told) < 40_000
    assert rest.startswith(b"line ")
    assert rest.endswith(b"line 9999\n")
    assert first == b"[%d octets before]" % (path.stat().st_size - 19 - len(rest))


def test_a_verdict_comes_after_what_explains_it() -> None:
    """Attachments first, then the failure; without a verdict the attachments alone."""
    why = PostMortem("it died", b"stacks", b"output")
    frames = list(FrameReader().feed(why.frames("a")))
    assert [(frame[1], frame[2], frame[5] and frame[5][0]) for frame in frames] == [
        ("a", None, "reason"),
        ("a", None, "output"),
        ("a", None, "stacks"),
        ("a", "fail", None),
    ]
    frames = list(FrameReader().feed(why.frames("a", runnable=False, verdict=False)))
    assert [frame[2] for frame in frames] == [None] * 3
    assert not any(frame[4] for frame in frames)
