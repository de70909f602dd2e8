"""The questions: who, what, report, status, as pure functions over what the reader gives.

May import types, errors and the store's reader and values. Refuses to touch a disk or a
terminal: sources come through a protocol, answers go out as frozen values.
"""
