"""What authors of tests and of frameworks import: test cases, results, suites, fakes.

May import `stream`, the leaves and the standard library; Twisted, fixtures and matchers are the
user's own, and met by what they can do. Refuses to find tests and to run processes: that is the
runner's.
"""
