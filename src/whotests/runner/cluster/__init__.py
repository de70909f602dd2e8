"""The workers of a run on a cluster of Dask distributed.

The same agent as here works in each thread of each Dask worker; `slots.Slot` is all that a run
knows of it. Refuses to decide which test runs where, and to trust that a machine stays.
"""
