"""Puts the integrations in place for a session, each waiting for its framework's import."""

from types import ModuleType

from whotests.recording.after_import import when_imported
from whotests.recording.plan import Plan
from whotests.recording.session import Session

__all__ = ["install"]


def install(session: Session, plan: Plan) -> None:
    """From now on test runners of this process tell `session` which test runs.

    Also calls the providers of contexts that the plan names; raises `UsageError` for one
    that cannot be loaded.
    """

    def wait_for_pytest(module: ModuleType) -> None:
        from whotests.integrations.pytest_recorder import record_every_config

        record_every_config(module, session)

    def wait_for_rewriting(module: ModuleType) -> None:
        from whotests.integrations.pytest_rewriting import instrument_rewritten

        instrument_rewritten(module)

    def wait_for_unittest(module: ModuleType) -> None:
        from whotests.integrations.unittest_hooks import hook_test_cases

        hook_test_cases(module, session)

    def wait_for_workers_of_trial(module: ModuleType) -> None:
        session.elsewhere = (
            "the tests that trial ran in its worker processes were not measured, because their "
            "Python has not this whotests; install it there, or run trial without -j"
        )

    when_imported("_pytest.config", wait_for_pytest)
    when_imported("_pytest.assertion.rewrite", wait_for_rewriting)
    when_imported("unittest.case", wait_for_unittest)
    when_imported("twisted.trial._dist.disttrial", wait_for_workers_of_trial)
    if plan.providers:
        from whotests.integrations.providers import call_providers

        call_providers(plan.providers, session)
