"""Differences that are known, each with why nothing can or need be done about it."""

__all__ = ["REASONS", "reason_for"]

REASONS: dict[str, dict[str, str]] = {}
"""Suite -> a part of the line that tells of a difference -> the reason."""


def reason_for(suite: str, difference: str) -> str:
    """Why there is this difference, or '' when nobody knows."""
    for part, reason in REASONS.get(suite, {}).items():
        if part in difference:
            return reason
    return ""
