"""ETA accuracy: of a period it says what the samples of its jobs say, and reads no others."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, text

from benchmarks.year import fill
from tests.support.account import connected, query
from tpmirror.reports.eta import eta
from tpmirror.reports.period import Period

YEAR = {"runs": 1_000, "jobs": 500, "samples": 15_000, "per_job": 2, "every": 31_536}
"""The jobs of a year, each with 30 samples and one of the models up to 10."""


def test_over_all_time_it_is_the_view(lived_mirror, dialect):
    columns = ("model", "progress_from", "jobs", "samples", "mean_error_s", "mean_abs_error_s", "mean_relative_error")
    wanted = f"SELECT {', '.join(columns)} FROM eta_accuracy ORDER BY model, ml_model_id, progress_from"
    with connected(lived_mirror[dialect]) as conn:
        found = eta(conn, Period()).rows
    assert [tuple(row[name] for name in columns) for row in found] == query(lived_mirror[dialect], wanted)
    assert len(found) > 1


def test_a_period_has_the_jobs_that_finished_in_it_and_reads_no_samples_of_others(mirror_url, dialect):
    fill(mirror_url, {**YEAR, "now": datetime.now(UTC).timestamp()})
    first = datetime.now(UTC).date() - timedelta(days=6)
    with connected(mirror_url) as conn:
        if dialect == "postgresql":
            conn.execute(text("ANALYZE"))  # as autovacuum does
        whole, before, week = (eta(conn, period).rows for period in (Period(), Period(after=first), Period(first)))
        assert not reads_all(plan_of(conn, lambda: eta(conn, Period(first))), dialect)
        view = "SELECT * FROM eta_accuracy"
        assert reads_all(plan_of(conn, lambda: conn.exec_driver_sql(view).all()), dialect)
    found = [sum(row["samples"] for row in rows if row["ml_model_id"] <= 10) for rows in (whole, before, week)]
    assert found[0] == found[1] + found[2]
    jobs = f"SELECT COUNT(*) FROM jobs WHERE status = 2 AND finished >= '{first}'"
    assert found[2] == 30 * query(mirror_url, jobs)[0][0] > 0


def reads_all(plan: list[str], dialect: str) -> bool:
    """Whether all samples are read, not those of some jobs by their key."""
    if dialect == "sqlite":
        return not any("ix_jobs_finished" in line or "(rowid>?" in line or "(job_id>?" in line for line in plan)
    return any("Seq Scan on job_progress_samples" in line for line in plan)


def plan_of(conn: Any, work: Any) -> list[str]:
    """How the database runs the one statement of some work."""
    seen: list[Any] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    work()
    event.remove(Engine, "before_cursor_execute", note)
    (statement, parameters) = seen[-1]
    how = "EXPLAIN QUERY PLAN" if conn.dialect.name == "sqlite" else "EXPLAIN"
    return [row[-1] for row in conn.exec_driver_sql(f"{how} {statement}", parameters)]
