"""When a signal takes effect: not while the program still loads, and never in the middle of the service.

Until a command says what a signal is to do, it waits: nothing is lost, and nobody sees a traceback of an import.
"""

import signal
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """SIGTERM: ends a command as Ctrl-C does, with another exit status."""


def hold() -> None:
    """Let signals wait; threads that start from here on never get one. The service takes them one by one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def release() -> None:
    """Let them come: SIGTERM as Ctrl-C does, because a stopped run has to close its row and release its lease."""
    signal.signal(signal.SIGTERM, _terminate)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def kill_at_once() -> None:
    """From here on SIGTERM and Ctrl-C end the process where it is: a handler would raise in the interpreter's end."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def exit_status(error: BaseException | None) -> int:
    """Of a command that ended with ``error``: 130 after Ctrl-C, 143 after SIGTERM, 1 if it goes back to neither."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__  # click makes an Abort of it
    if error is None:
        return 1
    return 128 + (signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
