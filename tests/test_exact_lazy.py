"""What Python evaluates later than the statement that it stands in comes out the same:
annotations, the values of type aliases, and what bounds type parameters."""

from pathlib import Path

from lazy_evaluation import lazy_annotations, lazy_defaults, lazy_scopes
from same_programs import assert_same

pytestmark = lazy_scopes

ANNOTATED = """
import abc, dataclasses, enum, functools, inspect, traceback, typing
from annotationlib import Format, ForwardRef, call_annotate_function, get_annotations
from dataclasses import dataclass, field, InitVar
from typing import Annotated, Callable, ClassVar, Generic, NamedTuple, Protocol, TypedDict

number: int = 1
text: "int | Missing"
unknown: Missing
nested: dict[str, list[Missing.inner]] = {}
called: Missing(1, two=2)[3:4]
constant: 3
nothing: None
many: (int, str)
chosen: int if number else str
either: int or Missing
both: int and Missing
compared: Missing < 3
inner: lambda x: (x, number)
made: [x for x in (int, str)]
class Formatted:
    text: f"{number}"
(bracketed): print("evaluated at once")
attribute = type("Attribute", (), {})()
attribute.value: print("evaluated with the target") = 1
if number:
    conditional: int
    other_way: Missing
else:
    never: int
for turn in range(2):
    looped: Annotated[int, turn]


def function(
    a: int,
    /,
    b: "text" = 1,
    *rest: Missing,
    c: Annotated[int, number] = 2,
    **others: list[int],
) -> Missing | None:
    local: Missing = 1
    local.attribute: print("never evaluated") = 2
    return local


def starred(*args: *tuple[int, str]) -> None: ...
def only_return() -> Missing: ...
def one_line(x: Missing, y: int): return x
async def coroutine(x: Missing) -> int: ...
def generator(x: int) -> Callable[[Missing], int]: yield


def outer(kind):
    def within(x: kind, y: Missing) -> kind:
        return x

    class Within:
        a: kind
        b: Missing

        def method(self, other: Within, x: kind) -> kind: ...

    return within, Within


class Plain:
    first: int
    second: Plain = 1
    third: Missing
    fourth: first
    __private: int
    kind = int
    of_kind: kind
    if kind:
        conditional: kind
    for turn in (1, 2):
        looped: Annotated[int, turn]

    def method(self, other: Plain, x: kind, y: __private) -> kind: ...

    @classmethod
    def made(cls, x: kind) -> Plain: ...

    @property
    def value(self) -> kind: ...

    class Inner:
        a: Plain
        b: Inner


class Generic1[T, *Ts, **P]:
    item: T
    items: tuple[*Ts]
    call: Callable[P, T]
    def method[S](self, x: T, y: S, *args: *Ts) -> dict[S, T]: ...


def generic[T: int](x: T, y: list[T]) -> T: ...


@dataclass
class Data:
    a: int
    b: Missing
    c: ClassVar[int] = 3
    d: InitVar[int] = 4
    e: list[Data] = field(default_factory=list)
    _: dataclasses.KW_ONLY
    f: "str" = "f"


class Named(NamedTuple):
    a: int
    b: Named | None = None


class Typed(TypedDict, total=False):
    a: typing.Required[int]
    b: Typed
    c: typing.NotRequired[Missing]


class Shape(Protocol):
    side: int
    def area(self, scale: Missing) -> int: ...


class Colour(enum.Enum):
    red: int = 1
    green = 2


@functools.singledispatch
def dispatched(x): return "any"
@dispatched.register
def _(x: int): return "int"
@dispatched.register
def _(x: list | tuple): return "list"


@functools.wraps(function)
def wrapper(*args, **kwargs): ...


def shown(title, call):
    try:
        found = call()
    except BaseException as error:
        print(title, type(error).__name__, error)
    else:
        print(title, found)


def show(title, thing):
    for form in (Format.VALUE, Format.FORWARDREF, Format.STRING):
        shown(f"{title} {form.name}", lambda: get_annotations(thing, format=form))
        if not inspect.ismodule(thing):
            signature = lambda: inspect.signature(thing, annotation_format=form)
            shown(f"{title} signature {form.name}", signature)
            shown(f"{title} signature text {form.name}", lambda: signature().format())
    shown(f"{title} hints", lambda: typing.get_type_hints(thing))
    shown(f"{title} hints with extras", lambda: typing.get_type_hints(thing, include_extras=True))
    for form in (Format.FORWARDREF, Format.STRING):
        shown(f"{title} hints {form.name}", lambda: typing.get_type_hints(thing, format=form))
    shown(f"{title} __annotations__", lambda: thing.__annotations__)
    annotate = getattr(thing, "__annotate__", None)
    for form in (1, 2, 3, 4, 0, "x"):
        shown(f"{title} __annotate__ {form}", lambda: annotate(form))
    for form in (Format.FORWARDREF, Format.STRING):
        shown(f"{title} call {form}", lambda: call_annotate_function(annotate, form))


THINGS = {
    "module": __import__("sys").modules[__name__],
    "function": function, "starred": starred, "only_return": only_return, "one_line": one_line,
    "coroutine": coroutine, "generator": generator,
    "within": outer(int)[0], "Within": outer(str)[1], "Within.method": outer(str)[1].method,
    "Plain": Plain, "Plain.method": Plain.method, "Plain.made": Plain.made,
    "Plain.value": Plain.value.fget, "Inner": Plain.Inner,
    "Generic1": Generic1, "Generic1.method": Generic1.method, "generic": generic,
    "Data": Data, "Data.__init__": Data.__init__, "Named": Named, "Typed": Typed,
    "Formatted": Formatted, "Shape": Shape, "Shape.area": Shape.area, "Colour": Colour,
    "wrapper": wrapper,
}


def show_all():
    for title, thing in THINGS.items():
        show(title, thing)
    for title, thing in THINGS.items():
        if title == "module" or title.startswith("Data"): continue
        code = getattr(getattr(thing, "__annotate__", None), "__code__", None)
        if code is not None:
            print(title, code.co_qualname, code.co_varnames, code.co_freevars, code.co_firstlineno)


try:
    function.__annotations__
except NameError:
    traceback.print_exc()
show_all()
print(dataclasses.fields(Data))
print(Named.__annotations__, dispatched(1), dispatched([]), dispatched("x"))
shown("typed keys", lambda: (Typed.__required_keys__, Typed.__optional_keys__))
shown("reference", lambda: ForwardRef("Missing", owner=Plain).evaluate())
class Missing:
    inner = int
    def __class_getitem__(cls, item): return item
    def __or__(self, other): return (self, other)
show_all()
"""

BOUNDS = """
import inspect, traceback, typing
from typing import Callable, TypeAliasType, TypeVar

print("plain", TypeVar("T", bound=int).__bound__)

type Whole = int
type Text = "int"
type Either = int | Text
type Missed = list[Missing]
type Twice[T] = list[T] | dict[T, T]
type Bound[T: (int, str), *Ts, **P] = Callable[P, tuple[T, *Ts]]
type Recursive = list[Recursive] | None
type Nested[T] = Recursive | Twice[T]
type Failing = 1 / 0
type Spread = (
    int |
    str
)

class Holder:
    kind = int
    type Kind = kind
    type Own = Holder | Kind
    def method[T: kind](self, x: T) -> T: return x
    class Inner[T: "Missing"]:
        type Two[S: T] = tuple[S, T]

class Base[T, U: int, V: (int, str), W: (Missing,), X: ()]:
    pass

class Child[T: int](Base[T, int, str, int, int]):
    def method[S: T](self, x: S) -> T: ...
    async def coroutine[S: (T, list[T])](self, x: S) -> S: ...

def decorated(thing):
    return thing

@decorated
def generic[T: int, U: (int, str), V: Missing, *Ts, **P](x: T, *args: *Ts) -> U:
    return x

def outer(kind):
    def within[T: kind](x: T) -> T:
        return x
    class Within[T: (kind, list[kind])]: ...
    type Alias[T: kind] = dict[T, kind]
    return within, Within, Alias

def unused[T: print("never evaluated")](): ...

def shown(title, call):
    try:
        found = call()
    except Exception as error:
        print(title, type(error).__name__, error)
    else:
        print(title, found)

def show(title, thing):
    if isinstance(thing, TypeAliasType):
        shown(f"{title} value", lambda: thing.__value__)
        shown(f"{title} again", lambda: thing.__value__ is thing.__value__)
        evaluators(f"{title} value", getattr(thing, "evaluate_value", None))
    for parameter in thing.__type_params__:
        name = f"{title} {parameter}"
        for attribute in ("__bound__", "__constraints__", "__default__"):
            shown(f"{name} {attribute}", lambda: getattr(parameter, attribute))
        for attribute in ("evaluate_bound", "evaluate_constraints", "evaluate_default"):
            evaluators(f"{name} {attribute}", getattr(parameter, attribute, None))

def evaluators(title, evaluate):
    if evaluate is not None:
        from annotationlib import call_evaluate_function
        for form in (1, 2, 3, 4):
            shown(f"{title} {form}", lambda: evaluate(form))
            shown(f"{title} by call {form}", lambda: call_evaluate_function(evaluate, form))

def show_all():
    for title, thing in [*globals().items(), *zip("wWA", outer(int))]:
        if isinstance(getattr(thing, "__type_params__", None), tuple) and title != "unused":
            show(title, thing)
    for title in ("Kind", "Own", "method", "Inner"):
        show(f"Holder.{title}", getattr(Holder, title))
    show("Two", Holder.Inner.Two)
    show("Child.method", Child.method)
    show("Child.coroutine", Child.coroutine)
    if not hasattr(generic, "__annotate__"):
        print(inspect.signature(generic), inspect.signature(Child.method))

show_all()
for alias in (Failing, Missed):
    try:
        alias.__value__
    except Exception:
        traceback.print_exc()
Missing = bytes
show_all()
print(Twice[int].__value__, Bound[int, [str], [int]], typing.get_type_hints(Child.method))
"""

DEFAULTS = """
import inspect
from typing import NoDefault
def generic[T = int, U: int = bool, V: (int, str) = Missing, *Ts = *tuple[int, str], **P = [int]](
    x: T,
) -> U:
    return x
class Class[T = list[Missing], U = T]: ...
type Alias[T = dict[str, int], *Ts = *tuple[Missing, ...]] = tuple[T, *Ts]
def show():
    for thing in (generic, Class, Alias):
        for parameter in thing.__type_params__:
            try:
                print(thing, parameter, parameter.has_default(), parameter.__default__)
            except NameError as error:
                print(thing, parameter, error)
            for form in (1, 2, 3, 4):
                try:
                    from annotationlib import call_evaluate_function
                    print(form, call_evaluate_function(parameter.evaluate_default, form))
                except Exception as error:
                    print(form, type(error), error)
show()
Missing = str
show()
print(Class[int], Alias[int], Class[int].__args__)
"""


@lazy_annotations
def test_annotations_are_the_same_in_all_formats(tmp_path: Path) -> None:
    """What reads annotations finds the same: as values, with names that are missing, as text."""
    ended = assert_same(tmp_path, {"prog.py": ANNOTATED})
    assert ended.out.count("\n") > 400


def test_aliases_and_bounds_are_the_same(tmp_path: Path) -> None:
    """Values of aliases, bounds and constraints are what they are without measuring."""
    ended = assert_same(tmp_path, {"prog.py": BOUNDS})
    assert ended.out.count("\n") > 100
    assert "never evaluated" not in ended.out


@lazy_defaults
def test_defaults_of_type_parameters_are_the_same(tmp_path: Path) -> None:
    """So are their defaults, and that they have some."""
    ended = assert_same(tmp_path, {"prog.py": DEFAULTS})
    assert ended.out.count("\n") > 50
