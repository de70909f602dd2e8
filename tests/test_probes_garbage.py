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
