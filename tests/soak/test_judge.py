"""The judge of all simulated mirrors: whatever is altered in a mirror that was right, it says so."""

from functools import partial

import pytest
from sqlalchemy import text

from tests.support.account import connected, mirror, row, tamper
from tests.support.witness import Witness, read

pytestmark = pytest.mark.exhaustive

NEEDED = "status, presence, first_seen_at, changed_at, fingerprint"
ENTRY = "job_id, field, reason, payload, first_seen_at, last_seen_at, sync_run_id"
ALTERED = [
    "UPDATE jobs SET description = 'another' WHERE id = 5",
    "UPDATE jobs SET cost_usd = cost_usd + 0.0001 WHERE id = 5",
    "UPDATE jobs SET extra = '{}' WHERE id = 5",
    "UPDATE jobs SET started = NULL WHERE id = 5",
    "UPDATE jobs SET status = 7 WHERE id = 5",
    "UPDATE jobs SET presence = 'gone' WHERE id = 5",
    "UPDATE jobs SET input_video_id = NULL WHERE id = 5",
    f"INSERT INTO jobs (id, {NEEDED}) SELECT 999, {NEEDED} FROM jobs WHERE id = 5",
    "UPDATE input_videos SET name = 'another' WHERE id = 3",
    "UPDATE output_videos SET bitrate = 1 WHERE id = 3",
    "DELETE FROM job_ml_models WHERE job_id = 5",
    "UPDATE job_status_history SET to_status = 7 WHERE entry = 3",
    "DELETE FROM job_status_history WHERE entry = 3",
    "UPDATE sync_runs SET outcome = 'running'",
    f"INSERT INTO quarantined_jobs ({ENTRY}) SELECT 5, 'job.grain', '', '', started_at, started_at, id FROM sync_runs",
]


@pytest.mark.parametrize("statement", ALTERED)
def test_whatever_is_altered_in_a_mirror_the_judge_says_so(statement, sim, lite_url):
    witness = Witness(sim)
    mirror(sim, lite_url)

    def wrong() -> list[str]:
        held = partial(read, lite_url)
        found = witness.judge.verdict(held, row(lite_url, "sync_runs"), witness.served, strict=True)
        return [*found, *witness.differences(lite_url)]

    assert wrong() == []
    with connected(lite_url) as conn:
        for (name,) in conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            conn.execute(text(f"DROP TRIGGER {name}"))
        conn.commit()
    tamper(lite_url, statement)
    assert wrong() != []
