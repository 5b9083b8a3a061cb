"""What the mirror must hold, worked out again from what the account shows; shares no mapping with the package.

The oracle looks at the account as often as the mirror does and remembers what it saw: links to videos that were taken
away, weights as they first were, the statuses in the order in which they showed.
"""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, TypeAlias

from tests.support.account import rows
from tpmirror.simulator.world import World

Row: TypeAlias = dict[str, Any]
Change: TypeAlias = tuple[str, int, str, str | None, str | None]

JOB: Final = {
    "id": "i64", "status": "i16", "preview": "plain", "description": "text", "cost_usd": "money", "eta_s": "real",
    "processing_progress": "real", "started": "time", "finished": "time", "grain": "real", "codec": "text",
    "output_resolution": "i32", "comparison": "plain", "stabilization_smoothing": "i32",
    "fps_interpolation_factor": "real", "playback_speed": "real", "sharpen_strength": "real", "start_frame": "i64",
    "end_frame": "i64",
}  # fmt: skip
VIDEO: Final = {
    "id": "i64", "name": "text", "width": "i32", "height": "i32", "created_at": "time", "n_frames": "i64",
    "framerate": "real", "size": "i64", "thumbnail": "url", "bitrate": "i64", "codec_id": "text", "bit_depth": "i32",
    "chroma_subsampling": "text", "color_space": "text", "file": "url",
}  # fmt: skip
INPUT: Final = {**VIDEO, "owner": "text", "external_url": "url"}
OUTPUT: Final = {**VIDEO, "owner": "i64", "job_id": "i64", "deleted": "time", "quality_score": "i32"}
MODEL: Final = {
    "id": "i64", "name": "text", "task": "i32", "cost_weight": "real", "upscale_factor": "i32",
    "fps_boost_factor": "i32", "priority": "i32", "max_resolution": "i32",
}  # fmt: skip
NESTED: Final = {"input_video", "output_video", "ml_models"}
VOLATILE: Final = {"eta_s", "processing_progress"}
OVER: Final = {2, -1, -2}
OWN: Final = {"first_seen_at", "changed_at"}
OF_JOBS: Final = OWN | {"presence", "gone_at", "input_video_detached_at", "output_video_detached_at", "fingerprint"}


class Oracle:
    """Remembers an account as the mirror should. Call ``look`` when the mirror looks, then ``check``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.jobs: dict[int, Row] = {}
        self.input_videos: dict[int, Row] = {}
        self.output_videos: dict[int, Row] = {}
        self.ml_models: dict[int, Row] = {}
        self.links: dict[int, list[tuple[int, float | None]]] = {}
        self.detached: dict[int, set[str]] = {}
        self.history: dict[int, list[tuple[int | None, int, datetime | None]]] = {}
        self.changes: Counter[Change] = Counter()
        self.noted: set[int] = set()
        self.inserted: set[int] = set()
        self.updated: set[int] = set()
        self._lossy = False

    def look(self) -> None:
        """See every listed job, newest first."""
        self.changes, self.inserted, self.updated = Counter(), set(), set()
        listed = {job_id: self.world.job(job_id) for job_id in self.world.listed()}
        newest = {model["id"]: (job_id, model) for job_id in sorted(listed) for model in listed[job_id]["ml_models"]}
        for model_id, (job_id, model) in newest.items():
            users = [user for user, links in self.links.items() if model_id in dict(links)]
            if job_id >= max(users, default=0):
                self._keep("ml_model", self.ml_models, self._row(model, MODEL))
        for job_id, shown in listed.items():
            self._job(job_id, shown)

    def _job(self, job_id: int, shown: Row) -> None:
        self._lossy, before, known = False, self.changes.total(), self.jobs.get(job_id)
        job = self._row(shown, JOB, NESTED)
        source, made = shown["input_video"], shown["output_video"]
        job["input_video_id"] = source and source["id"]
        job["output_video_id"] = made and made["id"]
        if source is not None:
            self._keep("input_video", self.input_videos, self._row(source, INPUT))
        if made is not None:
            self._keep("output_video", self.output_videos, self._output(made))
        self._attach(job, known)
        self._link(job_id, shown["ml_models"], first=known is None)
        turned = self._turn(job, known)
        self._keep("job", self.jobs, job)
        self.noted = self.noted | {job_id} if self._lossy else self.noted - {job_id}
        if known is None:
            self.inserted.add(job_id)
        elif turned or self.changes.total() > before:
            self.updated.add(job_id)

    def _output(self, made: Row) -> Row:
        previews = made["preview_videos"] or {}
        row = self._row(made, OUTPUT, {"preview_videos"})
        row["preview_before"] = self._value(previews.get("before_video"), "url")
        row["preview_after"] = self._value(previews.get("after_video"), "url")
        strange = {key: value for key, value in previews.items() if key not in {"before_video", "after_video"}}
        if strange:
            row["extra"] = {**(row["extra"] or {}), "preview_videos": strange}
        return row

    def _attach(self, job: Row, known: Row | None) -> None:
        away = set()
        for kind in ("input_video", "output_video"):
            link = f"{kind}_id"
            if job[link] is None and known is not None and known[link] is not None:
                job[link] = known[link]
                away.add(kind)
        before = self.detached.get(job["id"], set())
        for kind in away ^ before:
            told = (None, "observed") if kind in away else ("observed", None)
            self.changes["job", job["id"], f"{kind}_detached_at", *told] += 1
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
        stamp = "finished" if now in OVER else "started"
        if known is None:
            moment = job[stamp] if now in OVER | {0} else None
            self.history[job["id"]] = [(None, now, moment)]
        elif known["status"] != now:
            moment = job[stamp] if job[stamp] != known[stamp] else None
            self.history[job["id"]].append((known["status"], now, moment))
        return known is not None and known["status"] != now

    def _keep(self, entity: str, place: dict[int, Row], row: Row) -> None:
        known = place.get(row["id"])
        for name, value in row.items() if known is not None else ():
            if known is not None and known[name] != value and name not in VOLATILE | {"status"}:
                self.changes[entity, row["id"], name, words(known[name]), words(value)] += 1
        place[row["id"]] = row

    def _row(self, shown: Row, columns: dict[str, str], nested: set[str] | None = None) -> Row:
        row = {name: self._value(shown[name], kind) for name, kind in columns.items()}
        strange = {key: value for key, value in shown.items() if key not in columns.keys() | (nested or set())}
        return {**row, "extra": strange or None}

    def _value(self, value: Any, kind: str) -> Any:
        if value is None or kind == "plain":
            return value
        held = READ[kind](value)
        self._lossy = self._lossy or held is None or "\0" in str(value)
        return held

    def check(self, database_url: str, run: Row) -> None:
        """Compare every column of every mirrored row, and the history that the last run added."""
        self._check_rows(database_url)
        self._check_history(database_url, run)
        self._check_changes(database_url, run)
        open_notes = rows(database_url, "quarantined_jobs", resolved_at=None)
        assert {note["job_id"] for note in open_notes} == self.noted
        counted = (run["jobs_inserted"], run["jobs_updated"], run["field_changes"])
        assert counted == (len(self.inserted), len(self.updated), self.changes.total())
        assert run["jobs_seen"] == run["upstream_count"] == len(self.world.listed())
        assert run["jobs_unchanged"] == run["jobs_seen"] - len(self.inserted) - len(self.updated)

    def _check_rows(self, database_url: str) -> None:
        for table in ("jobs", "input_videos", "output_videos", "ml_models"):
            expected: dict[int, Row] = getattr(self, table)
            held = {row["id"]: row for row in rows(database_url, table)}
            assert held.keys() == expected.keys(), table
            for key, row in held.items():
                upstream = without(row, OF_JOBS if table == "jobs" else OWN)
                upstream["extra"] = upstream["extra"] and json.loads(upstream["extra"])
                same(upstream, expected[key], f"{table} {key}")
                assert row["first_seen_at"] <= row["changed_at"]
                assert row["first_seen_at"].utcoffset() == row["changed_at"].utcoffset() == timedelta(0)
                if table == "jobs":
                    self._check_place(row)
        links = rows(database_url, "job_ml_models")
        expected_links = [
            {"job_id": job_id, "position": position, "ml_model_id": model_id, "cost_weight": weight}
            for job_id in sorted(self.links)
            for position, (model_id, weight) in enumerate(self.links[job_id])
        ]
        assert links == expected_links

    def _check_place(self, row: Row) -> None:
        assert (row["presence"], row["gone_at"]) == ("listed", None)
        away = {kind for kind in ("input_video", "output_video") if row[f"{kind}_detached_at"] is not None}
        assert away == self.detached[row["id"]], row["id"]

    def _check_history(self, database_url: str, run: Row) -> None:
        held: dict[int, list[Row]] = {}
        stored = rows(database_url, "job_status_history")
        for entry in stored:
            held.setdefault(entry["job_id"], []).append(entry)
        told = {
            job_id: [(entry["from_status"], entry["to_status"], entry["occurred_at"]) for entry in entries]
            for job_id, entries in held.items()
        }
        assert told == self.history
        assert sorted(entry["entry"] for entry in stored) == list(range(1, len(stored) + 1))
        for job_id, entries in held.items():
            check_chain(entries, self.jobs[job_id]["status"])
        new = [entry for entry in stored if entry["sync_run_id"] == run["id"]]
        assert run["transitions"] == sum(entry["from_status"] is not None for entry in new)
        assert all(run["started_at"] <= entry["observed_at"] <= run["finished_at"] for entry in new)

    def _check_changes(self, database_url: str, run: Row) -> None:
        told: Counter[Change] = Counter()
        for change in rows(database_url, "field_changes", sync_run_id=run["id"]):
            old, new = change["old_value"], change["new_value"]
            if change["field"].endswith("_detached_at"):
                assert new is None or new == words(change["observed_at"])
                old, new = old and "observed", new and "observed"
            if change["field"] == "extra":
                old, new = (words(value and json.loads(value)) for value in (old, new))
            told[change["entity"], change["entity_id"], change["field"], old, new] += 1
        assert told == self.changes


def check_chain(entries: list[Row], status: int) -> None:
    """One job's history: no gap, no step on the spot, honest bounds, and the end is the present."""
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert (entries[0]["from_status"], entries[0]["not_before"]) == (None, None)
    assert entries[-1]["to_status"] == status
    for before, after in pairwise(entries):
        assert after["from_status"] == before["to_status"] != after["to_status"]
        assert before["observed_at"] <= after["not_before"] <= after["observed_at"]


def same(held: Row, expected: Row, where: str) -> None:
    """Equal, and of the very same types: 1 is not True, 1.0 is not 1, 1.5 is not 1.5000."""
    assert held.keys() == expected.keys(), where
    for name, value in expected.items():
        found = held[name]
        assert found == value, f"{where}.{name}"
        assert type(found) is type(value), f"{where}.{name}"
        if isinstance(value, Decimal):
            assert str(found) == str(value), f"{where}.{name}"
        if isinstance(value, datetime):
            assert found.tzinfo is UTC, f"{where}.{name}"


def without(row: Row, names: set[str]) -> Row:
    """The row without some columns."""
    return {name: value for name, value in row.items() if name not in names}


def words(value: Any) -> str | None:
    """A value as the change log should word it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    return None if value is None else str(value)


def _whole(bits: int) -> Callable[[int], int | None]:
    return lambda value: value if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else None


def _time(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(UTC)


READ: Final[dict[str, Callable[[Any], Any]]] = {
    "i16": _whole(16),
    "i32": _whole(32),
    "i64": _whole(64),
    "real": lambda value: float(value) if abs(value) <= 1e15 else None,
    "money": lambda value: Decimal(value).quantize(Decimal("0.0001")),
    "text": lambda value: value.replace("\0", "\u2400"),
    "url": lambda value: value.split("?")[0],
    "time": _time,
}
