"""Numbers as bytes: pattern ids of a footprint, bitmaps of lines, a file's units and branches.

May import the standard library and types only. Refuses to know where the bytes are kept.
"""
