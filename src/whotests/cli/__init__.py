"""whotests (PYTEST_DONT_REWRITE)."""
