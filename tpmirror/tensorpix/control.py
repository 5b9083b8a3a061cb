"""Lets the caller of a run stop it, count its requests, and say when the next poll is due."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


def _ignore(_status: str, _seconds: float) -> None:
    """The default of ``on_request``: does nothing."""


def idle() -> None:
    """The default of ``on_wait``: does nothing."""


@dataclass(slots=True)
class Control:
    """Controls one run, whose end sets ``stop`` too: a second run with it would stop at once."""

    stop: threading.Event = field(default_factory=threading.Event)
    """Set: the run gives up within seconds, rolls its batch back, and is closed as interrupted."""
    on_request: Callable[[str, float], None] = _ignore
    """Called after each request: the status code, or ``error`` if there was no answer, and how many seconds it took."""
    on_wait: Callable[[], None] = idle
    """Called repeatedly by each thread that waits for the API; an exception that it raises ends the wait."""
    poll_at: float = math.inf
    """When a poll is due, on the monotonic clock: a full sync that still goes on then does it in between."""
    run_id: int | None = None
    """The run, once it is open."""
    skew: float | None = None
    """Seconds that our clock is ahead of the API's, as its newest answer shows."""
