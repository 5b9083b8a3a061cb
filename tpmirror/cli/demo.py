"""``tpmirror demo``: the whole product on a simulated account and a throw-away SQLite file."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from tpmirror import signals
from tpmirror.cli import options
from tpmirror.errors import UsageError
from tpmirror.formatting import count, hanging

KEY: Final = "simulated-key"
STEPS: Final = (0, 600, 1800)
"""Simulated seconds before each sync: enough for jobs to start, and for some to finish."""
HOST: Final = "127.0.0.1"
PORT: Final = 8377
INTERVALS: Final = {"TPMIRROR_SYNC_INTERVAL": "30", "TPMIRROR_POLL_INTERVAL": "3"}
"""Seconds between runs for the living account, which changes every few seconds."""


@click.command(cls=options.Command)
@click.option(
    "--jobs",
    metavar="NUMBER",
    type=click.IntRange(1, 100_000),
    default=1000,
    show_default=True,
    help="Jobs in the simulated account.",
)
@click.option("--web", is_flag=True, help="Keep a living account and its dashboard up, on 127.0.0.1, until Ctrl-C.")
@click.option(
    "--port",
    metavar="NUMBER",
    type=options.PORT_NUMBER,
    help=f"Port of the dashboard of --web; 0 picks a free one.  [default: {PORT}]",
)
def demo(*, jobs: int, web: bool, port: int | None) -> None:
    """Show the whole product on a simulated account and a throw-away SQLite file; no key needed."""
    if port is not None and not web:
        raise UsageError(f"--port is {port}, but only --web serves a dashboard; add --web, or leave --port out")
    code = _serve(jobs, PORT if port is None else port) if web else _show(jobs)
    own = "The mirror was a throw-away. For your own account: set TPMIRROR_API_KEY and run tpmirror sync."
    click.echo(hanging("", own))
    if web:
        sys.stdout.flush()
        os._exit(code)  # as tpmirror run: an orderly exit would wait for the thread of a run that was cut off


def _show(jobs: int) -> int:
    from tpmirror.simulator.server import Simulator
    from tpmirror.simulator.world import World

    signals.release()
    with _throw_away() as url:
        click.echo(hanging("", f"A simulated account with {count(jobs, 'job')}; its life goes on between three syncs."))
        with Simulator(World(jobs=jobs), token=KEY) as simulator:
            settings = _settings(simulator, url)
            for step in STEPS:
                simulator.world.advance(step)
                _sync(settings)
        _report(url)
    return 0


def _serve(jobs: int, port: int) -> int:
    """Mirror an account that lives on, as ``tpmirror run`` does, until a signal ends it; the exit status.

    Signals come through only during the first sync. Before, they wait; after, the service takes them one by one, and
    those that come while all is cleared away wait for ever.
    """
    from tpmirror import log
    from tpmirror.service import daemon
    from tpmirror.simulator.living import living
    from tpmirror.simulator.server import Simulator

    _refuse_taken(port)
    world = living(1, jobs, datetime.now(UTC))
    with suppress(KeyboardInterrupt), _throw_away() as url, Simulator(world, token=KEY, speed=1) as simulator:
        settings = _settings(simulator, url, {"TPMIRROR_HTTP_ADDR": f"{HOST}:{port}", **INTERVALS})
        with _interruptible():
            click.echo(f"A simulated account with {count(jobs, 'job')}; its life goes on, three new ones a minute.")
            _sync(settings)  # so that the dashboard has something to show as soon as its address is printed
        log.configure(None, "error")  # a run that Ctrl-C interrupts would be logged as a warning
        return daemon.run(settings, ending=_ending(), on_start=_announce)
    return 0


def _refuse_taken(port: int) -> None:
    """Raise UsageError, before anything is done, if the dashboard could not listen."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        raise options.port_refused(port, error) from error


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM through. SIGHUP waits for the service: without a handler it would end the process."""
    try:
        signals.release()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        yield
    finally:
        signals.hold()


def _ending() -> frozenset[int]:
    """The signals that end the demo: SIGHUP too, when the terminal closes, unless nohup has it ignored."""
    from tpmirror.service.daemon import ENDING

    return ENDING if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else ENDING | {signal.SIGHUP}


def _announce(url: str) -> None:
    click.echo(f"  dashboard on {url}/, stop with Ctrl-C")


@contextmanager
def _throw_away() -> Iterator[str]:
    """The URL of a SQLite file that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="tpmirror-demo-") as folder:
        yield f"sqlite:///{Path(folder) / 'tpmirror.db'}"


def _settings(simulator: Any, url: str, more: dict[str, str] | None = None) -> Any:
    """Settings for the simulated account alone: the environment's are another account's."""
    from tpmirror.config import load

    environ = {"TPMIRROR_API_URL": simulator.url, "TPMIRROR_API_KEY": KEY, "TPMIRROR_MAX_RPS": "0"}
    return load({**environ, **(more or {})}, {"database_url": url})


def _sync(settings: Any) -> None:
    from tpmirror.sync import full

    row = full.sync(settings)
    jobs, requests = count(row["jobs_seen"], "job"), count(row["requests"], "request")
    done = f"{jobs} with {requests}: {row['jobs_inserted']:,} new"
    proof = "certified complete" if row["certified"] else "not certified"
    changed = f"{row['jobs_updated']:,} changed, {row['transitions']:,} in status"
    click.echo(hanging(f"  sync {row['id']}: ", f"{done}, {changed}, {proof}"))


def _report(url: str) -> None:
    from tpmirror.cli import tables
    from tpmirror.db.engine import connected, reading
    from tpmirror.store import queries

    click.echo()
    with connected(url, read_only=True) as engine, reading(engine) as conn:
        tables.show_statuses(queries.jobs_by_status(conn))
        tables.show_months(queries.credits_by_month(conn, 6))
        job_id = queries.most_eventful_job(conn)
        row = queries.job(conn, job_id)
        if row is not None:
            tables.show_history(job_id, queries.job_history(conn, row))
