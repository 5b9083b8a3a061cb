"""The command line: one short function per command, which imports its modules when it runs."""

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from tpmirror import __version__, signals
from tpmirror.cli.alert import alert
from tpmirror.cli.audit import audit
from tpmirror.cli.completion import completion
from tpmirror.cli.db import db
from tpmirror.cli.demo import demo
from tpmirror.cli.doctor import doctor
from tpmirror.cli.events import events
from tpmirror.cli.export import export
from tpmirror.cli.gone import gone
from tpmirror.cli.history import history
from tpmirror.cli.jobs import jobs, show
from tpmirror.cli.options import EXIT_STATUS, Group, quiet
from tpmirror.cli.poll import poll
from tpmirror.cli.quarantine import quarantine
from tpmirror.cli.report import report
from tpmirror.cli.run import run
from tpmirror.cli.simulate import simulate
from tpmirror.cli.status import status
from tpmirror.cli.sync import sync
from tpmirror.cli.verify import verify
from tpmirror.cli.web import web
from tpmirror.errors import NeedsAttention, TpmirrorError, UsageError

PROGRAM: Final = "tpmirror"
SERVING: Final = frozenset({"run", "web", "simulate", "demo", "events"})
"""Commands that serve until a signal (``demo`` with ``--web``, ``events`` with ``--follow``): they handle it
themselves, and end with 0."""
_UNWRITABLE: Final = {
    errno.ENOSPC: "the disk is full where the output goes; free some space, or send it elsewhere",
    errno.EDQUOT: "the quota is used up where the output goes; free some space, or send it elsewhere",
    errno.EBADF: "stdout is closed, so the result cannot be written; send it to a file, or to /dev/null",
    errno.EIO: "the result cannot be written where the output goes: input/output error; send it elsewhere",
}


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit status."""
    try:
        _run()
    except NeedsAttention as error:
        sys.exit(error.exit_code)  # the command has printed the warnings
    except TpmirrorError as error:
        _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())  # a group without a command: its help, and no error
    except click.ClickException as error:
        _fail(error.format_message(), UsageError.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        _fail("interrupted; what was mirrored stays, run the command again to go on", signals.exit_status(error))
    except BrokenPipeError:
        os._exit(1)  # the reader of stdout closed the pipe; flushing would fail again
    except Exception as error:  # noqa: BLE001 - the outermost handler: one line for the user, without secrets
        if isinstance(error, OSError) and error.filename is None and error.errno in _UNWRITABLE:
            click.echo(f"error: {_UNWRITABLE[error.errno]}", err=True)
            os._exit(1)  # an orderly exit would flush again, and fail again
        if os.environ.get("TPMIRROR_LOG_LEVEL", "").lower() == "debug":
            from tpmirror.log import concealed

            click.echo(concealed(traceback.format_exc()), err=True)
        _fail(f"unexpected {type(error).__name__}; set TPMIRROR_LOG_LEVEL=debug to see where, and report it", 1)


def _run() -> None:
    """Run the command, and flush its result: a full disk shows only then, and must be an error."""
    try:
        cli.main(prog_name=PROGRAM, standalone_mode=False)
    except NeedsAttention:
        sys.stdout.flush()
        raise
    sys.stdout.flush()


SECTIONS: Final = {
    "Mirror the account": (sync, poll, verify, run),
    "Look at the mirror": (status, jobs, show, history, report, events, export, web),
    "Decide": (gone, quarantine),
    "Keep it in order": (doctor, audit, alert, db, completion),
    "Try it without a key": (demo, simulate),
}
"""The commands, as the overview shows them."""


@click.group(
    cls=Group,
    sections=SECTIONS,
    epilog=EXIT_STATUS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, "-V", "--version", message="tpmirror %(version)s")
@click.option(
    "--env-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Read variables from FILE; those of the environment win.",
)
@quiet
@click.pass_context
def cli(context: click.Context, env_file: Path | None) -> None:
    """A local mirror of a TensorPix account in SQL.

    \b
    Start here:
      tpmirror demo                      the whole product on simulated data, no key needed
      export TPMIRROR_API_KEY=...        the key from your TensorPix account
      tpmirror sync                      mirror the account into tpmirror.db (SQLite)
      tpmirror status                    what the mirror holds, and since when it is proven complete

    Every setting is an environment variable TPMIRROR_..., and an option of the commands that it concerns.
    """
    if env_file is not None:
        context.with_resource(_variables_of(env_file))
    if context.invoked_subcommand not in SERVING:
        signals.release()


@contextmanager
def _variables_of(path: Path) -> Iterator[None]:
    """The variables of a file for the duration of the command, also for libraries: PGPASSWORD is the driver's."""
    from tpmirror.cli.envfile import read_env_file
    from tpmirror.config import beside

    before = dict(os.environ)
    os.environ.update(beside(before, read_env_file(path)))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _fail(message: str, code: int) -> None:
    if message.strip():
        from tpmirror.formatting import escape_terminal

        click.echo(f"error: {escape_terminal(message, keep_lines=True)}", err=True)
    sys.exit(code)
