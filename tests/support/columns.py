"""What each column must hold of what the account shows; shares no mapping with the package."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from tpmirror.db.types import Row

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
PREVIEWS: Final = {"before_video": "preview_before", "after_video": "preview_after"}
VIDEOS: Final = ("input_video", "output_video")
LINKS: Final = {f"{kind}_id": f"{kind}_detached_at" for kind in VIDEOS}
"""The links of a job, which stay when a video is taken away, and the column that says since when it is."""
VOLATILE: Final = {"eta_s", "processing_progress"}
UNHELD: Final = object()
"""A value that no column can hold: what the column holds stays."""


def rows_of(shown: Row) -> dict[str, Row]:
    """The rows of a job and of its videos, by table, as the mirror must hold them if it held nothing before."""
    videos = {kind: shown[kind] for kind in VIDEOS if shown[kind] is not None}
    job = row_of(shown, JOB, {*VIDEOS, "ml_models"})
    made = {"jobs": {**job, **{f"{kind}_id": shown[kind] and shown[kind]["id"] for kind in VIDEOS}}}
    if "input_video" in videos:
        made["input_videos"] = row_of(videos["input_video"], INPUT)
    if "output_video" in videos:
        made["output_videos"] = _output(videos["output_video"])
    return made


def row_of(shown: Row, columns: dict[str, str], nested: set[str] | None = None) -> Row:
    """What an object is held as; keys that have no column are kept together."""
    strange = {key: value for key, value in shown.items() if key not in columns.keys() | (nested or set())}
    return {**{name: value_of(shown[name], kind) for name, kind in columns.items()}, "extra": strange or None}


def _output(shown: Row) -> Row:
    previews = shown["preview_videos"] or {}
    row = row_of(shown, OUTPUT, {"preview_videos"})
    row |= {column: value_of(previews.get(key), "url") for key, column in PREVIEWS.items()}
    if strange := {key: value for key, value in previews.items() if key not in PREVIEWS}:
        row["extra"] = {**(row["extra"] or {}), "preview_videos": strange}
    return row


def is_lossy(shown: Row) -> bool:
    """Whether a job or one of its videos has a value that no column can hold as it is."""
    parts = [(shown, JOB), (shown["input_video"] or {}, INPUT), (shown["output_video"] or {}, OUTPUT)]
    values = [(part[name], kind) for part, columns in parts for name, kind in columns.items() if name in part]
    previews = (shown["output_video"] or {}).get("preview_videos") or {}
    values += [(previews.get(key), "url") for key in PREVIEWS]
    return any(value_of(value, kind) is UNHELD for value, kind in values)


def value_of(value: Any, kind: str) -> Any:
    """A value as a column of this kind holds it; UNHELD if it cannot."""
    if value is None or kind == "plain":
        return value
    held = READ[kind](value)
    return UNHELD if held is None else held


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


def _whole(bits: int) -> Callable[[int], int | None]:
    return lambda value: value if -(2 ** (bits - 1)) <= value < 2 ** (bits - 1) else None


def _time(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        return None


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
