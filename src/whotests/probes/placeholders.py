"""Names of what stands in code for blocks until it is loaded.

Strings that no source has: the code with them can be compiled and kept between runs.
"""

from typing import Final

__all__ = ["MARK", "block_name", "index_of"]

_PREFIX: Final = "\0whotests\0"

MARK: Final = _PREFIX + "module"
"""Of the module mark."""


def block_name(index: int) -> str:
    """Of a file's block."""
    return f"{_PREFIX}{index}"


def index_of(block: str) -> int:
    """The index of the block of that name."""
    return int(block[len(_PREFIX) :])
