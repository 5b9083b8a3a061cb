"""Holds a mirror against its account: what it says was so, and at rest it says everything.

A judge knows the account itself and the notes of what it answered, nothing else. Recorders hand it their notes: the
witness beside a simulator, and the network of a simulated machine.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from tests.support.columns import LINKS, VOLATILE, rows_of, unlike
from tests.support.notes import DETAIL, LIST, Ids, Note
from tpmirror.db.types import Row
from tpmirror.simulator.world import World

Reader: TypeAlias = Callable[..., list[Row]]
"""Rows of a table with these values, typed: ``rows("jobs", id=7)``."""

IN_FLIGHT: Final = 16
"""Answers before another one of which a client with requests in flight may not have known when it asked for that."""
LATENCY: Final = timedelta(seconds=1)
"""What an answer shows was so when it was made; the mirror says it was so when it arrived."""


class Judge:
    """Judges one mirror, run by run.

    ``exact``: account, notes and mirror share one clock. ``lies``: answers by id may be lies, so that a job which is
    hidden may be held as gone: it is not asked for again before the list shows it.
    """

    def __init__(self, world: World, *, exact: bool = False, lies: bool = False) -> None:
        self.world = world
        self.exact = exact
        self.lies = lies
        self.counts: Counter[str] = Counter()
        self._shown: dict[int, list[int]] = {}
        """By job, the statuses that answers showed and the history has to hold."""
        self._stored: list[Row] = []
        self._entries: dict[int, list[Row]] = {}

    def see(self, notes: Iterable[Note], *, strict: bool) -> None:
        """Remember what a run was shown; unless ``strict``, only of jobs that showed one status in all its answers."""
        shown: dict[int, list[int]] = {}
        for note in notes:
            for job_id, status in ({} if note.is_sample or note.at is None else note.shown).items():
                shown.setdefault(job_id, []).append(status)
        for job_id, statuses in shown.items():
            if strict or len(set(statuses)) == 1:
                self._shown.setdefault(job_id, []).extend(statuses)

    def verdict(
        self, rows: Reader, run: Row | None, notes: Sequence[Note], *, honest_clock: bool = True
    ) -> Iterator[str]:
        """Everything that is wrong after a run, in words; None: the run failed, and only what is stored is judged."""
        jobs = {row["id"]: row for row in rows("jobs")}
        if run:
            yield from self._run(rows, run, notes, jobs, honest_clock)
        yield from self._history(rows, jobs, honest_clock)
        if run:
            yield from self._complete()
        noted = {row["job_id"] for row in rows("quarantined_jobs")} - {None}
        for job_id in jobs.keys() | self._entries.keys() | noted:
            if self._truth(job_id) is None:
                yield f"job {job_id} of another account is mirrored"

    def _run(
        self, rows: Reader, run: Row, notes: Sequence[Note], jobs: dict[int, Row], honest_clock: bool
    ) -> Iterator[str]:
        self.counts.update(runs=1, certified=run["certified"])
        if run["certified"]:
            old = {job_id for job_id, row in jobs.items() if row["first_seen_at"] < run["started_at"]}
            yield from self._certificate(json.loads(run["certificate"]), notes, jobs, old if honest_clock else set())
        yield from self._gone(rows, run, notes)
        for left in rows("sync_runs", outcome="running"):
            if left["id"] <= run["id"]:
                yield f"run {left['id']} is left running after run {run['id']}"

    # What a certificate claims

    def _certificate(
        self, claim: dict[str, Any], notes: Sequence[Note], jobs: dict[int, Row], old: set[int]
    ) -> Iterator[str]:
        """Everything listed at the instant of the count is mirrored and listed; what else is listed came later."""
        place, page = self._count(claim, notes)
        if page is None:
            yield f"nothing was counted at {claim['counted_at']}"
            return
        if claim["count"] != len(page.counted):
            yield f"counted {len(page.counted)}, not {claim['count']}"
        known = {*old, *(_known(place, notes, jobs) if page.known is None else page.known)}
        instants = {page.counted}
        if claim["method"] == "single page":
            # One page proves itself: it is the list at the instant of its rows, or at that of its count.
            instants.add(page.sliced)
            known |= page.shown.keys()
        yield from min((list(_against(instant, claim, known, jobs)) for instant in instants), key=len)

    def _count(self, claim: dict[str, Any], notes: Sequence[Note]) -> tuple[int, Note | None]:
        """The answer that a certificate counts by, and its place among all."""
        at = datetime.fromisoformat(claim["counted_at"])
        found: tuple[int, Note | None] = (0, None)
        for place, note in enumerate(notes):
            then = note.at is not None and (note.at == at if self.exact else note.at <= at)
            if then and note.path == LIST and urlencode(note.query) == claim["counted_by"]:
                found = place, note
        return found

    def _gone(self, rows: Reader, run: Row, notes: Iterable[Note]) -> Iterator[str]:
        """Whatever a run marked gone was denied by id in it, and was not there."""
        denied = {int(job[1]): note for note in notes if note.status == 404 and (job := DETAIL.fullmatch(note.path))}
        for change in rows("field_changes", field="presence", new_value="gone", sync_run_id=run["id"]):
            self.counts["gone"] += 1
            note = denied.get(change["entity_id"])
            if note is None:
                yield f"job {change['entity_id']} is marked gone without being asked for"
            elif note.found:
                yield f"job {change['entity_id']} is marked gone while it was there"

    # What the history claims

    def _history(self, rows: Reader, jobs: dict[int, Row], honest_clock: bool) -> Iterator[str]:
        stored = sorted(rows("job_status_history"), key=lambda entry: entry["entry"])
        old, new = stored[: len(self._stored)], stored[len(self._stored) :]
        if old != self._stored:
            yield "the history is no longer what it was"
        if [entry["entry"] for entry in new] != list(range(len(old) + 1, len(stored) + 1)):
            yield f"the entries of the history have gaps: {[entry['entry'] for entry in new]}"
        self._stored = stored
        self.counts["transitions"] += sum(entry["from_status"] is not None for entry in new)
        for entry in new:
            before = self._entries.setdefault(entry["job_id"], [])
            yield from link(before, entry)
            before.append(entry)
            yield from self._true(before, honest_clock)
        for job_id, row in jobs.items():
            last = self._entries.get(job_id, [{"to_status": None}])[-1]["to_status"]
            if row["status"] != last:
                yield f"job {job_id} is {row['status']}, its history ends with {last}"

    def _true(self, entries: list[Row], honest_clock: bool) -> Iterator[str]:
        """The newest entry says nothing that was not so."""
        job_id, entry = entries[0]["job_id"], entries[-1]
        if (truth := self._truth(job_id)) is None:
            return
        held = [entry["to_status"] for entry in entries]
        if not is_within(held, [status for _, _, status in truth]):
            yield f"job {job_id} went {[status for _, _, status in truth]}, its history says {held}"
        elif self.exact and honest_clock and entry["not_before"] is not None:
            changed = max(at for at, _, status in truth if status == held[-1] and at <= entry["observed_at"])
            if changed + LATENCY < entry["not_before"]:
                yield f"job {job_id} changed at {changed}, its history says not before {entry['not_before']}"

    def _truth(self, job_id: int) -> list[tuple[datetime, int | None, int]] | None:
        """What became of a job; None if it is none of this account."""
        try:
            return self.world.history(job_id)
        except KeyError:
            return None

    def _complete(self) -> Iterator[str]:
        """What was shown to runs that succeeded is in the history, in that order."""
        for job_id, statuses in self._shown.items():
            shown = [status for status, _ in groupby(statuses)]
            held = [entry["to_status"] for entry in self._entries.get(job_id, [])]
            if not is_within(shown, held):
                yield f"job {job_id} showed {shown}, its history says {held}"
            self._shown[job_id] = shown

    # What a mirror holds at rest

    def differences(self, rows: Reader, listed: Ids) -> Iterator[str]:
        """Where mirror and account differ, when nothing moves any more."""
        held = {name: {row["id"]: row for row in rows(name)} for name in ("jobs", "input_videos", "output_videos")}
        models: dict[int, list[int]] = {}
        for row in rows("job_ml_models"):
            models.setdefault(row["job_id"], []).append(row["ml_model_id"])
        yield from (f"job {job_id} is not mirrored" for job_id in listed - held["jobs"].keys())
        for job_id, row in held["jobs"].items():
            where = "listed" if job_id in listed else "unlisted" if self.world.found(job_id) else "gone"
            if row["presence"] != where and not (self.lies and (row["presence"], where) == ("gone", "unlisted")):
                yield f"job {job_id} is {where}, the mirror says {row['presence']}"
            if "gone" not in (where, row["presence"]):
                shown = self.world.job(job_id)
                for table, true in rows_of(shown).items():
                    yield from _differing(f"{table} {true['id']}", held[table].get(true["id"]), true)
                if models.get(job_id, []) != [model["id"] for model in shown["ml_models"]]:
                    yield f"job {job_id} has other models than the mirror says: {models.get(job_id)}"


def _known(place: int, notes: Sequence[Note], jobs: Collection[int]) -> set[int]:
    """What a client with requests in flight knew for sure before an answer: by the notes before, or by no note."""
    first = max(0, place - IN_FLIGHT)
    later = {job_id for note in notes[first:] for job_id in note.shown}
    return {job_id for note in notes[:first] for job_id in note.shown} | (set(jobs) - later)


def _against(instant: Ids, claim: dict[str, Any], known: set[int], jobs: dict[int, Row]) -> Iterator[str]:
    """What a mirror that claims to be complete at an instant lacks, and has too much of what was known before."""
    held = {job_id for job_id, row in jobs.items() if row["presence"] == "listed"}
    if claim["count"] != len(instant):
        yield f"certified with {claim['count']} jobs where {len(instant)} were listed"
    yield from (f"job {job_id} was listed at the count, and is not mirrored as listed" for job_id in instant - held)
    yield from (f"job {job_id} was not listed at the count, and is held as such" for job_id in (held - instant) & known)


def _differing(where: str, held: Row | None, true: Row) -> Iterator[str]:
    """Where a row differs from what the account shows; a link to a video that was taken away stays."""
    if held is None:
        yield f"{where} is not mirrored"
        return
    for name in unlike(held, true):
        stays = name in LINKS and true[name] is None and held[LINKS[name]] is not None
        if name == "extra":  # an unknown key that is not shown any more stays
            stays = (true[name] or {}).items() <= json.loads(held[name] or "{}").items()
        if name not in VOLATILE and not stays:
            yield f"{where} has {name} {true[name]!r}, the mirror says {held[name]!r}"


def link(before: Sequence[Row], entry: Row) -> Iterator[str]:
    """An entry of the history after those before: no gap, no step on the spot, bounds in order."""
    if not before:
        sound = (entry["seq"], entry["from_status"], entry["not_before"]) == (1, None, None)
    else:
        last = before[-1]
        sound = (
            entry["seq"] == last["seq"] + 1
            and entry["from_status"] == last["to_status"] != entry["to_status"]
            and entry["not_before"] is not None
            and last["observed_at"] <= entry["not_before"] <= entry["observed_at"]
        )
    if not sound:
        yield f"the history of job {entry['job_id']} does not hold together: {before[-1:]} then {entry}"


def is_within(part: Sequence[object], whole: Iterable[object]) -> bool:
    """Whether ``part`` is a subsequence of ``whole``."""
    rest = iter(whole)
    return all(any(one == other for other in rest) for one in part)
