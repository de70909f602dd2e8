"""LCOV tracefiles: which lines, functions and branches ran, of each file, as coverage.py has it.

May import query and what is below. Refuses to read any.
The records are those of LCOV 2 (geninfo's manual); of functions, those that every version reads.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from whotests.formats.branch_words import branch_in_words
from whotests.formats.counted import CountedFile, CountedRegion, counted_files
from whotests.formats.coverage_contexts import context_name
from whotests.formats.exporting import Export
from whotests.formats.foreign import Foreign
from whotests.formats.line_checksums import line_checksum
from whotests.formats.registry import Format
from whotests.packing.branches import Branch
from whotests.types import UnitKind, lines_in

__all__ = ["FORMAT", "one_line"]


def one_line(text: str) -> str:
    """The text as the value of a record: what cannot be printed would end or break it."""
    if text.isprintable():
        return text
    return "".join([letter if letter.isprintable() else "?" for letter in text])


def write_lcov(export: Export, path: Path) -> tuple[str, ...]:
    """Writes the tracefile, and tells what it could not hold."""
    renamed = unknown = 0
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for file in counted_files(export):
            out.writelines(f"{record}\n" for record in _records(file, export))
            if export.contexts:
                out.writelines(f"{record}\n" for record in _records_by_context(file))
            renamed += not file.path.isprintable()
            unknown += file.units is None
    said = ["LCOV holds no outcomes and durations of tests, and no excluded lines"]
    if not export.contexts:
        said.append("it says what ran, not who ran it (with --contexts it does)")
    if unknown:
        said.append(
            f"the functions of {unknown} files are left out: nothing imported them, and the disk "
            "has another text of them than was recorded"
        )
    if renamed:
        said.append(
            f"the names of {renamed} files have characters that LCOV cannot hold: they are "
            "written as '?'"
        )
    return tuple(said)


def _records(file: CountedFile, export: Export) -> Iterator[str]:
    yield f"SF:{one_line(file.path)}"
    part = file.part
    lines = list(lines_in(part.statements))
    checksums: dict[int, str] = {}
    if export.checksums and file.text is not None:
        checksums = {line: "," + line_checksum(file.text.line(line)) for line in lines}
    for line in lines:
        yield f"DA:{line},{int(not part.missing >> line & 1)}{checksums.get(line, '')}"
    if lines:
        yield f"LF:{len(lines)}"
        yield f"LH:{len(lines) - part.missing.bit_count()}"
    yield from _functions(file.regions(UnitKind.FUNCTION))
    if export.branch:
        yield from _branches(file)
    yield "end_of_record"


def _records_by_context(file: CountedFile) -> Iterator[str]:
    """Who ran what: one record for each context, of nothing but what that ran.

    They come after the one that has all of the file: readers add up what they find. What ran in
    the context without a name is in that one only.
    """
    part = file.part
    taken = frozenset(part.taken)
    units = file.units or ()
    branches = file.facts.branches
    for key, ran in file.facts.contexts.items():
        lines = ran.lines & part.statements
        ways = [branches[place] for place in lines_in(ran.branches)]
        name = one_line(context_name(key))
        if not name or not (lines or taken.intersection(ways)):
            continue
        yield f"TN:{name}"
        yield f"SF:{one_line(file.path)}"
        for line in lines_in(lines):
            yield f"DA:{line},1"
        for branch in sorted(taken.intersection(ways)):
            yield f"BRDA:{branch[0]},0,{one_line(branch_in_words(branch, units))},1"
        yield "end_of_record"
    yield "TN:"


def _functions(regions: Sequence[CountedRegion]) -> Iterator[str]:
    functions = sorted(
        (
            (min(region.start, first), max(region.start, last), region.name, region.part)
            for region in regions
            if region.name and region.region.lines
            for first, last in (_ends(region.region.lines),)
        ),
        key=lambda function: function[:3],
    )
    if not functions:
        return
    names: set[str] = set()
    found = hit = 0
    for first, last, name, part in functions:
        if not part.statements:
            continue
        ran = int(part.missing != part.statements)
        found += 1
        hit += ran
        name = one_line(name)
        if name in names:
            name += f"@{first}"
        names.add(name)
        yield f"FN:{first},{last},{name}"
        yield f"FNDA:{ran},{name}"
    yield f"FNF:{found}"
    yield f"FNH:{hit}"


def _branches(file: CountedFile) -> Iterator[str]:
    part = file.part
    units = file.units or ()
    taken, missed = _by_line(part.taken), _by_line(part.missed)
    for line in part.ways:
        if not part.statements >> line & 1:
            continue
        # Of a line that never ran to its end nobody knows what its branches would have been.
        untaken = "0" if line in taken else "-"
        ends = [(end, "1") for end in taken.get(line, ())]
        ends += [(end, untaken) for end in missed.get(line, ())]
        for end, times in sorted(ends, key=lambda each: (each[0] < 0, each)):
            words = one_line(branch_in_words((line, end), units))
            yield f"BRDA:{line},0,{words},{times}"
    if part.branches:
        yield f"BRF:{part.branches}"
        yield f"BRH:{part.branches - len(part.missed)}"


def _by_line(branches: Sequence[Branch]) -> dict[int, list[int]]:
    ends: dict[int, list[int]] = {}
    for line, end in branches:
        ends.setdefault(line, []).append(end)
    return ends


def _ends(lines: int) -> tuple[int, int]:
    return (lines & -lines).bit_length() - 1, lines.bit_length() - 1


def _is_lcov(head: bytes) -> bool:
    for line in head.removeprefix(BOM_UTF8).splitlines():
        if line.strip() and not line.startswith(b"#"):
            return line.startswith((b"TN:", b"SF:"))
    return False


def _read(path: Path) -> Foreign:
    from whotests.formats.lcov_reading import read_lcov

    return read_lcov(path)


FORMAT: Final = Format(
    name="lcov",
    title="LCOV",
    file_name="lcov.info",
    recognises=_is_lcov,
    write=write_lcov,
    read=_read,
)
