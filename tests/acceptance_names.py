"""`meant`: a package that has our names where there are any, and testtools' own otherwise.

It mirrors testtools' modules: `meant.content.Content` is ours, `meant.matchers.Equals` is theirs.
Each is looked up when it is asked for. Imported where testtools' own tests run, nowhere else.
"""

import importlib
import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["TAKEN_FROM_PEER", "install"]

OURS: dict[str, tuple[str, ...]] = {
    "": ("whotests.testing",),
    "content": (
        "whotests.testing.details.content",
        "whotests.testing.details.traceback_content",
        "whotests.testing",
    ),
    "content_type": ("whotests.testing.details.content_types",),
    "tags": ("whotests.testing.details.tags",),
    "testcase": (
        "whotests.testing",
        "whotests.testing.cases.case",
        "whotests.testing.results.placeholders",
    ),
    "runtest": ("whotests.testing", "whotests.testing.cases.runtest"),
    "testsuite": ("whotests.testing", "whotests.testing.suites"),
    "assertions": ("whotests.testing", "whotests.testing.cases.matching"),
    "testresult": ("whotests.testing",),
    "testresult.real": ("whotests.testing",),
    "testresult.doubles": ("whotests.testing.doubles",),
    "twistedsupport": ("whotests.testing", "whotests.testing.supervision.deferreds"),
}
"""Where our names are, by the module that has them in testtools."""

OTHER_WORDS: dict[tuple[str, str], tuple[str, str]] = {
    ("testresult.real", "_details_to_str"): (
        "whotests.testing.details.detail_text",
        "details_text",
    ),
    ("testresult.real", "_merge_tags"): ("whotests.testing.details.tags", "merge_tags"),
    ("testcase", "_UnexpectedSuccess"): ("whotests.testing.cases.expecting", "UnexpectedSuccess"),
    ("testresult.real", "utc"): ("datetime", "UTC"),
    ("testresult.doubles", "_StatusEvent"): ("whotests.testing.doubles", "StatusCall"),
}
"""What is not public, and is called otherwise with us."""

TAKEN_FROM_PEER: set[str] = set()
"""What was asked for and is not ours, with its module."""

ABSENT = object()


def install() -> None:
    """Make `import meant` and its submodules work, as the module `meant` asks when it is imported.

    Where the environment says ACCEPTANCE_NAMES=theirs, all names are testtools'.
    """
    if os.environ.get("ACCEPTANCE_NAMES") == "theirs":
        OURS.clear()
        OTHER_WORDS.clear()
    sys.meta_path.insert(0, _Finder())
    sys.modules.pop("meant", None)
    importlib.import_module("meant")


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "meant":
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Mirror(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """A mirror has nothing of its own."""


class _Mirror(ModuleType):
    __path__: list[str]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        module = self.__name__.partition(".")[2]
        place, word = OTHER_WORDS.get((module, name), ("", name))
        places = (place,) if place else OURS.get(module, ())
        for candidate in places:
            found = getattr(_imported(candidate), word, ABSENT)
            if found is not ABSENT and not isinstance(found, ModuleType):
                return found
        peer = importlib.import_module(".".join(filter(None, ("testtools", module))))
        found = getattr(peer, name)
        if isinstance(found, ModuleType):
            return importlib.import_module(f"{self.__name__}.{name}")
        TAKEN_FROM_PEER.add(".".join(filter(None, (module, name))))
        return found


def _imported(name: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
