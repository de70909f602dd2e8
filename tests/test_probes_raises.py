"""Where exceptions were raised, as handlers note it: numbers that lead back to block and line."""

import argparse
import asyncio.base_events
import ctypes
import dataclasses
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measured_commands import recorded_lines, run_measured, write_files
from whotests.probes.cache import Cache
from whotests.probes.load import Loading
from whotests.probes.raises import (
    block_that_noted,
    constant,
    key_of,
    line_of,
    offset_of,
    register,
)
from whotests.probes.runtime import Block, block, is_block

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
    families = []
    for size in sizes:
        blocks: list[Block] = []
        family = register(blocks)
        blocks += [block(None, index, family, size=1) for index in range(size)]
        families.append(blocks)
    noting = data.draw(st.sampled_from(data.draw(st.sampled_from(families))))
    raised = noting.family + instruction + constant(noting.index, offset)
    assert block_that_noted(raised) is noting
    assert key_of(raised) >= 0
    assert offset_of(key_of(raised)) == offset


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_lines_of_instructions(module: ModuleType) -> None:
    """The line of each instruction is the one that the interpreter tells of a traceback."""
    line_of_address = ctypes.pythonapi.PyCode_Addr2Line
    for code in codes_in(compiled(module)):
        length = len(code.co_code)
        for instruction in range(0, length, 2):
            told = max(0, line_of_address(ctypes.py_object(code), ctypes.c_int(instruction)))
            assert line_in(code, instruction) == told
        for instruction in (-1, -(1 << 31), length, (1 << 31) - 1):
            assert line_in(code, instruction) == 0


def line_in(code: CodeType, instruction: int) -> int:
    """What we have as the line of an instruction."""
    key = key_of(constant(3, 7) + instruction)
    return line_of(key, code.co_linetable, code.co_firstlineno)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_handlers_have_the_lines_of_their_code(module: ModuleType, tmp_path: Path) -> None:
    """A block has the table of the code that its handlers are in, and the line at which that
    begins: read from the cache, too."""
    for _ in range(2):
        loading = Loading(
            measures=lambda path: True, cache=Cache(tmp_path), began=nothing, ended=nothing
        )
        path = str(module.__file__)
        code = loading.code_of(path, Path(path).read_bytes())
        assert code is not None
        handled = 0
        for each in codes_in(code):
            blocks = [constant for constant in each.co_consts if is_block(constant)]
            if blocks and "tb_lasti" in each.co_names:
                handled += 1
                for found in blocks:
                    assert found.lines is each.co_linetable
                    assert found.first_line == each.co_firstlineno
        assert handled > 20


TRIMMING = {
    "subject.py": """
        def outer(x, fails):
            a = 1
            if x:
                b = 2
                c = a
            try:
                fails(x)
            except KeyError as error:
                error.__traceback__ = error.__traceback__.tb_next
                raise
            return a

        def fails(x):
            [x, x, x][0]
            [x, x, x][0]
            raise KeyError(x)
    """,
    "prog.py": """
        import subject

        for count in range(300):  # of all places in there
            source = "def fails(x):\\n" + " [x]\\n" * count + " raise KeyError(x)\\n"
            namespace = {}
            exec(source, namespace)
            try:
                subject.outer(0, namespace["fails"])
            except KeyError:
                pass
    """,
}


def test_another_frame_s_instruction_is_none_of_ours(tmp_path: Path) -> None:
    """Where a program takes its own frame off a traceback, what is left says nothing of it."""
    write_files(tmp_path, TRIMMING)
    options = ("--source", "subject", "--branch")
    ended = run_measured("python", "prog.py", cwd=tmp_path, options=options)
    assert ended.status == 0, ended.err
    lines = set().union(*recorded_lines(tmp_path, "subject.py").values())
    assert lines == {1, 2, 3, 6, 7, 8, 9, 10, 13}


SHIPPED = {
    "subject.py": """
        def guarded(x):
            a = 1
            x()
            return a
    """,
    "other.py": "def f(x):\n    x()\n    return x()\n",
    "prog.py": """
        import sys

        if sys.argv[1] == "late":
            import other
        import cloudpickle
        import hashlib
        import subject

        subject.guarded.__module__ = "__main__"
        print(hashlib.sha256(cloudpickle.dumps(subject.guarded)).hexdigest())
    """,
}


def test_shipped_code_is_the_same_wherever_it_was_loaded(tmp_path: Path) -> None:
    """Measured functions that are pickled by value do not tell what was imported before them."""
    pytest.importorskip("cloudpickle")
    write_files(tmp_path, SHIPPED)
    options = ("--source", ".")
    # What the compiler made and what was read from the cache share other strings.
    _, early, late = (
        run_measured("python", "prog.py", when, cwd=tmp_path, options=options)
        for when in ("early", "early", "late")
    )
    assert early.status == late.status == 0, early.err + late.err
    assert early.out == late.out


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
