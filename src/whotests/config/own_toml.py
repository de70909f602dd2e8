"""Settings as the text of a `[tool.whotests]` table."""

import json
import re
from collections.abc import Iterable

from whotests.config.file_settings import FileSettings

__all__ = ["table_text"]

_WIDTH = 88


def table_text(said: FileSettings) -> str:
    """The table, with the keys that are not as usual; ends with a line's end."""
    usual = FileSettings()._asdict()
    lines = ["[tool.whotests]"]
    for key, value in said._asdict().items():
        if key not in ("paths", "unused") and value != usual[key]:
            lines.append(f"{key} = {_value(value, len(key))}")
    if said.paths:
        lines += ["", "[tool.whotests.paths]"]
        lines += [f"{_key(name)} = {_value(places, len(name))}" for name, places in said.paths]
    return "\n".join(lines) + "\n"


def _value(value: object, key_length: int) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return _list(map(_string, value), room=_WIDTH - key_length)
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    return _string(value) if isinstance(value, str) else str(value)


def _list(items: Iterable[str], *, room: int) -> str:
    items = list(items)
    line = f"[{', '.join(items)}]"
    if len(line) <= room:
        return line
    return "[\n" + "".join(f"    {item},\n" for item in items) + "]"


def _string(text: str) -> str:
    """A string: literal where that spares backslashes, as regular expressions have many."""
    if "\\" in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    # JSON's escapes are TOML's, too, but for one character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _string(name)
