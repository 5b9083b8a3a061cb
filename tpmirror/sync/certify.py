"""Whether a full sync proves which jobs were listed at one instant, and whether each of them is held. Pure.

Every answer of the list counts the listed jobs, at some instant between p, when it was asked for, and q, when it was
complete. A job in an answer complete before p and in an answer asked for after q was listed at both ends, so, if being
listed is one interval, also at the instant of the count. The set of these jobs is a subset of the jobs counted; if both
are equally many, the sets are equal. The proof does not depend on the order of the list, ties, inserts, deletions,
pages in flight or retries. Neither equal counts nor equal passes prove anything.

Each count is a separate attempt: on a list that moves, a deletion that fails the proof at one count does not affect the
next count.
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
    """Whether the proof holds, or why not; the count that it is judged by, and the jobs seen around that count."""

    holds: bool
    reason: str | None
    count: Count
    proven: int
    """Jobs seen before and after the count."""
    newer: int = 0
    """Jobs first seen after the count, or while its request was under way."""
    present: Collection[int] = field(default=(), repr=False)
    """Jobs seen after the count."""
    absent: frozenset[int] = field(default=frozenset(), repr=False)
    """Jobs seen before the count and not after it: where the proof holds, they were not listed."""
    is_steady: bool = False
    """Whether the numbers disagree although the list need not have moved: another pass may show the same numbers."""


class SeenLog:
    """When each job was first and last seen, and every count of an answer, by the numbers of requests and answers."""

    def __init__(self, listed: Iterable[int]) -> None:
        """``listed``: jobs that the mirror holds as listed, seen by earlier runs: before any request of this run."""
        self._first = dict.fromkeys(listed, 0)
        self._last: dict[int, int] = {}
        self._counts: list[Count] = []
        self._beyond: Count | None = None
        self._end = 0

    def begin_pass(self) -> None:
        """Begin a pass over the list: ``beyond`` is about this pass alone."""
        self._beyond = None

    def saw(self, ids: Iterable[int], sent: int, received: int) -> None:
        """Record an answer with these jobs.

        Answers recorded out of order only hide that a job was seen earlier or later still, which proves less, not more.
        """
        shown = {*ids}
        self._first.update(dict.fromkeys(shown.difference(self._first), received))
        self._last.update(dict.fromkeys(shown, sent))

    def counted(self, count: Count, end: int = 0) -> None:
        """Record a count; the jobs in the same answer, up to ``end`` in the list, are neither before nor after it."""
        self._counts.append(count)
        if end > count.jobs:
            self._beyond, self._end = count, end

    @property
    def beyond(self) -> str | None:
        """Reason why no proof holds: a page of this pass showed jobs beyond its own count; None if none did.

        A job that is added between the count and the rows of a page causes this once: the next pass does not show it
        again.
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
        """The lowest count of any answer."""
        return min(count.jobs for count in self._counts)

    def has_seen(self, ids: Iterable[int]) -> bool:
        """Whether all these jobs were ever seen."""
        return self._first.keys() >= set(ids)

    def around(self, count: Count) -> tuple[set[int], set[int]]:
        """The jobs seen before a count, and those seen after it."""
        before = {job_id for job_id, received in self._first.items() if received < count.sent}
        return before, {job_id for job_id, sent in self._last.items() if sent > count.received}

    def best(self) -> Count:
        """The count that lacks the fewest jobs seen on both sides of it; of several the newest.

        Computed from sorted numbers alone: the jobs seen before, plus the jobs seen after, less all jobs ever seen, is
        the least number of jobs that can have been seen on both sides.
        """
        first, last = sorted(self._first.values()), sorted(self._last.values())

        def lacking(count: Count) -> int:
            after = len(last) - bisect_right(last, count.received)
            return count.jobs - (bisect_left(first, count.sent) + after - len(first))

        # A count of 0 is the last choice once a job was seen: a filter, a proxy, a permission can empty the list too.
        counts = [count for count in self._counts if count.jobs or not self._first] or self._counts
        return min(reversed(counts), key=lambda count: abs(lacking(count)))


def judge(seen: SeenLog, void_reasons: Iterable[str] = ()) -> Verdict:
    """The verdict over a full sync's answers. ``void_reasons`` void any proof, for example an unreadable id."""
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
    """The verdict over a list that fits one page: the API reads it in one statement, so at one instant."""
    reason = next(iter(void_reasons), None)
    absent = frozenset(listed) - frozenset(ids)
    return Verdict(reason is None, reason, count, len(ids), 0, ids, absent)


def doubted(verdict: Verdict, reason: str | None) -> Verdict:
    """The verdict, without its proof if there is a reason to distrust the list."""
    return replace(verdict, holds=False, reason=reason) if verdict.holds and reason else verdict


def proof_of(verdict: Verdict, method: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of the proof of the ids, or the reason why there is none, as the certificate has them."""
    count = {"count": verdict.count.jobs, "counted_at": verdict.count.at, "counted_by": verdict.count.asked}
    reason = {"reason": verdict.reason} if verdict.reason else {}
    return {**(count if method["method"] != "none" else {}), **method, "ids_proven": verdict.holds, **reason}


def certificate(proof: Mapping[str, Any], holding: Holding) -> tuple[bool, str]:
    """Whether the run is certified: the ids are proven and each listed job is held or accepted; and the JSON.

    Proven ids alone do not certify: an item that cannot be read, or a value that no column holds, is in the list too.
    """
    reason = proof.get("reason") or (holding.reason and f"listed jobs are {holding.reason}")
    found = {**proof, **asdict(holding), **({"reason": reason} if reason else {})}
    return bool(proof["ids_proven"]) and holding.is_whole, json.dumps(found)
