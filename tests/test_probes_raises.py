"""Where exceptions were raised, as handlers note it: numbers that lead back to block and line."""

import argparse
import asyncio.base_events
import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whotests.probes.cache import Cache
from whotests.probes.layout import Layout
from whotests.probes.load import Loading
from whotests.probes.raises import (
    block_that_noted,
    constant,
    key_of,
    line_of,
    offset_of,
    register,
)
from whotests.probes.runtime import block

MODULES = (argparse, asyncio.base_events, dataclasses, subprocess)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=4),
    st.data(),
    st.integers(0, 1 << 24),
    st.integers(-(1 << 31), (1 << 31) - 1),
)
def test_a_number_leads_to_its_block(
    sizes: list[int], data: st.DataObject, offset: int, instruction: int
) -> None:
    """Whatever a traceback has as its instruction, the block and the region are the right ones."""
    families = [[block(None, index, size=1) for index in range(size)] for size in sizes]
    numbers = [register(blocks) for blocks in families]
    family = data.draw(st.integers(0, len(sizes) - 1))
    index = data.draw(st.integers(0, sizes[family] - 1))
    raised = constant(numbers[family], index, offset) + instruction
    assert block_that_noted(raised) is families[family][index]
    assert key_of(raised) >= 0
    assert offset_of(key_of(raised)) == offset


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_lines_of_instructions(module: ModuleType) -> None:
    """The line of each instruction is the one that a traceback would tell."""
    for code in codes_in(compiled(module)):
        told = {
            instruction: line or 0
            for start, end, line in code.co_lines()
            for instruction in range(start, end, 2)
        }
        assert told
        for instruction, line in told.items():
            key = key_of(constant(0, 0, 7) + instruction)
            assert line_of(key, code.co_linetable, code.co_firstlineno) == line
        for instruction in (-1, -(1 << 31), max(told) + 2, (1 << 31) - 1):
            key = key_of(constant(0, 0, 7) + instruction)
            assert line_of(key, code.co_linetable, code.co_firstlineno) == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_handlers_have_the_lines_of_their_code(module: ModuleType, tmp_path: Path) -> None:
    """A block has the table of the code that its handlers are in, and the layout says where that
    begins: read from the cache, too."""
    for _ in range(2):
        loading = Loading(
            measures=lambda path: True, cache=Cache(tmp_path), began=nothing, ended=nothing
        )
        path = str(module.__file__)
        code = loading.code_of(path, Path(path).read_bytes())
        assert code is not None
        layout = Layout(loading.files[0].packed_layout)
        with_handlers = dict.fromkeys(index for index, _ in layout.handlers)
        seen = set()
        for each in codes_in(code):
            for raised in each.co_consts:
                if type(raised) is int and raised >= constant(0, 0, 0):
                    noted = block_that_noted(raised)
                    assert noted.lines is each.co_linetable
                    assert layout.first_line(noted.index) == each.co_firstlineno
                    seen.add(noted.index)
        assert seen == set(with_handlers)
        assert len(seen) > 20


def nothing() -> None:
    """Nobody listens."""


def compiled(module: ModuleType) -> CodeType:
    """The code of a module's file."""
    path = str(module.__file__)
    return compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """The code, and all code in it."""
    yield code
    for constant_of_code in code.co_consts:
        if isinstance(constant_of_code, CodeType):
            yield from codes_in(constant_of_code)
