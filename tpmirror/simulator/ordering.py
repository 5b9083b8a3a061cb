"""The orders of the job list, cached until the account changes: sorting 100,000 jobs for every page is slow."""

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Final

from tpmirror.simulator.lifecycle import ORDER, chance
from tpmirror.simulator.models import Job

ORDERINGS: Final = ("-id", "id", "-started", "-updated", "status", "random", "unordered")


class Listing:
    """The ids that are listed, in any of the orders, all of them or only those of jobs in flight.

    ``-id``, ``id``: a total order that never changes. ``-started``: newest first, ties by id.
    ``status``: ties in another order in each request, as without a unique sort key. ``random``: another order in each.
    ``unordered``: as in a heap table, where a row that was written goes to the end. ``-updated``: last written first.
    """

    def __init__(self, seed: int, jobs: dict[int, Job]) -> None:
        self._jobs = jobs
        self._rng: Random = chance(seed, ORDER)
        self._heap: dict[int, None] = dict.fromkeys(jobs)
        self._kept: dict[tuple[str, bool], list[int]] = {}

    def written(self, job_id: int, *, members: bool) -> None:
        """Drop the cached orders that a changed job affects: all with ``members``, as it may join or leave the list."""
        self._heap.pop(job_id, None)
        self._heap[job_id] = None
        if members:
            self._kept.clear()
            return
        for key in [key for key in self._kept if key[1] or key[0] in ("-updated", "unordered")]:
            del self._kept[key]

    def ids(self, ordering: str, *, active_only: bool) -> Sequence[int]:
        """The ids in that order. The caller must not change the list, which is cached."""
        if ordering in _SHUFFLED:
            ids = list(self.ids("id", active_only=active_only))
            self._rng.shuffle(ids)
            return sorted(ids, key=lambda job_id: self._jobs[job_id].status) if ordering == "status" else ids
        kept = self._kept.get((ordering, active_only))
        if kept is None:
            kept = self._kept[ordering, active_only] = self._sorted(ordering, active_only=active_only)
        return kept

    def _sorted(self, ordering: str, *, active_only: bool) -> list[int]:
        make = _ORDERS.get(ordering)
        if make is None:
            raise ValueError(f"no ordering {ordering!r}: choose one of {', '.join(ORDERINGS)}")
        jobs = (self._jobs[job_id] for job_id in (self._heap if ordering in _WRITTEN else self._jobs))
        return make(job for job in jobs if job.present and not job.hidden and (job.active or not active_only))


def _ids(jobs: Iterable[Job]) -> list[int]:
    return [job.id for job in jobs]


_SHUFFLED: Final = ("random", "status")
_WRITTEN: Final = ("unordered", "-updated")
_ORDERS: Final[dict[str, Callable[[Iterable[Job]], list[int]]]] = {
    "id": _ids,
    "unordered": _ids,
    "-id": lambda jobs: _ids(jobs)[::-1],
    "-updated": lambda jobs: _ids(jobs)[::-1],
    "-started": lambda jobs: _ids(sorted(jobs, key=lambda job: -job.created)),
}
