"""The command line: one thin file per command. (PYTEST_DONT_REWRITE)

May import everything below it. Refuses to load a command's module, and what that needs,
before that command is called.
"""

from whotests.cli.group import cli, main

__all__ = ["cli", "main"]
