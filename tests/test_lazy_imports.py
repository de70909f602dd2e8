"""Imports of Python 3.15 that wait for the first use of their name wait under measurement too."""

import sys
from pathlib import Path

import pytest

from measured_commands import recorded_lines, run_measured, run_plain, write_files

lazy = pytest.mark.skipif(sys.version_info < (3, 15), reason="lazy imports came with Python 3.15")

FILES = {
    "prog.py": """
        import sys
        import whotests
        import shop

        print("wares" in sys.modules, "listed" in sys.modules, "plain" in sys.modules)
        with whotests.context("use"):
            print(shop.price())
        print("wares" in sys.modules, "listed" in sys.modules, "plain" in sys.modules)
    """,
    "shop.py": """
        __lazy_modules__ = ["listed"]
        lazy from wares import price_of
        import listed
        import plain

        def price():
            return price_of("tea") + listed.FEE + plain.TAX
    """,
    "wares.py": "def price_of(what):\n    return len(what)\n",
    "listed.py": "FEE = 1\n",
    "plain.py": "TAX = 1\n",
}


@lazy
@pytest.mark.parametrize("options", [(), ("-X", "lazy_imports=all")], ids=["marked", "all"])
def test_lazy_imports_stay_lazy(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Modules are imported when they would be without us, and their lines belong to that use."""
    write_files(tmp_path, FILES)
    words = ("python", *options, "prog.py")
    measured = run_measured(*words, cwd=tmp_path)
    assert measured.status == 0, measured.err
    assert measured == run_plain(*words, cwd=tmp_path)
    assert measured.out.splitlines()[0] == f"False False {not options}"
    assert recorded_lines(tmp_path, "wares.py")["use"] == {1, 2}
    assert recorded_lines(tmp_path, "listed.py")["use"] == {1}
    assert recorded_lines(tmp_path, "shop.py")["import"] >= {1, 2, 3, 4, 6}


def test_a_failing_module_ends_its_import(tmp_path: Path) -> None:
    """A module that raises leaves no import open: what runs afterwards is not of one."""
    write_files(
        tmp_path,
        {
            "prog.py": "try:\n    import bad\nexcept KeyError:\n    import good\ngood.work()\n",
            "bad.py": "x = 1\nraise KeyError(x)\n",
            "good.py": "def work():\n    return 1\n",
        },
    )
    assert run_measured("python", "prog.py", cwd=tmp_path).status == 0
    lines = recorded_lines(tmp_path, "good.py")
    assert (lines["import"], lines[""]) == ({1}, {1, 2})
    assert recorded_lines(tmp_path, "bad.py")["import"] == {1, 2}
