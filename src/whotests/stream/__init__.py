"""A run as a stream of events: one frozen event type, and small sinks that take it.

May import the leaves and the standard library only: it lives where tests run. Refuses to know
how tests are found or run, and to need all tests up front.
"""
