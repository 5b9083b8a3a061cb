"""Holds a mirror against its account after each process: what it says was so, and in the end it says everything."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from tests.support.simulation.machine import Killed, Process
from tests.support.simulation.network import Network, Note
from tests.support.witness import DETAIL, LIST, is_within
from tpmirror.errors import TpmirrorError

FOREIGN: Final = 1_000_000
"""Ids of another account's jobs start here."""

LATENCY: Final = timedelta(seconds=1)
"""What an answer shows was so when it was made; the mirror says it was so when it arrived."""

Row = dict[str, Any]


class Judge:
    """Remembers the history as it was, so that only what is new has to be read, and nothing old may change."""

    def __init__(self, path: Path, network: Network) -> None:
        self.network = network
        self.path = path
        self.counts = {"runs": 0, "certified": 0, "transitions": 0, "gone": 0}
        self._conn: sqlite3.Connection | None = None
        self._told: dict[int, list[int]] = {}
        self._held: dict[int, list[Row]] = {}
        self._entries = 0
        self._head: Row | None = None

    def close(self) -> None:
        """Let go of the database."""
        if self._conn:
            self._conn.close()

    def rows(self, statement: str, *values: object) -> list[Row]:
        """What a plain reader of the file gets."""
        if self._conn is None:
            self._conn = sqlite3.connect(self.path, isolation_level=None)
            self._conn.row_factory = sqlite3.Row
        return [dict(row) for row in self._conn.execute(statement, values)]

    def is_ready(self) -> bool:
        """Whether there is a mirror."""
        return self.path.exists() and bool(self.rows("SELECT 1 FROM sqlite_master WHERE name = 'sync_runs'"))

    def verdict(self, process: Process, *, strict: bool, honest_clock: bool) -> Iterator[str]:
        """Everything that is wrong when a process is over."""
        notes = [note for note in self.network.notes if note.process is process]
        if process.error is not None and not isinstance(process.error, (TpmirrorError, Killed)):
            yield f"process {process.number} ended with {process.error!r}"
        if not self.is_ready():
            return
        run: Row = process.result if isinstance(process.result, dict) else {}
        yield from self._run(run, notes)
        yield from self._history(honest_clock)
        if run:
            if not process.probes:
                self._remember(notes, strict=strict)
            yield from self._complete()
        yield from self._foreign()

    def _run(self, run: Row, notes: list[Note]) -> Iterator[str]:
        if not run:
            return
        self.counts["runs"] += 1
        self.counts["certified"] += run["certified"]
        jobs = {row["id"]: row["presence"] for row in self.rows("SELECT id, presence FROM jobs")}
        if run["certified"]:
            yield from _certificate(json.loads(run["certificate"]), notes, jobs)
        yield from self._gone(run, notes)
        for left in self.rows("SELECT id FROM sync_runs WHERE outcome = 'running' AND id <= ?", run["id"]):
            yield f"run {left['id']} is left running after run {run['id']}"

    def _gone(self, run: Row, notes: list[Note]) -> Iterator[str]:
        """Whatever a run marked gone was denied by id in it, and was not there."""
        found = {int(job[1]): note for note in notes if note.status == 404 and (job := DETAIL.fullmatch(note.path))}
        marked = self.rows(
            "SELECT entity_id FROM field_changes WHERE sync_run_id = ? AND field = 'presence' AND new_value = 'gone'",
            run["id"],
        )
        self.counts["gone"] += len(marked)
        for row in marked:
            note = found.get(row["entity_id"])
            if note is None:
                yield f"job {row['entity_id']} is marked gone without being asked for"
            elif note.found:
                yield f"job {row['entity_id']} is marked gone while it was there"

    def _history(self, honest_clock: bool) -> Iterator[str]:
        if self._head and self.rows("SELECT * FROM job_status_history WHERE entry = ?", self._entries) != [self._head]:
            yield f"entry {self._entries} of the history is no longer what it was"
        new = self.rows("SELECT * FROM job_status_history WHERE entry > ? ORDER BY entry", self._entries)
        self._entries += len(new)
        self._head = new[-1] if new else self._head
        self.counts["transitions"] += sum(entry["from_status"] is not None for entry in new)
        for entry in new:
            before = self._held.setdefault(entry["job_id"], [])
            yield from _link(before, entry)
            before.append(entry)
            yield from self._true(before, honest_clock)
        for row in self.rows("SELECT id, status FROM jobs"):
            last = self._held.get(row["id"], [{"to_status": None}])[-1]["to_status"]
            if row["status"] != last:
                yield f"job {row['id']} is {row['status']}, its history ends with {last}"

    def _true(self, entries: list[Row], honest_clock: bool) -> Iterator[str]:
        job_id, entry = entries[0]["job_id"], entries[-1]
        if job_id >= FOREIGN:
            return
        truth = self.network.backend.world.history(job_id)
        held = [entry["to_status"] for entry in entries]
        if not is_within(held, [status for _, _, status in truth]):
            yield f"job {job_id} went {[status for _, _, status in truth]}, its history says {held}"
        elif honest_clock and entry["not_before"] is not None:
            seen = datetime.fromisoformat(entry["observed_at"])
            changed = max(at for at, _, status in truth if status == entry["to_status"] and at <= seen)
            if changed + LATENCY < datetime.fromisoformat(entry["not_before"]):
                yield f"job {job_id} changed at {changed}, its history says not before {entry['not_before']}"

    def _remember(self, notes: list[Note], *, strict: bool) -> None:
        """What answers showed; where requests overlap, only of jobs that showed one status in all of them."""
        shown: dict[int, list[int]] = {}
        for note in notes:
            for job_id, status in ({} if note.sample or note.at is None else note.shown).items():
                shown.setdefault(job_id, []).append(status)
        for job_id, statuses in shown.items():
            if strict or len(set(statuses)) == 1:
                self._told.setdefault(job_id, []).extend(statuses)

    def _complete(self) -> Iterator[str]:
        """What was shown to runs that succeeded is in the history, in that order."""
        for job_id, statuses in self._told.items():
            told = [status for status, _ in groupby(statuses)]
            held = [entry["to_status"] for entry in self._held.get(job_id, [])]
            if not is_within(told, held):
                yield f"job {job_id} showed {told}, its history says {held}"
            self._told[job_id] = told

    def _foreign(self) -> Iterator[str]:
        for table, column in (("jobs", "id"), ("job_status_history", "job_id"), ("quarantined_jobs", "job_id")):
            for row in self.rows(f"SELECT {column} AS id FROM {table} WHERE {column} >= {FOREIGN}"):
                yield f"job {row['id']} of another account is in {table}"

    def differences(self) -> Iterator[str]:
        """Where mirror and account differ, when nothing moves any more."""
        world, listed = self.network.backend.world, self.network.listed
        held = {row["id"]: row for row in self.rows("SELECT id, status, cost_usd, description, presence FROM jobs")}
        yield from (f"job {job_id} is not mirrored" for job_id in listed - held.keys())
        for job_id, row in held.items():
            where = "listed" if job_id in listed else "unlisted" if world.found(job_id) else "gone"
            # Whoever is gone is not asked for again: one who is back shows when the list does so.
            if row["presence"] != where and (row["presence"], where) != ("gone", "unlisted"):
                yield f"job {job_id} is {where}, the mirror says {row['presence']}"
            if "gone" not in (where, row["presence"]):
                job = world.job(job_id)
                true = (job["status"], float(job["cost_usd"]), job["description"])
                told = (row["status"], float(row["cost_usd"]), row["description"])
                if told != true:
                    yield f"job {job_id} is {true}, the mirror says {told}"

    def secrets(self, *words: bytes) -> Iterator[str]:
        """Words that must be in no file of the mirror."""
        for path in sorted(self.path.parent.glob(f"{self.path.name}*")):
            content = path.read_bytes()
            yield from (f"{word.decode()} is in {path.name}" for word in words if word in content)


def _link(before: list[Row], entry: Row) -> Iterator[str]:
    """No gap, no step on the spot, bounds in order."""
    last: Row = before[-1] if before else {"seq": 0, "to_status": None, "observed_at": ""}
    sound = (
        entry["seq"] == last["seq"] + 1
        and entry["from_status"] == last["to_status"] != entry["to_status"]
        and (entry["not_before"] is None) == (not before)
        and last["observed_at"] <= (entry["not_before"] or entry["observed_at"]) <= entry["observed_at"]
    )
    if not sound:
        yield f"the history of job {entry['job_id']} does not hold together: {last} then {entry}"


def _certificate(told: Row, notes: list[Note], jobs: dict[int, str]) -> Iterator[str]:
    """Everything listed at the instant of the count is mirrored and listed; what else is listed came later."""
    at = datetime.fromisoformat(told["counted_at"])
    pages = [
        note for note in notes if note.path == LIST and note.at == at and urlencode(note.query) == told["counted_by"]
    ]
    if not pages:
        yield f"nothing was counted at {at}"
        return
    page = pages[-1]
    # One page proves itself: it is the list at the instant of its rows, or at that of its count.
    instants = {page.counted, page.sliced} if told["method"] == "single page" else {page.counted}
    yield from min((list(_against(instant, page, told, jobs)) for instant in instants), key=len)


def _against(instant: frozenset[int], page: Note, told: Row, jobs: dict[int, str]) -> Iterator[str]:
    held = {job_id for job_id, presence in jobs.items() if presence == "listed"}
    count, method = told["count"], told["method"]
    if count != len(instant):
        yield f"certified with {count} jobs where {len(instant)} were listed"
    yield from (f"job {job_id} was listed at the count, and is not mirrored as listed" for job_id in instant - held)
    before = page.known | (page.shown.keys() if method == "single page" else set())
    yield from (
        f"job {job_id} was not listed at the count, and is held as such" for job_id in (held - instant) & before
    )
