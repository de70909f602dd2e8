"""whotests: run a test suite, record which test runs which line, and ask who tests what.

Importing it loads nothing else (PYTEST_DONT_REWRITE keeps pytest from warning about that).
"""

TYPE_CHECKING = False  # what typing calls so, without importing typing
if TYPE_CHECKING:
    from whotests.recording.labels import context as context

__all__ = ["__version__", "context"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "context":
        from whotests.recording.labels import context

        globals()["context"] = context
        return context
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
