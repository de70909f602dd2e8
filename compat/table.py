"""The comparisons as Markdown: a table of the suites, and every difference by name."""

from collections.abc import Sequence

from compat.comparison import Comparison

__all__ = ["render"]


def render(compared: Sequence[Comparison], *, about: str) -> str:
    """The whole passage for the page; `about` says when and on what it was compared."""
    tests = sum(comparison.plain.outcomes.count for comparison in compared)
    different = sum(len(comparison.unexplained) for comparison in compared)
    known = sum(len(comparison.explained) for comparison in compared)
    total = (
        f"**{len(compared)} suites, {tests:,} tests: {different or 'no'} unexplained "
        f"difference{'' if different == 1 else 's'}**, {known} explained."
    )
    return "\n\n".join((about, total, suites_table(compared), named_differences(compared)))


def suites_table(compared: Sequence[Comparison]) -> str:
    headers = ["suite", "what it is", "runner", "tests", "outcomes", "different", "CPU"]
    lines = [headers, ["---"] * len(headers)]
    for one in compared:
        suite, outcomes = one.suite, one.plain.outcomes
        different = [f"**{len(one.unexplained)}**"] if one.unexplained else []
        different += [f"{len(one.explained)} explained"] if one.explained else []
        different += [f"{len(one.flaky)} by itself"] if one.flaky else []
        lines.append(
            [
                f"{suite.project} {suite.version}",
                suite.kind,
                f"{suite.runner}{' -n2' if '-n2' in suite.arguments else ''}",
                f"{outcomes.count:,}",
                outcomes.summary,
                ", ".join(different) or "none",
                f"{one.ratio:.2f}x",
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def named_differences(compared: Sequence[Comparison]) -> str:
    """Each difference, with its reason or that there is none."""
    lines = []
    for one in compared:
        name = one.suite.name
        lines += [f"- {name}: **{escaped(line)}**" for line in one.unexplained]
        lines += [f"- {name}: {escaped(line)}. {reason}" for line, reason in one.explained]
        lines += [
            f"- {name}: {escaped(line)}. It differs between plain runs." for line in one.flaky
        ]
    return "\n".join(lines) or "No outcome, order, reason of a skip or warning differs."


def escaped(line: str) -> str:
    """As code, on one line, without what ends a table's cell."""
    return f"`{' '.join(line.split())[:300].replace('`', chr(39))}`"
