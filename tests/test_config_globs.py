"""Patterns of paths match what coverage.py's match, and folders by their name."""

import re
from contextlib import chdir
from pathlib import Path

import pytest
from coverage.exceptions import ConfigError
from coverage.files import GlobMatcher, globs_to_regex, prep_patterns
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from whotests.config.globs import checked_globs, compile_globs, translated
from whotests.errors import UsageError

PIECES = ["*", "**", "?", "[ab]", "/", "/", "a", "b", "a.py", ".", "\\", "***"]
GLOBS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)
PATHS = st.lists(st.sampled_from(["a", "b", "ab", "a.py", "c.d"]), min_size=1, max_size=4).map(
    lambda names: "/usr/" + "/".join(names)
)


@settings(max_examples=1500, deadline=None)
@given(GLOBS, PATHS)
@example("*/a/*", "/x/a/b/c.py")
@example("a.py", "/x/y/a.py")
@example("**/a.py", "/a.py")
def test_patterns_are_coverages(glob: str, path: str) -> None:
    """Any pattern matches the paths that coverage.py's own matches, and is refused if that is;
    '***' is refused wherever it stands."""
    try:
        pattern = globs_to_regex([glob])
    except ConfigError:
        pattern = None
    if pattern is None or "***" in glob:
        with pytest.raises(UsageError, match=r"the pattern '.*' has"):
            translated(glob)
        return
    expected = pattern.match(path) is not None
    assert (re.compile(translated(glob)).fullmatch(path) is not None) is expected


@settings(max_examples=500, deadline=None)
@given(GLOBS.filter(lambda glob: any(letter in glob for letter in "*?[")), PATHS)
def test_relative_patterns_are_coverages(glob: str, path: str) -> None:
    """A pattern with a wildcard is relative to the project's folder as to coverage.py's."""
    with chdir("/usr"):
        assume("***" not in glob and not glob.replace("\\", "/").startswith("//"))
        try:
            matcher = GlobMatcher(prep_patterns([glob]), "omit")
        except ConfigError:
            return
        expected = matcher.match(path)
    mine = compile_globs([glob], root="/usr")
    assert mine is not None
    assert (mine.fullmatch(path) is not None) is expected


@pytest.mark.parametrize("glob", ["lib", "lib/", "./lib", "lib/gen", "lib/gen/x.py"])
def test_a_folder_stands_for_what_it_holds(tmp_path: Path, glob: str) -> None:
    """A path without wildcards matches itself, and all below it."""
    pattern = compile_globs([glob], root=str(tmp_path))
    assert pattern is not None
    assert pattern.fullmatch(f"{tmp_path}/lib/gen/x.py")
    assert not pattern.fullmatch(f"{tmp_path}/library/gen/x.py")
    assert not pattern.fullmatch(f"{tmp_path}/other/lib/gen/y.py")


def test_a_root_with_wildcards_in_its_name(tmp_path: Path) -> None:
    """The folder's own name is never taken for a pattern."""
    root = tmp_path / "a[1]*"
    pattern = compile_globs(["src/*.py"], root=str(root))
    assert pattern is not None
    assert pattern.fullmatch(f"{root}/src/x.py")
    assert not pattern.fullmatch(f"{tmp_path}/a1x/src/x.py")


def test_no_pattern_is_none() -> None:
    """Nothing to match is told apart from what matches nothing."""
    assert compile_globs([], root="/") is None


def test_a_wrong_pattern_is_named() -> None:
    """The message says where it stands, which it is, and what is wrong with it."""
    with pytest.raises(UsageError, match=r"pyproject: the pattern 'a\*\*' has '\*\*'.*write"):
        checked_globs(("ok", "a**"), where="pyproject")
    with pytest.raises(UsageError, match=r"the pattern 'a\[' has a '\[' without"):
        checked_globs(("a[",), where="x")
