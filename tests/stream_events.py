"""Runs for the tests of the stream: what each test is, and the events that tell it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import strategies as st

from whotests.stream import FINAL, Chunk, Event, Sink, Status

START = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
ENDS = sorted(FINAL)
MIME_TYPES = ('text/plain; charset="utf8"', "text/x-traceback", "application/octet-stream", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One test as it was, apart from the events that tell of it."""

    test_id: str
    route_code: str | None
    status: Status | None
    """None where no end comes."""
    tags: frozenset[str]
    runnable: bool
    attachments: dict[str, tuple[str | None, bytes]]
    begun: bool

    def events(self, random: Random) -> list[Event]:
        """What a run says of it, its attachments cut anywhere and interleaved."""
        rest = {name: cut(content, random) for name, (_, content) in self.attachments.items()}
        said = [self.event(status=Status.INPROGRESS)] if self.begun else []
        while rest:
            name = random.choice(sorted(rest))
            content = rest[name].pop(0)
            if rest[name]:
                eof = False
            else:
                eof = True
                del rest[name]
            said.append(self.event(attachment=Chunk(name, content, self.attachments[name][0], eof)))
        if self.status is not None:
            said.append(self.event(status=self.status))
        return said or [self.event()]

    def event(self, status: Status | None = None, attachment: Chunk | None = None) -> Event:
        return Event(
            self.test_id,
            status,
            tags=self.tags,
            runnable=self.runnable,
            attachment=attachment,
            route_code=self.route_code,
        )


def cut(content: bytes, random: Random) -> list[bytes]:
    """The content in one piece or more, some of them empty."""
    edges = sorted(random.randint(0, len(content)) for _ in range(random.randint(0, 3)))
    return [content[i:j] for i, j in zip([0, *edges], [*edges, len(content)], strict=True)]


def interleaved(queues: list[list[Event]], random: Random) -> list[Event]:
    """All events, those of each test in their order, a second apart."""
    waiting = [list(queue) for queue in queues if queue]
    events: list[Event] = []
    while waiting:
        queue = random.choice(waiting)
        event = queue.pop(0)
        events.append(event._replace(timestamp=START + timedelta(seconds=len(events))))
        waiting = [each for each in waiting if each]
    return events


def send(sink: Sink, events: Iterable[Event]) -> None:
    """A whole run."""
    sink.start_run()
    for event in events:
        sink.handle(event)
    sink.stop_run()


def told_statuses(events: Iterable[Event]) -> dict[str, str]:
    """The final status of each test, of which there must be one."""
    told: dict[str, str] = {}
    for event in events:
        if event.test_id is not None and event.status in FINAL:
            assert event.test_id not in told, f"{event.test_id} ended twice"
            told[event.test_id] = str(event.status)
    return told


NAMES = st.text(min_size=1, max_size=8)
TAGS = st.frozensets(st.sampled_from(["slow", "net", "ä b"]))
CONTENTS = st.one_of(st.binary(max_size=40), st.text(max_size=20).map(str.encode))
ATTACHMENTS = st.dictionaries(NAMES, st.tuples(st.sampled_from(MIME_TYPES), CONTENTS), max_size=3)
TESTS = st.builds(
    Told,
    test_id=NAMES,
    route_code=st.sampled_from([None, "0", "0/1", "1"]),
    status=st.sampled_from([*ENDS, None]),
    tags=TAGS,
    runnable=st.booleans(),
    attachments=ATTACHMENTS,
    begun=st.booleans(),
)
RUNS = st.lists(TESTS, max_size=6, unique_by=lambda told: (told.test_id, told.route_code))
RANDOMS = st.randoms(use_true_random=False)

EVENTS = st.builds(
    Event,
    test_id=st.none() | NAMES,
    status=st.none() | st.sampled_from(list(Status)),
    tags=st.none() | TAGS,
    runnable=st.booleans(),
    attachment=st.none()
    | st.builds(
        Chunk,
        name=st.text(max_size=8),
        content=CONTENTS,
        mime_type=st.sampled_from(MIME_TYPES),
        eof=st.booleans(),
    ),
    route_code=st.none() | st.text(min_size=1, max_size=4),
    timestamp=st.none() | st.datetimes(timezones=st.none() | st.just(UTC) | st.timezones()),
)
"""Any event at all, whatever sense it makes."""
