"""When a signal takes effect: not while the program still loads, and never in the middle of the service.

Until a command says what a signal is to do, it waits: nothing is lost, and nobody sees a traceback of an import.
"""

import signal
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def hold() -> None:
    """Let signals wait; threads that start from here on never get one. The service takes them one by one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def release() -> None:
    """Let them come: SIGTERM as Ctrl-C does, because a stopped run has to close its row and release its lease."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
