"""Sets of numbers survive being packed."""

import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import least_seconds
from whotests.packing.bitmaps import (
    pack_bits,
    pack_lines,
    pack_ran,
    unpack_bits,
    unpack_lines,
    unpack_ran,
)
from whotests.packing.branches import BranchList, pack_branches, unpack_branches
from whotests.packing.ids import common, pack, unpack, walk
from whotests.packing.outlines import Outlined, pack_outline, unpack_outline
from whotests.types import bits_of

IDS = st.lists(st.integers(1, 100_000), unique=True, max_size=400).map(sorted)


@given(IDS)
def test_ids_come_back(ids: list[int]) -> None:
    """What is packed is what is unpacked, in the same order."""
    assert list(unpack(pack(ids))) == ids


@given(IDS)
def test_same_ids_same_bytes(ids: list[int]) -> None:
    """Equal sets pack to equal bytes: that is how they are shared."""
    assert pack(ids) == pack(tuple(ids))


@given(st.lists(st.integers(1, 2_000), max_size=200).map(sorted))
def test_repeated_ids_count_once(ids: list[int]) -> None:
    """Several patterns of a run may be one in the file."""
    assert pack(ids) == pack(sorted(set(ids)))


@pytest.mark.parametrize(
    "ids", [[], [1], [254], [255], [256], [1, 255], [1, 256], [510, 765], [1, 100_000]]
)
def test_edges_of_a_byte(ids: list[int]) -> None:
    """Differences around the largest that one byte holds come back."""
    assert list(unpack(pack(ids))) == ids


def test_long_runs_are_small() -> None:
    """A footprint of a thousand neighbours takes a few bytes."""
    assert len(pack(range(5000, 6000))) < 60


@pytest.mark.parametrize("blob", [b"", b"X123", b"D\xff\xff\xff"])
def test_other_bytes_are_refused(blob: bytes) -> None:
    """Bytes that were never packed raise ValueError."""
    with pytest.raises(ValueError, match="pack"):
        list(walk(blob))


@given(st.sets(st.integers(1, 5000)))
def test_bitmaps_come_back(lines: set[int]) -> None:
    """A bitmap of lines is what it was."""
    assert unpack_bits(pack_bits(bits_of(lines))) == bits_of(lines)


@given(IDS, st.frozensets(st.integers(0, 100_000), max_size=20))
def test_common_numbers(ids: list[int], others: frozenset[int]) -> None:
    """The numbers in common are found without the sums of steps on the way to a number."""
    wanted = others | {number + 255 for number in ids[:3]} | frozenset(ids[3:5])
    assert common(pack(ids), wanted) == wanted & set(ids)


@given(st.integers(0, 1 << 3000), st.integers(0, 1 << 300))
def test_what_ran_comes_back(lines: int, branches: int) -> None:
    """A unit's lines and branches come back; lines alone take no more than their bitmap."""
    assert unpack_ran(pack_ran(lines, branches)) == (lines, branches)
    assert len(pack_ran(lines, 0)) <= len(pack_bits(lines))


@given(st.sets(st.integers(1, 9000), max_size=30), st.sets(st.integers(0, 90), max_size=3))
def test_scattered_lines_are_small(lines: set[int], branches: set[int]) -> None:
    """Few lines of a long module come back, and take a few bytes each."""
    packed = pack_ran(bits_of(lines), bits_of(branches))
    assert unpack_ran(packed) == (bits_of(lines), bits_of(branches))
    assert len(packed) <= 40 + 5 * len(lines) + 3 * len(branches)
    assert unpack_lines(pack_lines(bits_of(lines))) == bits_of(lines)
    assert len(pack_lines(bits_of(lines))) <= 40 + 5 * len(lines)


NAMES = st.lists(st.sampled_from(["f", "A", "<locals>", "ff", "\udcff"]), max_size=4)
OUTLINED = st.tuples(
    st.integers(0, 2), st.integers(1, 300), st.integers(0, 400), st.integers(0, 9), NAMES
).map(
    lambda unit: (
        unit[0],
        unit[1],
        unit[1] + unit[2],
        unit[3] and unit[1] + unit[3] - 1,
        ".".join(unit[4]),
    )
)


@given(st.lists(OUTLINED, max_size=30))
def test_outlines_come_back(units: list[Outlined]) -> None:
    """Units come back in order, whatever their names and however they lie."""
    assert unpack_outline(pack_outline(units)) == units


@given(st.lists(OUTLINED, max_size=9), st.integers(0, 40), st.integers(1, 255))
def test_damaged_outlines(units: list[Outlined], place: int, change: int) -> None:
    """Bytes of an outline that were changed give an outline, or ValueError."""
    content = bytearray(zlib.decompress(pack_outline(units), -15))
    if place < len(content):
        content[place] ^= change
    deflater = zlib.compressobj(9, zlib.DEFLATED, -13)
    with suppress(ValueError):
        unpack_outline(deflater.compress(content) + deflater.flush())


def test_lines_of_a_long_module_come_back() -> None:
    """The number of the lines' bytes may take several digits."""
    for bit in (1015, 1016, 1023, 130_000, 140_000, 17_000_000):
        assert unpack_ran(pack_ran(1 << bit, 5)) == (1 << bit, 5)


PAIRS = st.lists(
    st.tuples(st.integers(1, 3000), st.integers(-3000, 3000).filter(bool)), max_size=200
)


@given(PAIRS)
def test_branches_come_back(branches: list[tuple[int, int]]) -> None:
    """Branches come back in the order in which they were packed, whatever that is."""
    assert unpack_branches(pack_branches(branches)) == tuple(branches)
    ascending = sorted(set(branches))
    assert unpack_branches(pack_branches(ascending)) == tuple(ascending)


def test_branches_are_small() -> None:
    """Branches of ordinary code take about a byte each."""
    branches = [
        branch
        for line in range(10, 4010, 4)
        for branch in ((line, -(line // 40 * 40)), (line, line + 1))
    ]
    assert len(pack_branches(branches)) < len(branches) // 4


@pytest.mark.parametrize("blob", [b"X1", b"P\x02", b"P\x03", b"D\xff\xff\xff"])
def test_other_bytes_are_no_branches(blob: bytes) -> None:
    """Bytes that were never packed raise ValueError."""
    with pytest.raises(ValueError, match="pack"):
        unpack_branches(blob)


def test_damaged_bytes_of_what_ran() -> None:
    """A length that leads out of the bytes raises ValueError."""
    with pytest.raises(ValueError, match="damaged"):
        unpack_ran(b"\x81\x00")


@given(PAIRS, PAIRS, st.integers(1, 3000), st.integers(0, 100))
def test_places_of_branches_stay(
    one: list[tuple[int, int]], other: list[tuple[int, int]], first: int, length: int
) -> None:
    """Branches that are added come last, and a unit's first branch stays the first."""
    before = BranchList(sorted(set(one)))
    others = sorted(set(other))
    after, places = before.with_all(others)
    assert after.all[: len(before.all)] == before.all
    assert [after.all[place] for place in places or range(len(others))] == others
    inside = [place for place, (line, _) in enumerate(after.all) if first <= line <= first + length]
    assert after.first_within(first, first + length) == min(inside, default=0)
    if any(first <= line <= first + length for line, _ in before.all):
        assert before.first_within(first, first + length) == min(inside)


MARKED = b"\xff" * (1 << 24) + b"\1"
"""A number of 16 million bytes, which a few thousand come to when they are inflated."""


def deflated(content: bytes, window: int = -10) -> bytes:
    """Bytes as all that is packed has them."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, window)
    return deflater.compress(content) + deflater.flush()


@pytest.mark.parametrize(
    ("unpacked", "blob"),
    [
        (unpack_branches, b"D" + deflated(MARKED[2:])),
        (unpack_outline, deflated(MARKED[2:], -13)),
        (unpack_ran, deflated(b"\1" + MARKED[4:-1] + b"\0") + b"\0\x80\0"),
    ],
)
def test_endless_numbers(unpacked: Callable[[bytes], object], blob: bytes) -> None:
    """Forged bytes that are one long number raise ValueError before anybody has read it."""

    def unpack() -> None:
        with pytest.raises(ValueError, match=r"too long|damaged"):
            unpacked(blob)

    assert least_seconds(unpack) < 1


def test_names_that_fill_the_memory() -> None:
    """Units in each other, each of which says little, have names that are long together."""
    count, name = 3000, b"a" * 50
    depths = b"".join(bytes((n & 127 | 128, n >> 7)) for n in range(1, count + 1))
    head = bytes((count & 127 | 128, count >> 7))
    content = head + depths + bytes(4 * count) + b"\n".join([name] * count)
    with pytest.raises(ValueError, match="damaged"):
        unpack_outline(deflated(content, -13))


@pytest.mark.parametrize("line", [2**24 + 1, 2**40])
def test_lines_that_no_file_has(line: int) -> None:
    """Forged lines, for which a bitmap would take all memory, raise ValueError."""
    for branch in ((line, 1), (1, line), (1, -line)):
        with pytest.raises(ValueError, match="no file has"):
            unpack_branches(pack_branches([branch]))
    for unit in ((0, line, line, 0, "f"), (0, 1, line, 0, "f")):
        with pytest.raises(ValueError, match="damaged"):
            unpack_outline(pack_outline([unit]))
