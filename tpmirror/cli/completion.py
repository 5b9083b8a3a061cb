"""``tpmirror completion``, and the values that a shell completes: reports, filters, ids that the mirror holds.

A value is looked up while a line is typed, so whatever stands in the way of that ends with no value and without a word.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class

Completer: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]
"""What click calls for the values of an option or an argument that begin with a text."""

SHELLS: Final = ("bash", "zsh", "fish")
_QUOTED: Final = r"[^\w@%+=:,./-]"
"""What bash would not take as a part of a word."""
_BACKSLASHES: Final = r"\\\\\g<0>"
NEWEST: Final = 50
"""Jobs offered at most."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete commands, options, reports, filters and ids of jobs.

    \b
    bash, in ~/.bashrc:                  eval "$(tpmirror completion bash)"
    zsh, in ~/.zshrc, after compinit:    eval "$(tpmirror completion zsh)"
    fish, in ~/.config/fish/config.fish: tpmirror completion fish | source
    """
    root = context.find_root()
    script = get_completion_class(shell)
    assert script is not None, "click knows each of SHELLS"  # noqa: S101 - narrows the type
    click.echo(script(root.command, {}, str(root.info_name), f"_{root.info_name}_COMPLETE".upper()).source())


class _Bash(BashComplete):
    """Click's completion for bash, with blanks in values escaped: ``In Queue`` would become two words."""

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """A line for the script, whose ``read`` takes one backslash of two."""
        return f"{item.type},{re.sub(_QUOTED, _BACKSLASHES, str(item.value)) if item.type == 'plain' else item.value}"


add_completion_class(_Bash)


class JobId(click.IntRange):
    """The id of a job, completed with the newest ones of the mirror."""

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click names the arguments
        incomplete: str,
    ) -> list[CompletionItem[str]]:
        """The newest jobs whose ids begin so."""
        return _job_ids(ctx, incomplete, is_absent=False)


def absent_jobs(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The newest jobs that the list lacks and whose ids begin so."""
    return _job_ids(context, incomplete, is_absent=True)


def entries(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The open entries of the quarantine whose numbers begin so."""
    from tpmirror.store.quarantine import open_entries

    return _items(incomplete, _read(context, lambda conn: ((row["id"], row["reason"]) for row in open_entries(conn))))


def filters(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """What the dashboard's filter of this name can be set to."""
    from tpmirror.store.queries import job_choices

    choices = _read(context, lambda conn: job_choices(conn)[str(parameter.name)])
    return _items(incomplete, ((choice["name"], None) for choice in choices))


def reports(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """The reports whose names begin so."""
    from tpmirror.reports.registry import REPORTS

    return _items(incomplete, ((name, report.about) for name, report in REPORTS.items()))


def splits(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """What the report that the line names can be split by; without one what any can."""
    from tpmirror.reports.registry import REPORTS

    # Among the arguments that are left over: with the value of --by missing, click has not matched them with names.
    named = [REPORTS[word] for word in context.args if word in REPORTS]
    chosen = named or REPORTS.values()
    return _items(incomplete, ((by, None) for by in dict.fromkeys(by for report in chosen for by in report.by)))


def one_of(*values: str) -> Completer:
    """A completer that offers these values."""
    return lambda _context, _parameter, incomplete: _items(incomplete, ((value, None) for value in values))


def file(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Leave it to the shell, which completes the names of files."""
    return [CompletionItem(incomplete, type="file")]


def _job_ids(context: click.Context, incomplete: str, *, is_absent: bool) -> list[CompletionItem[str]]:
    from tpmirror.store.queries import newest_jobs

    found = _read(context, lambda conn: newest_jobs(conn, incomplete, NEWEST, is_absent=is_absent))
    return _items(incomplete, found)


def _items(incomplete: str, values: Iterable[Sequence[Any]]) -> list[CompletionItem[str]]:
    """The values that begin so, whatever their case, each with a word about it."""
    start = incomplete.casefold()
    return [
        CompletionItem(str(value), help=about) for value, about in values if str(value).casefold().startswith(start)
    ]


def _read(context: click.Context, query: Callable[[Any], Iterable[Any]]) -> list[Any]:
    """What a query finds in the mirror that the line names so far, by its options or by the environment."""
    with suppress(Exception):  # a wrong setting, a database out of reach: the command itself will report it
        return list(_rows(context, query))
    return []


def _rows(context: click.Context, query: Callable[[Any], Iterable[Any]]) -> Iterator[Any]:
    from tpmirror.cli.envfile import read_env_file
    from tpmirror.config import beside, load
    from tpmirror.db.engine import connected, reading

    path = context.find_root().params.get("env_file")
    variables = {**(beside(os.environ, read_env_file(path)) if path else {}), **os.environ}
    options = {name: value for name, value in context.params.items() if name.startswith("database_")}
    with connected(load(variables, options).database, read_only=True) as engine, reading(engine) as conn:
        yield from query(conn)
