"""What a run measures and where it keeps it: settings, scope, and finding the source.

May import `types` and `errors` only. Refuses to import, run or parse what it measures.
(PYTEST_DONT_REWRITE)
"""
