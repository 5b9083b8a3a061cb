"""A witness at the simulator's side: what was listed when, what every answer showed; and the verdict on a mirror.

It stands before the account's door and notes, under the account's own lock, what was listed at the instant of each
count. Whatever the mirror claims afterwards is judged by these notes, and by the account itself, alone.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, pairwise
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from tests.support.account import rows
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

Row: TypeAlias = dict[str, Any]
Ids: TypeAlias = frozenset[int]

LIST: Final = "/api/jobs/"
IN_FLIGHT: Final = 16
"""Answers before another one of which a client with requests in flight may not have known when it asked for that."""
DETAIL: Final = re.compile(r"/api/jobs/(\d+)/")


@dataclass(frozen=True, slots=True)
class Served:
    """One answer. ``counted`` and ``sliced``: what was listed when it counted, and when it took its rows."""

    at: datetime
    path: str
    query: dict[str, str]
    status: int
    counted: Ids
    sliced: Ids
    shown: dict[int, int]
    """Status by job, as the body has it first."""

    @property
    def sample(self) -> bool:
        """Whether it was asked for its count alone: its row is not mirrored."""
        return self.path == LIST and self.query.get("limit") == "1"


@dataclass(eq=False)
class Witness:
    """Watches a simulator.

    ``between`` is what happens between counting and reading a page; ``distort`` makes of an answer what is sent.
    ``strict``: every status that an answer showed has to be in the history, as of a client that asks one by one.
    """

    sim: Simulator
    between: Callable[[World], object] | None = None
    distort: Callable[[Request, Response], Response] | None = None
    strict: bool = False
    served: list[Served] = field(default_factory=list)
    told: dict[int, list[int]] = field(default_factory=dict)
    """By job, the statuses that answers showed and the history has to hold."""

    def __post_init__(self) -> None:
        self.world = self.sim.world
        self._sliced: Ids = frozenset()
        self._judged = 0
        self.sim.respond = self.respond
        self.sim.between = self._between

    def _listed(self) -> Ids:
        return frozenset(self.world.order("id", active_only=self.sim.active_only))

    def _between(self, world: World) -> None:
        if self.between is not None:
            self.between(world)
        self._sliced = self._listed()

    def respond(self, request: Request) -> Response:
        """Answer as the account would, and note it."""
        with self.world.lock:
            counted = self._sliced = self._listed()
            answer = self.sim.answer(request)
            answer = self.distort(request, answer) if self.distort else answer
            shown = _shown(request.path, answer)
            served = Served(datetime.now(UTC), request.path, request.query, answer.status, counted, self._sliced, shown)
            self.served.append(served)
        return answer

    def verdict(self, database_url: str, run: Row) -> list[str]:
        """Everything that the mirror claims and the notes deny, in words. To be asked after each run."""
        news, self._judged = self.served[self._judged :], len(self.served)
        jobs = {row["id"]: row for row in rows(database_url, "jobs")}
        entries: dict[int, list[Row]] = {}
        for entry in rows(database_url, "job_status_history"):
            entries.setdefault(entry["job_id"], []).append(entry)
        self._remember(news)
        return [
            *(self._certificate(run, news, jobs) if run["certified"] else ()),
            *self._gone(database_url, run, news),
            *(
                wrong
                for job_id, job in jobs.items()
                for wrong in _chain(job_id, entries.get(job_id, []), job["status"])
            ),
            *(wrong for job_id, held in entries.items() for wrong in self._history(job_id, held)),
        ]

    def _certificate(self, run: Row, news: Sequence[Served], jobs: dict[int, Row]) -> list[str]:
        """Everything listed at the instant of the count is mirrored and listed; what else is listed came later."""
        told = json.loads(run["certificate"])
        at = datetime.fromisoformat(told["counted_at"])
        place, page = [
            (place, served)
            for place, served in enumerate(news)
            if served.path == LIST and served.at <= at and urlencode(served.query) == told["counted_by"]
        ][-1]
        wrong = [] if told["count"] == len(page.counted) else [f"counted {len(page.counted)}, not {told['count']}"]
        # One page proves itself: it is the list at the instant of its rows, or at that of its count.
        instants = {page.counted, page.sliced} if told["method"] == "single page" else {page.counted}
        later = {job_id for served in news[max(0, place - IN_FLIGHT) :] for job_id in served.shown}
        earlier = {job_id for served in news[: max(0, place - IN_FLIGHT)] for job_id in served.shown}
        before = (
            jobs.keys() - later
            | earlier
            | {job_id for job_id, row in jobs.items() if row["first_seen_at"] < run["started_at"]}
        )
        return wrong + min((_against(instant, jobs, before) for instant in instants), key=len)

    def _gone(self, database_url: str, run: Row, news: Iterable[Served]) -> list[str]:
        """Whatever this run marked gone was denied by id in it, and still is."""
        marked = rows(database_url, "field_changes", field="presence", new_value="gone", sync_run_id=run["id"])
        denied = {int(found[1]) for served in news if served.status == 404 and (found := DETAIL.fullmatch(served.path))}
        return [
            f"job {change['entity_id']} is marked gone without being asked for, or though it answers"
            for change in marked
            if change["entity_id"] not in denied or self.world.found(change["entity_id"])
        ]

    def _remember(self, news: Iterable[Served]) -> None:
        """Keep what was shown; if requests overlap, only of jobs that showed one status in all of a run's answers."""
        shown: dict[int, list[int]] = {}
        for served in news:
            for job_id, status in ({} if served.sample else served.shown).items():
                shown.setdefault(job_id, []).append(status)
        for job_id, statuses in shown.items():
            if self.strict or len(set(statuses)) == 1:
                self.told.setdefault(job_id, []).extend(statuses)

    def _history(self, job_id: int, entries: list[Row]) -> list[str]:
        """The history holds what was shown, in order, and nothing that was not so."""
        held = [entry["to_status"] for entry in entries]
        truth = [status for _, _, status in self.world.history(job_id)]
        told = [status for status, _ in groupby(self.told.get(job_id, []))]
        wrong = [] if is_within(held, truth) else [f"job {job_id} went {truth}, its history says {held}"]
        return wrong if is_within(told, held) else [*wrong, f"job {job_id} showed {told}, its history says {held}"]

    def differences(self, database_url: str) -> list[str]:
        """Where mirror and account differ: jobs, presence, statuses, costs. Empty when nothing moves any more."""
        held = {row["id"]: row for row in rows(database_url, "jobs")}
        wrong = [f"job {job_id} is not mirrored" for job_id in self._listed() - held.keys()]
        for job_id, row in held.items():
            where = "listed" if job_id in self._listed() else "unlisted" if self.world.found(job_id) else "gone"
            if row["presence"] != where:
                wrong.append(f"job {job_id} is {where}, the mirror says {row['presence']}")
            if where != "gone":
                job = self.world.job(job_id)
                told, true = (row["status"], str(row["cost_usd"])), (job["status"], job["cost_usd"])
                wrong += [] if told == true else [f"job {job_id} is {true}, the mirror says {told}"]
        return wrong


def _shown(path: str, answer: Response) -> dict[int, int]:
    if answer.status != 200 or not (path == LIST or DETAIL.fullmatch(path)):
        return {}
    body = json.loads(answer.body)
    jobs = body["results"] if path == LIST else [body]
    return {job["id"]: job["status"] for job in reversed(jobs)}


def _against(instant: Ids, jobs: dict[int, Row], before: Iterable[int]) -> list[str]:
    """What a mirror that claims to be complete at an instant lacks, and has too much of what it held before."""
    held = {job_id for job_id, row in jobs.items() if row["presence"] == "listed"}
    return [
        *(f"job {job_id} was listed at the count and is not mirrored" for job_id in instant - jobs.keys()),
        *(f"job {job_id} was listed at the count and is not held as listed" for job_id in instant & jobs.keys() - held),
        *(
            f"job {job_id} was not listed at the count, and is held as listed since before"
            for job_id in (held - instant) & set(before)
        ),
    ]


def _chain(job_id: int, entries: list[Row], status: int) -> list[str]:
    """No gap, no step on the spot, honest bounds, and the end is the present."""
    links = [
        entries and entries[-1]["to_status"] == status,
        [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1)),
        all(entry["from_status"] is entry["not_before"] is None for entry in entries[:1]),
        all(after["from_status"] == before["to_status"] != after["to_status"] for before, after in pairwise(entries)),
        all(
            before["observed_at"] <= after["not_before"] <= after["observed_at"] for before, after in pairwise(entries)
        ),
    ]
    return [] if all(links) else [f"the history of job {job_id}, which is {status}, does not hold together: {links}"]


def is_within(part: Sequence[object], whole: Iterable[object]) -> bool:
    """Whether ``part`` is a subsequence of ``whole``."""
    rest = iter(whole)
    return all(any(one == other for other in rest) for one in part)
