"""The data file: its schema, writing a run into it, reading it back.

May import types, errors and records; what writes lives in the measured process and imports
the standard library only. Refuses to know why anybody asks, and lets no SQL out.
"""
