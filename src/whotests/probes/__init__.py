"""Probes: numbered points in measured code that note, once per context, that they were reached.

May import types, errors, source and the standard library; lives in the measured process.
Refuses to know what a test, a run or a data file is.
"""
