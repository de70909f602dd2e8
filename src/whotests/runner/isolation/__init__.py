"""Which tests make another one fail: by experiments, each of them a run.

May import all of the runner. Refuses to guess: what it says was seen.
"""
