"""Waiting for an import costs the module nothing that could be seen."""

from pathlib import Path

from measured_commands import run_plain, write_files

PROGRAM = """
    import importlib.util
    import sys
    from whotests.recording.after_import import when_imported

    before = list(sys.meta_path)
    calls = []
    when_imported("waited", lambda module: calls.append(module.READY))
    when_imported("waited", lambda module: calls.append(module.__name__))
    when_imported("failing", lambda module: calls.append("never"))
    when_imported("sys", lambda module: calls.append("at once"))
    print(calls, len(sys.meta_path) - len(before))

    import ordinary
    try:
        import failing
    except LookupError:
        print("failed", calls)
    print(importlib.util.find_spec("waited").loader.__class__.__name__, calls)

    import waited
    print(calls)
    for module in (waited, ordinary):
        spec, loader = module.__spec__, module.__loader__
        print(type(loader).__name__, spec.loader is loader, spec.has_location, spec.cached is None)
    print(waited.SEEN)

    when_imported("waited", lambda module: calls.append("again"))
    print(calls[-1])
"""

FILES = {
    "prog.py": PROGRAM,
    "ordinary.py": "",
    "failing.py": "raise LookupError",
    "waited.py": """
        SEEN = type(__loader__).__name__, __spec__.loader is __loader__
        READY = "ready"
    """,
}

EXPECTED = """\
['at once'] 1
failed ['at once']
{found} ['at once']
['at once', 'ready', 'waited']
SourceFileLoader True True False
SourceFileLoader True True False
('SourceFileLoader', True)
again
"""


def test_callbacks_come_after_the_module(tmp_path: Path) -> None:
    """Each is called once, with a module that has run and has the loader that it would have."""
    write_files(tmp_path, FILES)
    ended = run_plain("python", "prog.py", cwd=tmp_path)
    assert ended.err == ""
    assert ended.out == EXPECTED.format(found="SourceFileLoader")


def test_finder_leaves_when_nothing_is_waited_for(tmp_path: Path) -> None:
    """The import system is as it was once the module has come."""
    program = """
        import sys
        from whotests.recording.after_import import when_imported
        before = list(sys.meta_path)
        when_imported("waited", print)
        import waited
        assert sys.meta_path == before, sys.meta_path
    """
    write_files(tmp_path, {"prog.py": program, "waited.py": ""})
    assert run_plain("python", "prog.py", cwd=tmp_path).status == 0


def test_module_whose_code_runs_already(tmp_path: Path) -> None:
    """What is asked for in the middle of a module's import is called back before the next one
    begins that its importer makes; of one that fails, not until it is imported again."""
    files = {
        "prog.py": """
            import sys
            before = list(sys.meta_path)
            import waited
            print(waited.CALLS)
            import ordinary
            print(waited.CALLS, sys.meta_path == before)
            try:
                import failing
            except LookupError:
                pass
            import other
            print(waited.CALLS)
            waited.FAILS = False
            import failing
            print(waited.CALLS, sys.meta_path == before)
        """,
        "waited.py": """
            from whotests.recording.after_import import when_imported
            CALLS = []
            FAILS = True
            when_imported("waited", lambda module: CALLS.append(module.READY))
            import inner
            READY = "ready"
        """,
        "failing.py": """
            import waited
            from whotests.recording.after_import import when_imported
            when_imported("failing", lambda module: waited.CALLS.append("failing"))
            if waited.FAILS:
                raise LookupError
        """,
        "inner.py": "",
        "ordinary.py": "",
        "other.py": "",
    }
    write_files(tmp_path, files)
    ended = run_plain("python", "prog.py", cwd=tmp_path)
    assert ended.err == ""
    assert ended.out.splitlines() == [
        "[]",
        "['ready'] True",
        "['ready']",
        "['ready', 'failing', 'failing'] True",
    ]
