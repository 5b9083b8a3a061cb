"""The manual page docs/tpmirror.1, made from the command line itself: ``make docs`` writes it, a test holds it.

One page: settings, which many commands share, are explained once. It has neither date nor version, which would change
a page that says the same.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from inspect import cleandoc
from typing import Any, Final

import click

from tpmirror.cli.main import PROGRAM, cli
from tpmirror.cli.options import EXIT_STATUS, Setting, default_of
from tpmirror.config import Settings, variable_of
from tpmirror.reports.registry import REPORTS

HEAD: Final = '.TH TPMIRROR 1 "" "tpmirror" "User Commands"\n.nh\n.ad l\n.SH NAME\ntpmirror \\- {}\n'
FILES: Final = {
    "tpmirror.db": "The mirror, in the current folder, unless TPMIRROR_DATABASE_URL names another database.",
}


def page() -> str:
    """The whole page, in the macros of man(7)."""
    about, *rest = _paragraphs(str(cli.help))
    context = click.Context(cli, info_name=PROGRAM, **cli.context_settings)
    options = "".join(_option(param, context) for param in cli.get_params(context))
    parts = [HEAD.format(_text(about.removesuffix(".").removeprefix("A ")))]
    parts += [".SH SYNOPSIS\n", _synopsis(cli, context), "\n.SH DESCRIPTION\n", *map(_block, rest)]
    parts += [".SH OPTIONS\n", options, ".SH COMMANDS\n"]
    parts += [_command(command, context) for commands in cli.sections.values() for command in commands]
    parts += [".SH REPORTS\n", *(_item(name, report.about) for name, report in REPORTS.items())]
    parts += [".SH SETTINGS\n", _block("Each is an environment variable, and an option of the commands that list it.")]
    parts += map(_setting, fields(Settings))
    parts += [".SH EXIT STATUS\n", *map(_status, EXIT_STATUS.removeprefix("\b\nExit status: ").split(" ·"))]
    parts += [".SH FILES\n", *(_item(name, text) for name, text in FILES.items())]
    return "".join(parts)


def _command(command: click.Command, parent: click.Context) -> str:
    """A command, or each one of a group: how it is called, what it does, its options."""
    context = click.Context(command, info_name=command.name, parent=parent, **command.context_settings)
    text = "".join(map(_block, _paragraphs(str(command.help))))
    inner = ""
    if isinstance(command, click.Group):
        inner = "".join(_command(command.commands[name], context) for name in command.list_commands(context))
        if not command.invoke_without_command:
            return f".SS {_text(context.command_path)}\n{text}{inner}"
    own = [param for param in command.params if not isinstance(param, Setting | click.Argument)]
    settings = [param.opts[0] for param in command.params if isinstance(param, Setting)]
    options = "".join(_option(param, context) for param in own)
    shared = _block(f"Settings: {', '.join(settings)}.") if settings else ""
    return f".SS {_synopsis(command, context)}\n{text}{options}{shared}{inner}"


def _synopsis(command: click.Command, context: click.Context) -> str:
    return f"\\fB{_text(context.command_path)}\\fR {_text(' '.join(command.collect_usage_pieces(context)))}"


def _option(param: click.Parameter, context: click.Context) -> str:
    record = param.get_help_record(context)
    return _item(*record) if record else ""


def _setting(setting: Any) -> str:
    default = "" if setting.default is None else f"; default: {default_of(setting)}"
    return _item(variable_of(setting), f"{setting.metadata['meaning']}{default}")


def _status(line: str) -> str:
    return _item(*" ".join(line.split()).split(" ", 1))


def _item(name: str, text: str) -> str:
    return f".TP\n\\fB{_text(name)}\\fR\n{_text(' '.join(text.split()))}\n"


def _block(paragraph: str) -> str:
    """A paragraph; one that click is told to keep keeps its lines."""
    kept = paragraph.removeprefix("\b\n")
    if kept != paragraph:
        return f".PP\n.nf\n{_text(kept)}\n.fi\n"
    return f".PP\n{_text(' '.join(paragraph.split()))}\n"


def _paragraphs(text: str) -> list[str]:
    return cleandoc(text).split("\n\n")


def _text(text: str) -> str:
    """A text in which nothing is taken for a request of roff, and a hyphen can be copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("·", "\\(bu")
    return "\n".join(_lines(escaped))


def _lines(text: str) -> Iterator[str]:
    for line in text.split("\n"):
        yield re.sub(r"^(?=[.'])", r"\\&", line)


if __name__ == "__main__":
    sys.stdout.write(page())
