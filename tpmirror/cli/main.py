"""The command line: one short function per command; what a command needs is imported when it runs."""

import errno
import os
import sys
import traceback
from typing import Final

import click

from tpmirror import __version__, signals
from tpmirror.cli.alert import alert
from tpmirror.cli.audit import audit
from tpmirror.cli.db import db
from tpmirror.cli.demo import demo
from tpmirror.cli.doctor import doctor
from tpmirror.cli.export import export
from tpmirror.cli.gone import gone
from tpmirror.cli.history import history
from tpmirror.cli.options import EXIT_STATUS
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

SERVING: Final = frozenset({"run", "web", "simulate"})
"""Commands that go on until a signal ends them: they take it themselves, and end with 0."""


def main() -> None:
    """Run the command that the arguments name, and end the process with its exit status."""
    try:
        cli.main(standalone_mode=False)
    except NeedsAttention as error:
        sys.exit(error.exit_code)  # the command has printed the warnings
    except TpmirrorError as error:
        _fail(str(error), error.exit_code)
    except click.ClickException as error:
        _fail(error.format_message(), UsageError.exit_code)
    except (click.Abort, KeyboardInterrupt) as error:
        _fail("interrupted; what was mirrored stays, run the command again to go on", signals.exit_status(error))
    except BrokenPipeError:
        os._exit(1)  # the reader of stdout closed the pipe; flushing would fail again
    except Exception as error:  # noqa: BLE001 - the outermost handler: one line for the user, without secrets
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            click.echo("error: the disk is full where the output goes; free some space, or send it elsewhere", err=True)
            os._exit(1)  # a tidy end would try to write the rest again
        if os.environ.get("TPMIRROR_LOG_LEVEL", "").lower() == "debug":
            from tpmirror.log import concealed

            click.echo(concealed(traceback.format_exc()), err=True)
        _fail(f"unexpected {type(error).__name__}; set TPMIRROR_LOG_LEVEL=debug to see where, and report it", 1)


@click.group(epilog=EXIT_STATUS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="tpmirror %(version)s")
@click.pass_context
def cli(context: click.Context) -> None:
    """A local mirror of a TensorPix account in SQL.

    \b
    Start here:
      tpmirror demo                      the whole product on simulated data, no key needed
      export TPMIRROR_API_KEY=...        the key from your TensorPix account
      tpmirror sync                      mirror the account into tpmirror.db (SQLite)
      tpmirror status                    what the mirror holds, and since when it is proven complete

    Every setting is an environment variable TPMIRROR_..., and an option where it makes sense.
    """
    if context.invoked_subcommand not in SERVING:
        signals.release()


for command in (
    sync,
    poll,
    verify,
    run,
    doctor,
    alert,
    web,
    status,
    history,
    audit,
    report,
    export,
    gone,
    quarantine,
    db,
    simulate,
    demo,
):
    cli.add_command(command)


def _fail(message: str, code: int) -> None:
    if message.strip():
        from tpmirror.formatting import escape_terminal

        click.echo(f"error: {escape_terminal(message, keep_lines=True)}", err=True)
    sys.exit(code)
