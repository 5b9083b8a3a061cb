"""What the commands share: settings as options, JSON output, the progress bar, the exit statuses."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, Final, TypeVar

import click

from tpmirror.config import Settings, load
from tpmirror.credentials import exposure
from tpmirror.errors import MirrorError, UsageError

F = TypeVar("F", bound=Callable[..., Any])

EXIT_STATUS: Final = """\b
Exit status: 0 completed (a full sync: certified) · 1 failed · 2 wrong use or setting ·
3 completed with warnings: not certified, differences, jobs held for an operator ·
4 the API refused the key · 5 another writer holds the mirror"""

API_SETTINGS: Final = (
    "api_key_file",
    "api_url",
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
    "budget_daily",
    "budget_monthly",
    "log_format",
    "log_level",
)

JOB_ID: Final = click.IntRange(1, 2**63 - 1)
"""What the database can hold."""

SHORT_FORMS: Final = {"budget_monthly": ("--budget",)}


def with_settings(*names: str) -> Callable[[F], F]:
    """Give a command the settings as options, and call it with a loaded ``Settings`` as first argument."""

    def decorate(command: F) -> F:
        def run(**options: Any) -> Any:
            chosen = {name: options.pop(name) for name in ("database_url", *names)}
            settings = load(os.environ, chosen)
            if "api_key_file" in names and (warning := exposure(settings.api_key_file)):
                click.echo(f"warning: {warning}", err=True)
            return command(settings, **options)

        run.__doc__, run.__name__ = command.__doc__, command.__name__
        run.__click_params__ = list(getattr(command, "__click_params__", []))  # type: ignore[attr-defined]
        for setting in reversed([field for field in fields(Settings) if field.name in ("database_url", *names)]):
            names_of = ["--" + setting.name.replace("_", "-"), *SHORT_FORMS.get(setting.name, ())]
            default = "" if setting.default is None else f"; default: {setting.default}"
            text = f"{setting.metadata['meaning']}  [env: {setting.metadata['variable']}{default}]"
            run = click.option(*names_of, setting.name, metavar="VALUE", help=text)(run)
        return run  # type: ignore[return-value]

    return decorate


as_json = click.option("--json", "as_json", is_flag=True, help="Print exactly one JSON document on stdout.")


@contextmanager
def mirror(settings: Settings) -> Iterator[Any]:
    """The mirror's engine. Raises MirrorError with the remedy unless the database is at this program's revision."""
    # The engine's type is not named: to load SQLAlchemy for that takes several times as long as --help.
    from tpmirror.db import revision
    from tpmirror.db.engine import connected, display, file_of

    with connected(settings.database_url) as engine:
        if not revision.is_current(engine):
            where = display(engine.url)
            if file_of(engine) is None and engine.dialect.name == "sqlite":
                message = f"{where} is in memory and ends with each command; set TPMIRROR_DATABASE_URL to a file's"
                raise UsageError(message)
            message = f"there is no mirror of this version in {where}; run tpmirror sync, or tpmirror db upgrade"
            raise MirrorError(message)
        yield engine


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar with rate and time left on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _seen, _count: None
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("reading"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]:,.0f} jobs/s"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None, rate=0)

        def update(done: int, total: int) -> None:
            elapsed = bar.tasks[0].elapsed or 0
            bar.update(task, completed=done, total=max(done, total), rate=done / elapsed if elapsed else 0)

        yield update
