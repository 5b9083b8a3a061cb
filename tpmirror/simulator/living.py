"""An account to look at: its past ends now, and its life goes on before one's eyes."""

from datetime import datetime
from typing import Final

from tpmirror.simulator.fixtures import USUAL_NAMES
from tpmirror.simulator.models import Profile
from tpmirror.simulator.world import World

JOBS_PER_DAY: Final = 4320
"""Three a minute."""
HASTE: Final = 5
"""A job takes two or three minutes from submission to end; at life's own pace a quarter of an hour."""
SLOWEST: Final = 0.01
"""Of ``speed``: jobs in flight that live slower would have been submitted before the calendar begins."""
IN_FLIGHT: Final = 8
"""What arrivals and lives of that pace keep in flight, so that the account is in full swing from the start."""
GROWTH: Final = 1.5
"""Of 1,000 jobs in a year, 190 in the last month and 20 on the last day: beside them, the new ones are no explosion."""


def living(seed: int, jobs: int, now: datetime, *, speed: float = 1) -> World:
    """An account whose past ends ``now``; above 0, ``speed`` is how many times faster jobs come and end.

    It makes the jobs faster and not the clock, which would run ahead of the mirror's: jobs would start in its future.
    """
    return World(
        seed,
        jobs,
        now=now,
        in_flight=IN_FLIGHT,
        jobs_per_day=JOBS_PER_DAY * speed,
        profile=Profile(GROWTH, HASTE * max(speed, SLOWEST), USUAL_NAMES),
    )
