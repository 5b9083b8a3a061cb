"""What each column must hold of what the account shows; shares no mapping with the package."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from tpmirror.db.types import Row

JOB: Final = {
    "id": "i64", "status": "i16", "preview": "flag", "description": "text", "cost_usd": "money", "eta_s": "real",
    "processing_progress": "real", "started": "time", "finished": "time", "grain": "real", "codec": "text",
    "output_resolution": "i32", "comparison": "flag", "stabilization_smoothing": "i32",
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
PREVIEWS: Final = {"before_video": "preview_before", "after_video": "preview_after"}
VIDEOS: Final = ("input_video", "output_video")
LINKS: Final = {f"{kind}_id": f"{kind}_detached_at" for kind in VIDEOS}
"""The links of a job, which stay when a video is taken away, and the column that says since when it is."""
WRONG_KIND: Final = "wrong kind"
OUT_OF_RANGE: Final = "out of range"
TOO_MANY_DIGITS: Final = "too many digits"
NOT_A_TIME: Final = "not a time"
MISSING: Final = "missing"
VOLATILE: Final = {"eta_s", "processing_progress"}
UNHELD: Final = object()
"""A value that no column can hold: what the column holds stays."""


def rows_of(shown: Row) -> dict[str, Row]:
    """The rows of a job and of its videos, by table, as the mirror must hold them if it held nothing before.

    A key that is not shown is in no row, and says nothing.
    """
    made = {"jobs": row_of(shown, JOB, {*VIDEOS, "ml_models"})}
    for kind, columns in {"input_video": INPUT, "output_video": OUTPUT}.items():
        if kind in shown:
            video, video_id = shown[kind], id_of(shown[kind])
            made["jobs"][f"{kind}_id"] = UNHELD if video is not None and video_id is None else video_id
            if video_id is not None:
                made[f"{kind}s"] = row_of(video, columns) if kind == "input_video" else _output(video)
    return made


def row_of(shown: Row, columns: dict[str, str], nested: set[str] | None = None) -> Row:
    """What an object is held as; keys that have no column are kept together."""
    strange = {key: value for key, value in shown.items() if key not in columns.keys() | (nested or set())}
    held = {name: value_of(shown[name], kind) for name, kind in columns.items() if name in shown}
    return {**held, "extra": strange or None}


def _output(shown: Row) -> Row:
    row = row_of(shown, OUTPUT, {"preview_videos"})
    if "preview_videos" not in shown:
        return row
    previews = shown["preview_videos"]
    if previews is not None and not isinstance(previews, dict):
        return {**row, **dict.fromkeys(PREVIEWS.values(), UNHELD)}
    row |= {
        column: value_of(previews[key], "url") if previews else None
        for key, column in PREVIEWS.items()
        if previews is None or key in previews
    }
    if strange := {key: value for key, value in (previews or {}).items() if key not in PREVIEWS}:
        row["extra"] = {**(row["extra"] or {}), "preview_videos": strange}
    return row


def id_of(shown: Any) -> int | None:
    """The id of an object; None if it has none that can be read."""
    found = value_of(shown.get("id"), "i64") if isinstance(shown, dict) else None
    return found if isinstance(found, int) and found > 0 else None


def models_of(shown: Row) -> list[int] | None:
    """The models of a job; None if it says nothing about them that can be read."""
    models = shown.get("ml_models")
    found = [id_of(model) for model in models] if isinstance(models, list) else [None]
    return None if None in found else [model_id for model_id in found if model_id is not None]


def is_lossy(shown: Row) -> bool:
    """Whether a job or one of its videos has a value that no column can hold as it is."""
    return any(value is UNHELD for row in rows_of(shown).values() for value in row.values())


def value_of(value: Any, kind: str) -> Any:
    """A value as a column of this kind holds it; UNHELD if it cannot."""
    held, fault = read(value, kind)
    return UNHELD if fault else held


def read(value: Any, kind: str) -> tuple[Any, str | None]:
    """A value as a column of this kind holds it, and the kind of fault if it cannot."""
    if value is None:
        return None, None
    try:
        return READ[kind](value), None
    except Fault as fault:
        return None, str(fault)


class Fault(Exception):
    """A value that no column holds; its text is the kind of fault."""


def unlike(held: Row, true: Row) -> Iterator[str]:
    """Columns that differ, or are of other types: 1 is not True, 1.0 is not 1, 1.5 is not 1.5000."""
    for name, value in true.items():
        if value is UNHELD:
            continue
        found = json.loads(held[name]) if name == "extra" and held[name] else held[name]
        same = found == value and type(found) is type(value)
        if isinstance(value, Decimal):
            same = same and str(found) == str(value)
        if isinstance(value, datetime):
            same = same and found.tzinfo is UTC
        if not same:
            yield name


def text_of(value: Any) -> str | None:
    """A value as the change log should word it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return json.dumps(value, sort_keys=True)
    return None if value is None else str(value)


NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def _number(value: Any) -> int | float:
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = json.loads(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Fault(WRONG_KIND)
    return value


def _whole(bits: int) -> Callable[[Any], int]:
    def whole(value: Any) -> int:
        number = _number(value)
        if number % 1:
            raise Fault(WRONG_KIND)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1) or (isinstance(number, float) and abs(number) > 2**53):
            raise Fault(OUT_OF_RANGE)
        return int(number)

    return whole


def _real(value: Any) -> float:
    number = _number(value)
    if abs(number) > 1e15:
        raise Fault(OUT_OF_RANGE)
    return float(number)


def _money(value: Any) -> Decimal:
    number = _number(value)
    stated = Decimal(value if isinstance(value, str) else repr(number))
    if abs(stated) >= 10**6:
        raise Fault(OUT_OF_RANGE)
    exact = stated.quantize(Decimal("0.0001"))
    if abs(stated - exact) > Decimal("5e-9"):
        raise Fault(TOO_MANY_DIGITS)
    return exact


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Fault(WRONG_KIND)
    return str(value).replace("\0", "\u2400")


def _flag(value: Any) -> bool:
    if not isinstance(value, int | float) or value not in {0, 1}:
        raise Fault(WRONG_KIND)
    return bool(value)


MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d):(\d\d)(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?")


def _time(value: Any) -> datetime:
    found = MOMENT.fullmatch(_text(value))
    if not found:
        raise Fault(NOT_A_TIME)
    minute, second, fraction, zone = found.groups()
    second, fraction = ("59", ".999999") if second == "60" else (second, fraction or "")
    try:
        moment = datetime.fromisoformat(f"{minute}:{second}{fraction}{zone or 'Z'}").astimezone(UTC)
    except ValueError as error:
        raise Fault(OUT_OF_RANGE) from error
    if not 1970 <= moment.year <= 2200:
        raise Fault(OUT_OF_RANGE)
    return moment


READ: Final[dict[str, Callable[[Any], Any]]] = {
    "i16": _whole(16),
    "i32": _whole(32),
    "i64": _whole(64),
    "real": _real,
    "money": _money,
    "flag": _flag,
    "text": _text,
    "url": lambda value: _text(value).split("?")[0],
    "time": _time,
}
