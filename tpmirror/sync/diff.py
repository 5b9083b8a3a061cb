"""What to write: the answers just seen against what the mirror knows. Pure: no database, no clock.

Most jobs have not changed and never get here: their fingerprints show it. A ``Changeset`` is rows that go to the
database as they are.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tpmirror.db import labels, schema
from tpmirror.db.types import Row
from tpmirror.store.changes import RECHECK, Changeset, Observation, StoredState
from tpmirror.sync.normalize import Rows, normalize, normalize_model
from tpmirror.tensorpix.decode import ParseFailure
from tpmirror.tensorpix.models import MlModel
from tpmirror.tensorpix.redaction import redact

PROGRESS: Final = ("eta_s", "processing_progress")
MOVING: Final = (*PROGRESS, "status")
"""Columns of which a change makes a point of the progress curve, while the job is being processed."""
QUARANTINE_REFRESH: Final = timedelta(days=1)
"""How stale ``last_seen_at`` of an unchanged quarantined payload may grow: a run without changes writes nothing."""


def changed_models(catalogue: Mapping[int, Row], observations: Iterable[Observation]) -> dict[int, Observation]:
    """The models that a batch shows otherwise than the catalogue, each with the newest job that shows it.

    Only the newest counts: older jobs may show the catalogue as it once was.
    """
    newest: dict[int, tuple[int, MlModel, Observation]] = {}
    for observation in observations:
        job = observation.item.job
        for model in job.ml_models or ():
            if model.id not in newest or newest[model.id][0] < job.id:
                newest[model.id] = (job.id, model, observation)
    return {
        model_id: observation
        for model_id, (_, model, observation) in newest.items()
        if model_id not in catalogue or _differs(catalogue[model_id], normalize_model(model, observation.item)[0])
    }


def _differs(known: Row, row: Row) -> bool:
    return any(known[name] != value for name, value in row.items())


def diff(
    known: StoredState,
    observations: Iterable[Observation],
    models: Mapping[int, Observation],
    unreadable: Sequence[tuple[ParseFailure, datetime]],
    run_id: int,
) -> Changeset:
    """Everything to write for a batch. Jobs must be distinct within it."""
    changes = Changeset()
    differ = Differ(known, changes, run_id)
    for model_id, observation in sorted(models.items()):
        differ.model(model_id, observation)
    for observation in sorted(observations, key=lambda observation: (observation.sent, observation.item.id)):
        differ.job(observation)
    for item, at in unreadable:
        differ.quarantine(item.id, item.reason, item.raw, at)
    return changes


class Differ:
    """Fills a changeset, job by job; later jobs of a batch see the rows that earlier ones put into it."""

    def __init__(self, known: StoredState, changes: Changeset, run_id: int) -> None:
        self.known = known
        self.changes = changes
        self.run_id = run_id

    def model(self, model_id: int, observation: Observation) -> None:
        """A model as the newest job of the batch shows it, unless a newer job spoke before."""
        shown = next(model for model in observation.item.job.ml_models or () if model.id == model_id)
        row, notes = normalize_model(shown, observation.item)
        known = self.known.ml_models.get(model_id)
        if known is not None and observation.item.id < self.known.newest_users.get(model_id, 0):
            return
        self.merge("ml_model", known, row, observation.at)
        self.label("ml_tasks", row["task"])
        if notes:
            self.quarantine(observation.item.id, "; ".join(notes), observation.item.raw, observation.at)

    def job(self, observation: Observation) -> None:
        """A new job, or one that shows something else than before."""
        rows, job_id = normalize(observation.item), observation.item.id
        known = self.known.jobs.get(job_id)
        before = self.change_count()
        settled = self.input_video(rows.input_video, observation)
        if (video := rows.output_video) is not None:
            self.merge("output_video", self.known.output_videos.get(video["id"]), video, observation.at)
        row = self.stay_attached(rows.job, known, observation.at)
        self.links(job_id, rows, observation.at, known=known is not None)
        self.status(observation, row, known)
        self.merge(
            "job", known, {**row, "fingerprint": observation.item.fingerprint if settled else RECHECK}, observation.at
        )
        changed = self.change_count() > before
        if known is None:
            self.changes.inserted.add(job_id)
        elif changed:
            self.changes.updated.add(job_id)
        self.label("job_statuses", row["status"])
        self.label("output_resolutions", row["output_resolution"])
        if row["status"] == labels.PROCESSING and (known is None or any(known[name] != row[name] for name in MOVING)):
            self.sample(row, observation.at)
        self.judge_notes(job_id, rows.notes, observation)

    def change_count(self) -> int:
        """How many changes are recorded so far."""
        return len(self.changes.history) + len(self.changes.field_changes)

    def sample(self, row: Row, at: datetime) -> None:
        """A point of the job's progress curve."""
        self.changes.samples.append({"job_id": row["id"], "observed_at": at, **{name: row[name] for name in PROGRESS}})

    def input_video(self, row: Row | None, observation: Observation) -> bool:
        """The video that a job reads, unless it is open whether the mirror has it as it is now; then the job decides.

        Several jobs may read one video. An answer asked for before another that showed it was complete may be the older
        of the two, and if they differ a guess would be a change that never was. The next observation settles it.
        """
        if row is None:
            return True
        known = self.known.input_videos.get(row["id"])
        last = self.changes.shown.get(row["id"], self.known.shown.get(row["id"], 0))
        if known is not None and last > observation.sent and _differs(known, row):
            return False
        self.changes.shown[row["id"]] = max(last, observation.received)
        self.merge("input_video", known, row, observation.at)
        return True

    def stay_attached(self, row: Row, known: Row | None, at: datetime) -> Row:
        """Keep the link to a video that upstream no longer shows, and since when."""
        for kind in ("input_video", "output_video"):
            link, since = f"{kind}_id", f"{kind}_detached_at"
            row[since] = None
            if row[link] is None and known is not None and known[link] is not None:
                row[link], row[since] = known[link], known[since] or at
        return row

    def links(self, job_id: int, rows: Rows, at: datetime, *, known: bool) -> None:
        """The models of a job; a weight stays as it was when the job was first seen with the model.

        An answer that does not state the models says nothing about them: links that went and came back would have
        today's weights, and the shares of costs of a month that is over would change.
        """
        old = self.known.links.get(job_id, [])
        before = [row["ml_model_id"] for row in old]
        if rows.model_ids is None or before == rows.model_ids:
            return
        weights = {row["ml_model_id"]: row["cost_weight"] for row in reversed(old)}
        for position, (model_id, weight) in enumerate(zip(rows.model_ids, rows.cost_weights, strict=True)):
            link = {"job_id": job_id, "position": position, "ml_model_id": model_id}
            self.changes.links.append({**link, "cost_weight": weights.get(model_id, weight)})
        for position in range(len(rows.model_ids), len(before)):
            self.changes.dropped_links.append({"job_id_": job_id, "position_": position})
        if known:
            self.change("job", job_id, "ml_models", json.dumps(before), json.dumps(rows.model_ids), at)

    def status(self, observation: Observation, row: Row, known: Row | None) -> None:
        """An entry of the history, if the status is another than the last one seen."""
        job_id, to_status = row["id"], row["status"]
        if known is not None and known["status"] == to_status:
            return
        seq, seen = self.known.last_changes.get(job_id, (0, None))
        # A clock that was set back must not reorder the history: an entry never gets a time before its predecessor's.
        at = observation.at if seen is None else max(observation.at, seen)
        entry = {
            "job_id": job_id,
            "seq": seq + 1,
            "from_status": None if known is None else known["status"],
            "to_status": to_status,
            "not_before": None if known is None else self.last_seen(known, seen, at),
            "observed_at": at,
            "occurred_at": upstream_timestamp(to_status, row, known),
            "sync_run_id": self.run_id,
        }
        self.changes.history.append(entry)

    def last_seen(self, known: Row, changed_at: datetime | None, at: datetime) -> datetime | None:
        """When the mirror last saw the old status, as far as it can prove without a write per observation."""
        proofs = [changed_at]
        if known["id"] not in self.known.quarantine:  # else runs that read every job may not have held this one
            if known["presence"] == "listed":
                proofs.append(self.known.listed_covered_at)
            if known["presence"] in {"listed", "unlisted"} and known["status"] not in labels.TERMINAL:
                proofs.append(self.known.active_covered_at)
        return min(max((proof for proof in proofs if proof is not None), default=at), at)

    def merge(self, entity: str, known: Row | None, row: Row, at: datetime) -> None:
        """Put a row into the changeset if it is new or other than the known one, and record what changed."""
        place, volatile = _ENTITIES[entity]
        if known is None:
            merged = {**row, "first_seen_at": at, "changed_at": at}
            if entity == "job":
                merged = {**merged, "presence": "listed", "gone_at": None}
        else:
            differing = [name for name, value in row.items() if known[name] != value]
            if not differing:
                return
            recorded = [name for name in differing if name not in volatile]
            for name in recorded:
                if name != "status":
                    self.change(entity, row["id"], name, known[name], row[name], at)
            merged = {**known, **row, "changed_at": at if recorded else known["changed_at"]}
        getattr(self.changes, place)[row["id"]] = merged
        getattr(self.known, place)[row["id"]] = merged

    def change(self, entity: str, entity_id: int, name: str, old: Any, new: Any, at: datetime) -> None:
        """A row of ``field_changes``."""
        row = {
            "entity": entity,
            "entity_id": entity_id,
            "field": name,
            "old_value": to_text(old),
            "new_value": to_text(new),
        }
        self.changes.field_changes.append({**row, "observed_at": at, "sync_run_id": self.run_id})

    def label(self, table: str, code: int | None) -> None:
        """A label for a code that has none, so that no join loses the row."""
        if code is not None and code not in self.known.codes.get(table, set()):
            self.known.codes.setdefault(table, set()).add(code)
            self.changes.new_labels.setdefault(table, {})[code] = labels.unlabelled(table, code)

    def judge_notes(self, job_id: int, notes: list[str], observation: Observation) -> None:
        """Note what could not be held; or resolve what once could not and now can."""
        reason = "; ".join(notes)
        if notes:
            self.quarantine(job_id, reason, observation.item.raw, observation.at)
        if entries := self.known.quarantine.get(job_id):
            models = observation.item.job.ml_models or ()
            standing = {reason, *("; ".join(normalize_model(model, observation.item)[1]) for model in models)}
            resolved = [entry for key, entry in entries.items() if key not in standing]
            self.changes.quarantine_resolved += [
                {"id_": entry["id"], "resolved_at": observation.at} for entry in resolved
            ]

    def quarantine(self, job_id: int | None, reason: str, raw: Any, at: datetime) -> None:
        """An entry for a payload, or a fresh date on the entry it already has."""
        payload = redact(raw)
        key = (job_id, reason if job_id is not None else payload)
        if key in self.changes.quarantined:
            return
        self.changes.quarantined.add(key)
        if entry := self.known.quarantine.get(job_id, {}).get(key[1]):
            if at - entry["last_seen_at"] >= QUARANTINE_REFRESH:
                self.changes.quarantine_seen.append({"id_": entry["id"], "payload": payload, "last_seen_at": at})
            return
        entry = {"job_id": job_id, "reason": reason, "payload": payload, "first_seen_at": at, "last_seen_at": at}
        self.changes.quarantine.append({**entry, "sync_run_id": self.run_id, "resolved_at": None})


def upstream_timestamp(status: int, row: Row, known: Row | None) -> datetime | None:
    """The moment upstream states for a change to ``status``, if it states one.

    ``finished`` is the end. ``started`` is stated for queued jobs too, so it is the moment a job entered the queue;
    it is the moment processing began only when it came with that change. A stamp that was there before is neither.
    """
    name = "finished" if status in labels.TERMINAL else "started"
    if known is None:
        stated: datetime | None = row[name] if status in labels.TERMINAL or status == 0 else None
        return stated
    return row[name] if row[name] != known[name] else None


def to_text(value: Any) -> str | None:
    """A value as the text that ``field_changes`` holds: times in ISO 8601 UTC, booleans as true and false."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def _volatile(table: Any) -> frozenset[str]:
    return frozenset({column.name for column in table.columns if column.info.get("volatile")} | {"fingerprint"})


_ENTITIES: Final = {
    "job": ("jobs", _volatile(schema.jobs)),
    "input_video": ("input_videos", frozenset[str]()),
    "output_video": ("output_videos", frozenset[str]()),
    "ml_model": ("ml_models", frozenset[str]()),
}
"""By entity: its place in Plan and Known, and the columns whose change is not a change."""
