"""What to write in place of the options that people know from other runners."""

from collections.abc import Sequence
from typing import Final

__all__ = ["hint_for"]

_SAME: Final = {
    "-n": "-j N",
    "--numprocesses": "-j N",
    "--concurrency": "-j N",
    "--processes": "-j N",
    "--parallel": "-j N",
    "--lf": "--failed",
    "--last-failed": "--failed",
    "--failing": "--failed",
    "--maxfail": "--max-failures N",
    "--exitfirst": "-x",
    "--failfast": "-x",
    "--durations": "--slowest N",
    "--junitxml": "--junit FILE",
    "--junit-xml": "--junit FILE",
    "--collect-only": "--list",
    "--co": "--list",
    "--shuffle": "--order random",
    "--random": "--order random",
    "--random-order": "--order random",
    "--keyword": "-k EXPRESSION",
    "--verbosity": "-v",
}
"""Options of pytest and its plugins, trial, stestr and Django -> ours."""

_COVERAGE: Final = "--cov"


def hint_for(option: str, command: str, *, near: Sequence[str] = ()) -> str:
    """How `command` is told what `option` means elsewhere: the end of a sentence, without its full
    stop. `near` are options of the command that it may be a slip of."""
    if option in _SAME:
        return f"it is {_SAME[option]} here"
    if option.startswith(_COVERAGE):
        return "what runs is recorded anyway: --source says of what, and whotests report shows it"
    if near:
        return f"did you mean {' or '.join(near)}?"
    return (
        f"{command} -h lists all. What is for pytest, or another runner, stands behind '--': "
        f"{command} -- {option}"
    )
