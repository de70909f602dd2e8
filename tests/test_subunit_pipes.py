"""Streams between processes: several that are alive, one that dies, and formats in a row."""

import asyncio
import io
import subprocess
import sys
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from subunit_streams import DAMAGED, EVENTS
from whotests.stream.collection import Collector, TestRecord
from whotests.stream.event import Event, Status
from whotests.stream.event_log import EventLog
from whotests.stream.json_lines import JsonLines, read_json_lines
from whotests.stream.subunit import SubunitReader, SubunitWriter, read_subunit

WORKER = """
import os, sys
from whotests.stream.event import Event, Status
from whotests.stream.subunit import SubunitWriter
from whotests.stream.subunit.encoding import packets

writer = SubunitWriter(sys.stdout.buffer)
"""

DYING = """
writer.handle(Event("test_one", Status.INPROGRESS))
writer.handle(Event("test_one", Status.SUCCESS))
writer.handle(Event("test_two", Status.INPROGRESS))
(packet,) = packets(Event("test_two", Status.SUCCESS))
os.write(1, packet[:-2])
os.kill(os.getpid(), 9)
"""

ASKING = """
for number in range(5):
    writer.handle(Event(f"test_{number}", Status.SUCCESS))
    assert sys.stdin.readline() == "next\\n"
"""

WRITING = """
number = os.getpid()
for count in range(300):
    writer.handle(Event(f"test_{count}", Status.SUCCESS, route_code=sys.argv[1]))
"""


def test_a_worker_that_is_killed_within_a_packet() -> None:
    """What it told counts; the test that it was in has no end, and the damage is told."""
    records: list[TestRecord] = []
    collector = Collector(records.append)
    collector.start_run()
    command = [sys.executable, "-c", WORKER + DYING]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        read_subunit(worker.stdout, collector)
    collector.stop_run()
    assert {record.test_id: record.status for record in records} == {
        "test_one": Status.SUCCESS,
        "test_two": Status.UNKNOWN,
        DAMAGED: Status.FAIL,
    }


def test_each_event_comes_before_the_next_is_written() -> None:
    """A worker that waits for an answer to each event gets it: nothing is held back."""

    class Answering(EventLog):
        def handle(self, event: Event, /) -> None:
            super().handle(event)
            assert worker.stdin is not None
            worker.stdin.write(b"next\n")
            worker.stdin.flush()

    log = Answering()
    command = [sys.executable, "-c", WORKER + ASKING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        timer = threading.Timer(60, worker.kill)
        timer.start()
        assert worker.stdout is not None
        read_subunit(worker.stdout, log)
        timer.cancel()
    assert [event.test_id for event in log.events] == [f"test_{number}" for number in range(5)]
    assert worker.returncode == 0


def test_workers_under_asyncio() -> None:
    """Each one's bytes are fed to a reader as they come; both go into one sink."""
    log = EventLog()

    async def follow(name: str) -> None:
        worker = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER + WRITING, name, stdout=asyncio.subprocess.PIPE
        )
        assert worker.stdout is not None
        reader = SubunitReader(log)
        while data := await worker.stdout.read(100):
            reader.feed(data)
        reader.close()
        assert await worker.wait() == 0

    async def follow_both() -> None:
        await asyncio.gather(follow("0"), follow("1"))

    asyncio.run(follow_both())
    for route in ("0", "1"):
        found = [event.test_id for event in log.events if event.route_code == route]
        assert found == [f"test_{number}" for number in range(300)]


def test_processes_that_share_a_pipe() -> None:
    """A packet is written at once, so that those of other processes do not get into it."""
    log = EventLog()
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys\n"
            "command = [sys.executable, '-c', sys.argv[1]]\n"
            "workers = [subprocess.Popen([*command, name]) for name in '012']\n"
            "sys.exit(any([worker.wait() for worker in workers]))",
            WORKER + WRITING,
        ],
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        read_subunit(process.stdout, log)
    assert process.returncode == 0
    assert len(log.events) == 900
    for route in ("0", "1", "2"):
        found = [event.test_id for event in log.events if event.route_code == route]
        assert found == [f"test_{number}" for number in range(300)]


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=5))
def test_json_lines_and_subunit_say_the_same(events: list[Event]) -> None:
    """From one format to the other and back, nothing is lost."""
    packets = io.BytesIO()
    first = SubunitWriter(packets)
    for event in events:
        first.handle(event)
    lines = io.StringIO()
    read_subunit(io.BytesIO(packets.getvalue()), JsonLines(lines))
    lines.seek(0)
    again = io.BytesIO()
    second = SubunitWriter(again)
    for event in read_json_lines(lines):
        second.handle(event)
    assert again.getvalue() == packets.getvalue()
