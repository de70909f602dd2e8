"""What waits to be read takes bounded room; a host hears soon that all stops."""

import signal
import threading
import time
from pathlib import Path

import pytest

from tested_commands import wait_until
from whotests.hosts.frames import FrameReader, ReadFrames, framed
from whotests.hosts.stop_file import StopFile
from whotests.runner.running.inbox import Inbox


def test_news_come_in_order() -> None:
    """What is put first is read first, whether or not it takes room."""
    inbox: Inbox[str] = Inbox()
    inbox.put("a", octets=3)
    inbox.put_nowait("b")
    assert [inbox.wait_next(), inbox.wait_next(), inbox.wait_next(timeout=0)] == ["a", "b", None]


def test_who_brings_too_much_waits_until_some_is_read() -> None:
    """With more octets unread than there is room for, the one who brings them is held up."""
    inbox: Inbox[str] = Inbox(room=10)
    inbox.put("fits", octets=10)
    through = threading.Event()

    def bring() -> None:
        inbox.put("too much", octets=5)
        through.set()

    thread = threading.Thread(target=bring)
    thread.start()
    assert inbox.wait_next() == "fits"
    assert inbox.wait_next(timeout=60) == "too much"
    assert not through.is_set()
    inbox.read(10)
    thread.join(60)
    assert through.is_set()


def test_nobody_waits_when_nothing_is_read_any_more() -> None:
    """Opening the inbox lets go of all who wait, now and later."""
    inbox: Inbox[str] = Inbox(room=0)
    thread = threading.Thread(target=lambda: inbox.put("much", octets=5))
    thread.start()
    inbox.open()
    thread.join(60)
    assert not thread.is_alive()
    inbox.put("more", octets=5)


def test_stopping_is_seen_by_all_who_share_the_file(tmp_path: Path) -> None:
    """Who asks to stop sees it at once, another one soon."""
    one, other = StopFile(str(tmp_path / "stop")), StopFile(str(tmp_path / "stop"))
    assert not one.should_stop
    assert not other.should_stop
    one.stop()
    assert one.should_stop
    wait_until(lambda: other.should_stop)


def test_frames_that_were_read_are_still_their_octets() -> None:
    """Octets with their frames are what they would be without: they can be sent and read."""
    octets = framed(("event", "a")) + framed(("idle", []))
    read = ReadFrames.of(octets, [("event", "a"), ("idle", [])])
    assert read == octets
    assert list(FrameReader().feed(bytes(read))) == list(read.frames)


def test_a_reader_of_frames_that_is_left_in_the_middle_can_be_fed_again() -> None:
    """As by Ctrl-C, with a frame that came in two pieces just handed over."""
    reader = FrameReader()
    first, second = framed(("first",)), framed(("second",))
    assert list(reader.feed(first[:3])) == []
    left = reader.feed(first[3:] + second[:2])
    assert next(left) == ("first",)
    assert list(reader.feed(framed(("third",)))) == [("third",)]


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="handlers run there"
)
def test_a_signal_that_does_not_wake_the_waiting_thread_is_handled() -> None:
    """As one that comes just before it waits: here another thread gets it."""
    inbox: Inbox[str] = Inbox()

    def bring() -> None:
        time.sleep(0.2)
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        time.sleep(10)
        inbox.put_nowait("late")

    before = signal.signal(signal.SIGUSR1, lambda number, frame: inbox.put_nowait("handled"))
    try:
        threading.Thread(target=bring, daemon=True).start()
        assert inbox.wait_next() == "handled"
    finally:
        signal.signal(signal.SIGUSR1, before)
