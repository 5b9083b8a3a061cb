"""Sums of the ETA's errors: written as a job ends, anew when its end moves, and kept when its samples are removed."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import delete, update

from tests.support.account import mirror, rows
from tpmirror.db import schema
from tpmirror.db.engine import connected
from tpmirror.store.eta import errors, sum_up

END = datetime(2026, 11, 1, 12, tzinfo=UTC)


def look(minutes: float, progress: float | None, eta_s: float | None) -> SimpleNamespace:
    """A look at a job so long before it ended."""
    return SimpleNamespace(
        observed_at=END - timedelta(minutes=minutes), processing_progress=progress, eta_s=eta_s
    )  # fmt: skip


def test_errors_are_summed_up_by_tenth_of_progress():
    looks = [look(10, 0.1, 660.0), look(5, 0.19, 240.0), look(1, 1.0, 60.0), look(2, -0.5, 180.0)]
    none = {"error_s": 0.0, "abs_error_s": 0.0, "relative_error": 0.0}
    assert errors(END, looks) == [
        {"progress_from": 0, "samples": 1, "error_s": 60.0, "abs_error_s": 60.0, "relative_error": 0.5},
        {"progress_from": 10, "samples": 2, "error_s": 0.0, "abs_error_s": 120.0, "relative_error": pytest.approx(0.3)},
        {"progress_from": 90, "samples": 1, **none},
    ]


def test_what_says_nothing_is_left_out():
    assert errors(END, [look(0, 0.5, 1.0), look(-1, 0.5, 1.0), look(5, None, 1.0), look(5, 0.5, None)]) == []
    assert errors(None, [look(5, 0.5, 300.0)]) == []


def test_a_job_that_ends_has_the_sums_of_its_samples(sim, world, mirror_url):
    job_id = in_processing(sim, world, mirror_url)
    assert rows(mirror_url, "eta_errors") == []
    (sample,) = rows(mirror_url, "job_progress_samples", job_id=job_id)
    end(sim, world, mirror_url, job_id)
    (found,) = rows(mirror_url, "eta_errors")
    (job,) = rows(mirror_url, "jobs", id=job_id)
    left = datetime.fromisoformat(str(job["finished"])) - datetime.fromisoformat(str(sample["observed_at"]))
    assert (found["job_id"], found["samples"]) == (job_id, 1)
    assert found["error_s"] == pytest.approx(sample["eta_s"] - left.total_seconds())


def test_sums_move_with_the_end_and_stay_without_samples(sim, world, mirror_url):
    job_id = in_processing(sim, world, mirror_url)
    end(sim, world, mirror_url, job_id)
    (before,) = rows(mirror_url, "eta_errors")
    later = datetime.fromisoformat(world.job(job_id)["finished"]) + timedelta(hours=1)
    world.edit(job_id, {"finished": later.isoformat()})
    mirror(sim, mirror_url)
    (after,) = rows(mirror_url, "eta_errors")
    assert after["error_s"] == pytest.approx(before["error_s"] - 3600)
    with connected(mirror_url) as engine, engine.begin() as conn:
        conn.execute(delete(schema.job_progress_samples))
        sum_up(conn, [job_id])
    assert rows(mirror_url, "eta_errors") == [after]


def test_a_job_that_is_not_finished_after_all_has_none(sim, world, mirror_url):
    job_id = in_processing(sim, world, mirror_url)
    end(sim, world, mirror_url, job_id)
    with connected(mirror_url) as engine, engine.begin() as conn:
        conn.execute(update(schema.jobs).values(status=-1))
        sum_up(conn, [job_id])
    assert rows(mirror_url, "eta_errors") == []


def in_processing(sim, world, mirror_url) -> int:
    """A job that the mirror saw in processing."""
    job_id: int = world.submit()
    world.start(job_id)
    mirror(sim, mirror_url)
    return job_id


def end(sim, world, mirror_url, job_id: int) -> None:
    """Finish it some minutes later, and mirror that."""
    world.finish(job_id)
    world.edit(job_id, {"finished": (datetime.now(UTC) + timedelta(minutes=5)).isoformat()})
    mirror(sim, mirror_url)
