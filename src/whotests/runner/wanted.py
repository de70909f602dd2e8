"""What the command line asks of a run: which tests, in which order, how often."""

from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Final, Literal

from whotests.errors import UsageError

__all__ = ["Order", "Shard", "Wanted", "parsed_order", "parsed_shard"]

OrderWord = Literal["", "file", "random", "slowest", "list"]

_ORDERS: Final = ("file", "random", "random:SEED", "slowest", "list")

_MOST_SEED: Final = 2**32


@dataclass(frozen=True, slots=True)
class Order:
    """In which order tests are run."""

    by: OrderWord = ""
    """'': that of the hosts with one worker, longest first with several. 'file': that of the
    hosts. 'random': shuffled by `seed`. 'slowest': longest first. 'list': that of the list."""
    seed: int = 0
    """Of 'random': the same tests and the same seed give the same order, on any machine."""

    def __str__(self) -> str:
        """As it is written behind `--order`."""
        return f"random:{self.seed}" if self.by == "random" else self.by


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several equal parts of the tests."""

    number: int
    """From 1 on."""
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that the command line can ask of choosing tests; the defaults ask for all, once."""

    targets: tuple[str, ...] = ()
    """As typed: `[pytest:|unittest:|trial:|django:]PATH|MODULE|ID`; none: what the project's
    configuration says, else what is found."""
    words: tuple[str, ...] = ()
    """Further words for pytest, or for the one runner of all tests: those after `--`."""
    keyword: str = ""
    """The expression of `-k`, or ''."""
    failed: bool = False
    """Only tests that failed when they were run last."""
    load_list: Path | None = None
    """A file with the ids of the tests to run, one per line; '-' is the standard input."""
    shard: Shard | None = None
    order: Order = Order()
    repeat: int = 1
    """How many rounds."""
    until_failure: bool = False
    """Rounds until a test fails; `repeat`, where it is above 1, is the most of them."""
    isolate: str = ""
    """The id of the test of which to find what makes it fail, or ''."""
    max_failures: int = 0
    """Stop after so many failures (`-x` is 1); 0: never."""
    only_list: bool = False
    """Tell which tests would be run, and run none."""

    def __post_init__(self) -> None:
        """Raises UsageError for what does not fit together."""
        if self.order.by == "list" and self.load_list is None:
            raise UsageError("--order list is the order of a list: name it by --load-list FILE")
        if self.isolate:
            others = {
                "--list": self.only_list,
                "--repeat": self.repeat > 1,
                "--until-failure": self.until_failure,
                "--shard": self.shard is not None,
                "--failed": self.failed,
            }
            for option in (option for option, given in others.items() if given):
                raise UsageError(
                    f"--isolate and {option} do not fit: it makes experiments of its own with all "
                    f"tests that are chosen; leave {option} out"
                )


def parsed_order(text: str, *, seed: int | None = None) -> Order:
    """The order that is written so: file, random, random:SEED, slowest, list.

    `seed` is that of 'random' without one (None: any number). Raises UsageError.
    """
    word, colon, number = text.partition(":")
    if word == "random" and not colon:
        return Order("random", SystemRandom().randrange(10**6) if seed is None else seed)
    if word == "random" and number.isdecimal() and int(number) < _MOST_SEED:
        return Order("random", int(number))
    if word in ("file", "slowest", "list") and not colon:
        return Order(word)  # type: ignore[arg-type]
    near = (
        "; a seed is a whole number from 0 on, for instance --order random:7"
        if word == "random"
        else ""
    )
    raise UsageError(f"--order {text}: there is no such order; one of {', '.join(_ORDERS)}{near}")


def parsed_shard(text: str) -> Shard:
    """The shard that is written so: 2/5 is the second of five. Raises UsageError."""
    number, _, of = text.partition("/")
    if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
        return Shard(int(number), int(of))
    raise UsageError(
        f"--shard {text}: write I/N, with I from 1 to N; the second of five is --shard 2/5"
    )
