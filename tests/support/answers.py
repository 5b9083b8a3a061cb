"""What an answer says of a job, field by field, as the mirror has to take it; shares no code with the package."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias

from tests.support.columns import (
    INPUT,
    JOB,
    MISSING,
    MODEL,
    OUTPUT,
    PREVIEWS,
    VIDEOS,
    VOLATILE,
    WRONG_KIND,
    id_of,
    models_of,
    read,
    text_of,
)
from tpmirror.db.types import Row

Entity: TypeAlias = tuple[str, int]
"""Kind and id: ``("input_video", 7)``."""
TABLES: Final = {"job": "jobs", "input_video": "input_videos", "output_video": "output_videos", "ml_model": "ml_models"}
OBJECTS: Final = {"job": JOB, "input_video": INPUT, "output_video": OUTPUT, "ml_model": MODEL}


@dataclass(slots=True)
class Answer:
    """One job as one answer showed it."""

    job_id: int
    texts: dict[Entity, dict[str, str | None]] = field(default_factory=dict)
    """What can be held, by column, as the change log words it; of ``extra`` a part each."""
    faults: dict[str, str] = field(default_factory=dict)
    """What cannot, by field as the quarantine names it, with the kind of fault."""
    places: dict[str, tuple[str, int, str]] = field(default_factory=dict)
    """Entity, id and column of each fault, as ``held_values`` names it."""

    @property
    def status(self) -> int | None:
        """The job's status, if it can be read."""
        text = self.texts["job", self.job_id].get("status")
        return None if text is None else int(text)

    def states(self, name: str) -> bool:
        """Whether it says anything of a field: has such a key, in an object that is there, or none in its place."""
        entity, _, column = name.partition(".")
        mine = [texts for (kind, number), texts in self.texts.items() if entity in {kind, f"{kind} {number}"}]
        link = "ml_models" if entity.startswith("ml_model ") else f"{entity}_id"
        return name in self.faults or (column in mine[0] if mine else link in self.texts["job", self.job_id])

    def take(self, entity: Entity, where: str, shown: Row, columns: dict[str, str]) -> None:
        """Take the values of one object."""
        for column, kind in columns.items():
            if column in shown:
                self._value(entity, where, column, shown[column], kind)

    def _value(self, entity: Entity, where: str, column: str, value: Any, kind: str) -> None:
        held, fault = read(value, kind)
        if fault:
            self.refuse(entity, where, column, fault)
        else:
            self.texts.setdefault(entity, {})[column] = text_of(held)

    def refuse(self, entity: Entity, where: str, column: str, fault: str) -> None:
        """Note a value that cannot be held."""
        self.faults[f"{where}.{column}"] = fault
        self.places[f"{where}.{column}"] = (*entity, column)

    def keep(self, entity: Entity, shown: Row, known: Iterable[str], prefix: str = "") -> None:
        """Keys that have no column."""
        strange = {prefix + key: value for key, value in shown.items() if key not in known}
        self.texts.setdefault(entity, {}).update((part, text) for part, text in parts_of(strange))


def parts_of(extra: Row) -> Iterator[tuple[str, str]]:
    """The parts of an ``extra``, each with its key; what stands in the previews by keys of its own."""
    for key, value in extra.items():
        if key == "preview_videos" and isinstance(value, dict):
            yield from parts_of({f"preview_videos.{inner}": part for inner, part in value.items()})
        else:
            yield f"extra {key}", json.dumps(value, sort_keys=True).replace(r"\u0000", r"\u2400")  # none holds a NUL


def answers_of(items: Iterable[Any]) -> list[Answer]:
    """What the items of an answer say, those whose id can be read."""
    found = [_read(json.dumps(item)) for item in items]
    return [answer for answer in found if answer is not None]


@lru_cache(5000)
def _read(text: str) -> Answer | None:
    shown = json.loads(text)
    job_id = id_of(shown)
    if job_id is None:
        return None
    answer, entity = Answer(job_id), ("job", job_id)
    answer.take(entity, "job", shown, JOB)
    answer.keep(entity, shown, {*JOB, *VIDEOS, "ml_models"})
    if shown.get("status") is None:
        answer.texts[entity].pop("status", None)
        answer.refuse(entity, "job", "status", MISSING)
    for kind in VIDEOS:
        if kind in shown:
            _take_video(answer, kind, shown[kind])
    if isinstance(models := shown.get("ml_models"), list):
        _take_models(answer, models)
    if shown.get("ml_models") is not None:
        if (ids := models_of(shown)) is None:
            answer.refuse(entity, "job", "ml_models", WRONG_KIND)
        else:
            answer.texts[entity]["ml_models"] = json.dumps(ids)
    return answer


def _take_video(answer: Answer, kind: str, shown: Any) -> None:
    video_id, job = id_of(shown), ("job", answer.job_id)
    if shown is None or video_id is not None:
        answer.texts[job][f"{kind}_id"] = text_of(video_id)
    else:
        answer.refuse(job, "job", f"{kind}_id", WRONG_KIND)
    if video_id is None:
        return
    entity = (kind, video_id)
    answer.take(entity, kind, shown, OBJECTS[kind])
    answer.keep(entity, shown, {*OBJECTS[kind], *(["preview_videos"] if kind == "output_video" else [])})
    if kind == "output_video" and "preview_videos" in shown:
        _take_previews(answer, entity, shown["preview_videos"])


def _take_previews(answer: Answer, entity: Entity, shown: Any) -> None:
    if isinstance(shown, dict):
        answer.take(entity, "output_video", {PREVIEWS.get(key, ""): value for key, value in shown.items()}, _URLS)
        answer.keep(entity, shown, PREVIEWS, "preview_videos.")
    elif shown is None:
        answer.texts[entity].update(dict.fromkeys(PREVIEWS.values()))
    else:
        for column in PREVIEWS.values():
            answer.refuse(entity, "output_video", column, WRONG_KIND)


_URLS: Final = dict.fromkeys(PREVIEWS.values(), "url")


def _take_models(answer: Answer, models: list[Any]) -> None:
    for shown in models:
        model_id = id_of(shown)
        if model_id is not None:
            answer.take(("ml_model", model_id), f"ml_model {model_id}", shown, MODEL)
            answer.keep(("ml_model", model_id), shown, MODEL)


def texts_of(entity: str, row: Row) -> dict[str, str | None]:
    """The columns of a mirrored row that come from upstream, as answers word them."""
    links = [f"{kind}_id" for kind in VIDEOS] if entity == "job" else []
    columns = [*OBJECTS[entity], *links, *(PREVIEWS.values() if entity == "output_video" else [])]
    held = {column: text_of(row[column]) for column in columns}
    return {**held, **dict(parts_of(json.loads(row["extra"] or "{}")))}


def counts(name: str) -> bool:
    """Whether a fault of this field holds a certificate back."""
    return name not in {f"job.{column}" for column in VOLATILE}


def general(name: str | None) -> str:
    """A field as it is called whatever the job: of a model without its id."""
    return re.sub(r"^ml_model \d+\.", "ml_model.", name or "")


def is_active(row: Row) -> bool:
    """Whether a mirrored job is in flight."""
    return row["status"] not in {2, -1, -2} and row["presence"] != "gone"
