"""What Python evaluates later than its statement counts where it is evaluated."""

from pathlib import Path

import pytest

from both_measured import Comparing
from lazy_evaluation import lazy_annotations, lazy_defaults, lazy_scopes

pytestmark = lazy_scopes

ANNOTATIONS_IN_CONTEXTS = """
switch("defined")
import annotationlib
from annotationlib import Format
module: int = 1
bare: str
if module: in_one_line: int = 2
else: not_run: int = 3
for turn in (1, 2):
    looped: list[
        int
    ] = turn
def function(
    x: int,
    y: str = "",
    *rest: Missing,
) -> None:
    local: Missing = 1
    return local
def on_one_line(x: int): return x
def choosing(x: int):
    if x: return 1
def of_line(x: int) -> int: return 1 if x else 2
async def coroutine(x) -> int:
    return x
def decorated(thing):
    return thing
@decorated
@decorated
def under_decorators(x: int) -> int:
    return x
class Class:
    a: int = 1
    b: Missing = 2
    c: str
    if a:
        d: int = 3
    else:
        e: int = 4
    def method(self, x: Class) -> int:
        return x
    class Inner:
        f: Missing = 5
class Generic[T]:
    a: T = 1
    def method[S](self, x: T, y: S): return x
    def other[S](self, x: T, y: S):
        return x
def within(kind):
    def inside(x: kind): return x
    return inside
switch("function")
try:
    function.__annotations__
except NameError:
    pass
switch("function as text")
annotationlib.get_annotations(function, format=Format.STRING)
switch("function with references")
annotationlib.get_annotations(function, format=Format.FORWARDREF)
switch("one line")
on_one_line.__annotations__
switch("one line again")
on_one_line.__annotations__
switch("one line called")
on_one_line(1)
switch("choosing")
choosing.__annotations__
switch("choosing called")
choosing(1), choosing(0)
switch("of line")
of_line.__annotations__
switch("coroutine")
coroutine.__annotations__
switch("under decorators")
under_decorators.__annotations__
switch("class")
try:
    Class.__annotations__
except NameError:
    pass
switch("class as text")
annotationlib.get_annotations(Class, format=Format.STRING)
switch("class with references")
annotationlib.get_annotations(Class, format=Format.FORWARDREF)
switch("method")
Class.method.__annotations__
switch("inner")
try:
    Class.Inner.__annotations__
except NameError:
    pass
switch("generic")
Generic.__annotations__
switch("generic method")
Generic.method.__annotations__
switch("generic other")
Generic.other.__annotations__
switch("within")
inside = within(int)
switch("inside")
inside.__annotations__
switch("module")
__annotate__(1)
switch("module as text")
annotationlib.call_annotate_function(__annotate__, Format.STRING)
switch("again")
def function(x: int):
    return x
switch("rest")
"""

BOUNDS_IN_CONTEXTS = """
switch("defined")
type Alias = list[int]
type Long = dict[
    int,
    str,
]
type Failing = list[Missing]
type Parameters[T: int, U: (int, str)] = dict[T, U]
if Alias: type Beside = int
def function[T: int, U: (Missing, int)](x):
    return x
def on_one_line[T: int](x): return x
def over_lines[
    T: int,
    U: (
        int, str
    ),
](x):
    return x
class Class[T: int, U: (int, str)]:
    type Inside = T
    def method[S: T](self):
        return 1
def within(kind):
    type Alias = kind
    def inside[T: kind]():
        return 1
    return Alias, inside
switch("alias")
Alias.__value__
switch("alias again")
Alias.__value__
switch("long")
Long.__value__
switch("failing")
try:
    Failing.__value__
except NameError:
    pass
switch("parameters")
Parameters.__value__
switch("bound of parameters")
Parameters.__type_params__[0].__bound__
switch("constraints of parameters")
Parameters.__type_params__[1].__constraints__
switch("beside")
Beside.__value__
switch("function")
function.__type_params__[0].__bound__
switch("function fails")
try:
    function.__type_params__[1].__constraints__
except NameError:
    pass
switch("one line")
on_one_line.__type_params__[0].__bound__
switch("over lines")
over_lines.__type_params__[0].__bound__
switch("over lines too")
over_lines.__type_params__[1].__constraints__
switch("class")
Class.__type_params__[0].__bound__
switch("class too")
Class.__type_params__[1].__constraints__
switch("method")
Class.method.__type_params__[0].__bound__
switch("inside class")
Class.Inside.__value__
switch("called")
alias, inside = within(int)
switch("inside alias")
alias.__value__
switch("inside")
inside.__type_params__[0].__bound__
switch("rest")
"""

DEFAULTS_IN_CONTEXTS = """
switch("defined")
type Alias[T = list[int]] = T
def function[T: int = int, *Ts = *tuple[int], **P = [int]](x):
    return x
def on_one_line[T = int](x): return x
class Class[
    T = Missing,
]:
    a = 1
switch("alias")
Alias.__type_params__[0].__default__
switch("function")
function.__type_params__[0].__default__
switch("tuple")
function.__type_params__[1].__default__
switch("parameters")
function.__type_params__[2].__default__
switch("bound")
function.__type_params__[0].__bound__
switch("one line")
on_one_line.__type_params__[0].__default__
switch("class")
try:
    Class.__type_params__[0].__default__
except NameError:
    pass
switch("rest")
"""

FIRST = 'switch("defined")'


NOT_REACHED = "else: not_run: int = 3"
ONLY_SEEN = {
    ("module", FIRST),
    ("module", NOT_REACHED),
    ("module as text", FIRST),
    ("class", "class Class:"),
    ("class as text", "class Class:"),
    ("class with references", "class Class:"),
    ("class with references", "e: int = 4"),
    ("inner", "class Inner:"),
    ("generic", "class Generic[T]:"),
}
"""What the tracer says of the scope of annotations, and whotests does not."""


@pytest.mark.parametrize("branch", [False, True], ids=["lines", "branches"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(BOUNDS_IN_CONTEXTS, id="bounds"),
        pytest.param(DEFAULTS_IN_CONTEXTS, id="defaults", marks=lazy_defaults),
        pytest.param(ANNOTATIONS_IN_CONTEXTS, id="annotations", marks=lazy_annotations),
    ],
)
def test_they_count_where_they_are_evaluated(tmp_path: Path, text: str, branch: bool) -> None:
    """The line of a statement counts for each context that evaluates a lazy part of it."""
    with Comparing(tmp_path, branch=branch) as comparing:
        compared = comparing.compare(text)
    assert compared.their_ending == compared.our_ending == ""
    if not branch:
        assert len(compared.ours) == text.count("switch("), str(compared)
        assert not compared.superfluous, str(compared)
        lines = text.splitlines()
        missing = {(name, lines[line - 1].strip()) for name, (line, _) in compared.missing}
        assert missing == (ONLY_SEEN if text == ANNOTATIONS_IN_CONTEXTS else set()), str(compared)
    else:
        assert not compared.unexplained, str(compared)
