"""What a run can be called.

May import errors only. Refuses to know where a name comes from.
"""

from whotests.errors import UsageError

__all__ = ["checked_run_name"]


def checked_run_name(name: str) -> str:
    """The name, if a run can have it. Raises UsageError for what `--run` takes otherwise."""
    if name.isdecimal():
        reason = "it is a number, as each run has one already"
    elif "~" in name:
        reason = "'~' stands for generations before"
    elif name == "all":
        reason = "that stands for all runs"
    elif name != name.strip() or not name.isprintable():
        reason = "it has white space around it, or what cannot be printed"
    else:
        return name
    raise UsageError(
        f"a run cannot be called {name!r}: {reason}; give another name, for instance nightly"
    )
