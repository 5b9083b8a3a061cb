"""The exceptions, classed by their remedy.

TpmirrorError                    exit 1: the run failed; try again later
├── UsageError                   exit 2: fix the setting, the option or the key file
├── NeedsAttention               exit 3: completed with warnings, which the command has printed
├── Interrupted                  exit 1: asked to stop; what was mirrored stays, run it again to go on
├── ApiError                     exit 1: the API did not give a usable answer
│   ├── AuthenticationError      exit 4: the API refused the key
│   ├── JobUnavailable           the API does not answer for this one job; the run goes on without it
│   └── TransientError           retried inside the run: throttled, overloaded, cut off
├── MirrorError                  exit 1: the database is out of reach, too new, damaged
│   ├── TransientDatabaseError   retried inside the run: connection lost, deadlock, database restarting
│   └── LeaseError               exit 5: another writer holds the mirror
│       ├── LeaseHeld            the other writer had the lease first
│       └── LeaseLost            the other writer took over while this one paused; nothing was overwritten
└── ScopeError                   exit 1: these are another account's jobs; nothing of them was written

A message names the thing, the value (never a secret) and the remedy. An exception's docstring is its default message.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class TpmirrorError(Exception):
    """Something went wrong."""

    exit_code = 1

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class UsageError(TpmirrorError):
    """Wrong use or setting."""

    exit_code = 2


class NeedsAttention(TpmirrorError):
    """The command completed with warnings; it has printed them."""

    exit_code = 3


class Interrupted(TpmirrorError):
    """The run was asked to stop; what was mirrored stays, the next one goes on."""


class ApiError(TpmirrorError):
    """The API did not give a usable answer."""


class AuthenticationError(ApiError):
    """The API refused the key; set TPMIRROR_API_KEY to the account's current key (TensorPix: account, API)."""

    exit_code = 4


class JobUnavailable(ApiError):
    """The API does not answer for this job."""


class TransientError(ApiError):
    """The API could not answer just now."""

    def __init__(self, message: str, *, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait
        """Seconds that the API asked to wait, if it did."""


class MirrorError(TpmirrorError):
    """The mirror's database could not be used."""


class TransientDatabaseError(MirrorError):
    """The connection or the transaction was lost; nothing of it was written, so it is safe to try again."""


class LeaseError(MirrorError):
    """Another writer holds the mirror."""

    exit_code = 5


class LeaseHeld(LeaseError):
    """Another writer holds the mirror."""


class LeaseLost(LeaseError):
    """Another writer took the mirror over while this one paused; nothing was overwritten."""


class ScopeError(TpmirrorError):
    """The key opens another account than the one this mirror belongs to."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise a KeyboardInterrupt of the block in place of an error that came up while it was handled there.

    Ctrl-C or SIGTERM in the middle of a statement may break the connection, and its rollback then raises the driver's
    error. An interrupt handled before the block, as when an interrupted run is closed, hides no error of the block.
    """
    before = sys.exception()
    try:
        yield
    except Exception as error:
        behind: BaseException | None = error
        while behind is not None and behind is not before:
            if isinstance(behind, KeyboardInterrupt):
                raise behind from None
            behind = behind.__context__
        raise
