"""Copying runs between data files: what combining, slicing and asking several at once are made of.

May import the standard library, records, types, errors and the store's own floor. Refuses to
know of measuring, and of what commands say.
"""

from whotests.store.merging.choice import EVERYTHING, Choice
from whotests.store.merging.in_memory import merged
from whotests.store.merging.merger import Merger
from whotests.store.merging.source import Source

__all__ = ["EVERYTHING", "Choice", "Merger", "Source", "merged"]
