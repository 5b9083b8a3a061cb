"""Whether a full sync proves which jobs were listed at one instant, and whether each of them is held. Pure.

Every answer of the list counts the jobs there are, at some instant between p, when it was asked for, and q, when it was
complete. A job in an answer complete before p and in an answer asked for after q was listed at both ends, so, if being
listed is one interval, also at the instant of the count. All such jobs together are a subset of those counted; if they
are as many, they are those. Order of the list, ties, inserts, deletions, pages in flight and retries do not enter.
Neither equal counts nor equal passes prove anything.

Each count is a chance of its own: on a list that moves one proof fails by a deletion that the next count never sees.
"""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tpmirror.store.quarantine import Holding


@dataclass(frozen=True, slots=True)
class Count:
    """How many jobs the API counted, between the numbers of the request and of its complete answer."""

    jobs: int
    sent: int
    received: int
    at: str = ""
    """When its answer was complete, ISO 8601."""
    asked: str = ""
    """Path and query of the request."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the proof holds, or why not; by which count, and what was seen around it."""

    holds: bool
    reason: str | None
    count: Count
    proven: int
    """Jobs seen before and after the count."""
    newer: int = 0
    """Jobs first seen after it, or while it was under way."""
    present: Collection[int] = field(default=(), repr=False)
    """Jobs seen after it."""
    absent: frozenset[int] = field(default=frozenset(), repr=False)
    """Jobs seen before it and not after it: where the proof holds, they were not listed."""
    is_steady: bool = False
    """Whether the numbers disagree although the list need not have moved: another pass may show the same."""


class SeenLog:
    """When each job was seen first and last, and every count that came along, by the numbers of requests."""

    def __init__(self, listed: Iterable[int]) -> None:
        """``listed``: what the mirror holds as listed, so what earlier runs saw: before any request of this one."""
        self._first = dict.fromkeys(listed, 0)
        self._last: dict[int, int] = {}
        self._counts: list[Count] = []
        self._beyond: Count | None = None
        self._end = 0

    def begin_pass(self) -> None:
        """A pass over the list begins."""
        self._beyond = None

    def saw(self, ids: Iterable[int], sent: int, received: int) -> None:
        """An answer with these jobs.

        Answers recorded out of order only hide that a job was seen earlier or later still, which proves less, not more.
        """
        shown = {*ids}
        self._first.update(dict.fromkeys(shown.difference(self._first), received))
        self._last.update(dict.fromkeys(shown, sent))

    def counted(self, count: Count, end: int = 0) -> None:
        """A count; the jobs in the same answer, up to ``end`` in the list, are neither before nor after it."""
        self._counts.append(count)
        if end > count.jobs:
            self._beyond, self._end = count, end

    @property
    def beyond(self) -> str | None:
        """Reason why no proof holds: a page of this pass showed jobs beyond its own count; None if none did.

        A job that is added between the count and the rows looks like this once: the next pass is without it.
        """
        if self._beyond is None:
            return None
        return f"the API counts {self._beyond.jobs} jobs and shows {self._end}: it counts too few"

    @property
    def known(self) -> int:
        """How many jobs were ever seen: with fewer than counted, nothing can be proven yet."""
        return len(self._first)

    @property
    def shown(self) -> int:
        """How many jobs the answers of this run showed."""
        return len(self._last)

    @property
    def fewest(self) -> int:
        """The least that an answer counted."""
        return min(count.jobs for count in self._counts)

    def has_seen(self, ids: Iterable[int]) -> bool:
        """Whether all these jobs were ever seen."""
        return self._first.keys() >= set(ids)

    def around(self, count: Count) -> tuple[set[int], set[int]]:
        """The jobs seen before a count, and those seen after it."""
        before = {job_id for job_id, received in self._first.items() if received < count.sent}
        return before, {job_id for job_id, sent in self._last.items() if sent > count.received}

    def best(self) -> Count:
        """The newest count of those that most of their jobs were seen around.

        Computed from sorted numbers alone: as many as were seen before and as were seen after, less all there are, is
        the least that can have been seen on both sides.
        """
        first, last = sorted(self._first.values()), sorted(self._last.values())

        def lacking(count: Count) -> int:
            after = len(last) - bisect_right(last, count.received)
            return count.jobs - (bisect_left(first, count.sent) + after - len(first))

        # An empty list proves nothing to one who has seen jobs: a filter, a proxy, a permission look like this too.
        counts = [count for count in self._counts if count.jobs or not self._first] or self._counts
        return min(reversed(counts), key=lambda count: abs(lacking(count)))


def judge(seen: SeenLog, void_reasons: Iterable[str] = ()) -> Verdict:
    """The verdict over what a full sync saw. ``void_reasons`` void any proof: an item whose id cannot be read."""
    count = seen.best()
    before, after = seen.around(count)
    proven = len(before & after)
    wrong_count = seen.beyond or _wrong_count(seen, count, proven)
    moved = f"the API counted {count.jobs} jobs, {proven} were seen both before and after that: the list moved"
    is_equal = proven == count.jobs and not seen.beyond
    reason = next(iter(void_reasons), None if is_equal else wrong_count or moved)
    absent = frozenset(before - after)
    return Verdict(reason is None, reason, count, proven, len(after - before), after, absent, bool(wrong_count))


def _wrong_count(seen: SeenLog, count: Count, proven: int) -> str | None:
    """Why a count cannot be right, whether or not the list moved; None if it can."""
    if proven > count.jobs:
        return f"the API counted {count.jobs} jobs, {proven} were seen both before and after that: it counts too few"
    if seen.fewest > seen.shown:
        return f"the API counts {seen.fewest} jobs, {seen.shown} were shown: it counts too many, or leaves some out"
    return None


def judge_page(listed: Iterable[int], ids: Collection[int], count: Count, void_reasons: Iterable[str] = ()) -> Verdict:
    """The verdict over a list that fits one page: one statement on their side, so one instant, proves itself."""
    reason = next(iter(void_reasons), None)
    absent = frozenset(listed) - frozenset(ids)
    return Verdict(reason is None, reason, count, len(ids), 0, ids, absent)


def doubted(verdict: Verdict, reason: str | None) -> Verdict:
    """The verdict, less its proof if there is a reason not to believe the list."""
    return replace(verdict, holds=False, reason=reason) if verdict.holds and reason else verdict


def proof_of(verdict: Verdict, method: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of the proof of the ids, or the reason why there is none, as the certificate has them."""
    count = {"count": verdict.count.jobs, "counted_at": verdict.count.at, "counted_by": verdict.count.asked}
    reason = {"reason": verdict.reason} if verdict.reason else {}
    return {**(count if method["method"] != "none" else {}), **method, "ids_proven": verdict.holds, **reason}


def certificate(proof: Mapping[str, Any], holding: Holding) -> tuple[bool, str]:
    """Whether the run is certified: the ids are proven and each listed job is held or accepted; and the JSON.

    A job seen is not yet held: an item that cannot be read or a value that no column holds is in the list all the same.
    """
    reason = proof.get("reason") or (holding.reason and f"listed jobs are {holding.reason}")
    found = {**proof, **asdict(holding), **({"reason": reason} if reason else {})}
    return bool(proof["ids_proven"]) and holding.is_whole, json.dumps(found)
