"""Results that are told of tests one call at a time, and what may stand in front of them.

May import `details` and `whotests.stream`. Refuses to run tests.
"""
