"""What the measured process hands to the store."""

from whotests.records import (
    Batch,
    ContextRecord,
    FileRecord,
    PatternRecord,
    RunRecord,
    TestRecord,
    UnitRecord,
)

__all__ = [
    "Batch",
    "ContextRecord",
    "FileRecord",
    "PatternRecord",
    "RunRecord",
    "TestRecord",
    "UnitRecord",
]
