"""``/metrics`` for Prometheus: counters of this process, and gauges that are read from the mirror at each request.

Names follow Prometheus's conventions: base units, ``_total`` for what only grows, one thing per metric.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tpmirror import __version__
from tpmirror.errors import MirrorError
from tpmirror.service.watchdog import Watchdog
from tpmirror.store.events import SinkState
from tpmirror.store.runs import proof_age

PREFIX: Final = "tpmirror_"
HELP: Final = {
    "build_info": "The version that runs.",
    "leader": "Whether this process did the newest run; of several replicas one does.",
    "runs": "Runs by kind and how they ended.",
    "run_duration_seconds": "How long runs took.",
    "api_requests": "Requests to the API by status, error if there was no answer.",
    "api_retries": "Requests to the API that were sent again after a fault.",
    "api_request_duration_seconds": "How long requests to the API took.",
    "exports": "Exports of the service by how they ended.",
    "export_duration_seconds": "How long exports took.",
    "last_export_timestamp_seconds": (
        "As of when the export holds the mirror, in seconds since 1970; absent if there is none."
    ),
    "schedule_events": "Jobs of the schedule that were missed or failed.",
    "last_certified_timestamp_seconds": (
        "As of when the mirror was last proven complete, in seconds since 1970; absent if that is in the future."
    ),
    "last_walk_timestamp_seconds": "When the last full sync that succeeded began, in seconds since 1970.",
    "jobs_in_flight": "Jobs that are not over.",
    "vanished_jobs_waiting": "Vanished jobs that wait for an operator.",
    "quarantined_payloads": "Values and items that could not be held, and that nobody accepted.",
    "jobs_not_held": "Listed jobs not held as shown: unreadable, incomplete; accepted are those of both.",
    "webhook_deliveries": "Tries to deliver an event, by what became of them: delivered, failed, dead, disabled.",
    "webhook_lag_events": "Events that are still to be sent to a sink.",
    "webhook_lag_seconds": "For how long the oldest of them has been waiting; 0 if none is.",
    "webhook_dead_events": "Events that a sink did not take, and that were not delivered since.",
    "webhook_disabled": "Whether a sink is sent nothing any more, because it answered 410.",
    "problem": "What is wrong just now, see /readyz; absent if nothing is.",
    "clock_skew_seconds": "How far this machine's clock is ahead of the API's.",
    "database_up": "Whether the mirror's database could be read for this answer.",
    "jobs": "Jobs by status.",
    "credits": "What jobs cost, in Credits, by their status.",
}
RUN_BOUNDS: Final = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 150.0, 300.0, 900.0, 3600.0)
REQUEST_BOUNDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets, in seconds."""


class Metrics:
    """Counters and histograms of this process since its start, and the registry behind ``/metrics``. Thread-safe."""

    def __init__(self) -> None:
        # Otherwise each counter exports a second series, ``_created``.
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library does not say that it returns nothing
        self.registry = CollectorRegistry()
        self._runs = self._counter("runs", "kind", "outcome")
        self._run_seconds = self._histogram("run_duration_seconds", RUN_BOUNDS, "kind")
        self._requests = self._counter("api_requests", "status")
        self._retries = self._counter("api_retries")
        self._request_seconds = self._histogram("api_request_duration_seconds", REQUEST_BOUNDS)
        self._exports = self._counter("exports", "outcome")
        for outcome in ("succeeded", "failed"):
            self._exports.labels(outcome)  # 0 from the start: a rate sees the first failure
        self._export_seconds = self._histogram("export_duration_seconds", RUN_BOUNDS)
        self._events = self._counter("schedule_events", "job", "event")
        self._deliveries = self._counter("webhook_deliveries", "sink", "outcome")

    def on_run(self, kind: str, outcome: str, seconds: float, retries: int = 0) -> None:
        """A run is over; the outcome ``standby`` is another replica's lease."""
        self._runs.labels(kind, outcome).inc()
        self._run_seconds.labels(kind).observe(seconds)
        self._retries.inc(retries)

    def on_request(self, status: str, seconds: float) -> None:
        """A request is over; its status code, or ``error``."""
        self._requests.labels(status).inc()
        self._request_seconds.observe(seconds)

    def on_export(self, outcome: str, seconds: float) -> None:
        """An export is over."""
        self._exports.labels(outcome).inc()
        self._export_seconds.observe(seconds)

    def on_event(self, job: str, event: str) -> None:
        """A job of the scheduler was missed or failed."""
        self._events.labels(job, event).inc()

    def on_delivery(self, sink: str, outcome: str) -> None:
        """A try to deliver an event is over."""
        self._deliveries.labels(sink, outcome).inc()

    def _counter(self, name: str, *labels: str) -> Counter:
        return Counter(PREFIX + name, HELP[name], labels, registry=self.registry)

    def _histogram(self, name: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(PREFIX + name, HELP[name], labels, buckets=bounds, registry=self.registry)


class Mirror(Collector):
    """Gauges read from the mirror at each request: a copy in memory could differ from the database."""

    def __init__(self, watch: Watchdog, jobs: Callable[[], Sequence[Any]], leading: Callable[[], bool]) -> None:
        self._watch = watch
        self._jobs = jobs
        self._leading = leading

    def collect(self) -> Iterator[Metric]:
        """Every gauge of tpmirror."""
        yield _gauge("build_info", {(__version__,): 1}, "version")
        yield _gauge("leader", {(): self._leading()})
        yield from self._of_watch()
        yield from self._of_jobs()

    def _of_watch(self) -> Iterator[Metric]:
        status = self._watch.status
        if status.certified_at is not None and proof_age(status.certified_at, datetime.now(UTC)) is not None:
            yield _gauge("last_certified_timestamp_seconds", {(): status.certified_at.timestamp()})
        if status.synced_at is not None:
            yield _gauge("last_walk_timestamp_seconds", {(): status.synced_at.timestamp()})
        exported = self._watch.export and self._watch.export.succeeded_at
        yield _gauge("last_export_timestamp_seconds", {(): exported.timestamp()} if exported else {})
        yield _gauge("jobs_in_flight", {(): status.in_flight})
        yield _gauge("vanished_jobs_waiting", {(): status.waiting})
        yield _gauge("quarantined_payloads", {(): status.quarantined})
        yield _gauge("jobs_not_held", {(kind,): count for kind, count in asdict(status.holding).items()}, "kind")
        yield from _of_sinks(status.sinks)
        problems = {(problem.code, str(problem.critical).lower()): 1 for problem in self._watch.problems}
        yield _gauge("problem", problems, "code", "critical")
        if self._watch.skew is not None:
            yield _gauge("clock_skew_seconds", {(): self._watch.skew})

    def _of_jobs(self) -> Iterator[Metric]:
        try:
            rows = self._jobs()
        except MirrorError:
            yield _gauge("database_up", {(): 0})
            return
        yield _gauge("database_up", {(): 1})
        yield _gauge("jobs", {(row["name"],): row["jobs"] for row in rows}, "status")
        yield _gauge("credits", {(row["name"],): row["credits"] or 0 for row in rows}, "status")


def _of_sinks(sinks: Sequence[SinkState]) -> Iterator[Metric]:
    now = datetime.now(UTC)
    waited = {(sink.sink,): sink.waiting_since and (now - sink.waiting_since).total_seconds() for sink in sinks}
    yield _gauge("webhook_lag_events", {(sink.sink,): sink.lag for sink in sinks}, "sink")
    yield _gauge("webhook_lag_seconds", {name: max(0.0, seconds or 0.0) for name, seconds in waited.items()}, "sink")
    yield _gauge("webhook_dead_events", {(sink.sink,): sink.dead for sink in sinks}, "sink")
    yield _gauge("webhook_disabled", {(sink.sink,): sink.disabled_at is not None for sink in sinks}, "sink")


def route(metrics: Metrics, mirror: Mirror) -> Route:
    """The route, with the library's own metrics of the process (memory, CPU, descriptors)."""
    registry = metrics.registry
    registry.register(mirror)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)

    def answer(request: Request) -> Response:
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=None, headers={"content-type": kind, "cache-control": "no-store"})

    return Route("/metrics", answer, methods=["GET"])


def _gauge(name: str, values: Mapping[Any, Any], *labels: str) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, HELP[name], labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family
