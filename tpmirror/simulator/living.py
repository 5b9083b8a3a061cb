"""An account for demos: its past ends now, and new jobs arrive and end within minutes."""

from datetime import datetime
from typing import Final

from tpmirror.simulator.fixtures import USUAL_NAMES
from tpmirror.simulator.models import Profile
from tpmirror.simulator.world import World

JOBS_PER_DAY: Final = 4320
"""Three a minute."""
HASTE: Final = 5
"""A job takes two or three minutes from submission to end; without haste a quarter of an hour."""
SLOWEST: Final = 0.01
"""Least ``speed`` of lifetimes: slower jobs in flight would have been submitted before ``datetime.min``."""
IN_FLIGHT: Final = 8
"""Jobs in flight at the start: as many as these arrivals and lifetimes keep in flight later."""
GROWTH: Final = 1.5
"""Of 1,000 jobs in a year, 190 in the last month and 20 on the last day: new jobs do not dwarf them on charts."""


def living(seed: int, jobs: int, now: datetime, *, speed: float = 1) -> World:
    """An account whose past ends ``now``; above 0, ``speed`` is how many times faster jobs come and end.

    It speeds up the jobs and not the clock: a clock ahead of the mirror's would start jobs in the mirror's future.
    """
    return World(
        seed,
        jobs,
        now=now,
        in_flight=IN_FLIGHT,
        jobs_per_day=JOBS_PER_DAY * speed,
        profile=Profile(GROWTH, HASTE * max(speed, SLOWEST), USUAL_NAMES),
    )
