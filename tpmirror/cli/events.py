"""``tpmirror events``: transitions as JSON Lines, and the sinks that ``tpmirror run`` sends them to."""

import os
import select
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import click

from tpmirror import signals
from tpmirror.cli.options import Group, as_json, mirror, print_json, snapshot, with_settings
from tpmirror.config import Settings
from tpmirror.errors import TpmirrorError, UsageError
from tpmirror.formatting import count, to_json_line

BATCH: Final = 500
"""Events read at once: no transaction stays open while stdout makes it wait."""
PAUSE: Final = 0.25
"""Seconds between two looks for new events."""
ENTRY: Final = click.IntRange(0, 2**63 - 1)


@click.group(cls=Group, invoke_without_command=True)
@click.option("--after", type=ENTRY, metavar="N", help="After this entry; default: 0, with --follow the newest one.")
@click.option(
    "--type",
    "types",
    metavar="T",
    multiple=True,
    help="Only of this type, for example job.finished; may be given again.",
)
@click.option("--follow", is_flag=True, help="Go on with new ones as they are recorded, until Ctrl-C.")
@with_settings()
@click.pass_context
def events(
    context: click.Context, settings: Settings, *, after: int | None, types: tuple[str, ...], follow: bool
) -> None:
    """Print status changes as JSON Lines; with a command, look after the sinks that `tpmirror run` sends them to.

    Each line is an event as a webhook gets it. Types: job.queued, job.processing, job.finished, job.failed,
    job.canceled, job.status_changed. Remember `entry` of the last one to go on after it.
    """
    if context.invoked_subcommand is not None:
        signals.release()
        return
    _check_types(types)
    end = signals.until_signalled() if follow else nullcontext()
    with end, _closed_pipe_is_the_end():
        signals.release()
        with mirror(settings, read_only=True) as engine:
            for body in _bodies(engine, after, types, follow=follow):
                click.echo(to_json_line(body))


def _check_types(types: Sequence[str]) -> None:
    from tpmirror.store.events import TYPES

    for name in types:
        if name not in TYPES:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(TYPES)}", param_hint="'--type'")


@contextmanager
def _closed_pipe_is_the_end() -> Iterator[None]:
    """Who reads stdout has seen enough: no error, also when the interpreter flushes stdout at its end."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _bodies(engine: Any, entry: int | None, types: Sequence[str], *, follow: bool) -> Iterator[Any]:
    """The events after an entry, and, if asked to follow, those that come, for as long as somebody reads stdout."""
    from tpmirror.db.engine import read
    from tpmirror.store import events as store

    newest = read(engine, store.head)
    after = (newest if follow else 0) if entry is None else entry
    yield from _between(engine, after, newest, types)
    if not follow:
        return
    reader = select.poll()
    reader.register(sys.stdout, 0)  # 0: nothing but that the other end was closed
    while True:
        sys.stdout.flush()
        if reader.poll(1000 * PAUSE):
            return
        after, newest = max(after, newest), read(engine, store.head)
        yield from _between(engine, after, newest, types)


def _between(engine: Any, after: int, until: int, types: Sequence[str]) -> Iterator[Any]:
    """The events after an entry, up to another one."""
    from tpmirror.db.engine import read
    from tpmirror.store import events as store

    while after < until:
        batch = partial(store.after, entry=after, limit=BATCH, types=types, until=until)
        found = read(engine, batch)
        yield from (event.body for event in found)
        after = found[-1].entry if len(found) == BATCH else until


@events.command("list")
@with_settings()
@as_json
def list_(settings: Settings, *, as_json: bool) -> None:
    """Show the sinks, how far each has come, and the events that were given up.

    The URLs are shown without user, password and query.
    """
    from tpmirror.cli.tables import show_table
    from tpmirror.service.webhooks import displayed
    from tpmirror.store import events as store

    urls = {name: displayed(url) for name, url in (settings.webhook_urls or {}).items()}
    with snapshot(settings) as conn:
        known, dead = [asdict(state) for state in store.sinks(conn)], store.dead(conn)
    sinks = [{**row, "url": urls.get(row["sink"])} for row in known]
    if as_json:
        print_json({"sinks": sinks, "dead": dead})
        return
    for name in sorted(urls.keys() - {row["sink"] for row in known}):
        click.echo(f"{name} is new: tpmirror run begins to serve it", err=True)
    columns = {"sink": "sink", "url": "URL", "entry": "delivered up to", "lag": "events to send", "dead": "given up"}
    more = {"waiting_since": "oldest of", "attempts": "failed tries", "next_try_at": "next try", "last_error": "why"}
    show_table("Sinks (times in UTC)", sinks, {**columns, **more, "disabled_at": "disabled since"}, whole=True)
    of_dead = {"sink": "sink", "entry": "entry", "job_id": "job", "failed_at": "given up at", "last_error": "why"}
    show_table("Given up (times in UTC)", dead, {**of_dead, "redelivered_at": "delivered after all"}, whole=True)


@events.command()
@click.option("--sink", metavar="NAME", required=True, help="The sink's name in TPMIRROR_WEBHOOK_URLS.")
@click.option("--after", type=ENTRY, metavar="N", help="Have everything after this entry sent again; 0: all there is.")
@with_settings("ca_file", "webhook_secret_file", "webhook_allow")
def redeliver(settings: Settings, *, sink: str, after: int | None) -> None:
    """Send the events again that a sink did not take, and go on with a sink that is disabled.

    Exit status 1: it does not take them now either. With --after the events are sent by `tpmirror run`, in order.
    """
    from tpmirror.service.delivery import redeliver as send_again
    from tpmirror.service.delivery import rewind
    from tpmirror.service.webhooks import Webhooks

    if sink not in (settings.webhook_urls or {}):
        raise UsageError(f"TPMIRROR_WEBHOOK_URLS has no sink {sink!r}; it names {_named(settings)}")
    with Webhooks(settings) as webhooks, mirror(settings) as engine:
        if after is not None:
            waiting = count(rewind(engine, sink, after), "event")
            click.echo(f"{waiting} after entry {after} are sent to {sink} by tpmirror run")
            return
        for entry, error in send_again(engine, webhooks, sink):
            if error is not None:
                raise TpmirrorError(f"{sink} does not take entry {entry}: {error}; see that its receiver runs")
            click.echo(f"entry {entry} delivered to {sink}")
    click.echo(f"nothing that {sink} did not take is left; tpmirror run goes on with what is new")


@events.command("test")
@with_settings("ca_file", "webhook_secret_file", "webhook_allow")
@as_json
def test_sinks(settings: Settings, *, as_json: bool) -> None:
    """Send a test event, of the type test, to every sink.

    Exit status 0: each took it; 1: one did not.
    """
    from tpmirror.service.webhooks import Webhooks, test_event

    if not settings.webhook_urls:
        raise UsageError("TPMIRROR_WEBHOOK_URLS is not set: give it sinks, NAME=URL, separated by blanks")
    with Webhooks(settings) as webhooks:
        keys = webhooks.read_keys()
        errors = {name: webhooks.send(name, *test_event(), keys[name]).error for name in webhooks.sinks}
    if as_json:
        print_json({"sinks": [{"sink": name, "error": error} for name, error in errors.items()]})
    else:
        for name, error in errors.items():
            click.echo(f"{name} ({webhooks.shown(name)}): {error or 'delivered'}")
    if any(errors.values()):
        raise TpmirrorError("not every sink took the event; see that its receiver runs and answers with 2xx")


def _named(settings: Settings) -> str:
    return ", ".join(settings.webhook_urls or {}) or "none"
