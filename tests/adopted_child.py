"""Runs the unittest suite of a project in this process; a line of JSON with what came of it.

Called as: adopted_child.py WHOSE MODULE..., where WHOSE is the module whose `TestCase` stands for
unittest's cases, or 'unittest'. The modules' source is rewritten in memory for it, and calls the
setUp and tearDown of the base class.
"""

import ast
import importlib
import json
import re
import sys
import unittest
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType
from typing import Any

ADOPTED = "adopted_base"
CASES = ("TestCase", "IsolatedAsyncioTestCase")
UPCALLS = {"setUp", "asyncSetUp", "tearDown", "asyncTearDown"}
ADDRESS = re.compile(r"0x[0-9a-f]+|id='[0-9]+'")


class Adopt(ast.NodeTransformer):
    """Takes test cases from `adopted_base` that are unittest's in the source."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        if node.module not in ("unittest", "unittest.case"):
            return node
        ours = [alias for alias in node.names if alias.name in CASES]
        rest = [alias for alias in node.names if alias.name not in CASES]
        kept: list[ast.stmt] = []
        if ours:
            kept.append(ast.ImportFrom(module=ADOPTED, names=ours, level=0))
        if rest:
            kept.append(ast.ImportFrom(module=node.module, names=rest, level=0))
        return kept

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self.generic_visit(node)
        if node.attr in CASES and ast.unparse(node.value) in ("unittest", "unittest.case"):
            return ast.parse(f"__import__({ADOPTED!r}).{node.attr}", mode="eval").body
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        self.generic_visit(node)
        if node.name in UPCALLS and f"super().{node.name}" not in ast.unparse(node):
            call = f"getattr(super(), {node.name!r}, lambda: None)()"
            (upcall,) = ast.parse(call).body
            first = node.name in ("setUp", "asyncSetUp")
            node.body = [upcall, *node.body] if first else _finally(node.body, upcall)
        return node


def _finally(body: list[ast.stmt], last: ast.stmt) -> list[ast.stmt]:
    return [ast.Try(body=body, handlers=[], orelse=[], finalbody=[last])]


class Adopting(SourceFileLoader):
    """Loads a module with its cases adopted."""

    def source_to_code(self, data: Any, path: Any, **options: Any) -> CodeType:  # type: ignore[override]
        tree = ast.fix_missing_locations(Adopt().visit(ast.parse(data)))
        return compile(tree, path, "exec", dont_inherit=True)

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class Finder:
    """Finds the modules that are to be adopted, and those in their packages."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.packages = {name.rpartition(".")[0] for name in names}

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name.rpartition(".")[0] not in self.packages:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Adopting(name, spec.loader.path)
        return spec


class Outcomes(unittest.TestResult):
    """The outcomes of each test and part, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}

    def note(self, test: unittest.TestCase, outcome: str) -> None:
        name = ADDRESS.sub("…", test.id())
        self.found.setdefault(name, []).append(outcome)

    def addSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self.note(test, "passed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self.note(test, f"skipped: {reason}")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.note(test, f"failed: {err[0].__name__}")

    def addError(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.note(test, f"error: {err[0].__name__}")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:  # noqa: N802
        self.note(test, "expected failure")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:  # noqa: N802
        self.note(test, "unexpected success")

    def addSubTest(  # noqa: N802
        self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any
    ) -> None:
        self.note(subtest, "passed" if err is None else f"failed: {err[0].__name__}")


def main(whose: str, *names: str) -> None:
    if whose != "unittest":
        adopted: Any = importlib.import_module(whose)
        case = adopted.TestCase
        case.fail_on_logged_errors = False
        case.allow_leftovers = True
        sys.modules[ADOPTED] = adopted = type(sys)(ADOPTED)
        adopted.TestCase = adopted.IsolatedAsyncioTestCase = case
        sys.meta_path.insert(0, Finder(names))
    outcomes = Outcomes()
    for name in names:
        unittest.defaultTestLoader.loadTestsFromName(name).run(outcomes)
    print(json.dumps(outcomes.found))


if __name__ == "__main__":
    main(*sys.argv[1:])
