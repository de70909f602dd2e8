"""What a stream has beside its packets: text, and packets that were damaged."""

from collections.abc import Callable
from typing import NamedTuple

from whotests.stream.event import Chunk, Event, Status
from whotests.stream.subunit.format import LONGEST_PACKET

__all__ = ["Strays"]

DAMAGED_TEST = "subunit.parser"
"""The test under which damage is reported; its name and those below are python-subunit's."""

DAMAGED_CONTENT = "Packet data"
DAMAGED_REASON = "Parser Error"


class _Damage(NamedTuple):
    """What was meant to be a packet, as far as it has been read."""

    octets: bytearray
    reason: str
    longest: int
    """So many octets belong to it at the most."""
    to_newline: bool
    """Its length is not known: it ends with the line."""


class Strays:
    """Takes the octets that belong to no packet, in order, and hands them to a sink as events.

    Text is an attachment of no test, in pieces as they come. Damage is a failure of a test of its
    own, with the octets and the reason. It ends where the damaged packet claims to end, or with
    the line when its length is not known; and in any case where a good packet begins.
    """

    def __init__(self, handle: Callable[[Event], None], name: str) -> None:
        self._handle = handle
        self._name = name
        self._before = b""
        self._damage: _Damage | None = None
        self.begun = False
        """Whether there were any since the last packet."""

    @property
    def are_damage(self) -> bool:
        """Whether what comes next is a part of something damaged."""
        return self._damage is not None

    def add(self, octets: bytes | bytearray) -> None:
        """The next octets that are no packet."""
        if self._damage is not None:
            octets = self._add_to_damage(self._damage, octets)
        if octets:
            self.begun = True
            self._before = (self._before + octets[-3:])[-3:]
            self._handle(Event(attachment=Chunk(self._name, bytes(octets))))

    def _add_to_damage(self, damage: _Damage, octets: bytes | bytearray) -> bytes | bytearray:
        """Add what belongs to it; returns the rest."""
        room = damage.longest - len(damage.octets)
        end = room
        if damage.to_newline:
            end = octets.find(b"\n", 0, room) + 1 or room
        damage.octets.extend(octets[:end])
        if len(octets) < end:
            return b""
        self.packet_follows()
        return octets[end:]

    def is_text(self, octets: bytes | bytearray, *, seems_packet: bool) -> bool:
        """Whether a signature behind these octets, which are to be added, is a part of text.

        A packet stands at the start, behind another one or on a line of its own. Elsewhere a
        signature is damage only when a packet seems to follow, and when it is no part of a
        character.
        """
        before = (self._before + octets[-3:])[-3:]
        if not before or before.endswith(b"\n"):
            return False
        return not seems_packet or _is_inside_character(before)

    def damage_follows(self, reason: str, length: int) -> None:
        """The next octets were meant to be a packet, of that length, or 0 when that is unknown."""
        self.begun = True
        self._damage = _Damage(bytearray(), reason, length or LONGEST_PACKET, not length)

    def packet_follows(self) -> None:
        """What was damaged ends here."""
        self.begun = False
        self._before = b""
        damage, self._damage = self._damage, None
        if damage is not None:
            self.report(bytes(damage.octets), damage.reason)

    def report(self, octets: bytes, reason: str) -> None:
        """Something damaged, whole."""
        content = Chunk(DAMAGED_CONTENT, octets, "application/octet-stream", eof=True)
        self._handle(Event(DAMAGED_TEST, attachment=content))
        text = f"a packet of subunit is damaged: {reason}".encode()
        explanation = Chunk(DAMAGED_REASON, text, "text/plain;charset=utf8", eof=True)
        self._handle(Event(DAMAGED_TEST, Status.FAIL, attachment=explanation))


def _is_inside_character(before: bytes) -> bool:
    """Whether one more octet that begins no character of UTF-8 continues the last one here."""
    for place, octet in enumerate(reversed(before), 1):
        if octet < 0x80:
            return False
        if octet >= 0xC0:
            return place < (2 if octet < 0xE0 else 3 if octet < 0xF0 else 4)
    return False
