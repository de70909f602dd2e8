"""Details as text, for results that know a text or an exception only."""

from collections.abc import Mapping
from typing import Any

from whotests.testing.details.content import Content
from whotests.testing.details.traceback_content import ExcInfo

__all__ = ["DetailsError", "as_exception", "details_text", "readable"]


class DetailsError(Exception):
    """Stands for an exception of which only the details are there, as its text."""

    def __eq__(self, other: object) -> bool:
        """Two are equal that say the same."""
        return isinstance(other, DetailsError) and self.args == other.args

    __hash__ = Exception.__hash__


def as_exception(details: Mapping[str, Content]) -> ExcInfo:
    """What `sys.exc_info` gave, where the details are about an exception.

    Else what it might have given, with no traceback but the one in its text.
    """
    about: Any = getattr(details, "as_exception", None)
    raised: ExcInfo | None = None if about is None else about()
    if raised is not None:
        return raised
    error = DetailsError(details_text(details, special="traceback"))
    return type(error), error, None


def details_text(details: Mapping[str, Content], special: str | None = None) -> str:
    """All details by name: texts as they are, of others the name and type.

    The one called `special` comes last and without its name.
    """
    binary, empty, texts, last = [], [], [], ""
    for name, content in sorted(details.items()):
        if content.content_type.type != "text":
            binary.append(f"  {name} ({content.content_type})\n")
            continue
        text = readable(content).strip()
        if not text:
            empty.append(f"  {name}\n")
        elif name == special:
            last = f"{text}\n"
        elif "\n" in text:
            texts.append(f"{name}: {{{{{{\n{text}\n}}}}}}\n")
        else:
            texts.append(f"{name}: {{{{{{{text}}}}}}}")
    if texts and not texts[-1].endswith("\n"):
        texts.append("")
    if last:
        texts.append(last)
    parts = []
    if binary:
        parts += ["Binary content:\n", *binary]
    if empty:
        parts += ["Empty attachments:\n", *empty]
    if parts and texts:
        parts.append("\n")
    return "".join(parts) + "\n".join(texts)


def readable(content: Content) -> str:
    """The text; where it is none of its charset, as UTF-8 with an escape for each other byte.

    What cannot be read, as a file that is gone, is said instead: the outcome has to be told.
    """
    try:
        try:
            return content.as_text()
        except (LookupError, UnicodeDecodeError):
            return b"".join(content.iter_bytes()).decode("utf8", "backslashreplace")
    except Exception as error:
        return f"it could not be read: {error!r}"
