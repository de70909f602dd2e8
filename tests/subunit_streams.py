"""Events and streams of subunit, drawn by hypothesis or made by chance, for several tests."""

from datetime import UTC, datetime
from random import Random

from hypothesis import strategies as st

from whotests.stream.event import Chunk, Event, Status
from whotests.stream.event_log import EventLog
from whotests.stream.subunit import SubunitReader
from whotests.stream.subunit.encoding import packets

__all__ = [
    "DAMAGED",
    "EVENTS",
    "STRAY",
    "encode",
    "joined",
    "random_event",
    "read_all",
    "stream_of",
]

STRAY = "not a packet"
"""What reads_all calls the attachment with what is no packet."""

DAMAGED = "subunit.parser"
"""The test under which damage is told."""

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80)
TIMES = st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2106, 2, 7), timezones=st.just(UTC)
)
CHUNKS = st.builds(
    Chunk,
    TEXT,
    st.binary(max_size=300),
    st.none() | st.sampled_from(["text/plain; charset=utf8", "application/octet-stream"]),
    st.booleans(),
)
EVENTS = st.builds(
    Event,
    st.none() | TEXT,
    st.none() | st.sampled_from([status for status in Status if status is not Status.UNKNOWN]),
    st.none() | st.frozensets(TEXT, max_size=4),
    st.booleans(),
    st.none() | CHUNKS,
    st.none() | TEXT,
    st.none() | TIMES,
)
"""All that can be written and read back as it was."""

STATUSES = [None, *(status for status in Status if status is not Status.UNKNOWN)]
WORDS = ["test_one", "Klasse.prüfe_ó", "", "³³", "x" * 60, "y" * 70, "module.test[\n1-a]"]


def random_event(random: Random, number: int) -> Event:
    """One of its kind: its id has the number. Much faster than drawing one."""
    attachment = None
    if random.random() < 0.3:
        size = random.choice([0, 3, 40, 90, 300]) if random.random() < 0.95 else 9000
        content = random.randbytes(size)
        attachment = Chunk(random.choice(WORDS), content, random.choice([None, "text/plain"]))
    return Event(
        f"{number} {random.choice(WORDS)}",
        random.choice(STATUSES),
        None if random.random() < 0.7 else frozenset(random.sample(WORDS, 2)),
        random.random() < 0.9,
        attachment,
        random.choice([None, None, "0", "worker/3"]),
        datetime.fromtimestamp(random.randrange(1 << 31), UTC) if random.random() < 0.5 else None,
    )


def read_all(data: bytes, *, sizes: Random | None = None) -> list[Event]:
    """The events of a stream that comes at once, or in pieces of sizes by chance."""
    log = EventLog()
    reader = SubunitReader(log, other_bytes=STRAY)
    at = 0
    while at < len(data):
        size = len(data) if sizes is None else sizes.choice([1, 2, 7, 30, 100, 1000])
        reader.feed(data[at : at + size])
        at += size
    reader.close()
    return log.events


def joined(events: list[Event]) -> list[Event]:
    """The same with neighbouring pieces of what is no packet as one."""
    result: list[Event] = []
    for event in events:
        chunk, before = event.attachment, result[-1].attachment if result else None
        if (
            chunk
            and before
            and event == Event(attachment=Chunk(STRAY, chunk.content))
            and (result[-1] == Event(attachment=Chunk(STRAY, before.content)))
        ):
            result[-1] = Event(attachment=Chunk(STRAY, before.content + chunk.content))
        else:
            result.append(event)
    return result


def encode(event: Event) -> bytes:
    """Its packet, or packets."""
    return b"".join(packets(event))


def stream_of(events: list[Event]) -> bytes:
    """Their packets, one after the other."""
    return b"".join(map(encode, events))
