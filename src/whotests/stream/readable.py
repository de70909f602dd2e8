"""What a test attached, to be read by people."""

from collections.abc import Mapping
from textwrap import indent

from whotests.stream.attachment import Attachment
from whotests.stream.collection import TestRecord

__all__ = ["attachments_as_text", "label_of", "one_line", "reason_of"]


def attachments_as_text(attachments: Mapping[str, Attachment]) -> str:
    """Each attachment under its name; tracebacks stand last, as what went wrong.

    Of what is not text, its type and size. The text ends without a newline.
    """
    order = sorted(attachments, key=lambda name: name.startswith("traceback"))
    return "\n".join(attachment_as_text(name, attachments[name]) for name in order)


def attachment_as_text(name: str, attachment: Attachment) -> str:
    """One line, or the name and the indented text below it."""
    name = one_line(name)
    if not attachment.is_text:
        return f"{name} ({attachment.content_type}): {len(attachment.content)} bytes"
    text = attachment.as_text().rstrip()
    if not text:
        return f"{name}: empty"
    if "\n" not in text:
        return f"{name}: {text}"
    return f"{name}:\n{indent(text, '    ')}"


def reason_of(record: TestRecord) -> str:
    """Why a test was skipped; empty if nothing says so. Those of its subtests stand together."""
    reasons = [
        attachment.as_text().strip()
        for name, attachment in record.attachments.items()
        if name.split(" ")[0].split("-")[0] == "reason"
    ]
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason))


def label_of(record: TestRecord) -> str:
    """The test's id on one line, behind its route code if it has one: '[0/1] pkg.test_a'."""
    label = one_line(record.test_id)
    return label if record.route_code is None else f"[{one_line(record.route_code)}] {label}"


def one_line(text: str) -> str:
    """The text with escapes for what would end the line or steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
