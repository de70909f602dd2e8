"""Generators, coroutines, threads, clean-up and recursion go as they go without us."""

from pathlib import Path

import pytest

from same_programs import assert_same

GENERATORS = """
    import contextlib, sys

    def echo():
        received = None
        try:
            while True:
                try:
                    received = yield received
                except ValueError as error:
                    received = f"caught {error}"
        except GeneratorExit:
            print("exit", sys.exc_info()[0])
            raise
        finally:
            print("finally")

    def outer():
        result = yield from echo()
        return result

    for make in (echo, outer):
        g = make()
        print(next(g), g.send(1), g.throw(ValueError("x")), g.send(2))
        print(sorted(g.gi_frame.f_locals), g.gi_frame.f_lineno, g.gi_running, g.gi_suspended)
        g.close()
        print(g.gi_frame, g.gi_code is make.__code__)
        try:
            g.send(3)
        except StopIteration as stop:
            print(stop.value)
        g = make(); next(g); del g
        g = make()
        try:
            g.throw(KeyError)
        except KeyError as error:
            print(error.__traceback__.tb_next.tb_lineno)

    def returns():
        try:
            yield 1
        finally:
            return 5
    g = returns(); next(g)
    print(g.close())
    try:
        next(iter([])) if False else returns().throw(LookupError)
    except LookupError:
        print("lookup")

    def returned():
        x = yield from returns()
        return x, [y for y in [(yield from returns())]]
    g = returned()
    while True:
        try:
            print(next(g))
        except StopIteration as stop:
            print(stop.value)
            break

    @contextlib.contextmanager
    def managed():
        print("enter")
        try:
            yield 1
        except KeyError:
            print("swallowed")
        finally:
            print("leave")
    with managed() as value:
        raise KeyError
    print(*(x * y for x in range(3) if x for y in range(2)), {x: 1 for x in "ab"})
    def walrus(): return [last := x for x in range(4)], last
    print(walrus(), any((hit := x) > 1 for x in range(4)), hit)
    def early():
        for x in range(3):
            with contextlib.closing(echo()) as e:
                next(e)
                if x == 1:
                    return x
                continue
    print(early())
"""

COROUTINES = """
    import asyncio, contextlib, contextvars, gc

    current = contextvars.ContextVar("current", default=0)

    async def step(name, times=2):
        try:
            for turn in range(times):
                current.set(turn)
                await asyncio.sleep(0)
                print(name, turn, current.get())
            return name
        except asyncio.CancelledError as error:
            print(name, "cancelled", error.args)
            raise
        finally:
            print(name, "finally")

    async def fails(error):
        await asyncio.sleep(0)
        raise error

    async def values():
        try:
            for value in range(5):
                yield value
        finally:
            await asyncio.sleep(0)
            print("values closed")

    @contextlib.asynccontextmanager
    async def managed(name):
        print("enter", name)
        try:
            yield name
        except OSError:
            print("swallowed")
        finally:
            print("leave", name)

    async def main():
        print(await asyncio.gather(step("a"), step("b"), return_exceptions=True))
        task = asyncio.create_task(step("c", 100))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel("enough")
        try:
            await task
        except asyncio.CancelledError as error:
            print("gone", task.cancelled(), error.args)
        try:
            async with asyncio.timeout(0):
                await step("d", 100)
        except TimeoutError:
            print("timeout")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails(ValueError(1)))
                group.create_task(fails(OSError(2)))
                group.create_task(step("e", 100))
        except* ValueError as some:
            print("values", some.exceptions)
        except* OSError as some:
            print("os", some.exceptions)
        try:
            try:
                raise ExceptionGroup("g", [KeyError(1), TypeError(2)])
            except* KeyError:
                print("key")
            else:
                print("else")
        except ExceptionGroup as rest:
            print(repr(rest), rest.__context__)
        generator = values()
        async for value in generator:
            if value == 2:
                break
        await generator.aclose()
        g = values()
        print(await anext(g), await g.asend(None))
        try:
            await g.athrow(KeyError("in"))
        except KeyError as error:
            print("thrown", error)
        print([x async for x in values() if x % 2], {x: x async for x in values()})
        async with managed("m") as m, managed("n"):
            raise OSError
        def sync():
            coroutine = step("never")
            coroutine.close()
            return coroutine.cr_frame
        print(sync(), current.get())
        unfinished = asyncio.create_task(step("f", 100))
        await asyncio.sleep(0)
        return unfinished.get_name()

    asyncio.run(main())
    asyncio.run(main(), debug=True) if 0 else None
    async def left():
        g = values()
        print(await anext(g))
    asyncio.run(left())
    print(gc.collect() >= 0)
    step("not awaited")
    gc.collect()
"""

THREADS = """
    import queue, sys, threading

    local = threading.local()
    lock = threading.Lock()
    results = []

    def work(number, q):
        local.value = number
        total = 0
        for x in range(200):
            try:
                if x % 7 == 0:
                    raise ValueError(x)
                total += x
            except ValueError as error:
                total -= error.args[0]
        with lock:
            results.append((local.value, total))
        q.put(threading.current_thread().name)

    q = queue.Queue()
    threads = [threading.Thread(target=work, args=(n, q), name=f"T{n}") for n in range(4)]
    print(threading.active_count(), len(threading.enumerate()))
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(sorted(results), sorted(q.get() for _ in threads), threading.active_count())
    print(hasattr(local, "value"))

    class Barrier:
        def __init__(self):
            self.condition = threading.Condition()
            self.ready = False
        def wait(self):
            with self.condition:
                while not self.ready:
                    self.condition.wait()
            return True
    barrier = Barrier()
    def release():
        with barrier.condition:
            barrier.ready = True
            barrier.condition.notify_all()
    timer = threading.Timer(0.05, release); timer.start()
    print(barrier.wait()); timer.join()

    def hook(args): print("hook", args.exc_type, args.exc_traceback.tb_next.tb_lineno)
    threading.excepthook = hook
    def bad():
        x = 1
        raise OSError
    thread = threading.Thread(target=bad); thread.start(); thread.join()
"""

ORDER = """
    import gc, weakref

    class Loud:
        def __init__(self, name): self.name = name
        def __del__(self): print("del", self.name)

    def locals_die():
        a = Loud("a")
        b = Loud("b")
        if a:
            c = Loud("c")
        del a
        print("after a")
        for d in [Loud("d1"), Loud("d2")]:
            pass
        print("after loop")
        with open(__file__):
            b = None
        try:
            e = Loud("e")
        finally:
            print("finally")
        return Loud("returned").name

    print(locals_die())

    def temporaries():
        Loud("dropped")
        print("next")
        x = [Loud("item")][0].name
        print(x)
        f = lambda: Loud("lambda") and 1
        print(f())
        match Loud("subject"):
            case int():
                pass
            case object(name=n):
                print("matched", n)
        print(any(Loud(i) and False for i in range(2)))
        def later(value=Loud("default")): return value.name
        print(later())

    temporaries()
    gc.disable()
    def cycle():
        loud = Loud("cycle")
        loud.self = loud
        return weakref.ref(loud)
    r = cycle()
    print(r() is None)
    print(gc.collect() > 0, r() is None)
    end = Loud("module")
"""

RECURSION = """
    import sys, threading
{padding}
    def depth(n):
        try:
            return depth(n + 1)
        except RecursionError:
            return n

    def leafed(n, leaf):
        try:
            leaf(n)
            return leafed(n + 1, leaf)
        except RecursionError as error:
            if not caught:
                caught.append(str(error).split(" while")[0])
                lines.append(error.__traceback__.tb_lineno)
            raise

    def deep(n):
        seen[0] = n
        if n % 2:
            for x in (1,):
                deep(n + 1)
        else:
            with manager:
                deep(n + 1)

    class Manager:
        def __enter__(self): return self
        def __exit__(self, *error): return None

    def mutual(n):
        seen[0] = n
        [mutual(n + 1) for _ in (1,)]

    class Data:
        def __getattr__(self, name):
            seen[0] += 1
            return getattr(self, name + "x")
        def __eq__(self, other):
            seen[0] += 1
            return self == other

    def main():
        global caught, lines, seen
        print(depth(0))
        for leaf in (abs, str, repr, lambda n: n, lambda n: [n] == [n], lambda n: sorted([n])):
            for _ in range(2):
                caught, lines = [], []
                try:
                    leafed(0, leaf)
                except RecursionError as error:
                    print(caught, lines, error.__traceback__.tb_lineno, error.__context__)
        data = Data()
        for function, argument in ((deep, 0), (mutual, 0), (getattr, data), (Data.__eq__, data)):
            for _ in range(2):
                seen = [0]
                try:
                    if function is getattr:
                        argument.name
                    elif function is Data.__eq__:
                        argument == argument
                    else:
                        function(argument)
                except RecursionError as error:
                    print(function.__name__, seen[0], str(error).split(" while")[0])
        print(depth(0) == depth(0), sys.getrecursionlimit())
        sys.setrecursionlimit(150)
        print(depth(0))

    manager = Manager()
    # In a thread of its own: the first one has three frames more on its stack under measurement.
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
    sys.setrecursionlimit(1000)
    first = depth(0)
    assert 990 < first < 1000, first
"""

PROGRAMS = {
    "generators": GENERATORS,
    "coroutines": COROUTINES,
    "threads": THREADS,
    "order": ORDER,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_prints_the_same(tmp_path: Path, name: str) -> None:
    """What suspends, waits, runs beside or is collected does so at the same points."""
    assert_same(tmp_path, {"prog.py": PROGRAMS[name]})


@pytest.mark.parametrize("padding", [0, 300])
def test_recursion_ends_at_the_same_depth(tmp_path: Path, padding: int) -> None:
    """RecursionError comes at the same depth, in the same words, and is handled the same.

    Lines beyond 256 matter: Python keeps smaller numbers ready, and makes larger ones anew.
    """
    assert_same(tmp_path, {"prog.py": RECURSION.replace("{padding}", "\n" * padding)})
