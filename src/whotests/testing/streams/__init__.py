"""testtools' names for streams of results, over the one event of `whotests.stream`.

May import `details`, `results` and `whotests.stream`. Refuses to do what a sink there does.
"""
