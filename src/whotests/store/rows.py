"""The rows of one run, and what the file calls the things that the run has named.

May import the standard library and the store's own floor. Refuses to begin or end
transactions: the writer does, and says afterwards which keys to keep.
"""

import sqlite3

from whotests.records import Batch
from whotests.store.code_rows import CodeRows
from whotests.store.context_rows import ContextRows
from whotests.store.pending import Pending

__all__ = ["RunRows"]


class RunRows:
    """Writes the rows of the run `run_id` within the caller's transaction.

    Keys that a transaction gave out count from `keep` on; `forget` drops those that were
    given out since, as when the transaction was rolled back.
    """

    __slots__ = ("_code", "_contexts", "run_id")

    def __init__(self, *, run_id: int) -> None:
        self.run_id = run_id
        self._code = CodeRows(run_id=run_id)
        self._contexts = ContextRows(run_id=run_id, pattern_ids=self._code.pattern_ids)

    def keep(self) -> None:
        """The transaction is in the file."""
        self._code.keep()
        self._contexts.keep()

    def forget(self) -> None:
        """What was not kept did not happen."""
        self._code.forget()
        self._contexts.forget()

    def share_footprints(self, connection: sqlite3.Connection, *, recent: bool) -> None:
        """Uses the footprints that the file has already, or the most recent ones of them."""
        if recent:
            self._contexts.share_recent_footprints(connection)
        else:
            self._contexts.share_footprints(connection)

    def write(self, connection: sqlite3.Connection, batch: Batch) -> None:
        """Adds what the batch has that the file does not have yet."""
        pending = Pending(connection)
        if batch.files:
            self._code.write_files(pending, batch.files)
        if batch.patterns:
            self._code.write_patterns(pending, batch.patterns)
        # What is said last of a test counts.
        for test in {test.name: test for test in batch.tests}.values():
            self._contexts.write_test(pending, test)
        for context in batch.contexts:
            self._contexts.write_context(pending, context)
        pending.put()
