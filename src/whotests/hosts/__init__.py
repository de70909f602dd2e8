"""Runs tests of one kind in a process of their own: pytest's; unittest's, testtools', trial's.

Lives in the measured process: the standard library, `stream`, `testing` and the leaves, and the
framework that the user's own tests are written for. Refuses to choose tests, to know of other
processes, and to watch over itself: that is the runner's.
"""
