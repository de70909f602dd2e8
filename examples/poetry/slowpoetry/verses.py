"""What is done to poems, whoever sends them: cut into pieces, and put into other words."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["PACE", "TRANSFORMS", "NoPoemError", "Pace", "TransformError", "pieces", "transform"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How slowly a poem is sent."""

    size: int = 10
    """Bytes at a time."""
    pause: float = 0.1
    """Seconds after each piece."""


PACE = Pace()


class NoPoemError(Exception):
    """The server closed the connection and had not sent anything."""


class TransformError(Exception):
    """The service cannot do to the poem what it was asked to."""


def pieces(poem: bytes, size: int) -> Iterator[bytes]:
    """The poem in pieces of so many bytes; the last one may be shorter."""
    for start in range(0, len(poem), size):
        yield poem[start : start + size]


def lowercase(poem: str) -> str:
    """The poem without capitals, as some poets prefer."""
    return poem.lower()


def backwards(poem: str) -> str:
    """The last line first."""
    return "".join(reversed(poem.splitlines(keepends=True)))


TRANSFORMS: dict[str, Callable[[str], str]] = {"lowercase": lowercase, "backwards": backwards}


def transform(name: str, poem: str) -> str:
    """The poem as the transformation of this name leaves it; TransformError if there is none."""
    if name not in TRANSFORMS:
        raise TransformError(f"no transformation {name!r}; there are {', '.join(TRANSFORMS)}")
    return TRANSFORMS[name](poem)
