"""Sets of numbers survive being packed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whotests.store.packing import common, pack, pack_bits, unpack, unpack_bits, walk
from whotests.types import bits_of

IDS = st.lists(st.integers(0, 100_000), unique=True, max_size=400).map(sorted)


@given(IDS)
def test_ids_come_back(ids: list[int]) -> None:
    """What is packed is what is unpacked, in the same order."""
    assert list(unpack(pack(ids))) == ids


@given(IDS)
def test_same_ids_same_bytes(ids: list[int]) -> None:
    """Equal sets pack to equal bytes: that is how they are shared."""
    assert pack(ids) == pack(tuple(ids))


@pytest.mark.parametrize("ids", [[], [0], [254], [255], [256], [0, 255], [510, 765], [1, 100_000]])
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
