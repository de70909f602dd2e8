"""What is attached to a test: content, tracebacks, tags.

May import the standard library. Refuses to know test cases and results.
"""
