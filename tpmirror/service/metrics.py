"""``/metrics`` for Prometheus: what the process counted, and what the mirror holds as of the request.

Names follow Prometheus's conventions: base units, ``_total`` for what only grows, one thing per metric.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tpmirror import __version__
from tpmirror.errors import MirrorError
from tpmirror.service.meters import Histogram, Meters
from tpmirror.service.watchdog import Watchdog

PREFIX: Final = "tpmirror_"
HELP: Final = {
    "build_info": "The version that runs.",
    "leader": "Whether this process did the newest run; of several replicas one does.",
    "runs": "Runs by kind and how they ended.",
    "run_duration_seconds": "How long runs took.",
    "api_requests": "Requests to the API by status, error if there was no answer.",
    "api_retries": "Requests to the API that were sent again after a fault.",
    "api_request_duration_seconds": "How long requests to the API took.",
    "schedule_events": "Runs of the schedule that were missed, failed or skipped.",
    "last_certified_timestamp_seconds": "As of when the mirror was last proven complete, in seconds since 1970.",
    "last_walk_timestamp_seconds": "When the last full sync that succeeded began, in seconds since 1970.",
    "jobs_in_flight": "Jobs that are not over.",
    "vanished_jobs_waiting": "Vanished jobs that wait for an operator.",
    "quarantined_payloads": "Payloads that could not be mirrored.",
    "problem": "What is wrong just now, see /readyz; absent if nothing is.",
    "clock_skew_seconds": "How far this machine's clock is ahead of the API's.",
    "database_up": "Whether the mirror's database could be read for this answer.",
    "jobs": "Jobs by status.",
    "credits": "What jobs cost, in Credits, by their status.",
}


class Mirror(Collector):
    """Turns counts into metrics at each request, so there is no second copy of any number."""

    def __init__(
        self, watch: Watchdog, meters: Meters, jobs: Callable[[], Sequence[Any]], leading: Callable[[], bool]
    ) -> None:
        self._watch = watch
        self._meters = meters
        self._jobs = jobs
        self._leading = leading

    def describe(self) -> list[Metric]:
        """Nothing ahead of time: registering must not read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every metric of ours."""
        yield from self._of_process()
        yield from self._of_watch()
        yield from self._of_jobs()

    def _of_process(self) -> Iterator[Metric]:
        meters = self._meters
        yield _gauge("build_info", {(__version__,): 1}, "version")
        yield _gauge("leader", {(): self._leading()})
        yield _counter("runs", meters.runs, "kind", "outcome")
        yield _histogram("run_duration_seconds", meters.run_seconds, "kind")
        yield _counter("api_requests", {(status,): count for status, count in meters.requests.items()}, "status")
        yield _counter("api_retries", {(): meters.retries})
        yield _histogram("api_request_duration_seconds", {"": meters.request_seconds})
        yield _counter("schedule_events", meters.events, "job", "event")

    def _of_watch(self) -> Iterator[Metric]:
        status = self._watch.status
        if status.certified_at is not None:
            yield _gauge("last_certified_timestamp_seconds", {(): status.certified_at.timestamp()})
        if status.synced_at is not None:
            yield _gauge("last_walk_timestamp_seconds", {(): status.synced_at.timestamp()})
        yield _gauge("jobs_in_flight", {(): status.in_flight})
        yield _gauge("vanished_jobs_waiting", {(): status.waiting})
        yield _gauge("quarantined_payloads", {(): status.quarantined})
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
        yield _gauge("credits", {(row["name"],): float(row["credits"] or 0) for row in rows}, "status")


def route(mirror: Mirror) -> Route:
    """The route; the process's own metrics (memory, CPU, descriptors) come along."""
    registry = CollectorRegistry()
    registry.register(mirror)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)

    def metrics(request: Request) -> Response:
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=None, headers={"content-type": kind, "cache-control": "no-store"})

    return Route("/metrics", metrics, methods=["GET"])


def _gauge(name: str, values: Any, *labels: str) -> Metric:
    return _filled(GaugeMetricFamily(PREFIX + name, HELP[name], labels=labels), values)


def _counter(name: str, values: Any, *labels: str) -> Metric:
    return _filled(CounterMetricFamily(PREFIX + name, HELP[name], labels=labels), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Any) -> Metric:
    for key, value in dict(values).items():
        family.add_metric(key, float(value))
    return family


def _histogram(name: str, values: dict[str, Histogram], *labels: str) -> Metric:
    family = HistogramMetricFamily(PREFIX + name, HELP[name], labels=labels)
    for key, histogram in dict(values).items():
        family.add_metric([key] if labels else [], histogram.buckets(), histogram.total)
    return family
