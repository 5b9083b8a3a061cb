"""Blocks signals while the program loads, until its command unblocks them or, as the service does, polls for them.

A blocked signal stays pending: none is lost, and none raises a traceback in the middle of an import.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGINT)
SIGNALS: Final = (*ENDING, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends a command as Ctrl-C does, with another exit status."""


def hold() -> None:
    """Block signals, for threads started from here on too. The service takes pending ones with ``sigtimedwait``."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def release() -> None:
    """Unblock signals; SIGTERM raises as Ctrl-C does, so that a stopped run closes its row and releases its lease."""
    signal.signal(signal.SIGTERM, _terminate)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextmanager
def until_signalled() -> Iterator[None]:
    """A block that Ctrl-C or SIGTERM ends, as its regular end; it calls ``release``, at which one may be pending.

    Later signals are ignored: ``timeout`` sends the same one twice, to the process and to its group, and the second
    would end with 143 a process that has just ended well.
    """
    with suppress(KeyboardInterrupt):
        yield
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def kill_at_once() -> None:
    """Let SIGTERM and Ctrl-C end the process at once: a handler would raise during the interpreter's shutdown."""
    for number in ENDING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def exit_status(error: BaseException | None) -> int:
    """The exit status for ``error``: 130 if it goes back to Ctrl-C, 143 if to SIGTERM, else 1."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__  # click raises Abort from it
    if error is None:
        return 1
    return 128 + (signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
