"""Gives measured files their instrumented code when they are imported or run.

`SourceFileLoader.get_code` is the one place through which the import system, `runpy` and
`python -m` all get the code of a module's file; it is replaced while a `Loading` is installed.
Modules keep their ordinary loaders and specs. `probes.executed` does the same for what comes
another variant.
"""

import builtins
import sys
import types
import warnings
from _weakref import ref
from collections.abc import Callable, Iterable, Mapping
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source
from typing import Any

from whotests.garbage import uncollected
from whotests.probes import raises
from whotests.probes.cache import Cache
from whotests.probes.executed import Executed
from whotests.probes.files import modified_and_size, read_file
from whotests.probes.layout import Layout
from whotests.probes.loaded import Entry, LoadedFile, Rewrite, Variant
from whotests.probes.placeholders import MARK, block_name
from whotests.probes.runtime import Block, ModuleMark, block, in_c, is_block
from whotests.source.rules import Rules
from whotests.source.text import digest_of

__all__ = ["Loading", "code_for_rewritten", "code_for_script"]

_ORDINARY_COMPILE = SourceFileLoader.source_to_code
_ORDINARY_RULES = Rules()
_installed: list["Loading"] = []


_AS_A_MODULE = Variant()


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
            self._executed.remove()
            if "get_code" in SourceFileLoader.__dict__:
                del SourceFileLoader.get_code  # what it has from its base class shows again
            _installed.remove(self)

    def _code_of_compiled(
        self,
        path: str,
        source: bytes,
        *,
        filename: str = "",
        flags: int = 0,
        module: str | None = None,
    ) -> types.CodeType | None:
        compiled = bool(filename)
        variant = Variant(filename=filename, flags=flags, module=module, compiled=compiled)
        return self.code_of(path, source, variant)

    def code_of(
        self, path: str, source: bytes, variant: Variant = _AS_A_MODULE
    ) -> types.CodeType | None:
        """The code to run for these bytes of a measured file.

        None when it cannot be instrumented: then it is to be compiled as usual, which fails
        where it would fail without us.
        """
        try:
            with uncollected():
                return self._code_of(path, source, variant)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self._refuse(path, source, f"{type(error).__name__}: {error}")
        except Warning as error:  # the program wants it raised, which compiling as usual does
            self._refuse(path, source, f"SyntaxError: {error}")
        except Exception as error:  # a bug of ours must not stop the program that is measured
            self._refuse(path, source, f"whotests failed on it: {error!r}")
        return None

    def _refuse(self, path: str, source: bytes, reason: str) -> None:
        digest = digest_of(source)
        # Another variant may have gone well.
        self._versions.setdefault((path, digest), LoadedFile(path, digest, reason=reason))

    def _code_of(self, path: str, source: bytes, variant: Variant) -> types.CodeType | None:
        digest = digest_of(source)
        file = self._versions.get((path, digest))
        if file is not None:
            if not file.instrumented:
                return None
            kept = file.codes.get(variant.name)
            known = kept() if kept is not None else None
            if known is not None:
                if variant.compiled:
                    _warn(file.warned, variant.filename, variant.module)
                return known
        name = variant.name + self._rules.key
        kept_entry = self._cache.read(path, name, digest)
        if kept_entry is None:
            # A process whose files are all in the cache needs none of it.
            from whotests.probes.build import build

            entry = build(variant.filename or path, source, variant, self._rules)
            self._cache.write(path, name, digest, tuple(entry))
        else:
            entry = Entry(*kept_entry)
        # Python would warn of them when it compiles the file, and keep what it has compiled.
        if variant.compiled:
            _warn(entry.warned, variant.filename, variant.module)
        elif (
            entry.warned
            and not has_bytecode(path)
            and (sys.dont_write_bytecode or kept_entry is None)
        ):
            _warn(entry.warned, path)
        if file is None:
            file = LoadedFile(path, digest)
            file.take(entry)
            # Another thread may have come here, too.
            file = self._versions.setdefault((path, digest), file)
        blocks = file.blocks.get(variant.name)
        if blocks is None:
            new: list[Block] = []
            family = raises.register(new)
            file.layouts[family] = entry.layout
            sizes = enumerate(Layout(entry.layout).sizes)
            new += [block(file, index, family, size=size) for index, size in sizes]
            blocks = file.blocks.setdefault(variant.name, new)
        constants: dict[str, object] = {MARK: self._mark}
        constants |= {block_name(index): each for index, each in enumerate(blocks)}
        # What came from the cache nobody else has.
        swap = in_c.swap if kept_entry is not None and in_c is not None else swapped
        code = swap(entry.code, constants)
        file.codes[variant.name] = ref(code)
        return code


def code_for_script(path: str) -> types.CodeType | None:
    """The code of a script that is about to be run; None: compile it as usual."""
    return _code_from(path, _AS_A_MODULE)


def code_for_rewritten(path: str, rewrite: Rewrite, key: str) -> types.CodeType | None:
    """The code of a file whose tree another tool changes too; None: the tool does it alone.

    `key` names what `rewrite` does: the same key, the same change.
    """
    return _code_from(path, Variant(rewrite=rewrite, key=key))


def _code_from(path: str, variant: Variant) -> types.CodeType | None:
    if not _installed or not _installed[-1].measures(path):
        return None
    try:
        source = read_file(path)
    except OSError:
        return None
    return _installed[-1].code_of(path, source, variant)


def _warn(warned: Iterable[tuple[str, str, int]], path: str, module: str | None = None) -> None:
    for category, message, line in warned:
        kind = getattr(builtins, category, SyntaxWarning)
        if module is None:
            warnings.warn_explicit(message, kind, path, line)
        else:
            warnings.warn_explicit(message, kind, path, line, module)


def has_bytecode(path: str) -> bool:
    """Whether Python has a compiled form of the file as it is now, and would not compile it."""
    try:
        head = read_file(cache_from_source(path), most=16)
        modified, size = modified_and_size(path)
    except (OSError, NotImplementedError):
        return False
    made_of = int(modified).to_bytes(8, "little")[:4]
    made_of += (size & 0xFFFFFFFF).to_bytes(4, "little")
    hashed = head[4:5] != b"\0"
    return head[:4] == MAGIC_NUMBER and (hashed or head[8:] == made_of)


def swapped(code: types.CodeType, constants: Mapping[str, object]) -> types.CodeType:
    """The code, and all code in it, with objects in place of their placeholder constants.

    Blocks whose handlers are in it get its table of lines.
    """
    new: list[Any] | None = None
    with_handlers = "co_linetable" in code.co_names and "family" in code.co_names
    for place, constant in enumerate(code.co_consts):
        kind = type(constant)
        if kind is types.CodeType:
            other: object = swapped(constant, constants)
        elif kind is str and constant in constants:
            other = constants[constant]
            if with_handlers and is_block(other):
                other.lines, other.first_line = code.co_linetable, code.co_firstlineno
        else:
            continue
        if other is not constant:
            new = new or list(code.co_consts)
            new[place] = other
    return code.replace(co_consts=tuple(new)) if new else code
