"""What the commands share: settings as options, JSON output, summaries, the exit statuses."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import Field, fields
from functools import wraps
from typing import Any, Final

import click

from tpmirror import formatting
from tpmirror.cli import completion
from tpmirror.config import Duration, Settings, load, unknown, variable_of
from tpmirror.credentials import exposure
from tpmirror.errors import MirrorError, TpmirrorError, UsageError

Function = Callable[..., None]

EXIT_STATUS: Final = """\b
Exit status: 0 completed (a full sync: certified) · 1 failed · 2 wrong use or setting ·
3 completed with warnings: not certified, differences, jobs held for an operator ·
4 the API refused the key · 5 another writer holds the mirror · 130 interrupted by Ctrl-C, 143 by SIGTERM"""

DATABASE_SETTINGS: Final = ("database_url", "database_schema", "database_password_file")

SECRET_FILES: Final = ("api_key_file", "database_password_file", "owners_key_file", "webhook_secret_file")
"""Settings that name a file with a secret, whose permissions are checked."""

API_SETTINGS: Final = (
    "api_key_file",
    "api_url",
    "ca_file",
    "page_size",
    "concurrency",
    "max_rps",
    "request_timeout",
    "max_attempts",
    "retry_base",
)

RUN_SETTINGS: Final = (
    *API_SETTINGS,
    "sync_interval",
    "poll_interval",
    "vanish_limit",
    "http_addr",
    "http_open",
    "http_hosts",
    "http_prefix",
    "webhook_secret_file",
    "webhook_allow",
    "budget_daily",
    "budget_monthly",
    "export_url",
    "export_interval",
    "export_personal",
    "credit_price",
    "log_format",
    "log_level",
)

PORT_NUMBER: Final = click.IntRange(0, 65535)

JOB_ID: Final = completion.JobId(1, 2**63 - 1)
"""An id that a bigint can hold."""

METAVARS: Final = {
    "file": "FILE",
    "url": "URL",
    "schema": "SCHEMA",
    "timeout": "SECONDS",
    "base": "SECONDS",
    "interval": "DURATION",
    "addr": "HOST:PORT",
    "open": "yes|no",
    "personal": "yes|no",
    "hosts": "HOST,...",
    "allow": "NETWORK,...",
    "prefix": "PATH",
    "daily": "CREDITS",
    "monthly": "CREDITS",
    "price": "PRICE",
    "format": "console|json",
    "level": "debug|info|warning|error",
}
"""The metavar of an option in --help, by the last word of its setting."""

GIVEN: Final = "tpmirror.given"
"""Key of a click context's ``meta``: the settings that came by an option."""
QUIET: Final = "tpmirror.quiet"
"""Key of a click context's ``meta``: there if ``--quiet`` was given."""

SHORT_FORMS: Final = {"budget_monthly": ("--budget",)}


class Setting(click.Option):
    """A setting as an option."""


class Command(click.Command):
    """A command whose help lists the options that are its own before the settings, which many commands share."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both lists."""
        for title, kind in (("Options", False), ("Settings", True)):
            options = [one for one in self.get_params(ctx) if not isinstance(one, click.Argument)]
            rows = [one.get_help_record(ctx) for one in options if isinstance(one, Setting) == kind]
            if rows:
                with formatter.section(title):
                    formatter.write_dl([row for row in rows if row])


class Group(click.Group):
    """A group of commands whose overview shows what each does in whole sentences, which click would cut."""

    command_class = Command

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[click.Command]] | None = None, **attrs: Any) -> None:
        super().__init__(*args, **attrs)
        self.sections = sections or {}
        """The commands by purpose; empty: one list in alphabetical order."""
        for commands in self.sections.values():
            for command in commands:
                self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does, over as many lines as it takes."""
        sections = {title: [str(one.name) for one in commands] for title, commands in self.sections.items()}
        width = max(map(len, self.commands))
        for title, names in (sections or {"Commands": self.list_commands(ctx)}).items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), self.commands[name].get_short_help_str(sys.maxsize)) for name in names]
                )


def port_refused(port: int, error: OSError) -> UsageError:
    """The error of a command that cannot listen on its ``--port``."""
    return UsageError(f"nothing can listen on port {port}: {error.strerror}; give another --port, or 0")


def with_settings(*names: str) -> Callable[[Function], Function]:
    """Give a command the settings as options, and call it with a loaded ``Settings`` as first argument."""
    settings_of = [setting for setting in fields(Settings) if setting.name in (*DATABASE_SETTINGS, *names)]
    may_read = {*DATABASE_SETTINGS, *names, *(["owners_key_file"] if "api_key_file" in names else [])}
    secrets = [setting for setting in fields(Settings) if setting.name in may_read.intersection(SECRET_FILES)]

    def decorate(command: Function) -> Function:
        @wraps(command)
        def run(**options: Any) -> None:
            given = {setting.name: options.pop(setting.name) for setting in settings_of}
            click.get_current_context().meta[GIVEN] = [name for name, value in given.items() if value]
            try:
                settings = load(os.environ, given)
                for warning in _warnings(settings, secrets):
                    click.echo(f"warning: {as_given(warning)}", err=True)
                command(settings, **options)
            except TpmirrorError as error:
                error.args = tuple(as_given(part) if isinstance(part, str) else part for part in error.args)
                raise

        decorated: Function = run
        for setting in reversed(settings_of):  # the last one that decorates comes first in --help
            decorated = _option(setting)(decorated)
        return decorated

    return decorate


def as_given(message: str) -> str:
    """The message with options in place of variables for settings that were given as options."""
    for name in click.get_current_context().meta.get(GIVEN, ()):
        message = re.sub(rf"\bTPMIRROR_{name.upper()}\b", _option_name(name), message)
    return message


def _option_name(name: str) -> str:
    return "--" + name.replace("_", "-")


def _warnings(settings: Settings, secrets: Sequence[Field[Any]]) -> Iterator[str]:
    """Warnings about unknown variables, and about files of ``secrets`` that others may read."""
    for variable, near in unknown(os.environ).items():
        remedy = f"did you mean {near}?" if near else "tpmirror COMMAND --help shows those that there are"
        yield f"{variable} is no setting and changes nothing; {remedy}"
    found = (exposure(getattr(settings, setting.name), variable_of(setting)) for setting in secrets)
    yield from filter(None, found)


def _option(setting: Field[Any]) -> Callable[[Function], Function]:
    """A setting as an option. It takes any text: ``config.load`` alone knows which values a setting accepts."""
    default = "" if setting.default is None else f"; default: {default_of(setting)}"
    # Not envvar: click would pass the variable off as an option, and options win over variables.
    text = f"{setting.metadata['meaning']}  [env: {variable_of(setting)}{default}]"
    names = (_option_name(setting.name), *SHORT_FORMS.get(setting.name, ()))
    metavar = _metavar(setting)
    choices = metavar.split("|") if "|" in metavar else []
    values = completion.file if metavar == "FILE" else completion.one_of(*choices)
    return click.option(*names, setting.name, cls=Setting, metavar=metavar, help=text, shell_complete=values)


def default_of(setting: Field[Any]) -> str:
    """A setting's default as a user would type it."""
    value = setting.default
    if isinstance(value, tuple):
        return ":".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(Duration(seconds=value)) if setting.name.endswith("_interval") else f"{value:g}"
    return str(value)


def _metavar(setting: Field[Any]) -> str:
    """A setting's metavar: by its name, else by the type of its default."""
    ending = setting.name.rpartition("_")[2]
    if ending in METAVARS:
        return METAVARS[ending]
    return "NUMBER" if isinstance(setting.default, int | float) else ending.upper()


as_json = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document on stdout.")


def _be_quiet(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        context.meta[QUIET] = True


quiet = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_be_quiet,
    help="Print no summary and no progress bar; warnings and errors go to stderr.",
)


def is_quiet() -> bool:
    """Whether ``--quiet`` was given, to the command or before it."""
    context = click.get_current_context(silent=True)
    return context is not None and QUIET in context.meta


def summarize(text: str, *, is_warning: bool = False) -> None:
    """Print a line of a command's summary. ``--quiet`` leaves warnings alone, and on stderr."""
    if is_warning or not is_quiet():
        click.echo(text, err=is_quiet())


def print_json(value: Any) -> None:
    """The one JSON document of a command on stdout."""
    click.echo(formatting.to_json(value))


@contextmanager
def mirror(settings: Settings, *, read_only: bool = False) -> Iterator[Any]:
    """The mirror's engine. Raises MirrorError with the remedy unless the database is at this program's revision."""
    # Any in place of Engine: importing SQLAlchemy at the top would take several times as long as --help itself.
    from tpmirror.db import revision
    from tpmirror.db.engine import connected, display, file_of

    with connected(settings.database, read_only=read_only) as engine:
        if not revision.is_current(engine):
            where = display(engine)
            if file_of(engine) is None and engine.dialect.name == "sqlite":
                message = f"{where} is in memory and ends with each command; set TPMIRROR_DATABASE_URL to a file's"
                raise UsageError(message)
            message = f"there is no mirror of this version in {where}; run tpmirror sync, or tpmirror db upgrade"
            raise MirrorError(message)
        yield engine


@contextmanager
def announcing(settings: Settings) -> Iterator[None]:
    """Print a note if the command creates a SQLite file: a path with a typo would silently make a second mirror.

    Raises UsageError before anything is done where even its folder is not there.
    """
    from tpmirror.db.engine import connected, is_missing, refuse_missing_folder

    with connected(settings.database) as engine:
        refuse_missing_folder(engine)
        was_missing = is_missing(engine)
        try:
            yield
        finally:
            if was_missing and not is_missing(engine):
                click.echo(f"note: there was no database at {engine.url.database!r}; it was created", err=True)


@contextmanager
def snapshot(settings: Settings) -> Iterator[Any]:
    """A connection that reads one snapshot of the mirror. Raises MirrorError as ``mirror`` does."""
    from tpmirror.db.engine import reading

    with mirror(settings, read_only=True) as engine, reading(engine) as conn:
        yield conn
