"""What a mirror must hold and count, to the last column, of an account that stands still while it is read.

It looks at the account as often as the mirror does and remembers what it saw: links to videos that were taken away,
weights as they first were, the statuses in the order in which they showed.
"""

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from tests.support.account import rows
from tests.support.columns import LINKS, MODEL, UNHELD, VIDEOS, VOLATILE, is_lossy, row_of, rows_of, text_of, unlike
from tests.support.judge import link
from tpmirror.db.types import Row
from tpmirror.simulator.world import World

Change: TypeAlias = tuple[str, int, str, str | None, str | None]

OVER: Final = {2, -1, -2}
TABLES: Final = {"job": "jobs", "input_video": "input_videos", "output_video": "output_videos", "ml_model": "ml_models"}
OWN: Final = {"first_seen_at", "changed_at"}
OF_JOBS: Final = {"presence", "gone_at", "fingerprint", *LINKS.values()}
"""What the mirror adds to what it is shown."""


class Expected:
    """Remembers an account as the mirror should. Call ``look`` when the mirror looks, then ``check``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.held: dict[str, dict[int, Row]] = {entity: {} for entity in TABLES}
        self.links: dict[int, list[tuple[int, float | None]]] = {}
        self.detached: dict[int, set[str]] = {}
        self.presence: dict[int, str] = {}
        self.history: dict[int, list[tuple[int | None, int, datetime | None]]] = {}
        self.changes: Counter[Change] = Counter()
        self.noted: set[int] = set()
        self.inserted: set[int] = set()
        self.updated: set[int] = set()

    def look(self) -> None:
        """See every job that answers: those that are listed, newest first, and those that are asked for by id."""
        self.changes, self.inserted, self.updated = Counter(), set(), set()
        listed = set(self.world.listed())
        unlisted = {job_id for job_id in self.held["job"].keys() - listed if self.world.found(job_id)}
        shown = {job_id: self.world.job(job_id) for job_id in listed | unlisted}
        newest = {model["id"]: (job_id, model) for job_id in sorted(shown) for model in shown[job_id]["ml_models"]}
        for model_id, (job_id, model) in newest.items():
            users = [user for user, links in self.links.items() if model_id in dict(links)]
            if job_id >= max(users, default=0):
                self._keep("ml_model", row_of(model, MODEL))
        for job_id, job in shown.items():
            self._job(job_id, job)
        for job_id in self.held["job"]:
            self._place(job_id, "listed" if job_id in listed else "unlisted" if job_id in unlisted else "gone")

    def _job(self, job_id: int, shown: Row) -> None:
        before, known, made = self.changes.total(), self.held["job"].get(job_id), rows_of(shown)
        for kind in VIDEOS:
            if TABLES[kind] in made:
                self._keep(kind, made[TABLES[kind]])
        job = made["jobs"]
        self._attach(job, known)
        self._link(job_id, shown["ml_models"], first=known is None)
        turned = self._turn(job, known)
        self._keep("job", job)
        self.noted = self.noted | {job_id} if is_lossy(shown) else self.noted - {job_id}
        if known is None:
            self.inserted.add(job_id)
        elif turned or self.changes.total() > before:
            self.updated.add(job_id)

    def _attach(self, job: Row, known: Row | None) -> None:
        away = {name for name in LINKS if job[name] is None and known is not None and known[name] is not None}
        job |= {name: known[name] for name in away if known is not None}
        for name in away ^ self.detached.get(job["id"], set()):
            told = (None, "observed") if name in away else ("observed", None)
            self.changes["job", job["id"], LINKS[name], *told] += 1
        self.detached[job["id"]] = away

    def _link(self, job_id: int, models: list[Row], *, first: bool) -> None:
        old = self.links.get(job_id, [])
        ids, weights = [model["id"] for model in models], dict(old)
        if first or ids != [model_id for model_id, _ in old]:
            self.links[job_id] = [(model["id"], weights.get(model["id"], model["cost_weight"])) for model in models]
        if not first and ids != [model_id for model_id, _ in old]:
            before = json.dumps([model_id for model_id, _ in old])
            self.changes["job", job_id, "ml_models", before, json.dumps(ids)] += 1

    def _turn(self, job: Row, known: Row | None) -> bool:
        now = job["status"]
        name = "finished" if now in OVER else "started"
        stamp = None if job[name] is UNHELD else job[name]
        if known is None:
            moment = stamp if now in OVER | {0} else None
            self.history[job["id"]] = [(None, now, moment)]
        elif known["status"] != now:
            moment = stamp if stamp != known[name] else None
            self.history[job["id"]].append((known["status"], now, moment))
        return known is not None and known["status"] != now

    def _keep(self, entity: str, row: Row) -> None:
        """Hold a row: a value that cannot be held, and an unknown key that is not shown, leave what was there."""
        first = {name: None if value is UNHELD else value for name, value in row.items()}
        known = self.held[entity].get(row["id"], first)
        row |= {name: known[name] for name, value in row.items() if value is UNHELD}
        row["extra"] = {**(known["extra"] or {}), **(row["extra"] or {})} or None
        for name in row.keys() - VOLATILE - {"status"}:
            if known[name] != row[name]:
                self.changes[entity, row["id"], name, text_of(known[name]), text_of(row[name])] += 1
        self.held[entity][row["id"]] = row

    def _place(self, job_id: int, presence: str) -> None:
        before = self.presence.get(job_id, "listed")
        if presence != before:
            self.changes["job", job_id, "presence", before, presence] += 1
        if presence == "gone":  # nothing is left to mirror
            self.noted.discard(job_id)
        self.presence[job_id] = presence

    def unheld(self) -> set[int]:
        """The listed jobs of which something is not held as shown: with any, no full sync is certified."""
        return {job_id for job_id in self.noted if self.presence[job_id] == "listed"}

    def check(self, database_url: str, run: Row) -> None:
        """Compare every column of every mirrored row, and the history that the last run added."""
        self._check_rows(database_url)
        self._check_history(database_url, run)
        self._check_changes(database_url, run)
        open_notes = rows(database_url, "quarantined_jobs", resolved_at=None)
        assert {note["job_id"] for note in open_notes} == self.noted
        counted = (run["jobs_inserted"], run["jobs_updated"], run["field_changes"])
        assert counted == (len(self.inserted), len(self.updated), self.changes.total())
        assert run["upstream_count"] == len(self.world.listed())
        assert run["jobs_seen"] == sum(presence != "gone" for presence in self.presence.values())
        assert run["jobs_unchanged"] == run["jobs_seen"] - len(self.inserted) - len(self.updated)

    def _check_rows(self, database_url: str) -> None:
        for entity, table in TABLES.items():
            held = {row["id"]: row for row in rows(database_url, table)}
            assert held.keys() == self.held[entity].keys(), table
            for key, row in held.items():
                true = self.held[entity][key]
                assert row.keys() == true.keys() | OWN | (OF_JOBS if entity == "job" else set()), table
                assert list(unlike(row, true)) == [], f"{table} {key}"
                assert row["first_seen_at"] <= row["changed_at"]
                assert row["first_seen_at"].utcoffset() == row["changed_at"].utcoffset() == timedelta(0)
                if entity == "job":
                    self._check_place(row)
        assert rows(database_url, "job_ml_models") == [
            {"job_id": job_id, "position": position, "ml_model_id": model_id, "cost_weight": weight}
            for job_id in sorted(self.links)
            for position, (model_id, weight) in enumerate(self.links[job_id])
        ]

    def _check_place(self, row: Row) -> None:
        assert row["presence"] == self.presence[row["id"]], row["id"]
        assert (row["gone_at"] is not None) == (row["presence"] == "gone"), row["id"]
        assert {name for name, since in LINKS.items() if row[since] is not None} == self.detached[row["id"]], row["id"]

    def _check_history(self, database_url: str, run: Row) -> None:
        held: dict[int, list[Row]] = {}
        stored = rows(database_url, "job_status_history")
        for entry in stored:
            before = held.setdefault(entry["job_id"], [])
            assert list(link(before, entry)) == []
            before.append(entry)
        steps = {
            job_id: [(entry["from_status"], entry["to_status"], entry["occurred_at"]) for entry in entries]
            for job_id, entries in held.items()
        }
        assert steps == self.history
        assert sorted(entry["entry"] for entry in stored) == list(range(1, len(stored) + 1))
        assert all(self.held["job"][job_id]["status"] == entries[-1][1] for job_id, entries in steps.items())
        new = [entry for entry in stored if entry["sync_run_id"] == run["id"]]
        assert run["transitions"] == sum(entry["from_status"] is not None for entry in new)
        assert all(run["started_at"] <= entry["observed_at"] <= run["finished_at"] for entry in new)

    def _check_changes(self, database_url: str, run: Row) -> None:
        held: Counter[Change] = Counter()
        for change in rows(database_url, "field_changes", sync_run_id=run["id"]):
            field, old, new = change["field"], change["old_value"], change["new_value"]
            if field in LINKS.values():
                assert new is None or new == text_of(change["observed_at"])
                old, new = old and "observed", new and "observed"
            if field == "extra":
                old, new = (text_of(value and json.loads(value)) for value in (old, new))
            held[change["entity"], change["entity_id"], field, old, new] += 1
        assert held == self.changes
