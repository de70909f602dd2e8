"""Which of the tests that hosts found are run: in which order, in which part, how often.

May import one run and the runner's values. Refuses to start anything.
"""
