"""What the process of the service counts about itself, for the metrics. Thread-safe; knows no metrics library."""

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from typing import Final

RUN_BOUNDS: Final = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 150.0, 300.0, 900.0, 3600.0)
REQUEST_BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets, in seconds."""


class Histogram:
    """Durations, by upper bound."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """One more than bounds: the last counts what is above all of them."""
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulated, as Prometheus wants them."""
        labels = [*map(str, self.bounds), "+Inf"]
        return [(label, float(sum(self.counts[: place + 1]))) for place, label in enumerate(labels)]


class Meters:
    """All counts since the start of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.runs: Counter[tuple[str, str]] = Counter()
        """By kind and outcome; the outcome ``standby`` is another replica's lease."""
        self.events: Counter[tuple[str, str]] = Counter()
        """By job of the scheduler and event: missed, failed, skipped."""
        self.requests: Counter[str] = Counter()
        """By status code, or ``error``."""
        self.retries = 0
        self.run_seconds: dict[str, Histogram] = defaultdict(lambda: Histogram(RUN_BOUNDS))
        self.request_seconds = Histogram(REQUEST_BOUNDS)

    def on_run(self, kind: str, outcome: str, seconds: float, retries: int = 0) -> None:
        """A run is over."""
        with self._lock:
            self.runs[kind, outcome] += 1
            self.retries += retries
            self.run_seconds[kind].observe(seconds)

    def on_request(self, status: str, seconds: float) -> None:
        """A request is over."""
        with self._lock:
            self.requests[status] += 1
            self.request_seconds.observe(seconds)

    def on_event(self, job: str, event: str) -> None:
        """Count an event of the scheduler."""
        with self._lock:
            self.events[job, event] += 1
