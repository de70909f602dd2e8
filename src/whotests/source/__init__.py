"""What a source file could run: its statements, exclusions and units.

May import the standard library, `whotests.types` and `whotests.records` only: it runs in
the measured process. Refuses to know what did run. (PYTEST_DONT_REWRITE)
"""
