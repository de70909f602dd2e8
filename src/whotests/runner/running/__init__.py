"""One run: who runs what next, and one verdict for each test.

May import agents' slots and the runner's values. Refuses to know of processes and machines.
"""
