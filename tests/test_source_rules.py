"""Rules of a project's own exclude lines and excuse branches as coverage.py's do."""

from itertools import islice

import pytest
from coverage.config import CoverageConfig
from coverage.misc import join_regex
from coverage.parser import PythonParser

from source_programs import SOURCES
from test_source_branches import branch_counts, small_programs
from test_source_differential import with_pragmas
from whotests.source.analysis import analyse
from whotests.source.compiler_warnings import kept_warnings
from whotests.source.rules import in_force
from whotests.source.text import decode
from whotests.types import lines_in

Given = dict[str, tuple[str, ...]]

RULES: dict[str, Given] = {
    "none": {},
    "no exclusion": {"exclude_lines": ()},
    "no pragma": {"exclude_lines": (r"raise E\b",)},
    "added": {"exclude_also": (r"def __repr__", r"^\s*pass$")},
    "replaced and added": {"exclude_lines": (r"\bb = \d",), "exclude_also": (r"c = ", r"else:")},
    "any header": {"exclude_also": (r"^\s*(if|elif|while|for|with|try|except|match|case)\b",)},
    "definitions": {"exclude_also": (r"\bdef ", r"^class ")},
    "decorators": {"exclude_also": (r"@a", r"@property")},
    "else and finally": {"exclude_also": (r"^\s*else:", r"finally:")},
    "end of the line": {"exclude_also": (r":$",)},
    "empty": {"exclude_lines": ("",)},
    "empty among others": {"exclude_also": ("",)},
    "empty lines": {"exclude_also": (r"^$",)},
    "everything": {"exclude_also": (r".",)},
    "everything at once": {"exclude_also": (r"(?s:.*)",)},
    "line ends": {"exclude_also": (r"\n",)},
    "over two lines": {"exclude_also": (r"if a:\n\s+b = 1",)},
    "over many lines": {"exclude_also": (r"^if a(.|\n)*?^c = ",)},
    "from a comment to a comment": {"exclude_also": (r"# one(?s:.)*?# two",)},
    "a header and its body": {"exclude_also": (r"case [^\n]*\n\s*\.\.\.",)},
    "the blank lines before": {"exclude_also": (r"^\s*def f",)},
    "the last line end": {"exclude_also": (r"\s*\Z",)},
    "hidden by an earlier one": {"exclude_also": (r"a = 1\n", r"a = 1\nb = ", r"b = [12]")},
    "alternatives": {"exclude_also": (r"a = 1|b = 2", r"x|y")},
    "groups": {"exclude_also": (r"(a|b) = (\d)", r"(?P<name>c) = ")},
    "a group referred to": {"exclude_lines": (r"(\w) = \w+; (\w)", r"(\w)(?: = )\1")},
    "a group of one alone": {"exclude_lines": (r"(\w+)[^\n]*\n\s*\1",)},
    "looking around": {"exclude_also": (r"(?<=if )a(?=:)", r"^(?!.*return).*x$")},
    "case": {"exclude_also": (r"(?i:PASS)", r"(?i:B = 1)")},
    "flags before one alone": {"exclude_lines": (r"(?i)B = 1",)},
    "not of many lines": {"exclude_also": (r"(?-m:^)a = 1", r"(?-m:b = \d$)")},
    "white space": {"exclude_also": (r"  pass  ", "\tb = 1")},
    "brackets": {"exclude_also": (r"^\s*\]", r"^\s*\)", r"1,$")},
    "partial": {"partial_branches": (r"if a",)},
    "partial, added": {"partial_also": (r"^\s*for ", r"while a:\n\s+a = 2\n", r"case _")},
    "partial, replaced": {"partial_branches": (), "partial_also": (r"elif",)},
    "partial and excluded": {"partial_also": (r"if a",), "exclude_also": (r"if a: b", r"else")},
    "partial over continued lines": {"partial_also": (r"^\s*e\):", r"\bd\)?:?$")},
}


def coverage_rules(given: Given) -> tuple[str, str]:
    """What coverage.py makes of these settings: what excludes, and what excuses."""
    config = CoverageConfig()
    names = {"exclude_lines": "exclude_list", "partial_branches": "partial_list"}
    config.from_args(**{names.get(key, key): list(value) for key, value in given.items()})
    config.post_process()
    partial = config.partial_list + config.partial_always_list
    return join_regex(config.exclude_list), join_regex(partial)


@pytest.mark.parametrize("name", RULES)
def test_rules(name: str) -> None:
    """What the rules of a project drop, and excuse, is what coverage.py's drop and excuse, in
    programs of all kinds and with a pragma on any line."""
    given = RULES[name]
    exclude, partial = in_force(
        exclude_lines=given.get("exclude_lines"),
        exclude_also=given.get("exclude_also", ()),
        partial_branches=given.get("partial_branches"),
        partial_also=given.get("partial_also", ()),
    )
    their_exclude, their_partial = coverage_rules(given)
    programs = [source for source in SOURCES.values() if b"\f" not in source]
    programs += [source for _, source in islice(small_programs(), 0, None, 4)]
    programs += islice(with_pragmas(SOURCES["nested exclusions"]), 6)
    found, dropped, excused = [], 0, 0
    for source in programs:
        text = decode(source)
        try:
            ours = analyse(source, "program.py", rules=exclude, partial_rules=partial, branch=True)
        except SyntaxError:  # of a newer Python
            continue
        theirs = PythonParser(text=text, filename="program.py", exclude=their_exclude)
        with kept_warnings():  # of a `finally` that jumps
            theirs.parse_source()
        exits = {line: count for line, count in theirs.exit_counts().items() if count > 1}
        facts = (
            set(lines_in(ours.statements & ~ours.excluded)),
            set(lines_in(ours.excluded)),
            branch_counts(ours),
            set(lines_in(ours.partial)),
        )
        expected = (
            theirs.statements,
            theirs.excluded,
            exits,
            theirs.lines_matching(their_partial),
        )
        dropped += len(theirs.excluded)
        excused += len(expected[-1])
        if facts != expected:
            found.append((text, facts, expected))
    assert found == []
    assert dropped or name in ("no exclusion", "empty")
    assert excused
