"""Asynchronous test cases: what runs where, and that nothing passes that never ran."""

import asyncio
import contextlib
import contextvars
import logging
import unittest
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import pytest

from case_runs import Ran, ran, ran_all
from whotests.testing import TestCase

colour = contextvars.ContextVar("colour", default="none")


def test_all_methods_share_one_loop_and_one_context() -> None:
    """setUp, the test, tearDown and clean-ups run in one loop, and see each other's variables."""
    loops = []
    seen = []

    class Case(TestCase):
        async def setUp(self) -> None:  # type: ignore[override]
            super().setUp()
            loops.append(asyncio.get_running_loop())
            self.token = colour.set("red")
            self.addCleanup(self.clean)

        async def test_it(self) -> None:
            loops.append(asyncio.get_running_loop())
            seen.append(colour.get())
            colour.set("green")

        async def tearDown(self) -> None:  # type: ignore[override]
            loops.append(asyncio.get_running_loop())
            seen.append(colour.get())
            super().tearDown()

        async def clean(self) -> None:
            loops.append(asyncio.get_running_loop())
            seen.append(colour.get())
            colour.reset(self.token)

    assert ran(Case).outcome == "passed"
    assert len(loops) == 4
    assert len(set(map(id, loops))) == 1
    assert seen == ["red", "green", "green"]
    assert loops[0].is_closed()


def test_plain_methods_see_the_variables_of_asynchronous_ones() -> None:
    """Context variables go from a plain setUp to an async test, and on to a plain tearDown."""
    seen = []

    class Case(TestCase):
        def setUp(self) -> None:
            super().setUp()
            colour.set("red")

        async def test_it(self) -> None:
            seen.append(colour.get())
            colour.set("green")
            await asyncio.sleep(0)

        def tearDown(self) -> None:
            seen.append(colour.get())
            colour.set("blue")
            self.addCleanup(self.clean)
            super().tearDown()

        async def clean(self) -> None:
            seen.append(colour.get())

    assert contextvars.copy_context().run(ran, Case).outcome == "passed"
    assert seen == ["red", "green", "blue"]


def test_tests_have_loops_of_their_own() -> None:
    """A loop is made for each test that needs one, and none is current afterwards."""
    loops = []

    class Case(TestCase):
        async def test_one(self) -> None:
            loops.append(asyncio.get_running_loop())

        async def test_two(self) -> None:
            loops.append(asyncio.get_running_loop())

    assert {each.outcome for each in ran_all(Case).values()} == {"passed"}
    assert loops[0] is not loops[1]


def test_steps_run_in_order_whatever_fails() -> None:
    """Asynchronous clean-ups run in reverse order, after a failed test and tearDown too."""
    steps = []

    class Case(TestCase):
        async def setUp(self) -> None:  # type: ignore[override]
            super().setUp()
            self.addCleanup(self.step, "first added")
            self.addAsyncCleanup(self.step, "last added")

        async def test_it(self) -> None:
            await self.step("test")
            self.fail("in the test")

        async def tearDown(self) -> None:  # type: ignore[override]
            await self.step("tearDown")
            super().tearDown()

        async def step(self, name: str) -> None:
            await asyncio.sleep(0)
            steps.append(name)

    outcome, text = ran(Case)
    assert (outcome, "in the test" in text) == ("failed", True)
    assert steps == ["test", "tearDown", "last added", "first added"]


@pytest.mark.parametrize("where", ["setUp", "test_it", "tearDown", "clean"])
def test_what_a_coroutine_raises_is_reported(where: str) -> None:
    """An error in any asynchronous method of a case is the test's, with the author's lines only."""

    class Case(TestCase):
        async def setUp(self) -> None:  # type: ignore[override]
            super().setUp()
            self.addCleanup(self.clean)
            await self.step("setUp")

        async def test_it(self) -> None:
            await self.step("test_it")

        async def tearDown(self) -> None:  # type: ignore[override]
            super().tearDown()
            await self.step("tearDown")

        async def clean(self) -> None:
            await self.step("clean")

        async def step(self, name: str) -> None:
            await asyncio.sleep(0)
            if name == where:
                raise KeyError("deliberate")

    outcome, text = ran(Case)
    assert outcome == "error"
    assert "KeyError: 'deliberate'" in text
    lines = [line for line in text.splitlines() if line.startswith("  File ")]
    assert [line.split()[-1] for line in lines] == [where, "step"]


def test_a_failed_assertion_shows_the_authors_lines_only() -> None:
    """The traceback of a failure after an await begins with the test and ends with its line."""

    class Case(TestCase):
        async def test_it(self) -> None:
            await asyncio.sleep(0)
            self.assertEqual(1, 2)

    outcome, text = ran(Case)
    assert outcome == "failed"
    assert next(line for line in text.splitlines() if "File " in line).endswith("test_it")
    assert "/asyncio/" not in text
    assert "whotests/testing" not in text


def test_what_never_ran_is_an_error() -> None:
    """Generators, functions and values that a test returns are errors that name the method."""

    class Case(TestCase):
        def test_generator(self) -> Iterator[None]:
            yield self.fail()

        async def test_async_generator(self) -> AsyncIterator[None]:
            yield self.fail()

        def test_function(self) -> object:
            async def inner() -> None:
                self.fail()

            return inner

        def test_value(self) -> object:
            return 42

        def test_false(self) -> object:
            return False

    found = ran_all(Case)
    assert {each.outcome for each in found.values()} == {"error"}
    assert "test_generator is a generator function" in found["generator"].text
    assert "test_async_generator is an async generator function" in found["async_generator"].text
    assert "test_function returned the function 'inner'" in found["function"].text
    assert "test_value returned 42" in found["value"].text
    assert "test_false returned False" in found["false"].text


def test_what_is_awaited_must_not_give_what_never_ran() -> None:
    """A coroutine that returns one, or a generator, has left it out; other values are nobody's."""

    class Case(TestCase):
        async def inner(self) -> None:
            self.fail()

        def steps(self) -> Iterator[None]:
            yield self.fail()

        async def test_coroutine(self) -> object:
            return self.inner()

        async def test_generator(self) -> object:
            return self.steps()

        async def test_value(self) -> int:
            return 42

    found = ran_all(Case)
    outcomes = {name: each.outcome for name, each in found.items()}
    assert outcomes == {"coroutine": "error", "generator": "error", "value": "passed"}
    assert "test_coroutine was awaited and gave <coroutine object" in found["coroutine"].text
    assert "test_generator was awaited and gave <generator object" in found["generator"].text


def test_what_never_ran_is_no_expected_failure() -> None:
    """`expectedFailure` is about what the test does, and it did nothing."""

    class Case(TestCase):
        @unittest.expectedFailure
        def test_generator(self) -> Iterator[None]:
            yield self.fail()

        @unittest.expectedFailure
        def test_value(self) -> object:
            return 42

    assert {each.outcome for each in ran_all(Case).values()} == {"error"}


@pytest.mark.parametrize("where", ["setUp", "tearDown", "clean"])
def test_generators_elsewhere_are_errors_too(where: str) -> None:
    """A setUp, tearDown or clean-up that is a generator function is an error."""

    def generator(*_: object) -> Iterator[None]:
        yield None

    class Case(TestCase):
        def setUp(self) -> None:
            super().setUp()
            if where == "clean":
                self.addCleanup(generator)

        def test_it(self) -> None:
            pass

    if where != "clean":
        setattr(Case, where, generator)
    outcome, text = ran(Case)
    assert (outcome, "is a generator function" in text) == ("error", True)


def test_clean_ups_may_return_what_they_like() -> None:
    """A clean-up that returns a value is none that never ran."""

    class Case(TestCase):
        def test_it(self) -> None:
            self.addCleanup({"key": 1}.pop, "key")

    assert ran(Case).outcome == "passed"


def test_whatever_can_be_awaited_may_be_returned() -> None:
    """Futures, tasks and objects with `__await__` run to their end, and fail the test."""

    class Waits:
        def __await__(self) -> Generator[Any, None, None]:
            yield from asyncio.sleep(0).__await__()
            raise KeyError("awaited")

    class Case(TestCase):
        def test_object(self) -> object:
            return Waits()

        async def setUp(self) -> None:  # type: ignore[override]
            super().setUp()
            self.future = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(self.future.set_exception, KeyError("set"))

        def test_future(self) -> object:
            return self.future

        def tearDown(self) -> None:
            self.flush_logged_errors(KeyError)
            super().tearDown()

    found = ran_all(Case)
    assert (found["object"].outcome, "'awaited'" in found["object"].text) == ("error", True)
    assert (found["future"].outcome, "'set'" in found["future"].text) == ("error", True)


def test_names_of_the_library_s_asynchronous_case_work() -> None:
    """asyncSetUp, asyncTearDown, addAsyncCleanup and enterAsyncContext run, in its order."""
    steps = []

    @contextlib.asynccontextmanager
    async def resource() -> AsyncIterator[str]:
        steps.append("entered")
        yield "resource"
        steps.append("left")

    class Case(TestCase):
        def setUp(self) -> None:
            super().setUp()
            steps.append("setUp")

        async def asyncSetUp(self) -> None:
            steps.append(await self.enterAsyncContext(resource()))

        async def test_it(self) -> None:
            steps.append("test")

        async def asyncTearDown(self) -> None:
            steps.append("asyncTearDown")

        def tearDown(self) -> None:
            steps.append("tearDown")
            super().tearDown()

    assert ran(Case).outcome == "passed"
    assert steps == ["setUp", "entered", "resource", "test", "asyncTearDown", "tearDown", "left"]


def test_the_loop_may_be_the_author_s() -> None:
    """`loop_factory` makes the loop, which is closed after the test."""
    made = []

    class Loop(asyncio.SelectorEventLoop):
        pass

    class Case(TestCase):
        @staticmethod
        def loop_factory() -> asyncio.AbstractEventLoop:
            made.append(Loop())
            return made[-1]

        async def test_it(self) -> None:
            self.assertIs(made[0], asyncio.get_running_loop())

    assert ran(Case).outcome == "passed"
    assert (len(made), made[0].is_closed()) == (1, True)


def test_outcomes_other_than_failures() -> None:
    """Skipping and expected failures work in coroutines."""

    class Case(TestCase):
        async def test_skipped(self) -> None:
            await asyncio.sleep(0)
            self.skipTest("because")

        @unittest.expectedFailure
        async def test_expected(self) -> None:
            await asyncio.sleep(0)
            self.fail("known")

        @unittest.expectedFailure
        async def test_unexpected(self) -> None:
            await asyncio.sleep(0)

        async def test_cancelled(self) -> None:
            raise asyncio.CancelledError

        async def test_group(self) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.failing())

        async def failing(self) -> None:
            raise KeyError("in a task")

    found = ran_all(Case)
    assert {name: each.outcome for name, each in found.items()} == {
        "skipped": "skipped",
        "expected": "expected failure",
        "unexpected": "unexpected success",
        "cancelled": "error",
        "group": "error",
    }
    assert "KeyError: 'in a task'" in found["group"].text


def test_an_interrupt_ends_the_run_and_closes_the_loop() -> None:
    """KeyboardInterrupt from a coroutine goes on after the clean-ups; no loop stays open."""
    loops = []
    steps: list[str] = []

    class Case(TestCase):
        async def test_it(self) -> None:
            loops.append(asyncio.get_running_loop())
            self.addCleanup(steps.append, "cleaned")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ran(Case)
    assert steps == ["cleaned"]
    assert loops[0].is_closed()


def test_a_test_within_a_running_loop_is_an_error() -> None:
    """An asynchronous test that is run from inside of a loop errs, and what runs it goes on."""

    class Case(TestCase):
        async def test_it(self) -> None:
            pass

    async def main() -> tuple[Ran, Ran]:
        return ran(Case), await asyncio.to_thread(ran, Case)

    within, in_thread = asyncio.run(main())
    assert (within.outcome, "asyncio.to_thread" in within.text) == ("error", True)
    assert "left behind" not in within.text
    assert in_thread.outcome == "passed"


async def gives(value: object) -> object:
    return value


async def raises(error: BaseException) -> None:
    raise error


async def waits() -> None:
    await asyncio.sleep(0)


def test_assert_failure_gives_the_exception() -> None:
    """`await self.assertFailure(...)` gives what was raised, and fails if nothing fitting was."""

    class Case(TestCase):
        async def test_it(self) -> None:
            error = await self.assertFailure(raises(KeyError("x")), ValueError, KeyError)
            self.assertEqual("'x'", str(error))
            await self.assertFailure(raises(KeyError("x")))

        async def test_other(self) -> None:
            await self.assertFailure(raises(KeyError("x")), ValueError)

        async def test_none(self) -> None:
            await self.assertFailure(gives(3), ValueError, KeyError)

        async def test_nothing(self) -> None:
            self.assertFailure(3)

    found = ran_all(Case)
    assert found["it"].outcome == "passed"
    assert found["other"].outcome == found["none"].outcome == "failed"
    assert "failed with KeyError('x'), where ValueError was expected" in found["other"].text
    assert "did not fail with ValueError or KeyError: it gave 3" in found["none"].text
    assert "3 is neither a Deferred nor can it be awaited" in found["nothing"].text


def test_results_that_are_there_already() -> None:
    """successResultOf, failureResultOf and assertNoResult tell of coroutines and futures."""

    class Case(TestCase):
        async def test_it(self) -> None:
            self.assertEqual(3, self.successResultOf(gives(3)))
            self.assertIsInstance(self.failureResultOf(raises(KeyError()), KeyError), KeyError)
            future = asyncio.get_running_loop().create_future()
            self.assertNoResult(future)
            future.set_result(4)
            self.assertEqual(4, self.successResultOf(future))
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            self.assertIsInstance(self.failureResultOf(future), asyncio.CancelledError)

        def test_none_yet(self) -> None:
            self.successResultOf(waits())

        def test_no_failure(self) -> None:
            self.failureResultOf(gives(3))

        def test_failed(self) -> None:
            self.successResultOf(raises(KeyError("x")))

        def test_other(self) -> None:
            self.failureResultOf(raises(KeyError("x")), ValueError)

        async def test_result(self) -> None:
            future = asyncio.get_running_loop().create_future()
            future.set_result(4)
            self.assertNoResult(future)

    found = ran_all(Case)
    assert found.pop("it").outcome == "passed"
    assert {each.outcome for each in found.values()} == {"failed"}
    assert "has no result yet; it waits at" in found["none_yet"].text
    assert "it gave 3" in found["no_failure"].text
    assert "failed, where a result was expected: KeyError('x')" in found["failed"].text
    assert "where ValueError was expected" in found["other"].text
    assert "has a result, where none was expected: 4" in found["result"].text


def test_tasks_have_the_names_that_asyncio_gives() -> None:
    """A task without a name of its own is not called None, as some releases have it."""

    class Case(TestCase):
        async def test_it(self) -> None:
            task = asyncio.create_task(asyncio.sleep(0))
            self.assertRegex(task.get_name(), r"Task-\d+")
            self.assertEqual("mine", asyncio.create_task(asyncio.sleep(0), name="mine").get_name())
            await task

    assert ran_all(Case)["it"].outcome == "passed"


def test_a_test_within_a_test_does_not_make_it_deaf() -> None:
    """What the outer one logs after the inner one has ended is heard."""

    class Inner(TestCase):
        def test_it(self) -> None:
            pass

    class Case(TestCase):
        def test_it(self) -> None:
            Inner("test_it").run(unittest.TestResult())
            try:
                raise KeyError("x")
            except KeyError:
                logging.getLogger("inner").exception("after it")

    assert "logger 'inner': after it" in ran_all(Case)["it"].text
