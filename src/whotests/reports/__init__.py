"""Answers as text and as JSON.

May import query, the store's values, types and rich. Refuses to compute an answer: what is
shown is in the values already.
"""
