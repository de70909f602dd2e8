"""What authors of tests and of frameworks import: test cases, results, suites, fakes.

May import `stream`, the leaves and the standard library; Twisted, fixtures and matchers are the
user's own, and met by what they can do. Refuses to find tests and to run processes: that is the
runner's.
"""

from whotests.testing.any_result import ExtendedToOriginalDecorator
from whotests.testing.attributes import WithAttributes, attr
from whotests.testing.awaiting import NeverRan
from whotests.testing.by_test_result import TestByTestResult
from whotests.testing.case import TestCase
from whotests.testing.cloning import Nullary, clone_test_with_new_id
from whotests.testing.concurrent import ConcurrentStreamTestSuite, ConcurrentTestSuite
from whotests.testing.content import (
    Content,
    Details,
    attach_file,
    content_from_file,
    content_from_stream,
    json_content,
    text_content,
)
from whotests.testing.content_types import JSON, UTF8_TEXT, ContentType
from whotests.testing.decorating import DecorateTestCaseResult
from whotests.testing.details import gather_details
from whotests.testing.expecting import ExpectedException
from whotests.testing.fixture_suite import FixtureSuite
from whotests.testing.leftovers import LeftoversError, allow_leftovers
from whotests.testing.listing import Listing, list_test, write_test_list
from whotests.testing.logged_errors import LoggedError, LoggedErrorsError
from whotests.testing.matching import Matcher, Mismatch, MismatchError, assert_that
from whotests.testing.ordering import iterate_tests, sorted_tests
from whotests.testing.patching import Patch
from whotests.testing.placeholders import ErrorHolder, PlaceHolder
from whotests.testing.result_decorators import MultiTestResult, Tagger, TestResultDecorator
from whotests.testing.result_to_stream import (
    ExtendedToStreamDecorator,
    ResourcedToStreamDecorator,
)
from whotests.testing.results import TestControl, TestResult
from whotests.testing.runtest import MultipleExceptions, RunTest, run_test_with
from whotests.testing.selecting import filter_by_ids
from whotests.testing.skipping import TestSkipped, skip, skipIf, skipUnless
from whotests.testing.stream_results import (
    CopyStreamResult,
    StreamFailFast,
    StreamResult,
    StreamTagger,
    StreamToQueue,
    TimestampingStreamResult,
)
from whotests.testing.stream_router import StreamResultRouter
from whotests.testing.stream_summaries import (
    StreamSummary,
    StreamToDict,
    StreamToExtendedDecorator,
)
from whotests.testing.tags import TagContext
from whotests.testing.text_result import TextTestResult
from whotests.testing.threadsafe import ThreadsafeForwardingResult
from whotests.testing.timeouts import TimedOut
from whotests.testing.traceback_content import (
    StackLinesContent,
    StacktraceContent,
    TracebackContent,
)
from whotests.testing.unique import unique_text_generator

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
