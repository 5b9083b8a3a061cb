"""Real processes by the dozen: forked from one that has loaded the program, so each starts in milliseconds.

The process that is forked from has one thread and no connection; that makes it safe, and is why it is not this one.
"""

import multiprocessing
import os
import resource
import signal
import sys
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from typing import Any, Final

from tpmirror.config import load
from tpmirror.errors import TpmirrorError
from tpmirror.sync import full

CONTEXT: Final = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.support.fork", "psycopg", "tpmirror.cli.sync"])


def start(variables: dict[str, str], largest_file: int | None = None) -> ForkServerProcess:
    """A process that does one sync; it may write no file of more than so many bytes."""
    process = CONTEXT.Process(target=_live, args=(variables, largest_file), daemon=True)
    process.start()
    return process


def signal_to(process: ForkServerProcess, number: int) -> None:
    """Send it a signal."""
    assert process.pid is not None
    os.kill(process.pid, number)


def end(process: ForkServerProcess, number: int = signal.SIGKILL) -> int | None:
    """Send a signal, unless the process has just ended by itself, and wait; the exit status."""
    with suppress(ProcessLookupError):
        signal_to(process, number)
    process.join(30)
    return process.exitcode


def _live(variables: dict[str, str], largest_file: int | None) -> None:
    if largest_file is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    try:
        row: dict[str, Any] = full.sync(load(variables))
    except TpmirrorError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for whoever looks why a test failed
        sys.exit(error.exit_code)
    sys.exit(0 if row["certified"] else 3)
