"""What authors of tests and of frameworks import: test cases, results, suites, fakes.

May import `stream`, the leaves and the standard library; Twisted, fixtures and matchers are the
user's own, and met by what they can do. Refuses to find tests and to run processes: that is the
runner's.
"""

from whotests.testing.listing import Listing, list_test, write_test_list
from whotests.testing.ordering import iterate_tests, sorted_tests
from whotests.testing.selecting import filter_by_ids

__all__ = [
    "Listing",
    "filter_by_ids",
    "iterate_tests",
    "list_test",
    "sorted_tests",
    "write_test_list",
]
