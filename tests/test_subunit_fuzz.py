"""Streams with damage by chance: the reader never fails, and finds each packet that is whole.

By hand, for longer: `python tests/test_subunit_fuzz.py SECONDS SEED`.
"""

import sys
import time
from collections import Counter
from dataclasses import dataclass
from random import Random

from subunit_streams import DAMAGED, STRAY, encode, joined, random_event, read_all
from whotests.stream.event import Event

PACKETS = 30
"""Of one stream."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A stream, and what of it must be found."""

    data: bytes
    whole: list[Event]
    """The events of the packets that no damage has touched, in their order."""
    bytes_beside: int
    """Bytes that belong to none of those."""


def main(seconds: float, seed: int) -> None:
    """Look for a stream that is read wrongly until the time is over."""
    until = time.monotonic() + seconds
    number = packets = whole = 0
    while time.monotonic() < until:
        damaged = damaged_stream(Random(f"{seed} {number}"))
        problem = what_is_wrong(damaged, Random(number))
        if problem:
            raise SystemExit(f"seed {seed}, stream {number}: {problem}")
        number += 1
        packets += PACKETS
        whole += len(damaged.whole)
    print(f"{number} streams, {packets} packets, {whole} of them whole, all found; seed {seed}")


def damaged_stream(random: Random) -> Damaged:
    """Packets, some of which are damaged, with garbage and text between some."""
    pieces: list[tuple[bytes, Event | None]] = []
    for number in range(PACKETS):
        event = random_event(random, number)
        packet = encode(event)
        if random.random() < 0.25:
            pieces.append((garbage(random), None))
        if random.random() < 0.3:
            pieces.append((spoiled(packet, random), None))
        else:
            pieces.append((packet, event))
    return Damaged(
        b"".join(octets for octets, _ in pieces),
        [event for _, event in pieces if event is not None],
        sum(len(octets) for octets, event in pieces if event is None),
    )


def garbage(random: Random) -> bytes:
    """Bytes that are no packet, and often seem to be one."""
    kind = random.randrange(8)
    if kind == 0:
        return random.randbytes(random.randrange(1, 60))
    if kind == 1:
        return bytes(
            random.choices(b"\xb3\x28\x29\x00\x40\x80\xbf\xc3\n", k=random.randrange(1, 30))
        )
    if kind == 2:
        return b"\xb3" * random.randrange(1, 9)
    if kind == 3:  # the beginning of a long one
        return b"\xb3\x28" + random.randbytes(1) + bytes((0x80 | random.randrange(64), 9, 9))
    if kind == 4:
        return b"\xb3\x29\x01" + bytes((random.randrange(256),))
    if kind == 5:  # one that seems to be whole, and long
        return b"\xb3\x28\x01" + bytes((0x50 | random.randrange(16), random.randrange(256)))
    if kind == 6:
        return "resultó próximo: ³ ł\n".encode()
    return b"\xc3"


def spoiled(packet: bytes, random: Random) -> bytes:
    """The packet, which is no longer one."""
    kind = random.randrange(6)
    place = random.randrange(len(packet))
    if kind == 0:
        bit = 1 << random.randrange(8)
        return packet[:place] + bytes((packet[place] ^ bit,)) + packet[place + 1 :]
    if kind == 1:
        # The signature of the next packet must not make it whole again.
        return b"" if packet[place] == 0xB3 else packet[:place]
    if kind == 2:
        return packet[place + 1 :]
    if kind == 3:
        return packet[:place] + random.randbytes(random.randrange(1, 5)) + packet[place + 1 :]
    if kind == 4:
        return packet[:3] + b"\0" + packet[4:]
    end = random.randrange(place, len(packet) + 1)
    return packet[:place] + packet[place:end] * 2 + packet[end:]


def what_is_wrong(damaged: Damaged, sizes: Random) -> str:
    """How the stream is read wrongly; '' if it is not."""
    at_once = read_all(damaged.data)
    found = [event for event in at_once if not is_beside(event)]
    if missing := Counter(damaged.whole) - Counter(found):
        return f"not found: {missing}"
    whole = Counter(damaged.whole)
    if (ours := [event for event in found if whole[event]]) != damaged.whole and not (
        Counter(ours) - whole
    ):
        return "found in another order"
    beside = sum(beside_bytes(event) for event in at_once)
    others = sum(len(encode(event)) for event in (Counter(found) - whole).elements())
    if beside + others != damaged.bytes_beside:
        return f"{damaged.bytes_beside} bytes beside the packets, {beside} were passed on"
    in_pieces = read_all(damaged.data, sizes=sizes)
    if without_reasons(in_pieces) != without_reasons(at_once):
        return "read in pieces, it has other events"
    return ""


def without_reasons(events: list[Event]) -> list[Event]:
    """The same without why packets are damaged: of one that was cut and has wrong bytes, too,
    it depends on the pieces which is seen first."""
    return [
        event._replace(attachment=None) if event.status and is_beside(event) else event
        for event in joined(events)
    ]


def is_beside(event: Event) -> bool:
    """Whether it tells of what is no packet."""
    chunk = event.attachment
    return event.test_id == DAMAGED or (chunk is not None and chunk.name == STRAY)


def beside_bytes(event: Event) -> int:
    """How many bytes that are no packet it has."""
    chunk = event.attachment
    if chunk is None or not is_beside(event) or chunk.name == "Parser Error":
        return 0
    return len(chunk.content)


def test_packets_beside_damage_are_found() -> None:
    """Each packet that is whole is read, in order; every other byte is passed on once."""
    for number in range(2000):
        damaged = damaged_stream(Random(number))
        problem = what_is_wrong(damaged, Random(number))
        assert not problem, f"stream {number}: {problem}"


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
