"""Options of a command with many of them, in groups that its help shows one by one."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from whotests.cli.options_elsewhere import hint_for

__all__ = ["GroupedCommand", "group_of_options"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


class _GroupedOption(click.Option):
    """An option that knows its group's title."""

    def __init__(self, *args: Any, group: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group

    def get_help_extra(self, ctx: click.Context) -> "click.types.OptionHelpExtra":
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)  # what an option's help says is enough, and easier to read
        return extra


def group_of_options(title: str) -> Callable[..., Callable[[_Function], _Function]]:
    """`click.option` for the options that stand under this title."""

    def option(*names: str, **attributes: Any) -> Callable[[_Function], _Function]:
        return click.option(*names, cls=_GroupedOption, group=title, **attributes)

    return option


class GroupedCommand(click.Command):
    """Shows its options group by group, in the order in which they stand. What stands behind
    `--` is not looked at: the command finds it in `context.meta` under `BEHIND`. Options of other
    runners are refused with what to write instead."""

    BEHIND = "whotests.behind"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        behind: list[str] = []
        if "--" in args:
            place = args.index("--")
            args, behind = args[:place], args[place + 1 :]
        ctx.meta[self.BEHIND] = tuple(behind)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            option = error.option_name
            hint = hint_for(option, ctx.command_path, near=error.possibilities or ())
            raise click.UsageError(f"no such option {option!r}; {hint}", ctx) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if isinstance(param, click.Argument):
                continue
            if (record := param.get_help_record(ctx)) is not None:
                groups.setdefault(getattr(param, "group", "Other"), []).append(record)
        for title, records in groups.items():
            with formatter.section(title):
                formatter.write_dl(records)
