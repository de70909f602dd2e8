"""Tests together: in order, selected, listed, with a fixture, in threads.

May import all of `testing`. Refuses to find tests.
"""
