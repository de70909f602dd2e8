"""What a unit's syntax tree says, as a digest. (PYTEST_DONT_REWRITE)"""

import ast

from whotests.source.digests import blake2b

__all__ = ["fingerprint"]

# Positions are attributes, not fields. A context follows from the place, a comment says nothing
# to the compiler, and a string's `kind` is only how it was written.
_IGNORED = frozenset({"ctx", "type_comment", "type_ignores", "kind"})
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def fingerprint(unit: ast.AST) -> bytes:
    """BLAKE2b-64 of a unit: equal for two that differ in comments, layout and place alone.

    Of the units inside it counts the header (name, decorators, arguments, bases), not the body.
    Empty fields are left out, so that a field that a newer Python adds changes nothing.
    """
    # Each node is written before those below it, with its class, the names of its filled fields
    # and the lengths of its lists: enough to read the tree back, so no two trees agree. The order
    # is that of a stack, because a tree may be deeper than Python recurses.
    parts: list[str] = []
    write = parts.append
    todo: list[ast.AST] = [unit]
    while todo:
        node = todo.pop()
        kind = node.__class__
        if isinstance(node, (ast.Constant, ast.MatchSingleton)):
            write(_constant(node.value))
            continue
        write(kind.__name__)
        fields = _FIELDS.get(kind)
        if fields is None:
            fields = _FIELDS[kind] = tuple(f for f in node._fields if f not in _IGNORED)
        for field in fields:
            value = getattr(node, field, None)
            if not value:
                continue
            if value.__class__ is list:
                if field == "body" and node is not unit and isinstance(node, _DEFINITIONS):
                    continue
                write(f"{field}*{len(value)}")
                for index, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        todo.append(item)
                    else:
                        # A name of `global`, the missing key of `{**mapping}`, no default.
                        write(f"{index}={item!a}")
            elif isinstance(value, ast.AST):
                write(field)
                todo.append(value)
            else:
                write(f"{field}={value!a}")
    return blake2b("\n".join(parts).encode("ascii"), digest_size=8).digest()


def _constant(value: object) -> str:
    """A constant in ASCII that tells its type, too."""
    # hex, because decimal digits are limited in number; ascii, because what is printable, and so
    # what repr escapes, depends on the Python version.
    return hex(value) if type(value) is int else ascii(value)
