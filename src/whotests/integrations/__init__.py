"""Tells the session which test runs: pytest, unittest (testtools, trial), and other providers.

May import `recording` and below, and the test framework itself once it has been imported.
Refuses to change what a test sees, and to import a framework that is not in use.
(PYTEST_DONT_REWRITE)
"""
