"""The test case, and what runs it.

May import `details`, `results` and `supervision`. Refuses to know suites and streams.
"""
