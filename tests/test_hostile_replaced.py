"""Programs that replace functions of the standard library which measuring needs, too."""

from pathlib import Path

from measured_commands import recorded_lines
from same_programs import assert_same

PROGRAM = """
    import importlib, os, sys

    def forbidden(name):
        def call(*args, **kwargs):
            raise RuntimeError(f"{name} was called")
        return call

    NAMES = (
        "os.chmod os.getcwd os.link os.listdir os.makedirs os.mkdir os.open os.path.abspath"
        " os.path.exists os.path.isdir os.path.isfile os.path.islink os.path.realpath os.read"
        " os.remove os.rename os.replace os.rmdir os.scandir os.stat os.unlink os.write time.time"
        " time.monotonic time.perf_counter builtins.open io.open"
    ).split()

    def main():
        before = {}
        for name in NAMES:
            module, _, attribute = name.rpartition(".")
            module = sys.modules[module]
            before[module, attribute] = getattr(module, attribute)
            setattr(module, attribute, forbidden(name))
        try:
            import lazy
            print(lazy.f(1), len("x".encode("utf-16")), importlib.import_module("sched").__name__)
            for number in range(200_000):
                lazy.f(number)
        finally:
            for (module, attribute), value in before.items():
                setattr(module, attribute, value)

    import builtins, io, os.path, time
    main()
"""


def test_import_while_functions_are_replaced(tmp_path: Path) -> None:
    """A module that is imported while a program (blockbuster, freezegun, pyfakefs are such) has
    replaced functions of `os`, `time` and `io` is imported as plainly, and measured; with an
    empty cache and with a filled one."""
    files = {"prog.py": PROGRAM, "lazy.py": "def f(x):\n    return x\n"}
    for _ in range(2):
        assert_same(tmp_path, files, subject="lazy.py")
        lines = recorded_lines(tmp_path, "lazy.py")
        assert set().union(*lines.values()) == {1, 2}
