"""One measured run: the open contexts, what is written of them and when, and the command itself.

May import config, source, probes, the writing half of the store, and the standard library.
Refuses to know any test runner: those tell it what begins and ends.
"""
