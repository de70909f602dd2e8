"""What a test runs under: its loop, its limit on time, and who looks at what it leaves behind.

May import `details`; Twisted where the test uses it already. Refuses to know the test case beyond
its attributes.
"""
