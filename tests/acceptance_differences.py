"""Tests of testtools that do not pass against ours, each with its reason.

The list is exact: one that passes after all has to go. A key is what follows the module's name
in the test's id.
"""

__all__ = ["DIFFERENCES", "PEERS_OWN", "PEERS_PARTS", "USERS"]

UNEXPECTED = "a defect: a run with an unexpected success counts as successful"
EXIT = "a defect: a test that calls sys.exit() ends the whole run, with its status"
MODULE = "expects the name of testtools' own module in a repr"
FILES = "expects the names of testtools' own files in a traceback"

PEERS_PARTS = ("matchers.", "twistedsupport.")
"""Modules whose names stay testtools': its matchers, and its ways to run tests in a reactor."""

PEERS_OWN = {
    "compat.text_repr": "how their matchers write texts",
    "testcase._mods": "a private function, tested by itself",
    "testcase._unique_text": "a private function, tested by itself",
}
"""What their tests import beside those that is not ours, each with its reason."""

USERS: dict[str, dict[str, str]] = {
    "python-subunit": {
        "test_run.TestSubunitTestRunner.test_exits_nonzero_when_execution_errors": EXIT,
        "test_test_protocol.TestTestProtocolServerPipe.test_story": (
            "expects the name of testtools' own exception in a text"
        ),
    },
}
"""The same for projects that use testtools, by their names."""

DIFFERENCES: dict[str, dict[str, str]] = {
    "matchers.test_basic": {},
    "matchers.test_const": {},
    "matchers.test_datastructures": {},
    "matchers.test_dict": {},
    "matchers.test_doctest": {},
    "matchers.test_exception": {},
    "matchers.test_filesystem": {},
    "matchers.test_higherorder": {},
    "matchers.test_impl": {},
    "matchers.test_warnings": {},
    "test_assert_that": {},
    "test_content": {},
    "test_content_type": {},
    "test_fixturesupport": {},
    "test_runtest": {},
    "test_tags": {},
    "test_testcase": {
        "TestPlaceHolder.test_repr_custom_outcome": MODULE,
        "TestPlaceHolder.test_repr_just_id": MODULE,
        "TestPlaceHolder.test_repr_with_description": MODULE,
        "TestRunTestUsage.test_last_resort_in_place": EXIT,
    },
    "test_testresult": {
        "TestAdaptedStreamResult.test_addUnexpectedSuccess_was_successful": UNEXPECTED,
        "TestStreamSummary.test_wasSuccessful": UNEXPECTED,
        "TestStreamToDict.test_files_skipped": "a defect: empty attachments are dropped",
        "TestStreamToExtendedContract.test_addUnexpectedSuccess_was_successful": UNEXPECTED,
        "TestTestResult.test_now_datetime_now": "replaces a module within testtools",
        "TestTestResult.test_traceback_formatting_with_stack_hidden_mismatch": (
            "expects the name MismatchError of what assertEqual raises"
        ),
        "TestTestResult.test_traceback_formatting_without_stack_hidden": FILES,
        "TestTestResult.test_traceback_with_locals": FILES,
        "TestTimestampingStreamResult.test_status_no_timestamp": (
            "passes on a status that does not exist, which is an error"
        ),
    },
    "test_testsuite": {"TestConcurrentStreamTestSuiteRun.test_broken_runner": FILES},
    "test_with_with": {},
    "twistedsupport.test_runtest": {
        "X.TestIntegration.test_runner(RunTest, BaseExceptionRaised)": EXIT,
        "X.TestIntegration.test_runner(SynchronousDeferredRunTest, BaseExceptionRaised)": EXIT,
        "X.TestIntegration.test_runner(AsynchronousDeferredRunTest, BaseExceptionRaised)": EXIT,
    },
}
