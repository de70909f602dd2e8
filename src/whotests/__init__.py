"""whotests: run a test suite, record which test runs which line, and ask who tests what.

Importing it loads nothing else (PYTEST_DONT_REWRITE keeps pytest from warning about that).
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
