"""Compares the answers just seen with the stored rows, and returns the rows to write. Pure: no database, no clock.

Most jobs have not changed and never get here: their fingerprints show it. The rows of a ``Changeset`` go to the
database as they are.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from tpmirror.db import labels, schema
from tpmirror.db.types import Row
from tpmirror.store.changes import AWAY, RECHECK, Changeset, LastChange, Observation, ShownVideo, StoredState
from tpmirror.sync.normalize import Rows
from tpmirror.tensorpix.decode import ParseFailure
from tpmirror.tensorpix.reading import UNREADABLE
from tpmirror.tensorpix.redaction import redact

PROGRESS: Final = ("eta_s", "processing_progress")
MOVING: Final = (*PROGRESS, "status")
"""Columns whose change adds a point to the progress curve, while the job is being processed."""
PREVIEWS: Final = "preview_videos"
"""Key in an output video's ``extra`` that holds the unknown keys of its previews."""
QUARANTINE_REFRESH: Final = timedelta(days=1)
"""How stale ``last_seen_at`` of an unchanged quarantined payload may grow: a run without changes writes nothing."""


class Shown(NamedTuple):
    """A job as an answer showed it, and its normalized rows."""

    observation: Observation
    rows: Rows

    @property
    def job_id(self) -> int:
        """The job's id."""
        return self.observation.item.id


def changed_models(catalogue: Mapping[int, Row], batch: Iterable[Shown]) -> dict[int, Shown]:
    """The models of a batch that differ from the catalogue, each with the newest job that shows it.

    Only the newest job counts: older jobs may show the catalogue as it once was.
    """
    newest: dict[int, tuple[Shown, Row]] = {}
    for shown in batch:
        for row in shown.rows.models:
            if row["id"] not in newest or newest[row["id"]][0].job_id < shown.job_id:
                newest[row["id"]] = shown, row
    return {
        model_id: shown
        for model_id, (shown, row) in newest.items()
        if model_id not in catalogue or _differs(catalogue[model_id], row)
    }


def _differs(known: Row, row: Row) -> bool:
    return any(known[name] != value for name, value in joined(known, row).items())


def _contradicts(known: Row, row: Row, silent: Collection[str]) -> bool:
    """Whether a row differs in a column that is not silent; an unknown key that only one row has is no difference."""
    if not _differs(known, row):  # nearly always: several jobs that read one video arrive together
        return False
    stated = {name: value for name, value in row.items() if name not in silent}
    before, now = (json.loads(extra or "{}") for extra in (known["extra"], stated.pop("extra", None)))
    return _differs(known, stated) or any(before[key] != now[key] for key in before.keys() & now.keys())


def joined(known: Row, row: Row) -> Row:
    """A row with the known row's unknown keys besides those shown: a key that an endpoint omits is no change."""
    if known["extra"] is None or row.get("extra") in {None, known["extra"]}:
        return row
    before, shown = json.loads(known["extra"]), json.loads(row["extra"])
    previews = {**(before.get(PREVIEWS) or {}), **(shown.get(PREVIEWS) or {})}
    return {
        **row,
        "extra": json.dumps({**before, **shown, **({PREVIEWS: previews} if previews else {})}, sort_keys=True),
    }


def diff(
    known: StoredState,
    batch: Iterable[Shown],
    models: Mapping[int, Shown],
    unreadable: Sequence[tuple[ParseFailure, datetime]],
    run_id: int,
) -> Changeset:
    """Everything to write for a batch. Jobs must be distinct within it."""
    changes = Changeset()
    differ = Differ(known, changes, run_id, {item.id for item, _ in unreadable})
    for model_id, shown in sorted(models.items()):
        differ.model(model_id, shown)
    for shown in sorted(batch, key=lambda shown: (shown.observation.sent, shown.job_id)):
        differ.job(shown)
    for item, at in unreadable:
        differ.quarantine(item.id, None, UNREADABLE, item.reason, redact(item.raw), at)
        differ.stay(item.id)
    return changes


class Differ:
    """Fills a changeset, job by job; later jobs of a batch see the rows that earlier ones put into it."""

    def __init__(self, known: StoredState, changes: Changeset, run_id: int, unread: Collection[int | None]) -> None:
        self.known = known
        self.changes = changes
        self.run_id = run_id
        self.unread = unread
        """Jobs that the batch shows in an unreadable item too: which of the two is newer is unknown."""

    def model(self, model_id: int, shown: Shown) -> None:
        """Merge a model as the newest job of the batch shows it, unless a newer job outside the batch uses it."""
        row = next(model for model in shown.rows.models if model["id"] == model_id)
        known = self.known.ml_models.get(model_id)
        if known is not None and shown.job_id < self.known.newest_users.get(model_id, 0):
            return
        self.merge("ml_model", known, row, shown.observation.at)
        self.label("ml_tasks", row.get("task"))

    def job(self, shown: Shown) -> None:
        """Add a job that is new or differs from its stored state. A new job without a status gets no row."""
        observation, rows, job_id = shown.observation, shown.rows, shown.job_id
        known = self.known.jobs.get(job_id)
        self.faults(job_id, rows, observation)
        if known is None and "status" not in rows.job:
            self.changes.unplaced.add(job_id)
            return
        if known is not None and known["presence"] in AWAY:
            self.changes.away.add(job_id)
        before = self.change_count()
        settled = self.input_video(rows.input_video, observation)
        if (video := rows.output_video) is not None:
            self.merge("output_video", self.known.output_videos.get(video["id"]), video, observation.at)
        row = self.stay_attached(rows.job, known, observation.at)
        self.links(job_id, rows, observation.at, known=known is not None)
        self.status(observation, row, known)
        # RECHECK compares the job again even if the answer stays the same: a newer version may hold the faulty field.
        fingerprint = observation.item.fingerprint if settled and not rows.faults else RECHECK
        self.merge("job", known, {**row, "fingerprint": fingerprint}, observation.at)
        if known is None:
            self.changes.inserted.add(job_id)
        elif self.change_count() > before:
            self.changes.updated.add(job_id)
        self.label("job_statuses", row.get("status"))
        self.label("output_resolutions", row.get("output_resolution"))
        if self.known.jobs[job_id]["status"] == labels.PROCESSING and (known is None or _moved(known, row)):
            self.sample(job_id, row, observation.at)

    def change_count(self) -> int:
        """How many changes are recorded so far."""
        return len(self.changes.history) + len(self.changes.field_changes)

    def sample(self, job_id: int, row: Row, at: datetime) -> None:
        """Add a point to the job's progress curve; null where the answer stated no value that can be held."""
        point = {name: row.get(name) for name in PROGRESS}
        self.changes.samples.append({"job_id": job_id, "observed_at": at, **point})

    def input_video(self, row: Row | None, observation: Observation) -> bool:
        """Merge the video that a job reads; False if it is unknown whether this answer is newer than the stored row.

        Several jobs may read one video. An answer asked for before another answer with the video was complete may be
        the older of the two, and if they differ a guess would record a change that never was. The job's next
        observation decides. A column that the other answer does not state is taken at once: that answer would never
        decide it.
        """
        if row is None:
            return True
        known = self.known.input_videos.get(row["id"])
        last = self.changes.shown.get(row["id"], self.known.shown.get(row["id"], _NOT_SHOWN))
        if known is not None and last.received > observation.sent and _contradicts(known, row, last.silent):
            return False
        silent = last.silent.difference(row) or frozenset()  # a shared empty set: a run remembers every video
        self.changes.shown[row["id"]] = ShownVideo(max(last.received, observation.received), silent)
        self.merge("input_video", known, row, observation.at)
        return True

    def stay_attached(self, row: Row, known: Row | None, at: datetime) -> Row:
        """Keep the link to a video that upstream no longer shows, and note since when it is detached."""
        for kind in ("input_video", "output_video"):
            link, since = f"{kind}_id", f"{kind}_detached_at"
            if link not in row:
                continue
            row[since] = None
            if known is None or known[link] in {None, row[link]}:
                continue
            if row[link] is None:
                row[link], row[since] = known[link], known[since] or at
            elif kind == "input_video":
                self.changes.videos_left.add(known[link])
        return row

    def links(self, job_id: int, rows: Rows, at: datetime, *, known: bool) -> None:
        """Update the models of a job; a weight stays as it was when the job was first seen with the model.

        An answer that does not state the models removes no link: a link removed and added again would get today's
        weight, and the cost shares of a past month would change.
        """
        old = self.known.links.get(job_id, [])
        before, weights = [row["ml_model_id"] for row in old], self.weights(job_id, old, rows)
        if rows.model_ids is None or (before == rows.model_ids and weights == [row["cost_weight"] for row in old]):
            return
        for position, (model_id, weight) in enumerate(zip(rows.model_ids, weights, strict=True)):
            self.changes.links.append(
                {"job_id": job_id, "position": position, "ml_model_id": model_id, "cost_weight": weight}
            )
        for position in range(len(rows.model_ids), len(before)):
            self.changes.dropped_links.append({"job_id_": job_id, "position_": position})
        for model_id in {*before}.difference(rows.model_ids):
            self.changes.models_left[model_id] = max(job_id, self.changes.models_left.get(model_id, 0))
        if known and before != rows.model_ids:
            self.change("job", job_id, "ml_models", json.dumps(before), json.dumps(rows.model_ids), at)

    def weights(self, job_id: int, old: Sequence[Row], rows: Rows) -> list[float | None]:
        """The weights of a job's models: as first seen, or as first readable where they could not be held then."""
        if not old:
            return [model.get("cost_weight") for model in rows.models]
        first = {row["ml_model_id"]: row["cost_weight"] for row in reversed(old)}
        unheld = self.known.quarantine.get(job_id, {}).keys()
        found = []
        for model in rows.models:
            is_first = model["id"] not in first or (
                first[model["id"]] is None and f"ml_model {model['id']}.cost_weight" in unheld
            )
            found.append(model.get("cost_weight") if is_first else first[model["id"]])
        return found

    def status(self, observation: Observation, row: Row, known: Row | None) -> None:
        """Add an entry to the history, if the status differs from the last one seen."""
        job_id, to_status = row["id"], row.get("status")
        if to_status is None or (known is not None and known["status"] == to_status):
            return
        last = self.known.last_changes.get(job_id)
        # A clock that was set back must not reorder the history: an entry never gets a time before its predecessor's.
        at = observation.at if last is None else max(observation.at, last.at)
        entry = {
            "job_id": job_id,
            "seq": 1 if last is None else last.seq + 1,
            "from_status": None if known is None else known["status"],
            "to_status": to_status,
            "not_before": None if known is None else self.last_seen(known, (last, observation.shown_at), at),
            "observed_at": at,
            "occurred_at": upstream_timestamp(to_status, row, known),
            "sync_run_id": self.run_id,
        }
        self.changes.history.append(entry)

    def last_seen(
        self, known: Row, sightings: tuple[LastChange | None, datetime | None], at: datetime
    ) -> datetime | None:
        """When the mirror last saw the old status, as far as it can prove without a write per observation.

        ``sightings``: the last entry of the history, and an earlier answer of this run. A moment after ``at`` proves
        nothing: the clock was set back since. Nor does a moment before the last entry: the job may have had an older
        status then.
        """
        last, shown_at = sightings
        proofs = [last.at if last is not None and last.is_proof else None]
        # A run that read every job may have failed to hold this one if it is in quarantine.
        if self.known.has_moments and known["id"] not in self.known.quarantine:
            proofs.append(shown_at)
            if known["presence"] == "listed":
                proofs.append(self.known.listed_covered_at)
            is_polled = known["presence"] in {"listed", "unlisted"} and known["id"] not in self.known.unpolled
            if is_polled and known["status"] not in labels.TERMINAL:
                proofs.append(self.known.active_covered_at)
        since = datetime.min.replace(tzinfo=UTC) if last is None else last.at
        return max((proof for proof in proofs if proof is not None and since <= proof <= at), default=at)

    def merge(self, entity: str, known: Row | None, row: Row, at: datetime) -> None:
        """Put a row into the changeset if it is new or differs from the known one, and record the changed fields."""
        place, volatile, blank = _ENTITIES[entity]
        if known is None:
            merged = {**blank, **row, "first_seen_at": at, "changed_at": at}
        else:
            row = joined(known, row)
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
        """Add a row of ``field_changes``."""
        row = {
            "entity": entity,
            "entity_id": entity_id,
            "field": name,
            "old_value": to_text(old),
            "new_value": to_text(new),
        }
        self.changes.field_changes.append({**row, "observed_at": at, "sync_run_id": self.run_id})

    def label(self, table: str, code: int | None) -> None:
        """Add a label for a code that has none, so that no join loses the row."""
        if code is not None and code not in self.known.codes.get(table, set()):
            self.known.codes.setdefault(table, set()).add(code)
            self.changes.new_labels.setdefault(table, {})[code] = labels.unlabelled(table, code)

    def faults(self, job_id: int, rows: Rows, observation: Observation) -> None:
        """Quarantine the fields that cannot be held, resolve the entries of those that now can; other entries stay."""
        if not rows.faults and job_id not in self.known.quarantine:
            return
        payload = redact(observation.item.raw) if rows.faults else ""
        for name, fault in rows.faults.items():
            self.quarantine(job_id, name, fault.kind, f"{name}: {fault.reason}", payload, observation.at)
        self.stay(job_id, rows)
        self.changes.quarantine_resolved += [
            {"id_": entry["id"], "resolved_at": observation.at}
            for name, entry in self.known.quarantine.get(job_id, {}).items()
            if name not in rows.faults and not says_nothing_of(rows, name) and (name or job_id not in self.unread)
        ]

    def stay(self, job_id: int | None, rows: Rows | None = None) -> None:
        """Add to ``not_held`` a job's quarantined fields that the answer does not state; all if it cannot be read."""
        if job_id is not None:
            self.changes.not_held += [
                {"job_id": job_id, "field": name, "reason": entry["reason"], "accepted": bool(entry["accepted_at"])}
                for name, entry in self.known.quarantine.get(job_id, {}).items()
                if name is not None and (rows is None or (name not in rows.faults and says_nothing_of(rows, name)))
            ]

    def quarantine(
        self, job_id: int | None, name: str | None, kind: str, reason: str, payload: str, at: datetime
    ) -> None:
        """Add an entry for a field, or for a whole item; update an open entry to the fault as shown now.

        An accepted entry stays accepted while its fault is of the same kind.
        """
        key = name if job_id is not None else payload
        if (job_id, key) in self.changes.quarantined:
            return
        self.changes.quarantined.add((job_id, key))
        entry = self.known.quarantine.get(job_id, {}).get(key)
        accepted = at if (general(name), kind) in self.known.accepted else None
        if entry is not None and entry["fault"] == kind:
            accepted = entry["accepted_at"]
        self.changes.not_held.append({"job_id": job_id, "field": name, "reason": reason, "accepted": bool(accepted)})
        now = {"fault": kind, "reason": reason, "payload": payload, "last_seen_at": at}
        if entry is None:
            named = {"job_id": job_id, "field": name, **now, "first_seen_at": at, "sync_run_id": self.run_id}
            self.changes.quarantine.append({**named, "resolved_at": None, "accepted_at": accepted})
            return
        is_stale = at - entry["last_seen_at"] >= QUARANTINE_REFRESH
        if is_stale or any(entry[column] != now[column] for column in ("fault", "reason", "payload")):
            self.changes.quarantine_seen.append({"id_": entry["id"], **now, "accepted_at": accepted})


def general(name: str | None) -> str | None:
    """A field's name without the job: of a model's field also without the model's id."""
    return name and _MODEL.sub("ml_model.", name)


_MODEL: Final = re.compile(r"^ml_model \d+\.")


def says_nothing_of(rows: Rows, name: str | None) -> bool:
    """Whether an answer has neither a value nor a null for a field that is in quarantine.

    Unknown keys are the exception: an answer that shows their object and lacks them resolves their fault.
    """
    entity, _, column = (name or "").partition(".")
    if not name:
        return False
    if entity == "job":
        return column not in {"extra", *rows.job, *(["ml_models"] if rows.model_ids is not None else [])}
    if entity in {"input_video", "output_video"}:
        video = rows.input_video if entity == "input_video" else rows.output_video
        return f"{entity}_id" not in rows.job if video is None else column not in {"extra", *video}
    models = [row for row in rows.models if f"ml_model {row['id']}" == entity]
    return rows.model_ids is None if not models else column not in {"extra", *models[0]}


def _moved(known: Row, row: Row) -> bool:
    """Whether the job's progress, ETA or status changed."""
    return any(known[name] != row.get(name, known[name]) for name in MOVING)


def upstream_timestamp(status: int, row: Row, known: Row | None) -> datetime | None:
    """The moment upstream states for a change to ``status``, if it states one.

    ``finished`` is the end. ``started`` is stated for queued jobs too, so it is the moment a job entered the queue; it
    is the moment processing began only when it came with that change. A timestamp that the stored row already has is
    neither.
    """
    name = "finished" if status in labels.TERMINAL else "started"
    stated: datetime | None = row.get(name)
    if known is None:
        return stated if status in labels.TERMINAL or status == 0 else None
    return stated if stated != known[name] else None


def to_text(value: Any) -> str | None:
    """A value as the text that ``field_changes`` holds: times in ISO 8601 UTC, booleans as true and false."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def _entity(place: str, **own: Any) -> tuple[str, frozenset[str], Row]:
    columns = schema.metadata.tables[place].columns
    volatile = {column.name for column in columns if column.info.get("volatile")}
    return place, frozenset({*volatile, "fingerprint"}), {**dict.fromkeys(columns.keys()), **own}


_NOT_SHOWN: Final = ShownVideo(
    0, frozenset(str(column.name) for column in schema.input_videos.columns if "api" in column.info)
)

_ENTITIES: Final = {
    "job": _entity("jobs", presence="listed"),
    "input_video": _entity("input_videos"),
    "output_video": _entity("output_videos"),
    "ml_model": _entity("ml_models"),
}
"""By entity: its place in Changeset and StoredState, the columns whose change is not recorded, and a row of nulls."""
