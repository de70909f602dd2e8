"""Whether tests end as they do without whotests, on real suites that nobody here wrote.

`python -m compat` runs each suite plainly and under `whotests run`, holds every outcome of the
one against the other, and writes docs/compat.md; `python -m compat.switching` follows the steps of
docs/switching.md. They may import the standard library and `benchmarks`; they use whotests only as
a user does, from its command line.
"""
