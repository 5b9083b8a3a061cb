"""The population of an account: its jobs so far, and the events that are still to come for them.

Each job draws its lifetime; past events are applied, later ones are queued. So a new account behaves like one whose
clock was advanced to its present.
"""

import heapq
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from random import Random
from typing import Final

from tpmirror.simulator.lifecycle import DAY, FINISHED, MAX_LIFETIME, SECOND, START, Lifetime, chance, draw, hastened
from tpmirror.simulator.models import Job, Profile, Source

BEGIN: Final = "begin"
END: Final = "end"
RATE: Final = "rate"
ERASE: Final = "erase"
USUALLY_IN_FLIGHT: Final = 4


class EventQueue:
    """Events to come, earliest first. An event is a time, a kind, a job's id, the epoch it belongs to, and a value."""

    def __init__(self) -> None:
        self._events: list[tuple[int, int, str, int, int, int]] = []
        self._serial = count()

    def add(self, at: int, kind: str, job: Job, value: int = 0) -> None:
        """Queue an event. It is void if the job's epoch has grown when it is due."""
        heapq.heappush(self._events, (at, next(self._serial), kind, job.id, job.epoch, value))

    def next(self) -> int | None:
        """When the next event is due."""
        return self._events[0][0] if self._events else None

    def pop(self) -> tuple[int, str, int, int, int]:
        """Take the next event: its time, kind, job id, epoch and value."""
        at, _, kind, job_id, epoch, value = heapq.heappop(self._events)
        return at, kind, job_id, epoch, value


class Population:
    """The records of all jobs and input videos; assigns the ids."""

    def __init__(self, seed: int, profile: Profile) -> None:
        self.seed = seed
        self._profile = profile
        self.jobs: dict[int, Job] = {}
        self.sources: dict[int, Source] = {}
        self.agenda = EventQueue()
        self._outputs = count(1)

    def found(self, jobs: int, now: int, days: float, in_flight: int | None) -> None:
        """Fill an account: jobs over the days before now, of which the newest ones are in flight."""
        rng = chance(self.seed, START)
        live = min(jobs, USUALLY_IN_FLIGHT if in_flight is None else in_flight)
        longest = int(MAX_LIFETIME / max(self._profile.haste, 1))
        latest = now - longest - SECOND
        span = max(int(timedelta(days=days) / timedelta(microseconds=1)) - longest, (jobs - live) * SECOND)
        for born in _births(rng, jobs - live, latest, span, self._profile.growth):
            self.add(born, now)
        lives = [self._life(number) for number in range(jobs - live + 1, jobs + 1)]
        ages = [(int(life.span * (0.05 + 0.9 * rng.random())), number) for number, life in enumerate(lives)]
        for age, number in sorted(ages, reverse=True):
            self.add(now - age, now, lives[number])

    def add(self, born: int, now: int, life: Lifetime | None = None, source: Source | None = None) -> Job:
        """A new job: the events of its lifetime up to ``now`` are applied, the later ones queued."""
        number = len(self.jobs) + 1
        life = life or self._life(number)
        source = source or self._source(number, born, life)
        job = self.jobs[number] = Job(number, source, born, born + life.queue + life.work)
        for at, kind, value in _events(born, life):
            if at <= now:
                self.happen(job, at, kind, value)
            else:
                self.agenda.add(at, kind, job, value)
        return job

    def happen(self, job: Job, at: int, kind: str, value: int) -> None:
        """Apply an event to a job."""
        if kind == BEGIN:
            self.turn(job, at, 1)
        elif kind == END:
            self.turn(job, at, value)
        elif kind == RATE:
            job.score = value
        else:
            job.erased = at

    def turn(self, job: Job, at: int, status: int) -> None:
        """Set the status of a job, its times and output; records transitions that the true service never makes too."""
        if job.status == status == 1:
            return  # already processing: ``began`` keeps its time
        if job.past is not None or job.ended is not None:
            job.past = [*job.history(), (at, job.status, status)]
        job.status = status
        job.output = job.output_born = job.ended = None
        if status == 1:
            job.began = at
            return
        job.ended = at
        if status == FINISHED:
            job.output, job.output_born = next(self._outputs), at
            job.erased = job.score = None

    def restart(self, job: Job, at: int) -> None:
        """Start processing a job now, whatever its status; processing takes the time that its lifetime says."""
        life = self._life(job.id)
        job.epoch += 1
        self.turn(job, at, 1)
        job.due = at + life.work
        self.agenda.add(at + (life.worked or life.work), END, job, life.outcome)

    def _life(self, number: int) -> Lifetime:
        return hastened(draw(self.seed, number), self._profile.haste)

    def _source(self, number: int, born: int, life: Lifetime) -> Source:
        if life.shares is not None and (other := self.jobs.get(number - life.shares)):
            used = other.source
            if not used.by_url and not used.gone:
                return used
        source = Source(len(self.sources) + 1, born, life.by_url)
        self.sources[source.id] = source
        return source


def _births(rng: Random, jobs: int, latest: int, span: int, growth: float) -> list[int]:
    """When jobs were submitted: in order, some on the full second, some at the time of the job before."""
    births = [latest - int(rng.random() ** growth * span) for _ in range(jobs)]
    births = sorted(born - born % SECOND if born % 20 == 0 else born for born in births)
    for number in range(1, jobs):
        if births[number] % 50 == 7:
            births[number] = births[number - 1]
    return births


def _events(born: int, life: Lifetime) -> Iterator[tuple[int, str, int]]:
    """The events of a lifetime: time, kind and value."""
    ended = born + life.span
    if life.worked is not None:
        yield born + life.queue, BEGIN, 0
    yield ended, END, life.outcome
    if life.outcome == FINISHED and life.rated is not None:
        yield ended + life.rated, RATE, life.score
    if life.outcome == FINISHED and life.erased is not None:
        yield ended + life.erased, ERASE, 0


def arrival(rng: Random, now: int, jobs_per_day: float) -> int | None:
    """When the next job will be submitted, by a Poisson process."""
    return now + int(rng.expovariate(jobs_per_day) * DAY) + 1 if jobs_per_day > 0 else None
