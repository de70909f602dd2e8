"""Which versions of Python evaluate what later than the statement that it stands in."""

import sys

import pytest

lazy_scopes = pytest.mark.skipif(sys.version_info < (3, 12), reason="they came with Python 3.12")
lazy_defaults = pytest.mark.skipif(sys.version_info < (3, 13), reason="they came with Python 3.13")
lazy_annotations = pytest.mark.skipif(
    sys.version_info < (3, 14), reason="annotations are evaluated later since Python 3.14"
)
