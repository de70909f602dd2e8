"""Blocks in place of their placeholders, in code that came from the cache: in C as in Python."""

import gc
import marshal
import sys
import weakref
from collections import Counter
from pathlib import Path
from types import CodeType

import pytest

from whotests.probes import raises
from whotests.probes.build import build
from whotests.probes.collecting import collect
from whotests.probes.layout import Layout
from whotests.probes.load import swapped
from whotests.probes.loaded import Entry, Variant
from whotests.probes.placeholders import MARK, block_name
from whotests.probes.runtime import Block, ModuleMark, block, in_c, is_block
from whotests.source.rules import Rules

SOURCE = b'''"""A module."""
kinds = [lambda: 1, lambda: 1, lambda: 1]
pairs = [(lambda one: one if one else 2), lambda two: (yield two)]

class Product:
    """Has a few."""
    name = "\\0whotests\\0no"
    empty = ""

    def of(self, numbers):
        """With a handler."""
        def each(number):
            try:
                return 1 / number
            except ZeroDivisionError:
                return "\\0"
        return sum(each(number) for number in numbers) + sum(each(number) for number in numbers)

def branches(number):
    while number:
        number -= 1
        if number == 5:
            break
    else:
        return None
    return number
'''

pytestmark = pytest.mark.skipif(in_c is None, reason="done in Python")


def made() -> tuple[Entry, dict[str, object]]:
    """What the cache has of it, and what its placeholders stand for."""
    entry = build("product.py", SOURCE, Variant(), Rules())
    new: list[Block] = []
    family = raises.register(new)
    sizes = enumerate(Layout(entry.layout).sizes)
    new += [block(None, index, family, size=size) for index, size in sizes]
    named = {block_name(index): each for index, each in enumerate(new)}
    return entry, {MARK: ModuleMark(), **named}


def read(entry: Entry) -> CodeType:
    """As it comes from the cache."""
    code: CodeType = marshal.loads(marshal.dumps(entry.code))
    return code


def all_in(code: CodeType) -> list[CodeType]:
    """The code and all code in it."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return [code, *[each for one in inner for each in all_in(one)]]


def look(code: CodeType) -> list[list[object]]:
    """All that two pieces of code could differ in."""
    apart = {"co_consts", "co_lnotab"}  # the latter is deprecated
    names = [name for name in dir(code) if name.startswith("co_") and name not in apart]
    seen: list[list[object]] = []
    for each in all_in(code):
        values = [getattr(each, name) for name in names]
        plain = [value for value in values if not callable(value)]
        others = [other for other in each.co_consts if not isinstance(other, CodeType)]
        kinds = [type(constant) for constant in each.co_consts]
        seen.append([plain, others, kinds])
    return seen


def lines_of(objects: dict[str, object]) -> list[tuple[bytes, int]]:
    return [(each.lines, each.first_line) for each in objects.values() if is_block(each)]


def forget_lines(objects: dict[str, object]) -> None:
    for each in objects.values():
        if is_block(each):
            each.lines, each.first_line = b"", 0


def test_it_is_the_same_in_c() -> None:
    """Code, constants, tables of lines; whatever has only a name like a placeholder stays."""
    entry, objects = made()
    there = swapped(read(entry), objects)
    lines = lines_of(objects)
    assert 0 < sum(bool(table) for table, _ in lines) < len(lines)
    forget_lines(objects)
    here = in_c.swap(read(entry), objects)
    assert look(here) == look(there)
    assert lines_of(objects) == lines
    constants = [constant for code in all_in(here) for constant in code.co_consts]
    assert {id(each) for each in constants} >= {id(each) for each in objects.values()}
    assert "\0whotests\0no" in constants


def test_it_is_done_in_place() -> None:
    """But for code whose constants other code has, too: those are equal, and one tuple."""
    entry, objects = made()
    code = read(entry)
    before = all_in(code)
    having = Counter(id(each.co_consts) for each in before)
    alone = [
        having[id(each.co_consts)] == 1 or not any(name in each.co_consts for name in objects)
        for each in before
    ]
    assert {each.co_name for each in before if having[id(each.co_consts)] > 1} >= {"<lambda>"}
    assert in_c.swap(code, objects) is code
    assert [one is other for one, other in zip(before, all_in(code), strict=True)] == alone
    assert look(code) == look(swapped(read(entry), objects))


def test_constants_that_something_else_has_stay() -> None:
    """As they are there."""
    entry, objects = made()
    code = read(entry)
    kept = [each.co_consts for each in all_in(code)]
    copies = [list(constants) for constants in kept]
    new = in_c.swap(code, objects)
    assert new is not code
    assert look(new) == look(swapped(read(entry), objects))
    assert [list(constants) for constants in kept] == copies
    assert not any(is_block(one) for constants in kept for one in constants)


def test_it_runs() -> None:
    """And hits its blocks."""
    entry, objects = made()
    module: dict[str, object] = {}
    exec(in_c.swap(read(entry), objects), module)
    product, branches = module["Product"], module["branches"]
    assert callable(product)
    assert callable(branches)
    assert branches(9) == 5
    with pytest.raises(TypeError):
        product().of([0])
    hit = [each for each in objects.values() if is_block(each) and None in each.read()]
    assert len(hit) >= 3
    assert len(collect()) >= 3


def test_nothing_of_it_is_left() -> None:
    """Neither code nor constants, whether it went well or not."""
    entry, objects = made()
    each = next(one for one in objects.values() if is_block(one))
    references = sys.getrefcount(each)
    gone = []
    for _ in range(200):
        code = read(entry)
        held = [one.co_consts for one in all_in(code)]
        gone += [weakref.ref(one) for one in all_in(in_c.swap(code, objects))]
        gone += [weakref.ref(one) for one in all_in(in_c.swap(read(entry), objects))]
        del code, held
    gc.collect()
    assert not any(one() for one in gone)
    assert sys.getrefcount(each) == references
    tables = [one.lines for one in objects.values() if is_block(one) and one.lines]
    others = [bytes(100)]
    holder = others.copy()  # as a block holds its table
    found, wanted = [{sys.getrefcount(one) for one in those} for those in (tables, others)]
    assert found == wanted, holder


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    """By an error, as of any function."""
    entry, _ = made()
    objects = {f"\0{place}": object() for place in range(30)}

    class LikeCode:
        """Has constants, but each time others."""

        co_consts = property(lambda _: tuple(objects))

    wrong: list[tuple[object, ...]] = [(), (entry.code,), (entry.code, [])]
    wrong += [(other, objects) for other in (None, 5, LikeCode(), tmp_path)]
    for arguments in wrong:
        with pytest.raises(TypeError):
            in_c.swap(*arguments)
