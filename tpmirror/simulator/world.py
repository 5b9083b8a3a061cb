"""An account with past jobs, a virtual clock that makes new ones, and methods that change it. No sockets.

The seed determines everything: equal seeds, clocks and calls make equal accounts, byte for byte.
"""

import functools
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from tpmirror.simulator import serializer
from tpmirror.simulator.lifecycle import ARRIVALS, CANCELED, FAILED, FINISHED, SECOND, chance
from tpmirror.simulator.lifetimes import Population, arrival
from tpmirror.simulator.models import USUAL, Job, Profile, instant, moment
from tpmirror.simulator.oddity import Oddity, overlaid
from tpmirror.simulator.ordering import Listing
from tpmirror.simulator.payloads import PayloadStore
from tpmirror.simulator.videos import check

P = ParamSpec("P")
R = TypeVar("R")

START: Final = datetime(2026, 11, 1, tzinfo=UTC)
OWNER: Final = ("studio@example.com", 4711)


def _locked(method: Callable[Concatenate["World", P], R]) -> Callable[Concatenate["World", P], R]:
    """Hold the world's lock during the call: server threads and a test use the world concurrently."""

    @functools.wraps(method)
    def alone(self: "World", /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return alone


class World:
    """A TensorPix account, as the API would show it.

    Jobs have the ids 1, 2, 3...; input and output videos have numbers of their own, which collide. ``days`` is how far
    back the jobs go, ``in_flight`` how many of the newest have not ended (default: a few). ``owner`` is the address and
    the number of the user. ``jobs_per_day`` is the rate of new jobs as the clock advances (default: that of the past).
    ``version`` grows with every change. All times are virtual.
    """

    def __init__(
        self,
        seed: int = 1,
        jobs: int = 1000,
        *,
        now: datetime = START,
        days: float = 365,
        in_flight: int | None = None,
        owner: tuple[str, int] = OWNER,
        jobs_per_day: float | None = None,
        profile: Profile = USUAL,
    ) -> None:
        self.lock = threading.RLock()
        self.seed = seed
        self.version = 0
        self._now = instant(now)
        self._population = Population(seed, profile)
        self._population.found(jobs, self._now, days, in_flight)
        self._jobs = self._population.jobs
        self._gallery = PayloadStore(seed, serializer.Owner(*owner), profile.names)
        self._oddities: dict[int, tuple[Oddity, ...]] = {}
        self._listing = Listing(seed, self._jobs)
        self._arrivals = chance(seed, ARRIVALS)
        self.jobs_per_day = jobs / days if jobs_per_day is None else jobs_per_day

    # The clock

    @property
    def now(self) -> datetime:
        """The virtual time."""
        return moment(self._now)

    @property
    def jobs_per_day(self) -> float:
        """How many jobs are submitted in a day, on average. May be set at any time; 0: none."""
        return self._jobs_per_day

    @jobs_per_day.setter
    def jobs_per_day(self, rate: float) -> None:
        with self.lock:
            self._jobs_per_day = rate
            self._arrival = arrival(self._arrivals, self._now, rate)

    @_locked
    def advance(self, seconds: float) -> None:
        """Advance the clock, and apply the events until then in order, each at its time."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds} seconds")
        until = self._now + round(seconds * SECOND)
        while (at := self._next()) is not None and at <= until:
            self._now = at
            if at == self._arrival:
                self._arrival = arrival(self._arrivals, at, self._jobs_per_day)
                self._written(self._population.add(at, at), members=True)
            else:
                self._happen()
        self._now = until

    def _next(self) -> int | None:
        return min((at for at in (self._arrival, self._population.agenda.next()) if at is not None), default=None)

    def _happen(self) -> None:
        at, kind, job_id, epoch, value = self._population.agenda.pop()
        job = self._jobs[job_id]
        if job.epoch == epoch:
            self._population.happen(job, at, kind, value)
            self._written(job)

    # Actions of users and of the service

    @_locked
    def submit(self, /, **fields: Any) -> int:
        """Submit a job now; its id. ``fields`` are options by their API names, as ``preview=True``, ``ml_models=[44]``.

        ``input_video`` may be the id of an existing input. Raises ValueError for an unknown option, model or codec.
        """
        source = self._population.sources[fields.pop("input_video")] if "input_video" in fields else None
        check(fields)
        job = self._population.add(self._now, self._now, source=source)
        self._gallery.choose(job.id, fields)
        self._written(job, members=True)
        return job.id

    @_locked
    def start(self, job_id: int) -> None:
        """Processing begins now; for a job that has ended, again, which the true service never does."""
        job = self._jobs[job_id]
        self._population.restart(job, self._now)
        self._written(job)

    def finish(self, job_id: int) -> None:
        """The job ends well, now."""
        self._end(job_id, FINISHED)

    def fail(self, job_id: int) -> None:
        """The job fails, now."""
        self._end(job_id, FAILED)

    def cancel(self, job_id: int) -> None:
        """The job is canceled, now."""
        self._end(job_id, CANCELED)

    @_locked
    def _end(self, job_id: int, status: int) -> None:
        job = self._jobs[job_id]
        job.epoch += 1
        self._population.turn(job, self._now, status)
        self._written(job)

    @_locked
    def rate(self, job_id: int, score: int | None) -> None:
        """The user rates the output, 1 to 5; None: the rating is removed."""
        job = self._with_output(job_id)
        job.score = score
        self._written(job)

    @_locked
    def delete_output(self, job_id: int) -> None:
        """The output is deleted: it stays in the job, with the time of its deletion and without URLs."""
        job = self._with_output(job_id)
        job.erased = self._now
        self._written(job)

    def _with_output(self, job_id: int) -> Job:
        job = self._jobs[job_id]
        if job.output is None:
            raise ValueError(f"job {job_id} has no output")
        return job

    @_locked
    def delete_input(self, job_id: int) -> None:
        """The input is deleted: ``input_video`` becomes null in all jobs that used it."""
        source = self._jobs[job_id].source
        source.gone = True
        for job in self._jobs.values():
            if job.source is source:
                self._written(job)

    @_locked
    def correct_cost(self, job_id: int, cost: Decimal) -> None:
        """The service corrects what a job cost, in Credits."""
        self._gallery.correct(job_id, Decimal(cost))
        self._written(self._jobs[job_id])

    # Anomalies of the service

    @_locked
    def delete(self, job_id: int) -> None:
        """The job is gone: neither listed nor found by its id."""
        self._jobs[job_id].present = False
        self._written(self._jobs[job_id], members=True)

    @_locked
    def hide(self, job_id: int) -> None:
        """The job is no longer listed, but is found by its id."""
        self._jobs[job_id].hidden = True
        self._written(self._jobs[job_id], members=True)

    @_locked
    def restore(self, job_id: int) -> None:
        """A deleted or hidden job is back."""
        self._jobs[job_id].present, self._jobs[job_id].hidden = True, False
        self._written(self._jobs[job_id], members=True)

    @_locked
    def touch(self, job_id: int) -> None:
        """The row was written without a visible change: it moves in the orderings ``-updated`` and ``unordered``."""
        self._written(self._jobs[job_id])

    @_locked
    def edit(self, job_id: int, fields: Mapping[str, Any]) -> None:
        """Merge fields into the payload of the job from now on, objects key by key: any JSON, false values too."""
        self._gallery.edit(job_id, fields)
        self._written(self._jobs[job_id])

    @_locked
    def edit_model(self, model_id: int, fields: Mapping[str, Any]) -> None:
        """Change the catalogue of models: every job shows the change, costs stay."""
        self._gallery.edit_model(model_id, fields)
        self.version += 1

    @_locked
    def raw(self, job_id: int, body: bytes) -> None:
        """Serve exactly these bytes for the job from now on; ``b""``: the job itself again."""
        self._gallery.raw(job_id, body)
        self._written(self._jobs[job_id])

    @_locked
    def distort(self, job_id: int, *oddities: Oddity) -> None:
        """Apply these oddities to the payload of the job in place of earlier ones; without any, remove them."""
        self._oddities[job_id] = oddities
        self._written(self._jobs[job_id])

    def _written(self, job: Job, *, members: bool = False) -> None:
        self.version += 1
        self._gallery.forget(job.id)
        self._listing.written(job.id, members=members)

    # Reading

    @_locked
    def ids(self) -> list[int]:
        """The ids of all jobs that are found by their id, in order: hidden ones too, deleted ones not."""
        return [job.id for job in self._jobs.values() if job.present]

    @_locked
    def listed(self, active_only: bool = False) -> list[int]:
        """The ids of all jobs that are listed, in order; with ``active_only``, of those in flight."""
        return list(self._listing.ids("id", active_only=active_only))

    @_locked
    def order(self, ordering: str, *, active_only: bool = False) -> Sequence[int]:
        """The listed ids in one of the orderings, see ``Listing``. The caller must not change the list."""
        return self._listing.ids(ordering, active_only=active_only)

    @_locked
    def encoded(self, job_id: int) -> bytes:
        """The job as it is served, before its URLs are signed. Raises KeyError unless it is found by its id."""
        oddities = self._oddities.get(job_id)
        sound = self._sound(job_id)
        return overlaid(sound, oddities) if oddities else sound

    def _sound(self, job_id: int) -> bytes:
        job = self._jobs[job_id]
        if not job.present:
            raise KeyError(job_id)
        return self._gallery.encoded(job, self._now)

    def job(self, job_id: int) -> dict[str, Any]:
        """The job as it is served, its URLs without query. Raises KeyError unless it is found by its id."""
        shown: dict[str, Any] = serializer.plain(self.encoded(job_id))
        return shown

    @_locked
    def undistorted(self, job_id: int) -> dict[str, Any]:
        """The job as ``job`` returns it, but without its oddities."""
        shown: dict[str, Any] = serializer.plain(self._sound(job_id))
        return shown

    @_locked
    def distorted(self) -> dict[int, tuple[Oddity, ...]]:
        """The oddities of every job that has some."""
        return {job_id: oddities for job_id, oddities in self._oddities.items() if oddities}

    @_locked
    def models(self) -> list[dict[str, Any]]:
        """The catalogue of models, as it is served."""
        return list(self._gallery.models.values())

    @_locked
    def found(self, job_id: int) -> bool:
        """Whether a job is found by its id."""
        return job_id in self._jobs and self._jobs[job_id].present

    @_locked
    def status(self, job_id: int) -> int:
        """The true status of a job."""
        return self._jobs[job_id].status

    @_locked
    def history(self, job_id: int) -> list[tuple[datetime, int | None, int]]:
        """The true status changes of a job: time, old status (None: submission) and new status."""
        return [(moment(at), before, after) for at, before, after in self._jobs[job_id].history()]

    @_locked
    def credits(self) -> Decimal:
        """The total cost of all jobs that are found by their id, in Credits: corrections included, edits not."""
        return sum((self._gallery.cost(job) for job in self._jobs.values() if job.present), Decimal("0.0000"))

    @_locked
    def counts(self) -> dict[int, int]:
        """The number of jobs that are found by their id, by status."""
        return dict(Counter(job.status for job in self._jobs.values() if job.present))
