"""Reading and writing whole files while the program under test runs.

Programs replace the functions of `os` and the built-in `open` (blockbuster forbids them in an
event loop, pyfakefs leads them elsewhere). So these are taken when measuring begins, and kept
in a class: such tools look through the attributes of modules.
"""

import os

from whotests.system import System

__all__ = ["modified_and_size", "read_file", "replace_file"]


_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def read_file(path: str, *, most: int | None = None) -> bytes:
    """All bytes of a file, or `most` bytes from its beginning. Raises OSError."""
    descriptor = System.open(path, os.O_RDONLY | _FLAGS)
    try:
        if most is not None:
            return System.read(descriptor, most)
        parts = []
        size = System.fstat(descriptor).st_size
        while part := System.read(descriptor, size + 1):
            parts.append(part)
            size = 65536  # it grows, or is one of those that have no size
        return b"".join(parts)
    finally:
        System.close(descriptor)


def replace_file(path: str, content: bytes) -> None:
    """Puts a file in the place of what is there, whole or not at all; makes the folders that it
    needs. Raises OSError."""
    unfinished = f"{path}.{System.process()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _FLAGS
    try:
        descriptor = System.open(unfinished, flags, 0o666)
    except FileNotFoundError:
        _make_folder(os.path.dirname(path))
        descriptor = System.open(unfinished, flags, 0o666)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[System.write(descriptor, rest) :]
        finally:
            System.close(descriptor)
        System.replace(unfinished, path)
    except BaseException:
        System.unlink(unfinished)
        raise


def modified_and_size(path: str) -> tuple[float, int]:
    """When a file was changed last, in seconds, and its size in bytes. Raises OSError."""
    known = System.stat(path)
    return known.st_mtime, known.st_size


def _make_folder(path: str) -> None:
    try:
        System.mkdir(path)
    except FileNotFoundError:
        _make_folder(os.path.dirname(path))
        System.mkdir(path)
    except FileExistsError:  # another process was quicker
        return
