"""Whether tests end as they do without whotests, on real suites that nobody here wrote.

`python -m compat` runs each suite plainly and under `whotests run`, holds every outcome of the
one against the other, and writes docs/compat.md. It may import the standard library and
`benchmarks`; it uses whotests only as a user does, from its command line.
"""
