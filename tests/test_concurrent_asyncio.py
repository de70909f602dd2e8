"""Labels in interleaved asyncio tasks record what coverage.py records with the same switches."""

import sys
from pathlib import Path

import pytest

from labelled_programs import compare_labels
from measured_commands import recorded_lines, run_measured, write_files

PROGRAMS = {
    "two tasks in turns": """
        import asyncio
        from labels import label

        def work(name, number):
            if number % 2:
                odd = name
                return odd
            even = name
            return even

        async def job(name, count):
            with label(name):
                for number in range(count):
                    before = number
                    work(name, number)
                    await asyncio.sleep(0)
                    after = before
                    work(name, after)
            outside = name
            await asyncio.sleep(0)
            return outside

        async def main():
            print(await asyncio.gather(job("one", 3), job("two", 2), job("three", 4)))

        asyncio.run(main())
    """,
    "a task group in a label, and its tasks in labels": """
        import asyncio
        from labels import label

        async def job(name, turns):
            with label(name):
                x = 1
                while turns:
                    turns -= 1
                    await asyncio.sleep(0)
                    x += 1
            y = x
            return y

        async def main():
            with label("all"):
                got = []
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(job(name, turns))
                             for turns, name in enumerate("abc")]
                    got.append(len(tasks))
                total = sum(task.result() for task in tasks)
            print(total, got)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(job("d", 5))
                    with label("e"):
                        await asyncio.sleep(0)
                        raise ValueError
            except* ValueError as errors:
                print(len(errors.exceptions))

        asyncio.run(main())
    """,
    "tasks that are cancelled in a label": """
        import asyncio, sys
        from labels import label

        async def clean(name):
            a = name
            await asyncio.sleep(0)
            return a

        async def job(name, shield):
            try:
                with label(name):
                    try:
                        b = 1
                        await asyncio.sleep(100)
                        never = 1
                    except asyncio.CancelledError:
                        c = 1
                        if not shield:
                            raise
                        await clean(name)
                        d = 1
                    finally:
                        e = 1
            finally:
                f = await clean("f")
            return f

        async def main():
            tasks = [asyncio.create_task(job("one", False)), asyncio.create_task(job("two", True))]
            await asyncio.sleep(0)
            with label("cancelling"):
                for task in tasks:
                    task.cancel()
                await asyncio.sleep(0)
            print(await asyncio.gather(*tasks, return_exceptions=True))

        asyncio.run(main())
    """,
    "a label that is closed by another task than the one that opened it": """
        import asyncio
        from labels import begin, end

        async def opener(name):
            await begin(name)
            x = name
            await asyncio.sleep(0)
            y = name
            return y

        async def closer(name):
            await asyncio.sleep(0)
            z = name
            await asyncio.sleep(0)
            await end(name)
            after = name
            return after

        async def main():
            print(await asyncio.gather(opener("a"), opener("b"), closer("b"), closer("a")))

        asyncio.run(main())
    """,
    "async generators and contexts": """
        import asyncio, contextlib
        from labels import label

        async def numbers(count):
            try:
                for number in range(count):
                    await asyncio.sleep(0)
                    yield number
                    went_on = number
            finally:
                done = count

        @contextlib.asynccontextmanager
        async def resource(name):
            a = name
            await asyncio.sleep(0)
            try:
                yield a
            finally:
                b = name
                await asyncio.sleep(0)

        async def job(name, count):
            total = 0
            with label(name):
                async with resource(name):
                    async for number in numbers(count):
                        total += number
                    else:
                        total += 100
                steps = numbers(3)
                await anext(steps)
                await steps.aclose()
            return total

        async def main():
            print(await asyncio.gather(job("one", 2), job("two", 4)))

        asyncio.run(main())
    """,
    "threads beside the loop": """
        import asyncio, threading
        from labels import label

        def blocking(name):
            with label(name):
                a = 1
                b = 2
            c = 3
            return a + b + c

        async def job(name):
            with label(name):
                await asyncio.sleep(0)
                d = 1
                got = await asyncio.to_thread(blocking, name + "-thread")
                e = 2
            return got + d + e

        async def main():
            print(await job("one"))
            print(await job("two"))

        asyncio.run(main())
    """,
}


CANCELLED = "await asyncio.sleep(100)"


def without(text: str, lines: dict[int, str]) -> dict[int, str]:
    """The lines that have another text."""
    return {line: other for line, other in lines.items() if other != text}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_labels_in_tasks(program: str, tmp_path: Path) -> None:
    """Each label has the lines that ran while it was open, in whatever task they ran."""
    theirs, ours, _ = compare_labels(tmp_path, program)
    if sys.version_info >= (3, 13):  # the tracer sees an `await` again that is thrown into
        for facts in (theirs, ours):
            facts.update({name: without(CANCELLED, lines) for name, lines in facts.items()})
    assert ours == theirs
    assert len(ours) > 1


TESTS = """
    import asyncio, unittest
    import subject

    class First(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self):
            await subject.prepare()

        async def test_cancels(self):
            task = asyncio.create_task(subject.waits())
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        async def test_groups(self):
            async with asyncio.TaskGroup() as group:
                for number in range(3):
                    group.create_task(subject.adds(number))

    class Outliving(unittest.TestCase):
        @classmethod
        def setUpClass(cls):
            cls.loop = asyncio.new_event_loop()

        @classmethod
        def tearDownClass(cls):
            cls.loop.close()

        def test_begins(self):
            self.loop.run_until_complete(subject.begin())

        def test_other(self):
            self.loop.run_until_complete(asyncio.sleep(0))

        def test_still(self):
            self.loop.run_until_complete(subject.end())
"""

SUBJECT = """
    import asyncio

    async def prepare():
        return await asyncio.sleep(0)

    async def waits():
        try:
            started = 1
            await asyncio.sleep(10)
            never = 1
        except asyncio.CancelledError:
            cancelled = 1
            raise

    async def adds(number):
        sum_ = number
        await asyncio.sleep(0)
        return sum_ + 1

    tasks = []

    async def background():
        first = 1
        await event.wait()
        last = 2

    async def begin():
        global event
        event = asyncio.Event()
        tasks.append(asyncio.create_task(background()))
        await asyncio.sleep(0)

    async def end():
        event.set()
        await tasks[0]
"""


def test_tasks_of_tests(tmp_path: Path) -> None:
    """What a task runs counts for the test that is open then; each part of it for its own test."""
    write_files(tmp_path, {"subject.py": SUBJECT, "test_it.py": TESTS})
    ended = run_measured("python", "-m", "unittest", "-q", "test_it", cwd=tmp_path)
    assert ended.status == 0, ended.err
    assert "side by side" not in ended.err
    texts = (tmp_path / "subject.py").read_text().split("\n")
    ran = {
        context: {texts[line - 1].strip() for line in lines}
        for context, lines in recorded_lines(tmp_path, "subject.py").items()
    }
    first = "test_it.First."
    assert {"cancelled = 1", "started = 1"} <= ran[first + "test_cancels|call"]
    assert not {"never = 1"} & set().union(*ran.values())
    assert {"sum_ = number", "return sum_ + 1"} <= ran[first + "test_groups|call"]
    prepared = ran[first + "test_cancels|setup"] | ran[first + "test_cancels|call"]
    assert "return await asyncio.sleep(0)" in prepared
    outliving = "test_it.Outliving."
    assert "first = 1" in ran[outliving + "test_begins|call"]
    assert "last = 2" not in ran[outliving + "test_begins|call"]
    assert not ran.get(outliving + "test_other|call")
    assert {"last = 2", "event.set()"} <= ran[outliving + "test_still|call"]
    assert "first = 1" not in ran[outliving + "test_still|call"]
