"""The tests, with `whotests.testing`."""
