"""The project's source as one archive, for machines that do not see its folder."""

import io
import os
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from whotests.errors import MachineError, UsageError
from whotests.runner.cluster.requirements import editable_distributions

__all__ = ["METADATA", "Archive", "folders_imported_from", "packed"]

METADATA = ".whotests-metadata"
"""The folder in an archive with what is known of the project's own distributions."""

_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Archive:
    """Files as one ZIP, named by what is in it."""

    digest: str
    octets: bytes
    files: int


def packed(root: Path, files: Iterable[str], *, most: int) -> Archive:
    """An archive of these files of the project, and of what is installed of itself.

    `most` is how many octets it may have. Raises UsageError when it would have more, MachineError
    when a file cannot be read.
    """
    buffer = io.BytesIO()
    digest = blake2b(digest_size=16)
    count = 0
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for name, path in _sorted_pairs(root, files):
            try:
                content = path.read_bytes()
                mode = path.stat().st_mode
            except FileNotFoundError:
                continue  # it went meanwhile
            except OSError as failure:
                raise MachineError(f"the project's source cannot be shipped: {failure}") from None
            digest.update(f"{name}\0{mode}\0{len(content)}\0".encode(errors="surrogateescape"))
            digest.update(content)
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = mode << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
            count += 1
            if buffer.tell() > most:
                raise UsageError(
                    f"the project's files take more than {most >> 20} MiB as an archive (at "
                    f"{name}), too much to ship; let .gitignore leave out what no test needs, or "
                    "put the project where all machines see it, with --cluster-source shared"
                )
    return Archive(digest.hexdigest(), buffer.getvalue(), count)


def _sorted_pairs(root: Path, files: Iterable[str]) -> list[tuple[str, Path]]:
    pairs = [(name, root / name) for name in files]
    for each in editable_distributions(root):
        if each.metadata is not None:
            pairs += (
                (f"{METADATA}/{each.metadata.name}/{path.name}", path)
                for path in each.metadata.iterdir()
                if path.name in ("METADATA", "entry_points.txt", "top_level.txt")
            )
    return sorted(pairs)


def folders_imported_from(root: Path, path: Sequence[str] | None = None) -> list[str]:
    """Folders of the project from which its code is imported here, relative to `root`: those on
    `path` (None: this process's), and those of editable distributions."""
    found = dict.fromkeys(
        os.path.relpath(folder, root)
        for folder in (sys.path if path is None else path)
        if folder
        and os.path.isdir(folder)
        and Path(folder).is_relative_to(root)
        and not Path(folder).is_relative_to(sys.prefix)
    )
    for each in editable_distributions(root):
        source = each.folder / "src"
        found[os.path.relpath(source if source.is_dir() else each.folder, root)] = None
    return list(found)
