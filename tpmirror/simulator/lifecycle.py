"""The lifetime of a job: its time in queue and processing, its outcome, and the rating and deletion of its output.

A lifetime is drawn from the seed and the job's id alone, so that the steps in which the clock advances do not change
the account. Times are whole microseconds throughout, instants since the epoch.
"""

import math
from dataclasses import dataclass, replace
from random import Random
from typing import Final

QUEUED: Final = 0
PROCESSING: Final = 1
FINISHED: Final = 2
FAILED: Final = -1
CANCELED: Final = -2

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
MAX_LIFETIME: Final = 2 * 3600 * SECOND
"""No job is in flight longer than this."""

LIVES: Final = 1
TRAITS: Final = 2
SOURCES: Final = 3
ARRIVALS: Final = 4
DRIFT: Final = 5
ORDER: Final = 6
START: Final = 7


def chance(seed: int, kind: int, number: int = 0) -> Random:
    """A random generator for one purpose in an account, seeded by the arguments alone: independent of all others."""
    return Random((seed << 64) + (kind << 56) + number)  # noqa: S311 - invents data, guards nothing


@dataclass(slots=True)
class Lifetime:
    """The course of a job unless a test changes it. Durations in microseconds.

    ``work`` is the full processing time, ``worked`` the actual one, None if processing never begins.
    ``rated`` and ``erased`` count from the end of the job. ``shares`` says how many jobs ago its input was used first.
    """

    queue: int
    work: int
    worked: int | None
    outcome: int
    rated: int | None
    score: int
    erased: int | None
    shares: int | None
    by_url: bool

    @property
    def span(self) -> int:
        """From submission to end."""
        return self.queue + (self.worked or 0)


def draw(seed: int, job_id: int) -> Lifetime:
    """The lifetime of a job: about 92 % finish, 5 % fail, 3 % are canceled, a third of those while still in the queue.

    A tenth of the outputs is rated within days, a sixth is deleted within months. A fifth of the jobs uses the input of
    another, a tenth fetches it from a URL.
    """
    rng = chance(seed, LIVES, job_id)
    roll = rng.random()
    outcome = FINISHED if roll < 0.92 else FAILED if roll < 0.97 else CANCELED
    queue = int((40 + 380 * rng.random()) * SECOND)
    work = int(min(90 + 500 * -math.log(1 - rng.random()), 6000.0) * SECOND)
    worked = work if outcome == FINISHED else None if roll > 0.99 else int(work * (0.05 + 0.9 * rng.random()))
    return Lifetime(
        queue=queue,
        work=work,
        worked=worked,
        outcome=outcome,
        rated=_delay(rng, 2) if rng.random() < 0.1 else None,
        score=min(5, 1 + int(7 * rng.random())),
        erased=_delay(rng, 60) if rng.random() < 0.16 else None,
        shares=1 + int(20 * rng.random()) if rng.random() < 0.22 else None,
        by_url=rng.random() < 0.125,
    )


def hastened(life: Lifetime, haste: float) -> Lifetime:
    """The lifetime with queue and processing ``haste`` times faster; rating and deletion keep their delays."""
    if haste == 1:
        return life
    worked = None if life.worked is None else int(life.worked / haste)
    return replace(life, queue=int(life.queue / haste), work=int(life.work / haste), worked=worked)


def _delay(rng: Random, days: float) -> int:
    return int(-math.log(1 - rng.random()) * days * DAY)


def progress(job_id: int, began: int, due: int, now: int) -> float:
    """The ratio of the work done, 0 to 1. It moves unevenly, in steps of a hundredth, and never back."""
    share = min(max((now - began) / max(due - began, 1), 0.0), 1.0)
    wobble = 0.04 * math.sin(share * math.pi) * math.sin(job_id + share * 9)
    return math.floor(min(max(share + wobble, 0.0), 1.0) * 100) / 100


def eta(job_id: int, due: int, now: int) -> float:
    """The ETA of a job in flight in seconds: the time left with an error of up to 40 %, which changes each minute."""
    left = max(due - now, 0) / SECOND
    minute = now // (60 * SECOND)
    return round(left * (1 + 0.4 * math.sin(job_id * 7 + minute * 2.4)), 1)
