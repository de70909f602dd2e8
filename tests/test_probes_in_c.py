"""Blocks in C: the same as those in Python, which stand beside them here."""

import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from branch_facts import BranchFacts
from facts import count, whotests_facts
from measured_commands import run_measured, write_files
from whotests.garbage import uncollected
from whotests.probes import raises
from whotests.probes.collecting import block_of, collect, keys_of, note_waiting
from whotests.probes.runtime import (
    BLOCK_SIZE,
    LOG,
    SLOTS,
    Block,
    block,
    block_class,
    in_c,
    is_block,
)

GIL: bool = getattr(sys, "_is_gil_enabled", lambda: True)()
WANTED = GIL and os.environ.get("WHOTESTS_BLOCKS") != "python"

PROGRAM = """\
def sign(number):
    if number < 0:
        return -1
    for turn in range(number):
        if turn > 1:
            break
    else:
        return 0
    return 1

def numbers(most):
    number = 0
    while number < most:
        yield number
        number += 1

def quietly(function):
    try:
        return function()
    except ZeroDivisionError:
        return None

kinds = [number for number in numbers(3) if number]
"""

TESTS = """\
import pytest
import product

@pytest.mark.parametrize("number", [-1, 0, 1, 5])
def test_sign(number):
    product.sign(number)

def test_numbers():
    assert sum(number for number in product.numbers(4) if number != 2) == 4

@pytest.mark.parametrize("function", [lambda: 1 / 0, int])
def test_quietly(function):
    assert not product.quietly(function)

def test_raises():
    with pytest.raises(KeyError):
        product.quietly({}.popitem)
"""


@pytest.fixture(autouse=True)
def nothing_hit() -> Iterator[None]:
    """What was hit before is collected."""
    collect()
    yield
    collect()


def made(size: int) -> Block:
    """A block in C of a family of its own."""
    new: list[Block] = []
    family = raises.register(new)
    new.append(block(None, 0, family, size=size))
    return new[0]


def hit(armed: Block, slot: int) -> None:
    """What a probe does."""
    if getattr(armed, SLOTS[slot]):
        assert getattr(armed, f"h{slot}") is False


def test_they_are_there() -> None:
    """The wheel has them, wherever they can be, unless they are not wanted."""
    assert (in_c is not None) == WANTED


in_c_only = pytest.mark.skipif(not WANTED, reason="blocks are in Python")


@in_c_only
@given(
    size=st.integers(1, BLOCK_SIZE),
    switches=st.lists(st.lists(st.integers(0, BLOCK_SIZE - 1), max_size=6), max_size=90),
)
@settings(max_examples=200, deadline=None)
def test_patterns_are_those_of_blocks_in_python(size: int, switches: list[list[int]]) -> None:
    """Whatever is hit between switches, both find the same patterns at each."""
    ours = made(size)
    theirs = block_class(len(ours.slots), one_at_a_time=True)(None, 0, 0)
    both = (ours, theirs)
    for switch in [*switches, *switches[:5]]:
        for slot in switch:
            hit(ours, slot % size)
            theirs.hit(slot % size)
        found = [(block_of(number), number) for number in collect()]
        keys = [[keys_of(each)[number] for each, number in found if each is one] for one in both]
        assert keys[0] == keys[1]
        assert len(keys[0]) == bool(switch)
        assert ours.read() == (True,) * len(ours.slots)
        assert not LOG


@in_c_only
def test_what_is_taken_keeps_its_number() -> None:
    """By whichever of both ways a pattern is found, and among hundreds of them."""
    one = made(BLOCK_SIZE)
    numbers: dict[int, int] = {}
    for round_ in range(3):
        for pattern in range(1, 700):
            slots = [slot for slot in range(10) if pattern >> slot & 1]
            for slot in slots:
                hit(one, slot)
            (number,) = collect()
            assert numbers.setdefault(pattern, number) == number, round_
    assert len(set(numbers.values())) == 699
    assert len(one.numbers) == 699


@in_c_only
def test_what_else_is_in_the_log_stays_there() -> None:
    """Exceptions, frames that wait, and blocks in Python are found beside them, each once."""
    family: list[Block] = []
    number = raises.register(family)
    family += [block(None, index, number, size=3) for index in range(3)]
    in_python = block_class(3, one_at_a_time=True)(None, 7, 0)
    for known in (False, True):
        hit(family[0], 1)
        family[1].log += [family[1].family + raises.constant(1, 0) + 5]
        in_python.hit(2)
        hit(family[2], 0)
        note_waiting(family[2], 12)
        hit(family[2], 2)
        found = collect()
        assert len(found) == len(set(found)) == 5, known
        assert not LOG
        assert not collect()


@in_c_only
def test_they_are_let_go_of() -> None:
    """With all that they refer to, and no garbage collector has to look at them."""

    class File:
        """Can be referred to weakly."""

    file = File()
    gone = weakref.ref(file)
    new = block(file, 0, 0, size=5)
    assert not gc.is_tracked(new)
    assert is_block(new)
    counts = [sys.getrefcount(each) for each in (type(new), new.log)]
    others = [block(file, index, 1 << 100, size=5) for index in range(1000)]
    for other in others:
        hit(other, 3)
    for number, other in enumerate(others):
        for pattern in range(70):
            in_c.learn(
                other, tuple(None if pattern >> slot & 1 else True for slot in range(5)), number
            )
    LOG.clear()
    del other, others
    assert [sys.getrefcount(each) for each in (type(new), new.log)] == counts
    del new, file
    assert gone() is None


@in_c_only
def test_constants_keep_their_references() -> None:
    """Of whatever Python's headers it was compiled with: later ones take None to be immortal."""
    new = made(3)
    kept = [None, True, False]
    gc.collect()  # not meanwhile: what others have left refers to them, too
    with uncollected():
        before = [sys.getrefcount(each) for each in kept]
        for _ in range(5_000):
            hit(new, 1)
            in_c.learn(new, 0, 0)
            in_c.take([], [])
            collect()
        after = [sys.getrefcount(each) for each in kept]
    assert all(abs(now - then) < 500 for now, then in zip(after, before, strict=True))


@in_c_only
def test_what_makes_no_sense_is_refused() -> None:
    """By an error, as of any function."""
    new = made(7)  # it has eight slots
    for name in ("h8", "s8", "anything"):
        with pytest.raises(AttributeError):
            getattr(new, name)
    for name in ("h1", "h8", "anything"):
        with pytest.raises(AttributeError):
            setattr(new, name, True)
    for arguments in ((), (None,), (None, 1, 2, 3)):
        with pytest.raises(TypeError):
            type(new)(*arguments)
    for slots in (0, -1, 33):
        with pytest.raises(ValueError, match="1 to 32 slots"):
            in_c.kind(slots)
    wrong: list[list[object]] = [[], [[]], [[], ()], [(), []]]
    for lists in wrong:
        with pytest.raises(TypeError):
            in_c.take(*lists)
    with pytest.raises(ImportError, match="in use"):  # its log would be taken away
        in_c.use(1, [], {}, CodeType)
    in_c.learn(new, (None, True), 1)  # of a block of other size; of none; a line
    in_c.learn(object(), (None,), 1)
    in_c.learn(new, -5, 1)
    hit(new, 0)
    (number,) = collect()
    assert keys_of(new) == {number: (None, *[True] * 7)}


@in_c_only
def test_nothing_is_done_before_it_is_used() -> None:
    """And not with functions of other sources than the module was compiled of."""
    code = """if True:
        from whotests.probes import _blocks
        for act in (lambda: _blocks.take([], []), lambda: _blocks.kind(3)):
            try:
                act()
            except RuntimeError as error:
                print(error)
        try:
            _blocks.use(-1, [], {}, type(act.__code__))
        except ImportError as error:
            print(error)
        _blocks.learn(1, (None,), 1)
    """
    env = {**os.environ, "WHOTESTS_BLOCKS": "python"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=env
    )
    assert (done.stdout, done.stderr) == ("not in use\n" * 2 + "of other sources\n", "")


@pytest.mark.parametrize("others", ["python", ""])
def test_runs_with_both_have_the_same_facts(others: str, tmp_path: Path) -> None:
    """Lines and branches, in each context. Code of both kinds lies side by side in the cache."""
    write_files(tmp_path, {"product.py": PROGRAM, "test_product.py": TESTS})
    data = tmp_path / ".whotests" / "data.db"
    seen = []
    for blocks in ("", others, ""):
        done = run_measured(
            "python", "-m", "pytest", "-q", "-p", "no:cacheprovider",
            cwd=tmp_path,
            options=("--branch", "--source", "."),
            env={"WHOTESTS_BLOCKS": blocks},
        )  # fmt: skip
        assert "8 passed" in done.out, done.out + done.err
        branches = BranchFacts(tmp_path).of_whotests(data)
        seen.append((whotests_facts(data, tmp_path), branches))
    assert seen[1:] == seen[:2]
    lines, branches = seen[0]
    assert count(lines) > 60
    assert count(branches) > 15
    assert len(list(tmp_path.glob(".whotests/cache/*/*.bin"))) == (4 if others and GIL else 2)
