"""Functions that another tool compiles from their bytecode are left alone, and named."""

from pathlib import Path

import pytest

from measured_commands import recorded_lines, run_measured, run_plain, write_files

# As numba does, the decorator refuses bytecode that it does not know.
FILES = {
    "numba.py": """
        import dis
        def njit(*args, **options):
            def compiled(function):
                names = {code.opname for code in dis.get_instructions(function)}
                assert not any(name.startswith("STORE_ATTR") for name in names), names
                return function
            return compiled(args[0]) if args else compiled
    """,
    "prog.py": """
        import numba as nb
        from numba import njit

        @njit
        def total(x):
            y = x + 1
            if y > 3:
                y = 3
            return y

        class Norm:
            @staticmethod
            @nb.njit(cache=True)
            def of(x):
                y = x * x
                return y

        def plain(x):
            y = total(x)
            return Norm.of(y)

        print(plain(2))
    """,
}


def test_compiled_functions_stay_as_they_are(tmp_path: Path) -> None:
    """They run without probes, count as excluded, and the report says so."""
    write_files(tmp_path, FILES)
    ended = run_measured("python", "prog.py", cwd=tmp_path, options=("--source", "prog.py"))
    assert (ended.status, ended.out) == (0, "9\n"), ended.err
    ran = set().union(*recorded_lines(tmp_path, "prog.py").values())
    source = (tmp_path / "prog.py").read_text().split("\n")
    texts = {source[line - 1].strip() for line in ran}
    assert "y = total(x)" in texts
    assert not texts & {"y = x + 1", "if y > 3:", "return y", "y = x * x"}
    told = run_plain("python", "-P", "-m", "whotests", "report", cwd=tmp_path)
    assert "100%" in told.out
    assert "total, of" in told.out


MACHINE = """
    from automat import MethodicalMachine

    class Door:
        _machine = MethodicalMachine()

        @_machine.input()
        def open(self):
            "Somebody opens it."

        @_machine.input()
        def close(self):
            pass

        @_machine.state(initial=True)
        def closed(self):
            "It is closed."

        @_machine.state()
        def opened(self):
            "It is open."

        @_machine.output()
        def _creak(self):
            return "creak"

        closed.upon(open, enter=opened, outputs=[_creak])
        opened.upon(close, enter=closed, outputs=[])

    door = Door()
    print(door.open(), door.close())
"""


def test_inputs_of_state_machines_stay_empty(tmp_path: Path) -> None:
    """automat takes them under measurement, too, and the outputs are recorded."""
    pytest.importorskip("automat")
    write_files(tmp_path, {"door.py": MACHINE})
    ended = run_measured("python", "door.py", cwd=tmp_path, options=("--source", "door.py"))
    assert (ended.status, ended.out) == (0, "['creak'] []\n"), ended.err
    ran = set().union(*recorded_lines(tmp_path, "door.py").values())
    source = (tmp_path / "door.py").read_text().split("\n")
    assert "return 'creak'" in {source[line - 1].strip().replace('"', "'") for line in ran}
    told = run_plain("python", "-P", "-m", "whotests", "report", cwd=tmp_path)
    assert "100%" in told.out, told.out
