"""Gives measured files their instrumented code when they are imported or run.

`SourceFileLoader.get_code` is the one place through which the import system, `runpy` and
`python -m` all get the code of a module's file; it is replaced while a `Loading` is installed.
Modules keep their ordinary loaders and specs. `probes.executed` does the same for what comes
another way.
"""

import ast
import builtins
import marshal
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source
from typing import TYPE_CHECKING, Any

from whotests.probes.cache import Cache
from whotests.probes.executed import Executed
from whotests.probes.layout import Layout
from whotests.probes.nodes import MARK, PREFIX
from whotests.probes.runtime import ModuleMark, block
from whotests.records import UnitRecord
from whotests.source.rules import Rules
from whotests.source.text import digest_of
from whotests.types import UnitKind

if TYPE_CHECKING:
    from whotests.source.analysis import Analysis

__all__ = [
    "LoadedFile",
    "Loading",
    "Rewrite",
    "code_for_rewritten",
    "code_for_script",
    "layout_of",
    "plain_analysis",
    "unit_record",
]

Rewrite = Callable[[ast.Module, bytes], None]
"""Changes an instrumented tree further, in place; gets the source too."""

_ORDINARY_COMPILE = SourceFileLoader.source_to_code
_ORDINARY_RULES = Rules()
_installed: list["Loading"] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How code is wanted of a measured file."""

    rewrite: Rewrite | None = None
    key: str = ""
    """Names what `rewrite` does: the same key, the same change."""
    filename: str = ""
    """What the code calls the file; '' for its path."""
    flags: int = 0
    """Of `from __future__` imports that it has not itself."""
    compiled: bool = False
    """The program compiles it by itself: then it is warned each time."""

    @property
    def name(self) -> str:
        """A name for the way, among all ways of one file."""
        return self.key + (f"\0{self.filename}\0{self.flags}" if self.compiled else "")


_AS_A_MODULE = Way()


@dataclass(slots=True, eq=False)
class LoadedFile:
    """A version of a file that was asked for while measuring."""

    path: str
    digest: bytes
    line_count: int = 0
    statements: int = 0
    excluded: int = 0
    """Line bitmaps, as in `records.FileRecord`."""
    branches: tuple[tuple[int, int], ...] = ()
    partial: int = 0
    """As in `records.FileRecord`."""
    units: tuple[UnitRecord, ...] = ()
    packed_layout: bytes = b""
    """Marshalled; empty when it could not be instrumented, and runs as it is."""
    reason: str = ""
    """Why it could not, or which part of it."""
    variants: dict[str, types.CodeType] = field(default_factory=dict)
    """The code that runs, by the name of the way."""
    warned: tuple[tuple[str, str, int], ...] = ()
    """What the compiler warned of: category, text, line."""


class Loading:
    """Instruments the files that a scope takes in, between `install` and `remove`."""

    def __init__(
        self,
        *,
        measures: Callable[[str], bool],
        cache: Cache,
        rules: Rules = _ORDINARY_RULES,
        began: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        self.measures = measures
        self._cache = cache
        self._rules = rules
        self._versions: dict[tuple[str, bytes], LoadedFile] = {}
        self._mark = ModuleMark()
        self._mark.began, self._mark.ended = began, ended
        self._executed = Executed(measures, self._code_of_compiled)

    @property
    def files(self) -> list[LoadedFile]:
        """Every version of a measured file so far, in order of appearance."""
        return list(self._versions.values())

    def install(self) -> None:
        """From now on, measured files that are imported come instrumented."""
        ordinary = SourceFileLoader.get_code
        measures, code_of = self.measures, self.code_of

        def get_code(self: SourceFileLoader, fullname: str) -> types.CodeType | None:
            path = self.path
            if measures(path) and type(self).source_to_code is _ORDINARY_COMPILE:
                try:
                    source = self.get_data(path)
                except OSError:
                    return ordinary(self, fullname)
                code = code_of(path, source)
                if code is not None:
                    return code
            return ordinary(self, fullname)

        # Python leaves the import system's own frames out of tracebacks by their file's name.
        get_code.__code__ = get_code.__code__.replace(
            co_filename="<frozen importlib._bootstrap_external>"
        )
        SourceFileLoader.get_code = get_code  # type: ignore[method-assign, assignment]
        self._executed.install()
        _installed.append(self)

    def remove(self) -> None:
        """Files that are imported from now on come as they are."""
        if self in _installed:
            _installed.remove(self)
            del SourceFileLoader.get_code  # what it has from its base class shows again
            self._executed.remove()

    def _code_of_compiled(
        self, path: str, source: bytes, *, filename: str = "", flags: int = 0
    ) -> types.CodeType | None:
        return self.code_of(
            path, source, Way(filename=filename, flags=flags, compiled=bool(filename))
        )

    def code_of(self, path: str, source: bytes, way: Way = _AS_A_MODULE) -> types.CodeType | None:
        """The code to run for these bytes of a measured file.

        None when it cannot be instrumented: then it is to be compiled as usual, which fails
        where it would fail without us.
        """
        try:
            return self._code_of(path, source, way)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self._refuse(path, source, f"{type(error).__name__}: {error}")
        except Warning as error:  # the program wants it raised, which compiling as usual does
            self._refuse(path, source, f"SyntaxError: {error}")
        except Exception as error:  # a bug of ours must not stop the program that is measured
            self._refuse(path, source, f"whotests failed on it: {error!r}")
        return None

    def _refuse(self, path: str, source: bytes, reason: str) -> None:
        digest = digest_of(source)
        # Another way may have gone well.
        self._versions.setdefault((path, digest), LoadedFile(path, digest, reason=reason))

    def _code_of(self, path: str, source: bytes, way: Way) -> types.CodeType | None:
        digest = digest_of(source)
        file = self._versions.get((path, digest))
        if file is not None:
            if not file.packed_layout:
                return None
            known = file.variants.get(way.name)
            if known is not None:
                if way.compiled:
                    _warn(file.warned, way.filename)
                return known
        variant = way.name + self._rules.key
        entry = self._cache.read(path, variant, digest)
        cached = entry is not None
        if entry is None:
            entry = build(way.filename or path, source, way, self._rules)
            self._cache.write(path, variant, digest, entry)
        code, layout, sizes, analysis, warned, reason = entry
        # Python would warn of them when it compiles the file, and keep what it has compiled.
        if way.compiled:
            _warn(warned, way.filename)
        elif warned and not has_bytecode(path) and (sys.dont_write_bytecode or not cached):
            _warn(warned, path)
        if file is None:
            line_count, statements, excluded, branches, excused, units = analysis
            file = LoadedFile(
                path,
                digest,
                line_count=line_count,
                statements=statements,
                excluded=excluded,
                branches=branches,
                partial=excused,
                units=tuple(map(unit_record, units)),
                packed_layout=layout,
                reason=reason,
                warned=tuple(warned),
            )
            # Another thread may have come here, too.
            file = self._versions.setdefault((path, digest), file)
        constants: dict[object, object] = {MARK: self._mark}
        for index, size in enumerate(sizes):
            constants[PREFIX + str(index)] = block(file, index, size=size)
        return file.variants.setdefault(way.name, swapped(code, constants))


@lru_cache(maxsize=64)
def layout_of(file: LoadedFile) -> Layout:
    """What a file's probes stand for. Unpacked when it is needed: most of it never is."""
    return Layout.from_plain(marshal.loads(file.packed_layout))


def code_for_script(path: str) -> types.CodeType | None:
    """The code of a script that is about to be run; None: compile it as usual."""
    return _code_from(path, _AS_A_MODULE)


def code_for_rewritten(path: str, rewrite: Rewrite, key: str) -> types.CodeType | None:
    """The code of a file whose tree another tool changes too; None: the tool does it alone.

    `key` names what `rewrite` does: the same key, the same change.
    """
    return _code_from(path, Way(rewrite=rewrite, key=key))


def _code_from(path: str, way: Way) -> types.CodeType | None:
    if not _installed or not _installed[-1].measures(path):
        return None
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError:
        return None
    return _installed[-1].code_of(path, source, way)


def _warn(warned: Iterable[tuple[str, str, int]], path: str) -> None:
    for category, message, line in warned:
        kind = getattr(builtins, category, SyntaxWarning)
        warnings.warn_explicit(message, kind, path, line)


def build(path: str, source: bytes, way: Way, rules: Rules) -> tuple[Any, ...]:
    """An entry of the cache: code with placeholders for blocks, layout, and the file's analysis.

    Raises what the compiler raises.
    """
    # Imported here: a process whose files are all in the cache needs none of it.
    from whotests.source.analysis import analyse
    from whotests.source.compiler_warnings import kept_warnings
    from whotests.source.text import decode

    text = decode(source)
    limit = sys.getrecursionlimit()
    with kept_warnings() as warned:
        tree = ast.parse(source, path)
    ask = partial(analyse, rules=rules.exclude, partial_rules=rules.partial, branch=rules.branch)
    analysis = ask(source, path, tree, text)
    left_out, reason = _left_to_others(tree, text)
    # A long chain of `elif` is a deep tree, for us and for the compiler's check of it.
    sys.setrecursionlimit(limit + 20 * len(analysis.units) + 10_000)
    try:
        try:
            layout, code, compiler_warned = _compiled(
                tree, path, source, text, analysis, way, each=False
            )
        except SyntaxError:
            # Too many blocks in each other, ours among them; or it is no Python at all.
            tree = ast.parse(source, path)
            # Branches are known by the nodes of the tree.
            analysis = ask(source, path, tree, text)
            layout, code, compiler_warned = _compiled(
                tree, path, source, text, analysis, way, each=True
            )
    finally:
        sys.setrecursionlimit(limit)
    line_count, statements, excluded, *rest = plain_analysis(analysis)
    return (
        code,
        marshal.dumps(layout.plain()),
        tuple(len(block.steps) for block in layout.blocks),
        (line_count, statements, excluded | left_out & statements, *rest),
        (*warned, *compiler_warned),
        reason,
    )


def plain_analysis(analysis: "Analysis") -> tuple[Any, ...]:
    """What there is to say of a file whatever is run of it, as `marshal` takes it."""
    units = tuple(
        (
            unit.qualname,
            unit.kind.value,
            unit.first_line,
            unit.last_line,
            unit.body_line,
            unit.fingerprint,
        )
        for unit in analysis.units
    )
    return (
        analysis.line_count,
        int(analysis.statements),
        int(analysis.excluded),
        analysis.branches.arcs,
        int(analysis.partial),
        units,
    )


def unit_record(plain: tuple[str, str, int, int, int, bytes]) -> UnitRecord:
    """A unit of what `plain_analysis` gave."""
    qualname, kind, first_line, last_line, body_line, fingerprint = plain
    return UnitRecord(
        qualname=qualname,
        kind=UnitKind(kind),
        first_line=first_line,
        last_line=last_line,
        body_line=body_line,
        fingerprint=fingerprint,
    )


def _left_to_others(tree: ast.Module, text: str) -> tuple[int, str]:
    """The lines of functions that are not measured, as a bitmap, and what to say of them."""
    from whotests.probes.compiled import compiled_elsewhere

    functions = compiled_elsewhere(tree, text)
    lines = 0
    for function in functions:
        last = function.end_lineno or function.lineno
        lines |= (1 << last + 1) - (1 << function.body[0].lineno)
    names = ", ".join(function.name for function in functions)
    return lines, f"functions compiled by another tool are not measured: {names}" if names else ""


def has_bytecode(path: str) -> bool:
    """Whether Python has a compiled form of the file as it is now, and would not compile it."""
    try:
        with open(cache_from_source(path), "rb") as file:
            head = file.read(16)
        stat = os.stat(path)
    except (OSError, NotImplementedError):
        return False
    made_of = int(stat.st_mtime).to_bytes(8, "little")[:4]
    made_of += (stat.st_size & 0xFFFFFFFF).to_bytes(4, "little")
    hashed = head[4:5] != b"\0"
    return head[:4] == MAGIC_NUMBER and (hashed or head[8:] == made_of)


def _compiled(
    tree: ast.Module,
    path: str,
    source: bytes,
    text: str,
    analysis: "Analysis",
    way: Way,
    *,
    each: bool,
) -> tuple[Layout, types.CodeType, list[tuple[str, str, int]]]:
    """A tree's layout and code, and what the compiler warned of."""
    from whotests.probes.instrument import instrument
    from whotests.source.compiler_warnings import kept_warnings
    from whotests.source.units import unit_nodes

    layout = instrument(
        tree,
        text=text,
        units=unit_nodes(tree),
        first_lines=analysis.first_lines,
        statements=analysis.statements,
        branches=analysis.branches,
        mark_module=True,
        each=each,
    )
    if way.rewrite is not None:
        way.rewrite(tree, source)
    with kept_warnings() as warned:
        code = compile(tree, path, "exec", way.flags, dont_inherit=True)
    return layout, code, warned


def swapped(code: types.CodeType, constants: Mapping[object, object]) -> types.CodeType:
    """The code, and all code in it, with objects in place of their placeholder constants."""
    changed = False
    new: list[Any] = []
    for constant in code.co_consts:
        kind = type(constant)
        if kind is types.CodeType:
            inner = swapped(constant, constants)
            changed = changed or inner is not constant
            new.append(inner)
        elif kind is str and constant in constants:
            changed = True
            new.append(constants[constant])
        elif kind is tuple and len(constant) == 1 and _is_placeholder(constant[0], constants):
            # The compiler makes `(block,)` a constant too.
            changed = True
            new.append((constants[constant[0]],))
        else:
            new.append(constant)
    return code.replace(co_consts=tuple(new)) if changed else code


def _is_placeholder(value: object, constants: Mapping[object, object]) -> bool:
    return type(value) is str and value in constants
