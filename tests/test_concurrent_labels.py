"""Labels that are open in several threads and tasks at once."""

from pathlib import Path

import pytest

from labelled_programs import compare_labels
from measured_commands import run_measured, write_files

LABELS = {
    "labels in two threads, in turns": """
        from labels import label, run_in_threads, turn

        def work(number):
            if number % 2:
                odd = number
                return odd
            even = number
            return even

        def first():
            with turn(0):
                a = work(0)
            with label("one"):
                with turn(2):
                    a = work(1)
                with turn(4):
                    for number in range(2):
                        work(number)
            with turn(5):
                b = 1

        def second():
            with turn(1):
                c = 1
            with label("two"):
                with turn(3):
                    d = work(3)
                with turn(6):
                    e = 1
            f = 1

        run_in_threads(first, second)
    """,
    "opened in one thread, closed in another": """
        from functools import partial
        from labels import label, run_in_threads, turn

        opened = []

        def opener(number):
            opened.append(label(f"label{number}"))
            with turn(number):
                with opening(number):
                    x = 1
            with turn(number + 3):
                y = 1

        def closer(number):
            with turn(number + 6):
                z = 1
                with closing(2 - number):
                    done = 1
            last = 1

        class opening:
            def __init__(self, number):
                self.label = opened[number]

            def __enter__(self):
                with nothing:
                    self.label.__enter__()

            def __exit__(self, *error):
                return None

        class closing(opening):
            def __enter__(self):
                return None

            def __exit__(self, *error):
                with nothing:
                    self.label.__exit__(None, None, None)

        class Nothing:
            def __enter__(self):
                return self

            def __exit__(self, *error):
                return None

        nothing = Nothing()
        run_in_threads(
            *[partial(function, number) for function in (opener, closer) for number in range(3)]
        )
    """,
}


@pytest.mark.parametrize("program", LABELS.values(), ids=LABELS)
def test_labels_in_threads(program: str, tmp_path: Path) -> None:
    """Whatever thread opens and closes them: each label has what ran in the process meanwhile."""
    theirs, ours, _ = compare_labels(tmp_path, program)
    missing, superfluous = set(), set()
    for name, lines in theirs.items():
        missing |= set(lines.values()) - set(ours[name].values())
        superfluous |= set(ours[name].values()) - set(lines.values())
    # A `with` counts where it was entered and not where it is left, if only another thread opens
    # or closes labels meanwhile; and a function that opens or closes one by a plain call has run
    # that line in both.
    assert all(text.startswith("with ") for text in missing), missing
    assert all(text.startswith("with ") or "__(" in text for text in superfluous), superfluous


def test_labels_of_sibling_tasks_are_told_of(tmp_path: Path) -> None:
    """Two tasks in labels of different names, which nothing can tell apart."""
    program = """
        import asyncio, whotests

        async def job(name):
            with whotests.context(name):
                x = 1
                await asyncio.sleep(0)
                y = 2

        async def main():
            await asyncio.gather(*[job(name) for name in "aabc"])

        asyncio.run(main())
    """
    write_files(tmp_path, {"prog.py": program})
    ended = run_measured("python", "prog.py", cwd=tmp_path)
    assert ended.err.startswith("whotests: 3 labels were open side by side"), ended.err
