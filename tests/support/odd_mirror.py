"""What a mirror must hold, note and prove of an account that shows odd values; shares no reading with the package.

It is told each answer that the mirror was given, in order, and each word of the operator. What it follows is the
contract: a value that cannot be held changes nothing but the quarantine, a key that is not there changes nothing.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tests.support.columns import INPUT, JOB, LINKS, MODEL, OUTPUT, PREVIEWS, VIDEOS, VOLATILE, text_of
from tests.support.odd_values import (
    MISSING,
    OUT_OF_RANGE,
    UNREADABLE,
    WRONG_KIND,
    Number,
    RepeatedKeyError,
    Unheld,
    depth,
    held,
    identity,
    parsed,
    plain,
)

Row: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[int | None, str | None]
"""A job and a field; None and a payload of what has no readable id."""
Change: TypeAlias = tuple[str, int, str, str | None, str | None]

TABLES: Final = {"job": "jobs", "input_video": "input_videos", "output_video": "output_videos", "ml_model": "ml_models"}
OVER: Final = {2, -1, -2}
DEEPEST: Final = 50
MOST_MODELS: Final = 1000
ENTITIES: Final = {"job": JOB, "input_video": INPUT, "output_video": OUTPUT, "ml_model": MODEL}
COLUMNS: Final = {
    "job": [*JOB, "input_video_id", "output_video_id"], "input_video": [*INPUT],
    "output_video": [*OUTPUT, *PREVIEWS.values()], "ml_model": [*MODEL],
}  # fmt: skip
PROGRESS: Final = {f"job.{name}" for name in VOLATILE}
"""Fields that hold no certificate back."""


@dataclass
class Shown:
    """What an item of an answer says: rows by entity, without what it does not state or no column can hold."""

    id: int | None
    payload: str = ""
    rows: dict[str, Row] = field(default_factory=dict)
    """``job``, the videos, and ``ml_model 44``."""
    gone: set[str] = field(default_factory=set)
    """Videos that the item says the job has not."""
    models: list[int] | None = None
    faults: dict[str | None, str] = field(default_factory=dict)

    def states(self, name: str | None) -> bool:
        """Whether it says anything of a field that the quarantine has."""
        entity, _, column = (name or "").partition(".")
        if not name:
            return True
        if entity in self.gone or (entity.startswith("ml_model ") and entity not in self.rows):
            return entity in self.gone or self.models is not None
        if name == "job.ml_models":
            return self.models is not None
        return entity in self.rows and (column == "extra" or column in self.rows[entity])


def shown(raw: bytes, asked_for: int | None) -> Shown:
    """What an item says; of one that no parser reads the id that was asked for, if it states that."""
    payload = raw.decode()
    try:
        found = parsed(payload)
    except RepeatedKeyError as error:
        stated = json.loads(payload, parse_int=Number, parse_float=Number, strict=False).get("id")
        return _unreadable(asked_for if error.args[0] else identity(stated), payload)
    except ValueError:
        is_whole = asked_for is not None and payload.endswith("}") and f'"id":{asked_for},' in payload
        return _unreadable(asked_for if is_whole else None, payload)
    if not isinstance(found, dict) or identity(found.get("id")) is None:
        return _unreadable(None, payload)
    says = Shown(identity(found.get("id")), payload)
    _job(found, says)
    return says


def _unreadable(job_id: int | None, payload: str) -> Shown:
    return Shown(job_id, payload, faults={None: UNREADABLE})


def _job(found: Row, says: Shown) -> None:
    row = _read("job", found, {*VIDEOS, "ml_models"}, says)
    if row.get("status") is None:
        row.pop("status", None)
        says.faults.setdefault("job.status", MISSING)
    for kind in VIDEOS:
        if kind in found and found[kind] is None:
            row[f"{kind}_id"] = None
            says.gone.add(kind)
        elif kind in found:
            _video(kind, found[kind], says)
    if found.get("ml_models") is not None:
        _models(found["ml_models"], says)


def _video(kind: str, video: Any, says: Shown) -> None:
    number = identity(video.get("id")) if isinstance(video, dict) else None
    if number is None:
        says.faults[f"job.{kind}_id"] = WRONG_KIND
        return
    says.rows["job"][f"{kind}_id"] = number
    row = _read(kind, video, {"preview_videos"} if kind == "output_video" else set(), says)
    previews = video.get("preview_videos", {}) if kind == "output_video" else {}
    if previews is None:
        row |= dict.fromkeys(PREVIEWS.values())
    elif not isinstance(previews, dict):
        says.faults |= {f"output_video.{column}": WRONG_KIND for column in PREVIEWS.values()}
    else:
        _take(kind, row, {PREVIEWS[key]: (previews[key], "url") for key in PREVIEWS if key in previews}, says)
        if unknown := _unknown(kind, {key: value for key, value in previews.items() if key not in PREVIEWS}, says):
            row["extra"] = {**row.get("extra", {}), "preview_videos": unknown}


def _models(models: Any, says: Shown) -> None:
    if not isinstance(models, list) or len(models) > MOST_MODELS:
        says.faults["job.ml_models"] = WRONG_KIND
        return
    ids = [identity(model.get("id")) if isinstance(model, dict) else None for model in models]
    for number, model in zip(ids, models, strict=True):
        if number is not None:
            _read(f"ml_model {number}", model, set(), says)
    if None in ids:
        says.faults["job.ml_models"] = WRONG_KIND
    else:
        says.models = [number for number in ids if number is not None]


def _read(entity: str, found: Row, nested: set[str], says: Shown) -> Row:
    """The row of an object: what it states and its columns can hold."""
    columns = ENTITIES[entity.partition(" ")[0]]
    row = says.rows[entity] = {}
    _take(entity, row, {key: (found[key], kind) for key, kind in columns.items() if key in found}, says)
    strange = {key: value for key, value in found.items() if key not in columns.keys() | nested}
    if unknown := _unknown(entity, strange, says):
        row["extra"] = unknown
    return row


def _take(entity: str, row: Row, values: dict[str, tuple[Any, str]], says: Shown) -> None:
    for column, (value, kind) in values.items():
        read = held(value, kind)
        if isinstance(read, Unheld):
            says.faults[f"{entity}.{column}"] = str(read)
        else:
            row[column] = read


def _unknown(entity: str, strange: Row, says: Shown) -> Row:
    """Keys that nobody knows, all of them or none."""
    if strange and depth(strange) > DEEPEST:
        says.faults[f"{entity}.extra"] = OUT_OF_RANGE
        return {}
    return {plain(key): plain(value) for key, value in strange.items()}


@dataclass
class Entry:
    """An open entry of the quarantine."""

    fault: str
    accepted: bool


@dataclass
class Holding:
    """How many jobs are not held as shown."""

    unreadable: int
    incomplete: int
    accepted: int

    @property
    def is_whole(self) -> bool:
        """Whether all are held or accepted."""
        return self.unreadable + self.incomplete == self.accepted


def general(name: str | None) -> str | None:
    """A field whatever the model."""
    return name and re.sub(r"^ml_model \d+", "ml_model", name)


class OddMirror:
    """The mirror as it must be."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, Row]] = {entity: {} for entity in TABLES}
        self.links: dict[int, list[tuple[int, float | None]]] = {}
        self.detached: dict[int, set[str]] = {}
        self.history: dict[int, list[tuple[int | None, int, Any]]] = {}
        self.moved: dict[int, list[Any]] = {}
        """By job, the costs that were shown after the first, the first included."""
        self.entries: dict[Key, Entry] = {}
        self.noted = 0
        """Entries that ever were."""
        self.standing: set[tuple[str | None, str]] = set()
        self.changes: Counter[Change] = Counter()

    # Answers

    def see(self, items: list[Shown]) -> None:
        """A page, or the answers for some ids, one after the other."""
        self._catalogue(items)
        for says in sorted(items, key=lambda says: says.id or 0):
            if None not in says.faults:
                self._see(says)
        for says in items:
            if None in says.faults:
                self._note((says.id, None) if says.id is not None else (None, says.payload), UNREADABLE)

    def _catalogue(self, items: list[Shown]) -> None:
        """Of a model the newest job speaks; not one without a row."""
        newest: dict[int, Shown] = {}
        placed = [says for says in items if says.id in self.rows["job"] or "status" in says.rows.get("job", {})]
        for says in sorted(placed, key=lambda says: says.id or 0):
            newest |= {int(entity[9:]): says for entity in says.rows if entity.startswith("ml_model ")}
        users = {number: max((job for job, links in self.links.items() if number in dict(links)), default=0)
                 for number in newest}  # fmt: skip
        for number, says in newest.items():
            if number not in self.rows["ml_model"] or (says.id or 0) >= users[number]:
                self._keep("ml_model", {"id": number, **says.rows[f"ml_model {number}"]})

    def _see(self, says: Shown) -> None:
        job_id = says.id or 0
        known = self.rows["job"].get(job_id)
        unheld = {name for job, name in self.entries if job == job_id}
        for name, fault in says.faults.items():
            self._note((job_id, name), fault)
        for name in unheld - says.faults.keys():
            if says.states(name):
                del self.entries[job_id, name]
        if known is None and "status" not in says.rows["job"]:
            return
        for kind in VIDEOS:
            if kind in says.rows:
                self._keep(kind, {**says.rows[kind], "id": says.rows["job"][f"{kind}_id"]})
        row = {**says.rows["job"], "id": job_id}
        self._attach(row, known)
        self._link(job_id, says, unheld, first=known is None)
        self._turn(row, known)
        self._keep("job", row)

    def _note(self, key: Key, fault: str) -> None:
        entry = self.entries.get(key)
        if entry is None or entry.fault != fault:
            name = key[1] if key[0] is not None else None
            self.entries[key] = Entry(fault, (general(name), fault) in self.standing)
            self.noted += entry is None

    def _attach(self, row: Row, known: Row | None) -> None:
        for name in LINKS.keys() & row.keys():
            away = self.detached.setdefault(row["id"], set())
            is_away = row[name] is None and known is not None and known[name] is not None
            if is_away and known is not None:
                row[name] = known[name]
            if is_away != (name in away):
                told = (None, "observed") if is_away else ("observed", None)
                self.changes["job", row["id"], LINKS[name], *told] += 1
                away ^= {name}

    def _link(self, job_id: int, says: Shown, unheld: set[str | None], *, first: bool) -> None:
        if says.models is None:
            return
        old = self.links.get(job_id, [])
        weights = {number: weight for number, weight in reversed(old)
                   if weight is not None or f"ml_model {number}.cost_weight" not in unheld}  # fmt: skip
        self.links[job_id] = [
            (number, weights.get(number, says.rows[f"ml_model {number}"].get("cost_weight"))) for number in says.models
        ]
        before = [number for number, _ in old]
        if not first and before != says.models:
            self.changes["job", job_id, "ml_models", json.dumps(before), json.dumps(says.models)] += 1

    def _turn(self, row: Row, known: Row | None) -> None:
        now = row.get("status")
        if now is None or (known is not None and known["status"] == now):
            return
        name = "finished" if now in OVER else "started"
        stamp = row.get(name)
        if known is None:
            stamp = stamp if now in OVER | {0} else None
        elif stamp == known[name]:
            stamp = None
        self.history.setdefault(row["id"], []).append((None if known is None else known["status"], now, stamp))

    def _keep(self, entity: str, row: Row) -> None:
        known = self.rows[entity].get(row["id"])
        if known is None:
            self.rows[entity][row["id"]] = {**dict.fromkeys([*COLUMNS[entity], "extra"]), **row}
        else:
            row["extra"] = _joined(known["extra"], row.get("extra"))
            for name in row.keys() - VOLATILE - {"status"}:
                if known[name] != row[name]:
                    self.changes[entity, row["id"], name, text_of(known[name]), text_of(row[name])] += 1
            known |= row
        if entity == "job":
            costs = self.moved.setdefault(row["id"], [])
            if (cost := self.rows["job"][row["id"]]["cost_usd"] or 0) not in costs[-1:]:
                costs.append(cost)

    # The operator

    def accept(self, keys: list[Key], name: str | None, *, undo: bool) -> None:
        """Entries are accepted, or no longer; with a field also those to come, without keys and field all."""
        chosen = [key for key in self.entries if key in keys or not keys]
        if name is not None:
            chosen = [key for key in self.entries if key[0] is not None and general(key[1]) == general(name)]
        for key in chosen:
            self.entries[key].accepted = not undo and key[0] is not None
        if undo and not keys:
            self.standing = {fault for fault in self.standing if name is not None and fault[0] != general(name)}
        elif name is not None:
            self.standing |= {(general(name), self.entries[key].fault) for key in chosen}

    # What follows

    def holding(self, among: set[int] | None = None) -> Holding:
        """How many jobs are not held as shown."""
        jobs: dict[int, list[tuple[str | None, bool]]] = {}
        for (job_id, name), entry in self.entries.items():
            if job_id is not None and name not in PROGRESS and (among is None or job_id in among):
                jobs.setdefault(job_id, []).append((name, entry.accepted))
        unread = sum(job not in self.rows["job"] or (None in dict(found)) for job, found in jobs.items())
        return Holding(unread, len(jobs) - unread, sum(all(dict(found).values()) for found in jobs.values()))

    def in_flight(self) -> set[int]:
        """Jobs that are not over."""
        return {job_id for job_id, row in self.rows["job"].items() if row["status"] not in OVER}

    def unplaced(self) -> set[int]:
        """Jobs that only the quarantine has."""
        return {job_id for job_id, _ in self.entries if job_id is not None} - self.rows["job"].keys()

    def older(self) -> set[tuple[str, int | None, str | None]]:
        """The columns that hold an older value, or may."""
        found = set()
        for job_id, name in self.entries:
            if job_id in self.rows["job"]:
                entity, _, column = (name or "job").partition(".")
                job = self.rows["job"][job_id]
                number = int(entity[9:]) if entity.startswith("ml_model") else job.get(f"{entity}_id", job_id)
                found.add((entity.partition(" ")[0], number, column if name else None))
        return found

    def forget_items(self, shown: set[str]) -> None:
        """A full sync resolves items without an id that it was not shown: nothing tells such items apart."""
        for key in [key for key in self.entries if key[0] is None and key[1] not in shown]:
            del self.entries[key]

    def prove(self) -> None:
        """The list is proven, and each of its jobs has a readable id: items without one will not come again."""
        self.entries = {key: entry for key, entry in self.entries.items() if key[0] is not None}


def _joined(before: Row | None, now: Row | None) -> Row | None:
    """Unknown keys: those shown now besides those of before."""
    if not before or not now:
        return before or now or None
    made = {**before, **now}
    if "preview_videos" in before and "preview_videos" in now:
        made["preview_videos"] = {**before["preview_videos"], **now["preview_videos"]}
    return made
