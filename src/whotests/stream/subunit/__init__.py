"""Events as subunit version 2, the format that test tools of many languages exchange."""

from whotests.stream.subunit.reader import SubunitReader, read_subunit
from whotests.stream.subunit.writer import SubunitWriter

__all__ = ["SubunitReader", "SubunitWriter", "read_subunit"]
