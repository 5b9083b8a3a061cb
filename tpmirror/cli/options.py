"""What the commands share: settings as options, JSON output, the progress bar, the exit statuses."""

import math
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import Field, fields
from functools import wraps
from typing import Any, Final

import click

from tpmirror import formatting
from tpmirror.config import Duration, Settings, load, unknown, variable_of
from tpmirror.credentials import exposure
from tpmirror.errors import MirrorError, TpmirrorError, UsageError

Command = Callable[..., None]

EXIT_STATUS: Final = """\b
Exit status: 0 completed (a full sync: certified) · 1 failed · 2 wrong use or setting ·
3 completed with warnings: not certified, differences, jobs held for an operator ·
4 the API refused the key · 5 another writer holds the mirror · 130 interrupted by Ctrl-C, 143 by SIGTERM"""

DATABASE_SETTINGS: Final = ("database_url", "database_schema", "database_password_file")

SECRET_FILES: Final = ("api_key_file", "database_password_file", "owners_key_file", "webhook_secret_file")
"""Settings that name a file with a secret: who may read it is looked at."""

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
    "credit_price",
    "log_format",
    "log_level",
)

PORT_NUMBER: Final = click.IntRange(0, 65535)

JOB_ID: Final = click.IntRange(1, 2**63 - 1)
"""What the database can hold."""

METAVARS: Final = {
    "file": "FILE",
    "url": "URL",
    "schema": "SCHEMA",
    "timeout": "SECONDS",
    "base": "SECONDS",
    "interval": "DURATION",
    "addr": "HOST:PORT",
    "open": "yes|no",
    "hosts": "HOST,...",
    "allow": "NETWORK,...",
    "prefix": "PATH",
    "daily": "CREDITS",
    "monthly": "CREDITS",
    "price": "PRICE",
    "format": "console|json",
    "level": "debug|info|warning|error",
}
"""What stands for the value of an option in --help, by the last word of its setting."""

GIVEN: Final = "tpmirror.given"
"""Key of a click context's ``meta``: the settings that came by an option."""

SHORT_FORMS: Final = {"budget_monthly": ("--budget",)}


class Group(click.Group):
    """A group of commands whose overview shows what each does in whole sentences, which click would cut."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does, over as many lines as it takes."""
        with formatter.section("Commands"):
            rows = [(name, self.commands[name].get_short_help_str(sys.maxsize)) for name in self.list_commands(ctx)]
            formatter.write_dl(rows)


def port_refused(port: int, error: OSError) -> UsageError:
    """What a command raises that cannot listen on its ``--port``."""
    return UsageError(f"nothing can listen on port {port}: {error.strerror}; give another --port, or 0")


def with_settings(*names: str) -> Callable[[Command], Command]:
    """Give a command the settings as options, and call it with a loaded ``Settings`` as first argument."""
    settings_of = [setting for setting in fields(Settings) if setting.name in (*DATABASE_SETTINGS, *names)]
    may_read = {*DATABASE_SETTINGS, *names, *(["owners_key_file"] if "api_key_file" in names else [])}
    secrets = [setting for setting in fields(Settings) if setting.name in may_read.intersection(SECRET_FILES)]

    def decorate(command: Command) -> Command:
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

        decorated: Command = run
        for setting in reversed(settings_of):  # the last one that decorates comes first in --help
            decorated = _option(setting)(decorated)
        return decorated

    return decorate


def as_given(message: str) -> str:
    """A message that calls settings by their options where they came by them: the variable would mislead."""
    for name in click.get_current_context().meta.get(GIVEN, ()):
        message = re.sub(rf"\bTPMIRROR_{name.upper()}\b", _option_name(name), message)
    return message


def _option_name(name: str) -> str:
    return "--" + name.replace("_", "-")


def _warnings(settings: Settings, secrets: Sequence[Field[Any]]) -> Iterator[str]:
    """What is odd about the settings, although they can be used; ``secrets``: those that name a secret's file."""
    for variable, near in unknown(os.environ).items():
        remedy = f"did you mean {near}?" if near else "tpmirror COMMAND --help shows those that there are"
        yield f"{variable} is no setting and changes nothing; {remedy}"
    found = (exposure(getattr(settings, setting.name), variable_of(setting)) for setting in secrets)
    yield from filter(None, found)


def _option(setting: Field[Any]) -> Callable[[Command], Command]:
    """A setting as an option, whose value ``config.load`` reads: one place that knows what a setting accepts."""
    default = "" if setting.default is None else f"; default: {default_of(setting)}"
    # Not envvar: click would pass the variable off as an option, and options win over variables.
    text = f"{setting.metadata['meaning']}  [env: {variable_of(setting)}{default}]"
    names = (_option_name(setting.name), *SHORT_FORMS.get(setting.name, ()))
    return click.option(*names, setting.name, metavar=_metavar(setting), help=text)


def default_of(setting: Field[Any]) -> str:
    """A setting's default as it may be written."""
    value = setting.default
    if isinstance(value, tuple):
        return ":".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(Duration(seconds=value)) if setting.name.endswith("_interval") else f"{value:g}"
    return str(value)


def _metavar(setting: Field[Any]) -> str:
    """What stands for a setting's value in --help: by its name, else by the kind of its default."""
    ending = setting.name.rpartition("_")[2]
    if ending in METAVARS:
        return METAVARS[ending]
    return "NUMBER" if isinstance(setting.default, int | float) else ending.upper()


as_json = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document on stdout.")


def print_json(value: Any) -> None:
    """The one JSON document of a command on stdout."""
    click.echo(formatting.to_json(value))


@contextmanager
def mirror(settings: Settings, *, read_only: bool = False) -> Iterator[Any]:
    """The mirror's engine. Raises MirrorError with the remedy unless the database is at this program's revision."""
    # The engine's type is not named: to load SQLAlchemy for that takes several times as long as --help.
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
    """Say it if the command makes a new SQLite file: a path with a typo would make a second mirror without a word.

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
def extra(name: str, feature: str) -> Iterator[None]:
    """For the imports of a feature that an extra of the package brings. Raises UsageError if it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith("tpmirror"):
            raise  # no extra brings what this package itself lacks
        needed = f"{feature} needs {error.name}; install tpmirror with its {name} extra"
        raise UsageError(f"{needed}: pip install 'tpmirror[{name}]'") from error


@contextmanager
def snapshot(settings: Settings) -> Iterator[Any]:
    """A connection that reads the mirror as it is now. Raises MirrorError as ``mirror`` does."""
    from tpmirror.db.engine import reading

    with mirror(settings, read_only=True) as engine, reading(engine) as conn:
        yield conn


@contextmanager
def progress_bar(doing: str = "reading", *, estimated: bool = True) -> Iterator[Callable[..., None]]:
    """A bar on stderr, if that is a terminal. To be called with how much is done, of how much, and words beside it.

    Without words it shows jobs per second; ``estimated``: the time left, else the time it has taken.
    """
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich import progress
    from rich.console import Console

    texts = progress.TextColumn(doing), progress.TextColumn("{task.description}")
    clock = progress.TimeRemainingColumn() if estimated else progress.TimeElapsedColumn()
    columns = (texts[0], progress.BarColumn(), progress.MofNCompleteColumn(), texts[1], clock)
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def update(done: int, total: int, beside: str | None = None) -> None:
            rate = f"{done / (bar.tasks[0].elapsed or math.inf):,.0f} jobs/s"
            bar.update(task, completed=done, total=max(done, total), description=beside or rate)

        yield update
