"""A target as it is typed: what to run, and maybe by which host."""

from typing import Final, NamedTuple

from whotests.errors import UsageError

__all__ = ["HOSTS", "Target", "parsed_target"]

HOSTS: Final = ("pytest", "unittest", "trial", "django")


class Target(NamedTuple):
    """One target."""

    host: str
    """One of HOSTS; '' where nobody said which."""
    text: str
    """A path, a module, an id; '' for all that the host finds."""

    def __str__(self) -> str:
        return f"{self.host}:{self.text}" if self.host else self.text


def parsed_target(word: str) -> Target:
    """The target that is written so: a host and a colon may be in front.

    Raises UsageError for an empty word, and for a host that there is not.
    """
    host, colon, text = word.partition(":")
    if colon and host in HOSTS:
        return Target(host, text)
    if not word.strip():
        raise UsageError("a target is empty; name a path, a module or a test id")
    # A path of Windows has one letter in front of its colon, a node id has two colons.
    if colon and len(host) > 1 and host.isidentifier() and text and text[0] not in ":\\/":
        raise UsageError(
            f"target '{word}': there is no host '{host}'; one of {', '.join(HOSTS)} may stand in "
            "front of a colon"
        )
    return Target("", word)
