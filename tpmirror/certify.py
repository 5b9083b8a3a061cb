"""The judge: whether a walk proves that the mirror held exactly the listed jobs at one instant. Pure.

Let the API count its jobs at some instant between two numbers, p and q. A job in an answer complete before p and in an
answer asked for after q was listed at both ends, so, if being listed is one interval, also at the instant of the count.
All such jobs together are a subset of those counted; if they are as many, they are those. Order of the list, ties,
inserts, deletions, pages in flight and retries do not enter. Neither equal counts nor equal passes prove anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class Sightings:
    """Which jobs were seen before the count, and which after it."""

    def __init__(self, listed: Iterable[int]) -> None:
        """``listed``: what the mirror holds as listed, so what earlier runs saw: before any request of this one."""
        self._before = set(listed)
        self._after: set[int] = set()
        self._sampled: int | None = None

    def sample(self, q: int) -> None:
        """The count was taken, its answer complete at ``q``. What was seen so far was seen before."""
        self._before |= self._after
        self._after = set()
        self._sampled = q

    def saw(self, ids: Iterable[int], sent: int) -> None:
        """An answer with these jobs, asked for at ``sent``. Answers must be told in one piece: between two samples."""
        if self._sampled is None:
            self._before.update(ids)
        elif sent > self._sampled:
            self._after.update(ids)

    @property
    def known(self) -> int:
        """How many jobs were seen before the count: with fewer than counted, no pass after it can prove anything."""
        return len(self._before)

    def saw_before(self, ids: Iterable[int]) -> bool:
        """Whether all these jobs were seen before the count."""
        return self._before.issuperset(ids)

    @property
    def proven(self) -> int:
        """How many jobs were seen on both sides of the count."""
        return len(self._before & self._after)

    @property
    def newer(self) -> int:
        """How many jobs were seen only after the count."""
        return len(self._after - self._before)

    def absent(self) -> set[int]:
        """Jobs seen before the count and not after it."""
        return self._before - self._after

    def present(self) -> set[int]:
        """Jobs seen after the count."""
        return self._after


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the proof holds, or why not."""

    certified: bool
    reason: str | None


def judge(proven: int, count: int, doubts: Iterable[str] = ()) -> Verdict:
    """The verdict over a finished walk. ``doubts`` are what voids any proof: an item whose id cannot be read."""
    for doubt in doubts:
        return Verdict(certified=False, reason=doubt)
    if proven == count:
        return Verdict(certified=True, reason=None)
    return Verdict(
        certified=False,
        reason=f"the API counted {count} jobs, {proven} were seen both before and after that: the list moved meanwhile",
    )
