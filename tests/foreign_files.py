"""What files of other tools say, as their formats read them."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from whotests.formats.coverage_contexts import context_name
from whotests.formats.foreign import Foreign, ForeignFile
from whotests.formats.registry import format_named, recognised
from whotests.packing.branches import Branch
from whotests.types import lines_in

__all__ = ["Said", "read_text", "said"]


class Said(NamedTuple):
    """What a format says of one source file."""

    counted: list[int]
    """The lines that count."""
    ran: dict[str, list[int]]
    """Context -> lines."""
    branches: list[Branch]
    """All that are named."""
    taken: dict[str, list[Branch]]
    """Context -> branches; those that took none are left out."""


def said(file: ForeignFile) -> Said:
    """What stands about one file."""
    return Said(
        list(lines_in(file.statements or 0)),
        {context_name(key): list(lines_in(ran.lines)) for key, ran in file.ran.items()},
        sorted(file.branches or ()),
        {context_name(key): sorted(ran.branches) for key, ran in file.ran.items() if ran.branches},
    )


def read_text(
    folder: Path, text: str | bytes, *, name: str, recognise: bool = True
) -> tuple[Foreign, dict[str, Said]]:
    """What a file with this content says, which has to be recognised as of the format `name`."""
    path = folder / "report"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if recognise:
        assert recognised(path).name == name
    read = format_named(name).read
    assert read is not None
    foreign = read(path)
    files = list(foreign.files)
    assert len({file.path for file in files}) == len(files)
    return replace(foreign, files=files), {file.path: said(file) for file in files}
