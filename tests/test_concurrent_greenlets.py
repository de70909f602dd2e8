"""Greenlets, plain ones and gevent's: nothing is lost, and our own thread is a real one."""

import re
from pathlib import Path

import pytest

from labelled_programs import compare_labels
from measured_commands import (
    recorded_lines,
    recorded_outcomes,
    run_measured,
    run_plain,
    write_files,
)

pytest.importorskip("gevent")

GREENLETS = {
    "suspended in a straight run": """
        from greenlet import greenlet, getcurrent
        from labels import label

        main = getcurrent()

        def job(number):
            a = number
            b = a
            main.switch()
            c = b
            deeper(c)
            d = c
            return d

        def deeper(number):
            e = number
            f = e
            main.switch()
            g = f
            return g

        jobs = [greenlet(job) for _ in range(2)]

        def drive(name, number, *args):
            with label(name):
                jobs[number].switch(*args)

        drive("one", 0, 1)
        drive("two", 1, 2)
        drive("three", 0)
        drive("four", 1)
        drive("five", 1)
        drive("six", 0)
        print([job.dead for job in jobs])
    """,
    "thrown into": """
        from greenlet import greenlet, getcurrent
        from labels import label

        main = getcurrent()

        def job():
            a = 1
            try:
                b = 1
                main.switch()
                never = 1
            except ValueError:
                c = 1
                main.switch()
                d = 1
            return d

        job = greenlet(job)
        with label("one"):
            job.switch()
        with label("two"):
            job.throw(ValueError)
        with label("three"):
            job.switch()
        print(job.dead)
    """,
}

GEVENT = {
    "spawned in labels": """
        import gevent.monkey
        gevent.monkey.patch_all()
        import gevent, threading, time
        from labels import label

        def work(number):
            if number % 2:
                odd = number
                time.sleep(0)
                return odd
            even = number
            gevent.sleep(0)
            return even

        def job(name, count):
            first = name
            second = first
            gevent.sleep(0)
            third = second
            for number in range(count):
                work(number)
            last = third
            return last

        def labelled(name, count):
            with label(name):
                return job(name, count)

        jobs = [gevent.spawn(labelled, name, count) for count, name in enumerate("abc")]
        gevent.joinall(jobs)
        print([job.value for job in jobs])

        with label("pool"):
            from gevent.pool import Pool
            print(Pool(2).map(work, range(4)))
        unlabelled = gevent.spawn(job, "d", 3)
        with label("first-turn"):
            gevent.sleep(0)
        with label("second-turn"):
            gevent.sleep(0)
        with label("third-turn"):
            gevent.sleep(0)
        unlabelled.join()
        with label("killed"):
            killed = gevent.spawn(job, "e", 9)
            gevent.sleep(0)
            killed.kill()
        with label("threads"):
            threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    """,
}


@pytest.mark.parametrize(
    ("kind", "program"),
    [("greenlet", text) for text in GREENLETS.values()]
    + [("gevent", text) for text in GEVENT.values()],
    ids=[*GREENLETS, *GEVENT],
)
def test_labels_in_greenlets(kind: str, program: str, tmp_path: Path) -> None:
    """What a greenlet ran of a straight run before it was left counts for what was open then.

    Beside that, it counts for what is open when it goes on, back to the last branch.
    """
    theirs, ours, _ = compare_labels(tmp_path, program, concurrency=kind)
    assert set(theirs) == set(ours)
    missing = {
        (name, line): text
        for name, lines in theirs.items()
        for line, text in lines.items()
        if line not in ours[name] and not text.startswith("with ")
    }
    assert missing == {}
    superfluous = {
        text
        for name, lines in ours.items()
        for line, text in lines.items()
        if line not in theirs[name] and not text.startswith("with ")
    }
    assert superfluous <= STRAIGHT, superfluous


STRAIGHT = {
    # greenlets
    "a = number",
    "b = a",
    "main.switch()",
    "c = b",
    "deeper(c)",
    "e = number",
    "f = e",
    "a = 1",
    "try:",
    "b = 1",
    "except ValueError:",
    "c = 1",
    # gevent
    "first = name",
    "second = first",
    "third = second",
    "gevent.sleep(0)",
    "odd = number",
    "time.sleep(0)",
    "even = number",
    "if number % 2:",
}

SUBJECT = """
    import gevent

    def one():
        a = 1
        gevent.sleep(0.01)
        return a

    def two():
        b = 2
        gevent.sleep(0.01)
        return b
"""

CASES = """
    import unittest
    import subject

    class Inner(unittest.TestCase):
        def test_one(self):
            subject.one()

        def test_two(self):
            subject.two()

    def run(name):
        result = unittest.TestResult()
        Inner(name).run(result)
        assert result.wasSuccessful() and result.testsRun == 1, result

    def run_all():
        import gevent
        jobs = [gevent.spawn(run, name) for name in ("test_one", "test_two")]
        gevent.joinall(jobs, raise_error=True)
"""

SOURCE = ("--source", "subject.py")


def test_tests_in_greenlets(tmp_path: Path) -> None:
    """Tests that a runner interleaves in greenlets are tests of their own, which the run says;
    with the same runner within a test they belong to that."""
    outer = """
        import unittest
        import cases

        class Outer(unittest.TestCase):
            def test_all(self):
                cases.run_all()
    """
    files = {
        "subject.py": SUBJECT,
        "cases.py": CASES,
        "prog.py": "import cases\ncases.run_all()\n",
        "test_outer.py": outer,
    }
    write_files(tmp_path, files)
    ended = run_measured("python", "prog.py", cwd=tmp_path, options=SOURCE)
    assert ended.status == 0, ended.err
    assert recorded_outcomes(tmp_path) == {
        "cases.Inner.test_one": "passed",
        "cases.Inner.test_two": "passed",
    }
    assert ended.err.startswith("whotests: 2 tests were open side by side"), ended.err
    ran = recorded_lines(tmp_path, "subject.py")
    assert {4, 5, 6} <= ran["cases.Inner.test_one|call"]
    assert {9, 10, 11} <= ran["cases.Inner.test_two|call"]
    ended = run_measured(
        "python", "-m", "unittest", "-q", "test_outer", cwd=tmp_path, options=SOURCE
    )
    assert ended.status == 0, ended.err
    assert recorded_outcomes(tmp_path) == {"test_outer.Outer.test_all": "passed"}
    assert recorded_lines(tmp_path, "subject.py")["test_outer.Outer.test_all|call"] >= {
        *(4, 5, 6),
        *(9, 10, 11),
    }


PATCHED = """
    PATCH
    import os, sys, time, threading
    import whotests

    def work(number):
        return number

    with whotests.context("early"):
        work(1)
    began = time.monotonic()
    # Gives nothing to gevent's hub: what is written meanwhile is written by a real thread.
    while time.monotonic() - began < 1.5:
        work(2)
    import sqlite3
    labels = sqlite3.connect(DATA).execute("SELECT count(*) FROM context").fetchone()
    print(labels[0] > 0)
    if hasattr(os, "fork"):
        child = os.fork()
        if not child:
            os._exit(7)
        # gevent's own `waitpid` may wait for ever for a child that ends at once.
        waitpid = gevent.monkey.get_original("os", "waitpid")
        print(waitpid(child, 0)[1] >> 8)
    with whotests.context("late"):
        thread = threading.Thread(target=work, args=(3,))
        thread.start()
        thread.join()
    print(type(thread).__module__, threading.active_count())
"""


@pytest.mark.parametrize("order", ["before", "after"])
def test_monkey_patching(order: str, tmp_path: Path) -> None:
    """Whether gevent patches before measuring begins or after: what ran is flushed in time, forks
    and the end wait for nobody, and nothing is lost."""
    patch = "import gevent.monkey; gevent.monkey.patch_all()"
    data = repr(str(tmp_path / ".whotests" / "data.db"))
    program = PATCHED.replace("PATCH", patch).replace("DATA", data)
    write_files(tmp_path, {"prog.py": program, "early/sitecustomize.py": patch})
    env = {"PYTHONPATH": str(tmp_path / "early")} if order == "before" else {}
    ended = run_measured("python", "prog.py", cwd=tmp_path, env=env, options=SOURCE_OF_PROGRAM)
    assert (ended.status, ended.out.split()) == (0, ["True", "7", "gevent.threading", "1"]), ended
    assert ended.err == ""
    ran = recorded_lines(tmp_path, "prog.py")
    assert {6} == {line for line in ran["early"] if line < 8}
    assert 6 in ran["late"]


SOURCE_OF_PROGRAM = ("--source", "prog.py")

TRACED = """
    import greenlet

    events = []
    print(greenlet.settrace(lambda event, greenlets: events.append(event)) is None)

    def job():
        return 1

    for _ in range(3):
        greenlet.greenlet(job).switch()
    print(len(events), set(events))
    print(callable(greenlet.settrace(None)), greenlet.gettrace())

    import gc, weakref
    one = greenlet.greenlet(lambda: main.switch())
    main = greenlet.getcurrent()
    one.switch()
    gone = weakref.ref(one)
    del one
    print(gone())
"""


def test_a_tracer_of_the_programs_own(tmp_path: Path) -> None:
    """It sees what it would see, and greenlets that nobody holds go."""
    write_files(tmp_path, {"prog.py": TRACED})
    plain = run_plain("python", "prog.py", cwd=tmp_path)
    measured = run_measured("python", "prog.py", cwd=tmp_path)
    assert plain.status == 0, plain.err
    # But that there was one before.
    assert re.sub("^False", "True", measured.out) == plain.out
    assert measured.err == plain.err
