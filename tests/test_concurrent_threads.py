"""Threads: labels and tests in several at once, and tests in threads of tests."""

import re
import sys
from pathlib import Path

import pytest

from measured_commands import (
    recorded_lines,
    recorded_outcomes,
    run_measured,
    run_plain,
    write_files,
)

CASES = """
    import threading, unittest
    import subject
    from labels import turn

    class Inner(unittest.TestCase):
        def test_one(self):
            with turn(0):
                subject.one()
            with turn(2):
                subject.shared()

        def test_two(self):
            with turn(1):
                subject.two()
            with turn(3):
                subject.shared()

    def run_in_threads():
        results = [unittest.TestResult() for _ in range(2)]
        threads = [
            threading.Thread(target=Inner(name).run, args=(result,))
            for name, result in zip(("test_one", "test_two"), results)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(result.wasSuccessful() and result.testsRun for result in results), results
"""

SUBJECT = """
    def one():
        return 1

    def two():
        return 2

    def shared():
        return 3
"""

TURN = """
    import threading

    class turn:
        now = 0
        changed = threading.Condition()

        def __init__(self, number):
            self.number = number

        def __enter__(self):
            with self.changed:
                assert self.changed.wait_for(lambda: turn.now == self.number, timeout=20)

        def __exit__(self, *error):
            with self.changed:
                turn.now += 1
                self.changed.notify_all()
"""

FILES = {"cases.py": CASES, "subject.py": SUBJECT, "labels.py": TURN}

SOURCE = ("--source", "subject.py")


def lines_by_test(folder: Path) -> dict[str, set[int]]:
    """The lines of functions in `subject.py` by test, phases put together."""
    ran: dict[str, set[int]] = {}
    for context, lines in recorded_lines(folder, "subject.py").items():
        test, separator, _ = context.partition("|")
        if separator:
            ran.setdefault(test, set()).update(lines - {1, 4, 7})
    return ran


def test_tests_side_by_side_are_told_of(tmp_path: Path) -> None:
    """Each has what ran while it was open, and the run says how many cannot be told apart."""
    files = {**FILES, "prog.py": "import cases\ncases.run_in_threads()\n"}
    write_files(tmp_path, files)
    ended = run_measured("python", "prog.py", cwd=tmp_path, options=SOURCE)
    assert ended.status == 0, ended.err
    assert len(recorded_outcomes(tmp_path)) == 2
    ran = lines_by_test(tmp_path)
    assert set(ran) == {"cases.Inner.test_one", "cases.Inner.test_two"}
    assert ran["cases.Inner.test_one"] | ran["cases.Inner.test_two"] == {2, 5, 8}
    said = "whotests: 2 tests were open side by side"
    assert ended.err.startswith(said), ended.err
    status = run_plain("python", "-m", "whotests", "status", cwd=tmp_path)
    assert "2 tests were open side by side" in re.sub(r"\s+", " ", status.out)


def test_tests_in_threads_of_a_test_belong_to_it(tmp_path: Path) -> None:
    """An inner runner's threads, and threads that these start, run the outer test."""
    outer = """
        import threading, unittest
        import cases

        class Outer(unittest.TestCase):
            def test_directly(self):
                cases.run_in_threads()

            def test_not_directly(self):
                cases.turn.now = 0
                thread = threading.Thread(target=cases.run_in_threads)
                thread.start()
                thread.join()

            def test_with_a_timer_and_a_pool(self):
                from concurrent.futures import ThreadPoolExecutor
                cases.turn.now = 0
                with ThreadPoolExecutor(1) as pool:
                    pool.submit(cases.run_in_threads).result()
    """
    write_files(tmp_path, {**FILES, "test_outer.py": outer})
    ended = run_measured(
        "python", "-m", "unittest", "-q", "test_outer", cwd=tmp_path, options=SOURCE
    )
    assert ended.status == 0, ended.err
    ran = lines_by_test(tmp_path)
    assert all(lines == {2, 5, 8} for lines in ran.values()), ran
    names = ("directly", "not_directly", "with_a_timer_and_a_pool")
    assert set(recorded_outcomes(tmp_path)) == {f"test_outer.Outer.test_{name}" for name in names}
    assert set(ran) == set(recorded_outcomes(tmp_path))
    assert "side by side" not in ended.err


def test_threads_from_before_a_test_have_tests_of_their_own(tmp_path: Path) -> None:
    """Where a thread was started decides, and not what its starter does meanwhile; a thread that
    outlives the test that it was started in has tests of its own, too."""
    program = """
        import threading, unittest
        import cases, subject

        def run(name):
            case = cases.Inner(name)
            case.run(unittest.TestResult())

        def pass_on(number):
            with cases.turn(number):
                pass

        go, gone = threading.Event(), threading.Event()

        def wait_and_run(name, event):
            event.wait()
            run(name)

        before = threading.Thread(target=wait_and_run, args=("test_one", go))

        class Outer(unittest.TestCase):
            def test_meanwhile(self):
                cases.turn.now = 0
                go.set()
                with cases.turn(1):
                    subject.two()
                with cases.turn(3):
                    self.assertTrue(True)
                before.join()

            def test_outlived(self):
                cases.turn.now = 1
                self.__class__.later = threading.Thread(
                    target=wait_and_run, args=("test_two", gone)
                )
                self.later.start()

        before.start()
        result = unittest.TestResult()
        Outer("test_meanwhile").run(result)
        Outer("test_outlived").run(result)
        gone.set()
        threading.Thread(target=pass_on, args=(2,)).start()
        Outer.later.join()
        assert result.wasSuccessful(), result.errors + result.failures
    """
    write_files(tmp_path, {**FILES, "prog.py": program})
    ended = run_measured("python", "prog.py", cwd=tmp_path, options=SOURCE)
    assert ended.status == 0, ended.err
    outcomes = recorded_outcomes(tmp_path)
    assert set(outcomes) == {
        "__main__.Outer.test_meanwhile",
        "__main__.Outer.test_outlived",
        "cases.Inner.test_one",
        "cases.Inner.test_two",
    }
    assert "whotests: 2 tests were open side by side" in ended.err
    ran = lines_by_test(tmp_path)
    assert ran["cases.Inner.test_two"] == {5, 8}
    assert "__main__.Outer.test_outlived" not in ran


def test_concurrent_suites_of_testtools(tmp_path: Path) -> None:
    """testtools' ConcurrentTestSuite gives each test of a plain run its own facts, and a suite
    within a test counts for that one."""
    pytest.importorskip("testtools")
    program = """
        import sys, unittest
        import testtools, subject

        class Parts(testtools.TestCase):
            def test_one(self):
                subject.one()

            def test_two(self):
                subject.two()

        def suite():
            cases = unittest.TestSuite([Parts("test_one"), Parts("test_two")])
            return testtools.ConcurrentTestSuite(cases, split)

        def split(whole):
            return list(testtools.iterate_tests(whole))

        class Outer(testtools.TestCase):
            def test_suite(self):
                suite().run(testtools.TestResult())

        result = testtools.TestResult()
        (Outer("test_suite") if "inner" in sys.argv else suite()).run(result)
        assert result.wasSuccessful(), result.errors
    """
    write_files(tmp_path, {"subject.py": SUBJECT, "prog.py": program})
    ended = run_measured("python", "prog.py", "inner", cwd=tmp_path, options=SOURCE)
    assert ended.status == 0, ended.err
    assert lines_by_test(tmp_path) == {"__main__.Outer.test_suite": {2, 5}}
    run_measured("python", "prog.py", cwd=tmp_path, options=SOURCE)
    ran = lines_by_test(tmp_path)
    assert set(ran) == {"__main__.Parts.test_one", "__main__.Parts.test_two"}
    assert {2} <= ran["__main__.Parts.test_one"]
    assert {5} <= ran["__main__.Parts.test_two"]


QUIET = {
    "subject.py": SUBJECT,
    "late.py": "VALUE = 1\n",
    "test_quiet.py": """
        import asyncio, threading, unittest
        import subject, whotests

        class Inner(unittest.TestCase):
            def test_inner(self):
                subject.one()

        class Quiet(unittest.TestCase):
            def test_label(self):
                with whotests.context("outer"):
                    subject.one()
                    with whotests.context("inner"):
                        subject.two()
                    subject.shared()

            def test_import(self):
                import late
                with whotests.context("late"):
                    subject.two()

            def test_inner_runner(self):
                Inner("test_inner").run(unittest.TestResult())

            def test_labels_that_overlap(self):
                first, second = whotests.context("first"), whotests.context("second")
                first.__enter__()
                second.__enter__()
                subject.one()
                first.__exit__(None, None, None)
                subject.two()
                second.__exit__(None, None, None)

            def test_label_around_threads_and_tasks(self):
                def in_thread():
                    with whotests.context("thread"):
                        subject.one()

                async def in_task():
                    with whotests.context("task"):
                        await asyncio.sleep(0)
                        subject.two()
                        await asyncio.sleep(0)

                async def main():
                    with whotests.context("main"):
                        await asyncio.gather(in_task(), in_task())

                with whotests.context("around"):
                    thread = threading.Thread(target=in_thread)
                    thread.start()
                    thread.join()
                    asyncio.run(main())
    """,
}


def test_what_is_nested_is_not_told_of(tmp_path: Path) -> None:
    """Labels in tests, imports in tests, inner runners, labels around threads and tasks."""
    write_files(tmp_path, QUIET)
    plain = run_plain("python", "-m", "unittest", "-q", "test_quiet", cwd=tmp_path)
    ended = run_measured("python", "-m", "unittest", "-q", "test_quiet", cwd=tmp_path)
    assert ended.status == plain.status == 0, plain.err
    assert "whotests" not in ended.err
    labels = {"outer", "inner", "late", "first", "second", "thread", "task", "main", "around"}
    assert labels <= set(recorded_lines(tmp_path, "subject.py"))


THREADS_AS_THEY_ARE = """
    import inspect, sys, threading, traceback, _thread

    print(threading.Thread.start.__code__.co_filename == threading.__file__)
    print(type(_thread.start_new_thread).__name__, inspect.isbuiltin(_thread.start_new_thread))

    def target():
        frame = sys._getframe()
        names = []
        while frame is not None:
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        print(names, sorted(vars(threading.current_thread())))
        print(threading.active_count(), [t.name for t in threading.enumerate()])

    thread = threading.Thread(target=target, name="one")
    thread.start()
    thread.join()
    try:
        thread.start()
    except RuntimeError:
        traceback.print_exc()
    threading.Thread(target=lambda: 1 / 0, name="failing").start()
"""


def test_threads_are_as_they_are(tmp_path: Path) -> None:
    """No frame, no attribute and no function of ours is where threads start and run."""
    write_files(tmp_path, {"prog.py": THREADS_AS_THEY_ARE})
    plain = run_plain("python", "prog.py", cwd=tmp_path)
    assert run_measured("python", "prog.py", cwd=tmp_path) == plain
    assert "RuntimeError: threads can only be started once" in plain.err


STRESS = """
    import sys, threading, whotests

    sys.setswitchinterval(1e-5)
    THREADS, WAYS, ROUNDS = 6, 40, 60

    def ways(number):
        total = 0
    BRANCHES
        return total

    def run(start):
        barrier.wait()
        for step in range(ROUNDS):
            for number in range(start, WAYS, THREADS):
                ways((number + step) % WAYS)

    def raising(number):
        try:
            if number % 3 == 0:
                raise ValueError
            if number % 3 == 1:
                raise KeyError
            quiet = 1
        except ValueError:
            value = 1
        except KeyError:
            key = 1

    def run_raising(start):
        barrier.wait()
        for number in range(ROUNDS * 20):
            raising(number + start)

    def switch():
        barrier.wait()
        number = 0
        while not over.is_set():
            with whotests.context(f"label{number % 5}"):
                number += 1

    barrier = threading.Barrier(THREADS + 4)
    over = threading.Event()
    threads = [threading.Thread(target=run, args=(start,)) for start in range(THREADS)]
    threads += [threading.Thread(target=run_raising, args=(start,)) for start in range(2)]
    switchers = [threading.Thread(target=switch) for _ in range(2)]
    for thread in threads + switchers:
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    for thread in switchers:
        thread.join()
""".replace(
    "    BRANCHES\n",
    "".join(
        f"        {'el' if number else ''}if number == {number}:\n            total = {number}\n"
        for number in range(39)
    )
    + "        else:\n            total = 39\n",
)


def test_nothing_is_lost_while_threads_switch_contexts(tmp_path: Path) -> None:
    """Threads hit different probes of the same blocks while others open and close labels: each
    line is in some context, on builds with the interpreter lock and without."""
    write_files(tmp_path, {"prog.py": STRESS})
    for _ in range(2 if sys.version_info < (3, 13) else 3):
        ended = run_measured("python", "prog.py", cwd=tmp_path, options=("--source", "."))
        assert ended.status == 0, ended.err
        ran = set().union(*recorded_lines(tmp_path, "prog.py").values())
        lines = (tmp_path / "prog.py").read_text().split("\n")
        statements = {
            number
            for number, line in enumerate(lines, 1)
            if line.strip() and line.strip() not in ("else:",)
        }
        assert {lines[number - 1] for number in statements - ran} == set()
