"""The syntax trees that instrumenting adds.

Every added node carries the line of the statement that it belongs to, so that no line number
appears that the source does not have there.
"""

import ast
from typing import Any

from whotests.probes import raises
from whotests.probes.placeholders import MARK, index_of
from whotests.probes.runtime import SLOTS, in_c

__all__ = [
    "HIDDEN",
    "fall_through",
    "module_frame",
    "no_case",
    "note",
    "note_after",
    "note_case",
    "note_ends",
    "note_first",
    "region",
]

HIDDEN = ".whotests"
"""Name of the exception in a region's handler: no source can spell it."""

_LOAD = ast.Load()
_STORE = ast.Store()
_ADD = ast.Add()
_AND = ast.And()
_IS = ast.Is()
_IS_NOT = ast.IsNot()


class _At:
    """Makes nodes that stand at one line."""

    __slots__ = ("place",)

    def __init__(self, line: int) -> None:
        self.place: dict[str, Any] = {
            "lineno": line,
            "col_offset": 0,
            "end_lineno": line,
            "end_col_offset": 0,
        }

    def constant(self, value: object) -> ast.Constant:
        return ast.Constant(value, **self.place)  # type: ignore[arg-type]

    def load(self, value: ast.expr, name: str) -> ast.Attribute:
        return ast.Attribute(value, name, _LOAD, **self.place)

    def is_armed(self, block: ast.Constant, slot: int) -> ast.expr:
        armed = self.load(block, SLOTS[slot])
        return ast.Compare(armed, [_IS_NOT], [self.constant(None)], **self.place)

    def hit(self, block: ast.Constant, slot: int) -> ast.expr:
        """Hits an armed slot, and is false."""
        if in_c is not None:
            return self.load(block, f"h{slot}")
        return ast.Call(self.load(block, "hit"), [self.constant(slot)], [], **self.place)

    def hit_statements(self, block: ast.Constant, slot: int) -> list[ast.stmt]:
        """The same without a call."""
        if in_c is not None:
            return [ast.Expr(self.hit(block, slot), **self.place)]
        disarm = ast.Assign([self.store(block, SLOTS[slot])], self.constant(None), **self.place)
        return [disarm, self.add_to_log(block, block)]

    def store(self, block: ast.Constant, name: str) -> ast.Attribute:
        return ast.Attribute(block, name, _STORE, **self.place)

    def add_to_log(self, block: ast.Constant, entry: ast.expr) -> ast.stmt:
        # Not a tuple: of a block that would be one more constant of the code, which the garbage
        # collector looks at for ever.
        added = ast.List([entry], _LOAD, **self.place)
        return ast.AugAssign(self.store(block, "log"), _ADD, added, **self.place)


def note(block: str, slot: int, line: int) -> ast.If:
    """The statement of a probe."""
    at = _At(line)
    constant = at.constant(block)
    return ast.If(at.is_armed(constant, slot), at.hit_statements(constant, slot), [], **at.place)


def note_first(block: str, slot: int, value: ast.expr) -> ast.expr:
    """An expression that notes a probe and then is `value`, for where no statement can stand."""
    note = _false_note(block, slot, _At(value.lineno))
    return ast.copy_location(ast.BoolOp(ast.Or(), [note, value]), value)


def note_after(block: str, slot: int, value: ast.expr) -> ast.expr:
    """An expression that is `value`, and notes a probe once that is known."""
    at = _At(value.lineno)
    pair = ast.Tuple([value, _false_note(block, slot, at)], _LOAD, **at.place)
    return ast.copy_location(ast.Subscript(pair, at.constant(0), _LOAD), value)


def note_ends(block: str, slot: int, node: ast.GeneratorExp) -> None:
    """Makes a generator expression note a probe when it is entered and when it is exhausted:

    (f(x) for x in y)    becomes    (f(x) for it in (iter(y), ()) for x in note or it)
    """
    first = node.generators[0]
    at = _At(first.iter.lineno)
    ended = at.constant(())
    # Its first iterable is evaluated at once, and must be one at once.
    begun = ast.Call(at.load(at.constant(block), "iter"), [first.iter], [])
    ast.copy_location(begun, first.iter)
    outer = ast.comprehension(
        ast.Name(HIDDEN, _STORE, **at.place),
        ast.Tuple([begun, ended], _LOAD, **at.place),
        [],
        0,
    )
    first.iter = note_first(block, slot, ast.Name(HIDDEN, _LOAD, **at.place))
    node.generators.insert(0, outer)


def note_case(block: str, slot: int, line: int) -> ast.match_case:
    """A case that never matches and notes a probe."""
    at = _At(line)
    return ast.match_case(
        ast.MatchAs(**at.place), _false_note(block, slot, at), [ast.Pass(**at.place)]
    )


def _false_note(block: str, slot: int, at: _At) -> ast.expr:
    """An expression that notes a probe and is false."""
    constant = at.constant(block)
    hit = at.hit(constant, slot)
    return ast.BoolOp(ast.And(), [at.is_armed(constant, slot), hit], **at.place)


def region(
    body: list[ast.stmt], block: str, probe: ast.If | None, offset: int, *, line: int
) -> list[ast.stmt]:
    """The body with a handler that notes where an exception was raised (`probes.raises`).

    It costs nothing until something is raised, and lets it pass as it is: a bare `raise` adds
    no entry to the traceback. A probe given is noted too. The handler stands at `line`: where
    an exception passes next anyway, no debugger stops at a line that does not run then.
    """
    at = _At(line)
    constant = at.constant(block)
    hidden = ast.Name(HIDDEN, _LOAD, **at.place)
    # The name is gone when the handler ends, whatever it stands for.
    traceback = ast.Assign(
        [ast.Name(HIDDEN, _STORE, **at.place)], at.load(hidden, "__traceback__"), **at.place
    )
    # A handler inside may have taken the traceback off, or the entry of this frame.
    code = at.load(at.load(hidden, "tb_frame"), "f_code")
    is_ours = ast.Compare(
        at.load(code, "co_linetable"), [_IS], [at.load(constant, "lines")], **at.place
    )
    instruction = at.load(hidden, "tb_lasti")
    in_family = ast.BinOp(at.load(constant, "family"), _ADD, instruction, **at.place)
    number = ast.BinOp(
        in_family, _ADD, at.constant(raises.constant(index_of(block), offset)), **at.place
    )
    handler = ast.ExceptHandler(
        at.load(constant, "raised"),
        HIDDEN,
        [
            traceback,
            ast.If(
                ast.BoolOp(_AND, [hidden, is_ours], **at.place),
                [at.add_to_log(constant, number)],
                [],
                **at.place,
            ),
            *([probe] if probe else []),
            ast.Raise(**at.place),
        ],
        **at.place,
    )
    return [ast.Try(body, [handler], [], [], **_At(body[0].lineno).place)]


def fall_through(probe: ast.If) -> ast.ExceptHandler:
    """A last handler that notes that no handler before it took the exception."""
    at = _At(probe.lineno)
    return ast.ExceptHandler(None, None, [probe, ast.Raise(**at.place)], **at.place)


def no_case(probe: ast.If) -> ast.match_case:
    """A last case that notes that no case before it matched."""
    at = _At(probe.lineno)
    return ast.match_case(ast.MatchAs(**at.place), None, [probe])


def module_frame(body: list[ast.stmt]) -> list[ast.stmt]:
    """A module's body that tells when it begins and when it ends, however it ends.

    A `with`, for in a `try` there are no lazy imports (Python 3.15).
    """
    at = _At(body[0].lineno)
    return [ast.With([ast.withitem(at.constant(MARK))], body, **at.place)]
