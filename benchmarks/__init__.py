"""What measuring with whotests costs, next to coverage.py, on real suites that nobody here wrote.

`python -m benchmarks` measures and writes docs/benchmarks.md. It may import the standard library
and coverage.py; it uses whotests only as a user does, from its command line.
"""
