"""The problems and their remedies, as one list for ``status``, ``/readyz``, the metrics, the log and the alerts.

Pure: the status of the mirror and the clock are arguments. Problems of the service's process: ``service.watchdog``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from tpmirror.config import Settings
from tpmirror.formatting import count
from tpmirror.store.runs import FUTURE, proof_age
from tpmirror.store.status import MirrorStatus

STALE: Final = 3
"""Intervals between full syncs after which a mirror that is not proven complete again is stale."""
UNCERTIFIED: Final = 3
"""Full syncs in a row without a proof at which the missing proof is a problem."""
FAILURE_STREAK: Final = 3
"""Failed runs in a row at which the failures are a problem."""
EXPORT_GRACE: Final = timedelta(minutes=10)
"""How much older an export may be besides: it may take its time, and a claim of a process that died has to run out."""
UNANSWERED_LIMIT: Final = timedelta(days=1)
"""How long jobs may be missing without an answer of the API, before that is a problem."""
SINK_LAG: Final = timedelta(minutes=15)
"""How long an event may wait for its sink, before that is a problem: a restart of the receiver takes less."""
KEY_REFUSED: Final = "the API refused the key"
"""Beginning of the error of a run whose key was refused."""


BUDGET: Final = "budget:"
JOB_FAILED: Final = "job_failed:"
EVENTS: Final = (BUDGET, JOB_FAILED)
"""Prefixes of the codes of events, which happen once and are never over."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that needs attention."""

    code: str
    """Its kind, for machines: equal as long as the problem lasts."""
    message: str
    """The problem, in words."""
    remedy: str
    """The remedy: the next step of an operator."""
    critical: bool = False
    """Whether the mirror cannot be relied on until it is solved."""


def problems_of_mirror(status: MirrorStatus, settings: Settings, now: datetime) -> list[Problem]:
    """The problems that the mirror's own rows show, to any process that can read them."""
    return [
        *_of_runs(status),
        *_of_freshness(status, settings.sync_interval, now),
        *_of_operator(status, now),
        *_of_grants(status),
        *_of_upstream(status),
        *_of_sinks(status, settings, now),
        *_of_export(status, settings, now),
        *_of_budgets(status, settings, now),
    ]


def problems_of_failed_jobs(rows: Sequence[Mapping[str, Any]]) -> list[Problem]:
    """Jobs that failed upstream: events, each alerted once."""
    return [
        Problem(
            f"{JOB_FAILED}{row['job_id']}:{row['seq']}",
            f"job {row['job_id']} failed upstream at {row['observed_at']:%Y-%m-%d %H:%M} UTC",
            f"tpmirror history {row['job_id']} shows what became of it",
        )
        for row in rows
    ]


def _of_runs(status: MirrorStatus) -> Iterator[Problem]:
    error = status.run_error or status.sync_error or ""
    if error.startswith(KEY_REFUSED):
        remedy = "put the account's current key into TPMIRROR_API_KEY_FILE (then SIGHUP) or TPMIRROR_API_KEY"
        yield Problem("key_refused", error.partition(";")[0], remedy, critical=True)
    elif status.sync_failures >= FAILURE_STREAK:
        yield _failing("full syncs", status.sync_failures, status.sync_error)
    elif status.run_failures >= FAILURE_STREAK:
        yield _failing("runs", status.run_failures, status.run_error)


def _failing(what: str, failures: int, error: str | None) -> Problem:
    message = f"the last {failures} {what} failed: {error or 'for an unknown reason'}"
    return Problem("failing", message, "tpmirror doctor finds out why")


def _of_freshness(status: MirrorStatus, sync_interval: float, now: datetime) -> Iterator[Problem]:
    if status.certified_at is None:
        why = (
            f"; the last full sync was not certified: {status.uncertified_reason}" if status.uncertified_reason else ""
        )
        message = f"the mirror has never been proven complete{why}"
        yield Problem("never_certified", message, "run tpmirror sync, or wait for the first full sync", critical=True)
    elif (age := proof_age(status.certified_at, now)) is None:
        message = f"the mirror was {FUTURE}, as of {status.certified_at:%Y-%m-%d %H:%M} UTC: how fresh it is is unknown"
        yield Problem("stale", message, "set the clock, for example with NTP, then run tpmirror sync", critical=True)
    elif age > STALE * sync_interval:
        message = f"the mirror was last proven complete as of {status.certified_at:%Y-%m-%d %H:%M} UTC"
        remedy = f"a full sync is due every {sync_interval:,.0f} s: see the last runs for what keeps it"
        yield Problem("stale", message, remedy, critical=True)
    if status.uncertified >= UNCERTIFIED:
        message = f"the last {status.uncertified} full syncs were not certified: {status.uncertified_reason}"
        yield Problem("uncertified", message, "sync more often or at a quieter time; see sync_runs.certificate")


def _of_operator(status: MirrorStatus, now: datetime) -> Iterator[Problem]:
    if status.waiting:
        verb = "waits" if status.waiting == 1 else "wait"
        message = f"{count(status.waiting, 'vanished job')} {verb} for an operator"
        yield Problem("operator", message, "tpmirror gone list, then gone confirm or gone restore")
    if status.unanswered_since is not None and now - status.unanswered_since > UNANSWERED_LIMIT:
        message = (
            f"jobs are missing since {status.unanswered_since:%Y-%m-%d}, and the API does not answer for them by id"
        )
        yield Problem(
            "untold",
            message,
            "see that the key may read single jobs; tpmirror gone list, then gone confirm --unanswered",
        )
    if status.quarantined:
        jobs = f"; listed jobs: {status.holding.counts}" if status.holding.counts else ""
        message = f"{count(status.quarantined, 'value or item', 'values or items')} could not be held{jobs}"
        yield Problem("quarantine", message, "tpmirror quarantine list, then quarantine retry or quarantine accept")


def _of_grants(status: MirrorStatus) -> Iterator[Problem]:
    if status.ungranted:
        message = f"old rows of {', '.join(status.ungranted)} are not removed: this database role may not delete them"
        yield Problem("retention", message, "run deploy/postgres-roles.sql again, or grant DELETE on them")


def _of_upstream(status: MirrorStatus) -> Iterator[Problem]:
    for code in status.unknown_codes:
        message = f"upstream sends a code that this version has no name for: {code}"
        remedy = "see whether a newer tpmirror knows it; until then a job of an unknown status counts as in flight"
        yield Problem(f"unknown_code:{code}", message, remedy)


def _of_sinks(status: MirrorStatus, settings: Settings, now: datetime) -> Iterator[Problem]:
    """Problems of the sinks in the settings; a sink that was taken out of them is left out."""
    for sink in status.sinks:
        name, again = sink.sink, f"tpmirror events redeliver --sink {sink.sink}"
        if name not in (settings.webhook_urls or {}):
            continue
        if sink.disabled_at is not None:
            message = f"the sink {name} is sent nothing since {sink.disabled_at:%Y-%m-%d %H:%M} UTC: it answered 410"
            yield Problem(f"sink_disabled:{name}", message, f"take it out of TPMIRROR_WEBHOOK_URLS, or {again}")
        elif sink.waiting_since is not None and now - sink.waiting_since > SINK_LAG:
            why = f": {sink.last_error}" if sink.last_error else ""
            since = f"the oldest since {sink.waiting_since:%Y-%m-%d %H:%M} UTC"
            message = f"{count(sink.lag, 'event')} wait for the sink {name}, {since}{why}"
            remedy = "see that its receiver runs and answers with 2xx: tpmirror events test"
            yield Problem(f"sink_behind:{name}", message, remedy)
        if sink.dead:
            message = f"{count(sink.dead, 'event')} that the sink {name} did not take were given up"
            yield Problem(f"sink_dead:{name}", message, f"tpmirror events list shows why, {again} sends them again")


def _of_export(status: MirrorStatus, settings: Settings, now: datetime) -> Iterator[Problem]:
    """Only of the export that is asked for: one that nobody wants any more may be old."""
    export = status.exports.get(settings.export_url or "")
    if export is None:
        return
    if export.failures >= FAILURE_STREAK:
        message = f"the last {export.failures} exports failed: {export.error}"
        yield Problem("export_failing", message, "tpmirror export, to the same destination, shows why")
    age = now - (export.succeeded_at or export.since)
    if age > timedelta(seconds=STALE * settings.export_interval) + EXPORT_GRACE:
        held = export.succeeded_at
        due = f"one is due every {settings.export_interval:,.0f} s"
        message = f"the export holds nothing yet, though {due}"
        if held is not None:
            message = f"the export is as of {held:%Y-%m-%d %H:%M} UTC, though {due}"
        yield Problem("export_stale", message, "see the log of tpmirror run for what keeps it")


def _of_budgets(status: MirrorStatus, settings: Settings, now: datetime) -> Iterator[Problem]:
    """The code names the day or the month: each new one is a new problem."""
    for name, period, spent, budget in (
        ("day", f"{now:%Y-%m-%d}", status.credits_today, settings.budget_daily),
        ("month", f"{now:%Y-%m}", status.credits_month, settings.budget_monthly),
    ):
        if spent is not None and budget is not None and spent > budget:
            message = f"{spent:,.2f} Credits were spent in the {name} {period}, more than the budget of {budget:,.2f}"
            yield Problem(f"{BUDGET}{name}:{period}", message, "tpmirror report shows on what")
