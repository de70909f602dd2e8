"""Labels of users and of providers reach the data."""

import re
import tomllib
from pathlib import Path

from measured_commands import recorded_lines, run_measured, run_plain, write_files

DOCUMENT = Path(__file__).parent.parent / "docs" / "contexts.md"

PROGRAM = """
    import asyncio
    import whotests

    def shared():
        return 1

    @whotests.context("function")
    def function():
        shared()
        return 2

    @whotests.context("coroutine")
    async def coroutine():
        await asyncio.sleep(0)
        return 3

    @whotests.context("generator")
    def generator():
        got = yield 4
        return got

    @whotests.context("async generator")
    async def values():
        yield 5
        yield 6

    async def main():
        await coroutine()
        return [value async for value in values()]

    def between():
        return 7

    print(function(), function.__name__)
    print(asyncio.run(main()))
    steps = generator()
    print(next(steps), between())
    try:
        steps.send(8)
    except StopIteration as stop:
        print(stop.value)
    outer = whotests.context("outer")
    with outer:
        with whotests.context("inner"), outer:
            shared()
    first, second = whotests.context("first"), whotests.context("second")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    between()
    second.__exit__(None, None, None)
"""


def lines_of(name: str, text: str) -> int:
    """The number of the only line of the program that holds the text."""
    lines = name.splitlines()
    (number,) = [index for index, line in enumerate(lines, start=1) if text in line]
    return number


def test_labels_hold_while_their_code_runs(tmp_path: Path) -> None:
    """Context managers and decorated functions, coroutines and generators of both kinds."""
    write_files(tmp_path, {"prog.py": PROGRAM})
    measured = run_measured("python", "prog.py", cwd=tmp_path)
    plain = run_plain("python", "prog.py", cwd=tmp_path)
    assert plain.status == 0, plain.err
    assert measured == plain
    text = (tmp_path / "prog.py").read_text()
    found = recorded_lines(tmp_path, "prog.py")

    def ran(label: str, line: str) -> bool:
        return lines_of(text, line) in found.get(label, set())

    assert ran("function", "return 1")
    assert ran("function", "return 2")
    assert ran("coroutine", "return 3")
    assert ran("generator", "return got")
    assert not ran("generator", "return 7")
    assert ran("outer", "return 1")
    assert ran("inner", "return 1")
    assert ran("second", "return 7")
    assert not ran("first", "return 7")


INTERRUPTED = """
    import sys
    import whotests

    def one():
        return 1

    def two():
        return 2

    left = 2

    def raise_while_collecting(frame, event, argument):
        global left
        if event == "call" and frame.f_code.co_name == "number":
            left -= 1
            if not left:
                sys.setprofile(None)
                raise KeyboardInterrupt

    one()
    two()
    sys.setprofile(raise_while_collecting)
    try:
        with whotests.context("never"):
            pass
    except KeyboardInterrupt:
        pass
    sys.setprofile(None)
    with whotests.context("after"):
        one()
        two()
    sys.exit(left)
"""


def test_what_a_signal_interrupts_is_not_lost(tmp_path: Path) -> None:
    """A handler that raises while a label opens costs nothing of what ran before or runs later."""
    write_files(tmp_path, {"prog.py": INTERRUPTED})
    assert run_measured("python", "prog.py", cwd=tmp_path).status == 0
    text = (tmp_path / "prog.py").read_text()
    found = recorded_lines(tmp_path, "prog.py")
    bodies = {lines_of(text, "return 1"), lines_of(text, "return 2")}
    assert bodies <= found["after"]
    assert bodies <= found[""]
    assert "never" not in found


def test_label_that_opens_again_keeps_what_it_had(tmp_path: Path) -> None:
    """One label, opened several times: its context has all that ran in any of them."""
    write_files(tmp_path, {"prog.py": PROGRAM})
    run_measured("python", "prog.py", cwd=tmp_path)
    text = (tmp_path / "prog.py").read_text()
    found = recorded_lines(tmp_path, "prog.py")
    assert lines_of(text, "got = yield 4") in found["generator"]
    assert lines_of(text, "yield 5") in found["async generator"]
    assert lines_of(text, "yield 6") in found["async generator"]


def test_wrong_label_shows_the_right_call(tmp_path: Path) -> None:
    """A label that is no string or empty is a TypeError which shows how to write it."""
    write_files(tmp_path, {"prog.py": "import whotests\nwhotests.context(print)\n"})
    ended = run_plain("python", "prog.py", cwd=tmp_path)
    assert ended.status == 1
    assert 'write whotests.context("checkout")' in ended.err


def test_importing_whotests_loads_nothing_else(tmp_path: Path) -> None:
    """`import whotests` costs one module, and a context without a run does not measure."""
    program = """
        import sys
        before = set(sys.modules)
        import whotests
        print(sorted(set(sys.modules) - before))
    """
    write_files(tmp_path, {"prog.py": program})
    assert run_plain("python", "prog.py", cwd=tmp_path).out == "['whotests']\n"


def install_example(folder: Path, site: Path) -> None:
    """Put the package of the document where it would be installed, and the program beside."""
    text = DOCUMENT.read_text(encoding="utf-8")
    (project,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    module, job = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[-2:]
    described = tomllib.loads(project)["project"]
    points = [
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in found.items())
        for group, found in described["entry-points"].items()
    ]
    write_files(
        site,
        {
            "weekday_contexts.py": module,
            "weekday_contexts-1.0.dist-info/METADATA": (
                f"Metadata-Version: 2.1\nName: {described['name']}\nVersion: 1.0\n"
            ),
            "weekday_contexts-1.0.dist-info/entry_points.txt": "\n".join(points),
        },
    )
    write_files(folder, {"job.py": job})


def test_example_of_the_document_works(tmp_path: Path) -> None:
    """The package in docs/contexts.md, installed, gives its labels to a measured run."""
    project, site = tmp_path / "project", tmp_path / "site"
    install_example(project, site)
    env = {"PYTHONPATH": str(site)}
    ended = run_measured("python", "job.py", cwd=project, env=env)
    assert (ended.status, ended.err) == (0, "")
    found = recorded_lines(project, "job.py")
    text = (project / "job.py").read_text()
    assert lines_of(text, "return 1") in found["weekday:Mon"]
    assert lines_of(text, "return 2") in found["weekday:Tue"]
    assert lines_of(text, "return 2") not in found["weekday:Mon"]


def test_provider_that_fails_is_named(tmp_path: Path) -> None:
    """A provider that raises stops the run before the command, by name."""
    project, site = tmp_path / "project", tmp_path / "site"
    install_example(project, site)
    (site / "weekday_contexts.py").write_text("def provide(contexts): raise OSError('no day')")
    write_files(project, {"prog.py": "print('ran')"})
    ended = run_measured("python", "prog.py", cwd=project, env={"PYTHONPATH": str(site)})
    assert (ended.status, ended.out) == (2, "")
    assert "'weekday'" in ended.err
    assert "no day" in ended.err
