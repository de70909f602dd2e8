"""The file of `--load-list`: ids of tests, one per line."""

import sys
from pathlib import Path

from whotests.errors import UsageError

__all__ = ["read_load_list"]


def read_load_list(file: Path) -> tuple[str, ...]:
    """The ids, in order, each once; '-' is the standard input.

    Empty lines and those that begin with '#' are left out, so is white space around an id.
    Raises UsageError when the file cannot be read or lists nothing.
    """
    try:
        octets = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        text = octets.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"cannot read {file}: {error.strerror}; --load-list wants a file with one test id per "
            "line, as whotests test --list writes it"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no text in UTF-8: {error}; write it anew") from error
    lines = (line.strip() for line in text.split("\n"))
    ids = tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not ids:
        raise UsageError(
            f"{file} lists no test; write one id per line, for instance by whotests test --list"
        )
    return ids
