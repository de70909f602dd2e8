"""Foreign formats: coverage.py's data and JSON, LCOV, Cobertura, plain SQLite; in and out.

May import query, store, source, config and below. Refuses to print, and to live in the measured
process.
"""
