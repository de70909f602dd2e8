"""SQL over a data file: tables that take a query's conditions down to the packed data.

May import query, store and below, and apsw (the extra `sql`). Refuses to write anywhere.
"""
