"""ETA accuracy: it says what the samples of the jobs of a period say."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select, text, update

from benchmarks.year import fill
from tests.support.account import connected, query
from tpmirror.db import schema
from tpmirror.reports.eta import eta
from tpmirror.reports.period import Period

YEAR = {"runs": 1_000, "jobs": 500, "samples": 15_000, "per_job": 2, "every": 31_536}
"""The jobs of a year, each with 30 samples and one of the models up to 10."""


def test_over_all_time_it_is_the_view_and_what_the_samples_say(lived_mirror, dialect):
    columns = ("model", "progress_from", "jobs", "samples", "mean_error_s", "mean_abs_error_s", "mean_relative_error")
    wanted = f"SELECT {', '.join(columns)} FROM eta_accuracy ORDER BY model, ml_model_id, progress_from"
    with connected(lived_mirror[dialect]) as conn:
        found = eta(conn, Period()).rows
        counted = said(conn)
    held = query(lived_mirror[dialect], wanted)
    assert [tuple(row[name] for name in columns[:4]) for row in found] == [row[:4] for row in held]
    for row, other in zip(found, held, strict=True):
        said_of = counted[row["ml_model_id"], row["progress_from"]]
        assert [row["jobs"], row["samples"]] == said_of[:2]
        means = [row[name] for name in columns[4:]]
        assert means == pytest.approx(list(other[4:]))
        assert means == pytest.approx(said_of[2:])
    assert len(found) == len(counted) > 1


def said(conn: Connection) -> dict[tuple[int, int], list[float]]:
    """Jobs, samples and mean errors by model and tenth, from each sample."""
    samples, jobs, links = schema.job_progress_samples.c, schema.jobs.c, schema.job_ml_models.c
    wanted = select(samples.job_id, jobs.finished, samples.observed_at, samples.processing_progress, samples.eta_s)
    models: dict[int, set[int]] = {}
    for link in conn.execute(select(links.job_id, links.ml_model_id)):
        models.setdefault(link.job_id, set()).add(link.ml_model_id)
    found: dict[tuple[int, int], list[tuple[int, float, float]]] = {}
    ended = (jobs.status == 2) & (jobs.finished > samples.observed_at) & samples.eta_s.is_not(None)
    for look in conn.execute(wanted.join(schema.jobs, jobs.id == samples.job_id).where(ended)):
        left = (look.finished - look.observed_at).total_seconds()
        for model in models[look.job_id]:
            tenth = min(90, int(look.processing_progress * 10) * 10)
            found.setdefault((model, tenth), []).append((look.job_id, look.eta_s - left, left))
    return {
        key: [
            len({job for job, _, _ in some}),
            len(some),
            mean(error for _, error, _ in some),
            mean(abs(error) for _, error, _ in some),
            mean(abs(error) / left for _, error, left in some),
        ]
        for key, some in found.items()
    }


def test_a_period_has_the_jobs_that_finished_in_it_and_reads_no_others(mirror_url, dialect):
    fill(mirror_url, {**YEAR, "now": datetime.now(UTC).timestamp()})
    first = datetime.now(UTC).date() - timedelta(days=6)
    with connected(mirror_url) as conn:
        if dialect == "postgresql":
            conn.execute(text("ANALYZE"))  # as autovacuum does
        assert not reads_all(plan_of(conn, lambda: eta(conn, Period(first))), dialect)
        assert reads_all(plan_of(conn, lambda: conn.exec_driver_sql("SELECT * FROM eta_errors").all()), dialect)
        whole, before, week = (eta(conn, period).rows for period in (Period(), Period(after=first), Period(first)))
    found = [sum(row["samples"] for row in rows if row["ml_model_id"] <= 10) for rows in (whole, before, week)]
    assert found[0] == found[1] + found[2]
    with connected(mirror_url) as conn:
        conn.execute(update(schema.ml_models).where(schema.ml_models.c.id == 3).values(name=None))
        assert eta(conn, Period()).rows[0]["model"] is None, "the API may state no name"
    jobs = f"SELECT COUNT(*) FROM jobs WHERE status = 2 AND finished >= '{first}'"
    assert found[2] == 30 * query(mirror_url, jobs)[0][0] > 0


def reads_all(plan: list[str], dialect: str) -> bool:
    """Whether the sums of all jobs are read, not those of some jobs by their key."""
    of_all = {"sqlite": "SCAN e", "postgresql": "Seq Scan on eta_errors"}[dialect]
    return any(of_all in line for line in plan)


def plan_of(conn: Connection, work: Callable[[], object]) -> list[str]:
    """How the database runs the one statement of some work that reads the sums; none reads samples."""
    seen: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    work()
    event.remove(Engine, "before_cursor_execute", note)
    assert not [statement for statement, _ in seen if "job_progress_samples" in statement]
    ((statement, parameters),) = [one for one in seen if "eta_errors" in one[0]]
    how = "EXPLAIN QUERY PLAN" if conn.dialect.name == "sqlite" else "EXPLAIN"
    return [row[-1] for row in conn.exec_driver_sql(f"{how} {statement}", parameters)]
