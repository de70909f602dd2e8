"""What authors of tests and of frameworks import: test cases, results, suites, fakes.

May import `stream`, the leaves and the standard library; Twisted, fixtures and matchers are the
user's own, and met by what they can do. Refuses to find tests and to run processes: that is the
runner's.
"""

from whotests.testing.cases.attributes import WithAttributes, attr
from whotests.testing.cases.case import TestCase
from whotests.testing.cases.cloning import Nullary, clone_test_with_new_id
from whotests.testing.cases.expecting import ExpectedException
from whotests.testing.cases.matching import Matcher, Mismatch, MismatchError, assert_that
from whotests.testing.cases.patching import Patch
from whotests.testing.cases.runtest import MultipleExceptions, RunTest, run_test_with
from whotests.testing.cases.skipping import TestSkipped, skip, skipIf, skipUnless
from whotests.testing.cases.unique import unique_text_generator
from whotests.testing.details.content import (
    Content,
    Details,
    attach_file,
    content_from_file,
    content_from_stream,
    json_content,
    text_content,
)
from whotests.testing.details.content_types import JSON, UTF8_TEXT, ContentType
from whotests.testing.details.reported import gather_details
from whotests.testing.details.tags import TagContext
from whotests.testing.details.traceback_content import (
    StackLinesContent,
    StacktraceContent,
    TracebackContent,
)
from whotests.testing.results.any_result import ExtendedToOriginalDecorator
from whotests.testing.results.by_test_result import TestByTestResult
from whotests.testing.results.decorating import DecorateTestCaseResult
from whotests.testing.results.placeholders import ErrorHolder, PlaceHolder
from whotests.testing.results.result import TestControl, TestResult
from whotests.testing.results.result_decorators import MultiTestResult, Tagger, TestResultDecorator
from whotests.testing.results.text_result import TextTestResult
from whotests.testing.results.threadsafe import ThreadsafeForwardingResult
from whotests.testing.streams.result_to_stream import (
    ExtendedToStreamDecorator,
    ResourcedToStreamDecorator,
)
from whotests.testing.streams.stream_results import (
    CopyStreamResult,
    StreamFailFast,
    StreamResult,
    StreamTagger,
    StreamToQueue,
    TimestampingStreamResult,
)
from whotests.testing.streams.stream_router import StreamResultRouter
from whotests.testing.streams.stream_summaries import (
    StreamSummary,
    StreamToDict,
    StreamToExtendedDecorator,
)
from whotests.testing.suites.concurrent import ConcurrentStreamTestSuite, ConcurrentTestSuite
from whotests.testing.suites.fixture_suite import FixtureSuite
from whotests.testing.suites.listing import Listing, list_test, write_test_list
from whotests.testing.suites.ordering import iterate_tests, sorted_tests
from whotests.testing.suites.selecting import filter_by_ids
from whotests.testing.supervision.awaiting import NeverRan
from whotests.testing.supervision.leftovers import LeftoversError, allow_leftovers
from whotests.testing.supervision.logged_errors import LoggedError, LoggedErrorsError
from whotests.testing.supervision.timeouts import TimedOut

__all__ = [
    "JSON",
    "UTF8_TEXT",
    "ConcurrentStreamTestSuite",
    "ConcurrentTestSuite",
    "Content",
    "ContentType",
    "CopyStreamResult",
    "DecorateTestCaseResult",
    "Details",
    "ErrorHolder",
    "ExpectedException",
    "ExtendedToOriginalDecorator",
    "ExtendedToStreamDecorator",
    "FixtureSuite",
    "LeftoversError",
    "Listing",
    "LoggedError",
    "LoggedErrorsError",
    "Matcher",
    "Mismatch",
    "MismatchError",
    "MultiTestResult",
    "MultipleExceptions",
    "NeverRan",
    "Nullary",
    "Patch",
    "PlaceHolder",
    "ResourcedToStreamDecorator",
    "RunTest",
    "StackLinesContent",
    "StacktraceContent",
    "StreamFailFast",
    "StreamResult",
    "StreamResultRouter",
    "StreamSummary",
    "StreamTagger",
    "StreamToDict",
    "StreamToExtendedDecorator",
    "StreamToQueue",
    "TagContext",
    "Tagger",
    "TestByTestResult",
    "TestCase",
    "TestControl",
    "TestResult",
    "TestResultDecorator",
    "TestSkipped",
    "TextTestResult",
    "ThreadsafeForwardingResult",
    "TimedOut",
    "TimestampingStreamResult",
    "TracebackContent",
    "WithAttributes",
    "allow_leftovers",
    "assert_that",
    "attach_file",
    "attr",
    "clone_test_with_new_id",
    "content_from_file",
    "content_from_stream",
    "filter_by_ids",
    "gather_details",
    "iterate_tests",
    "json_content",
    "list_test",
    "run_test_with",
    "skip",
    "skipIf",
    "skipUnless",
    "sorted_tests",
    "text_content",
    "unique_text_generator",
    "write_test_list",
]
