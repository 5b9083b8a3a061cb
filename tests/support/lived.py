"""A lived-in mirror: what views, reports and recipes are tried on, the same rows on both databases."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tests.support.account import KEY, connected, mirror
from tpmirror.db import schema
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

LATE: Final = timedelta(minutes=20)
"""By how much the world lags behind the mirror's clock at first: jobs seem to wait so much longer."""
REBUILT: Final = {"data_dictionary", "writer_lease"}
LABELS: Final = {"job_statuses", "ml_tasks", "output_resolutions"}


def live(database_url: str) -> dict[int, Decimal]:
    """Fill a mirror: jobs in flight, corrections, flips of preview, deletions, a vanished job; first charges by job."""
    world = World(3, 400, now=datetime.now(UTC) - LATE, in_flight=12)
    with Simulator(world, token=KEY) as simulator:
        mirror(simulator, database_url)
        first = {job_id: charge(world.job(job_id)) for job_id in world.ids()}
        ids = [job for job in world.ids() if not world.job(job)["preview"]]
        for step, job_id in enumerate(ids[:9]):
            world.correct_cost(job_id, Decimal(step) / 7)
        for job_id in ids[10:14]:
            world.edit(job_id, {"preview": True})
        world.edit(ids[20], {"ml_models": []})
        world.edit(ids[21], {"cost_usd": None})
        world.delete(ids[22])
        world.delete_input(ids[23])
        world.advance(200)
        mirror(simulator, database_url)
        for job_id in ids[11:14]:
            world.edit(job_id, {"preview": False, "cost_usd": "7.7777"})
        world.correct_cost(ids[2], Decimal("-3.3333"))
        fresh = [world.submit() for _ in range(6)]
        world.advance(400)
        mirror(simulator, database_url)
        first |= {job_id: charge(world.job(job_id)) for job_id in fresh}
        world.advance(3600)
        for _ in range(3):
            fresh.append(world.submit())
            world.advance(60)
        world.edit(ids[30], {"codec": ["x264"], "input_video": {"size": 1.5}, "output_video": {"owner": "me"}})
        world.edit(
            ids[31], {"ml_models": [{**model, "priority": "first"} for model in world.job(ids[31])["ml_models"]]}
        )
        mirror(simulator, database_url)
        first |= {job_id: charge(world.job(job_id)) for job_id in fresh[-3:]}
        return first


def charge(job: dict[str, Any]) -> Decimal:
    """What a job costs as it is shown now."""
    return Decimal(job["cost_usd"])


def copy(source: str, target: str) -> None:
    """Every row of every table, but what an upgrade makes itself."""
    with connected(source) as old, connected(target) as new, new.begin():
        for table in schema.metadata.sorted_tables:
            if table.name in REBUILT:
                continue
            if table.name in LABELS:
                new.execute(table.delete())
            held = [dict(row) for row in old.execute(table.select()).mappings()]
            if held:
                new.execute(table.insert(), held)
