"""What measuring adds to what the garbage collector looks at."""

from pathlib import Path

from measured_commands import run_measured, run_plain, write_files

PRODUCT = {
    "product.py": """
        def half(number):
            if number % 2:
                raise ValueError(number)
            return number // 2


        def halves(count):
            for number in range(count):
                try:
                    half(2 * number + 1)
                except ValueError:
                    pass
    """,
    "looking.py": """
        import gc

        import product

        product.halves(2)
        before = len(gc.get_objects())
        product.halves(2_000)
        print(len(gc.get_objects()) - before)
        print(sum(type(each) is tuple for each in product.half.__code__.co_consts))
    """,
}


def test_exceptions_and_probes_leave_nothing_to_look_at(tmp_path: Path) -> None:
    """However many exceptions pass through measured code, the collector has no more objects to
    look at; and of a function it has the constants and the block, no other tuple."""
    write_files(tmp_path, PRODUCT)
    plain = run_plain("python", "looking.py", cwd=tmp_path)
    measured = run_measured("python", "looking.py", cwd=tmp_path, options=("--source", "product"))
    assert measured.status == plain.status == 0, measured.err
    numbers = [list(map(int, each.out.split())) for each in (plain, measured)]
    assert [each[0] < 50 for each in numbers] == [True, True], numbers
    assert [each[1] for each in numbers] == [0, 0], numbers


MANY = 300

COUNTED = {
    "many.py": "\n".join(f"def f{number}():\n    return {number}\n" for number in range(MANY)),
    "counting.py": """
        import gc

        seen = []
        gc.callbacks.append(lambda phase, info: seen.append(phase))
        gc.set_threshold(50, 1000, 1000)
        gc.collect()
        del seen[:]
        import many

        print(seen.count("start"), gc.isenabled())
    """,
}


def test_loading_brings_no_collections(tmp_path: Path) -> None:
    """Blocks and code are made without the program's objects being looked at for each few."""
    write_files(tmp_path, COUNTED)
    plain = run_plain("python", "counting.py", cwd=tmp_path)
    run_measured("python", "counting.py", cwd=tmp_path, options=("--source", "many"))
    warm = run_measured("python", "counting.py", cwd=tmp_path, options=("--source", "many"))
    assert warm.status == plain.status == 0, warm.err
    (before, _), (count, enabled) = plain.out.split(), warm.out.split()
    assert enabled == "True"
    assert int(count) <= int(before) + 2, (before, count)
