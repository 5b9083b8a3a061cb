"""Lets the caller of a run stop it, count its requests, and say when the next poll is due."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


def _ignore(_status: str, _seconds: float) -> None:
    """Nobody listens."""


def idle() -> None:
    """Nothing to do meanwhile."""


@dataclass(slots=True)
class Control:
    """For one run; a run that is over sets ``stop`` itself, so it serves no second time."""

    stop: threading.Event = field(default_factory=threading.Event)
    """Set: the run gives up within seconds, rolls its batch back, and is closed as interrupted."""
    on_request: Callable[[str, float], None] = _ignore
    """Called after each request: the status code, or ``error`` if there was no answer, and how many seconds it took."""
    on_wait: Callable[[], None] = idle
    """Called time and again by each thread that waits for the API; what it raises ends the wait."""
    poll_at: float = math.inf
    """When a poll is due, on the monotonic clock: a full sync that still goes on then does it in between."""
    run_id: int | None = None
    """The run, once it is open."""
    skew: float | None = None
    """Seconds that our clock is ahead of the API's, as its newest answer shows."""
