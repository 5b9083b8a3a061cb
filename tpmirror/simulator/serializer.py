"""A job as the API shows it: JSON of 22 keys, times and decimals as Django REST framework prints them.

Encoded, a job is a template: a mark stands where each pre-signed URL gets its query, which is new in every answer.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from tpmirror.simulator.lifecycle import FINISHED, PROCESSING, QUEUED, SECOND, eta, progress
from tpmirror.simulator.models import Job, moment
from tpmirror.simulator.videos import JobOptions, Video, enhance

MARK: Final = "?\x00sign\x00"
"""Placeholder for the query of a pre-signed URL; no other text contains it."""

MARK_BYTES: Final = b"?\\u0000sign\\u0000"
STORAGE: Final = "https://5f2b0c6d9e8a47f1b3d2a1c0e9f87766.r2.cloudflarestorage.com/tensorpix-media"
LIFETIME: Final = 3600
"""Seconds for which a pre-signed URL is valid."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner of the account: inputs show the e-mail address, outputs the number."""

    email: str
    user_id: int


def drf_time(instant: int | None) -> str | None:
    """A time as the API prints it: UTC as ``Z``, microseconds only if there are any."""
    return None if instant is None else moment(instant).isoformat().removesuffix("+00:00") + "Z"


def drf_decimal(value: Decimal) -> str:
    """An amount of Credits as the API prints it: always with four decimals."""
    return f"{value:.4f}"


def payload(
    job: Job,
    clip: Video,
    choice: JobOptions,
    cost: Decimal,
    models: Mapping[int, dict[str, Any]],
    owner: Owner,
    now: int,
) -> dict[str, Any]:
    """The job as a JSON object, its URLs ending in ``MARK``."""
    done, left = _advance(job, now)
    return {
        "id": job.id,
        "started": drf_time(job.created),
        "preview": choice.preview,
        "description": choice.description,
        "cost_usd": drf_decimal(cost),
        "status": job.status,
        "eta_s": left,
        "finished": drf_time(job.ended),
        "processing_progress": done,
        "input_video": None if job.source.gone else _input(job, clip, owner),
        "output_video": None if job.output is None else _output(job, enhance(clip, choice), choice, owner),
        "ml_models": [models[model] for model in choice.ml_models],
        "grain": choice.grain,
        "codec": choice.codec,
        "output_resolution": choice.output_resolution,
        "comparison": choice.comparison,
        "stabilization_smoothing": choice.stabilization_smoothing,
        "fps_interpolation_factor": choice.fps_interpolation_factor,
        "playback_speed": choice.playback_speed,
        "sharpen_strength": choice.sharpen_strength,
        "start_frame": choice.start_frame,
        "end_frame": choice.end_frame,
    }


ARCHIVED: Final = (
    "id", "started", "finished", "input_video", "output_video", "ml_models", "codec", "grain",
    "stabilization_smoothing", "preview", "fps_interpolation_factor", "playback_speed", "output_resolution",
    "sharpen_strength",
)  # fmt: skip
OUTCOMES: Final = {2: "Finished", -1: "Failed", -2: "Canceled"}


def archived(shown: dict[str, Any]) -> dict[str, Any]:
    """An ended job as the history endpoint shows it: fewer keys, and its status in words, which are invented here."""
    kept = {name: shown[name] for name in ARCHIVED}
    return {
        **kept,
        "status": OUTCOMES[shown["status"]],
        "container": "mp4",
        "crf": 23,
        "qscale": -1,
        "prores_profile": -1,
    }


def _advance(job: Job, now: int) -> tuple[float, float]:
    """Progress and estimate. An ended job has no estimate, and keeps the progress it had."""
    if job.status == QUEUED:
        return 0.0, eta(job.id, job.due, now)
    if job.status == PROCESSING:
        return progress(job.id, job.began or job.created, job.due, now), eta(job.id, job.due, now)
    if job.status == FINISHED:
        return 1.0, 0.0
    if job.began is None or job.ended is None:
        return 0.0, 0.0
    return progress(job.id, job.began, job.due, job.ended), 0.0


def _input(job: Job, clip: Video, owner: Owner) -> dict[str, Any]:
    source = job.source
    stored = f"{STORAGE}/uploads/{source.id}"
    return {
        "id": source.id,
        "name": clip.name,
        "width": clip.width,
        "height": clip.height,
        "created_at": drf_time(source.born - clip.age * SECOND),
        "n_frames": clip.n_frames,
        "framerate": clip.framerate,
        "size": clip.size,
        "owner": owner.email,
        "thumbnail": None if source.by_url else f"{stored}/thumbnail.jpg{MARK}",
        "external_url": f"https://media.example.com/in/{source.id}.mp4" if source.by_url else None,
        "bitrate": clip.bitrate,
        "codec_id": clip.codec,
        "bit_depth": clip.bit_depth,
        "chroma_subsampling": clip.chroma,
        "color_space": clip.colors,
        "file": None if source.by_url else f"{stored}/original{MARK}",
    }


def _output(job: Job, clip: Video, choice: JobOptions, owner: Owner) -> dict[str, Any]:
    stored = f"{STORAGE}/restored/{job.output}"
    kept = job.erased is None
    before, after = f"{stored}/before.mp4{MARK}", f"{stored}/after.mp4{MARK}"
    return {
        "id": job.output,
        "job_id": job.id,
        "preview_videos": {"before_video": before, "after_video": after} if choice.preview and kept else None,
        "name": clip.name,
        "created_at": drf_time(job.output_born),
        "width": clip.width,
        "height": clip.height,
        "owner": owner.user_id,
        "deleted": drf_time(job.erased),
        "framerate": clip.framerate,
        "n_frames": clip.n_frames,
        "bitrate": clip.bitrate,
        "codec_id": clip.codec,
        "bit_depth": clip.bit_depth,
        "chroma_subsampling": clip.chroma,
        "color_space": clip.colors,
        "size": clip.size,
        "file": f"{stored}/video{MARK}" if kept else None,
        "thumbnail": f"{stored}/thumbnail.jpg{MARK}" if kept else None,
        "quality_score": job.score,
    }


def merge(value: Any, fields: Any) -> Any:
    """``fields`` laid over ``value``: objects key by key, everything else replaced."""
    if not isinstance(fields, Mapping):
        return fields
    below = value if isinstance(value, Mapping) else {}
    return {**below, **{key: merge(below.get(key), field) for key, field in fields.items()}}


def template(document: dict[str, Any]) -> bytes:
    """The encoded job. The compact form of JSON, as the API sends it."""
    return msgspec.json.encode(document)


def odd_template(document: dict[str, Any]) -> bytes:
    """The encoded job with values that msgspec does not encode as they are: huge integers, NaN, lone surrogates."""
    return json.dumps(document, separators=(",", ":")).encode()


def plain(encoded: bytes) -> Any:
    """An encoded job as Python objects, its URLs without query."""
    return json.loads(encoded.replace(MARK_BYTES, b""))


def query(now: int) -> bytes:
    """The query of a pre-signed URL up to its signature: AWS Signature Version 4, as Cloudflare R2 uses it."""
    stamp = moment(now).strftime("%Y%m%dT%H%M%SZ")
    key = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    return (
        f"?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={key}%2F{stamp[:8]}%2Fauto%2Fs3%2Faws4_request"
        f"&X-Amz-Date={stamp}&X-Amz-Expires={LIFETIME}&X-Amz-SignedHeaders=host&X-Amz-Signature="
    ).encode()


def sign(encoded: bytes, head: bytes, *, fresh: bool) -> bytes:
    """The template with a query at each URL. The signatures are random if ``fresh``, else all zeros."""
    parts = encoded.split(MARK_BYTES)
    if len(parts) == 1:
        return encoded
    if not fresh:
        return (head + b"0" * 64).join(parts)
    noise = os.urandom(32 * (len(parts) - 1)).hex().encode()
    pieces = [parts[0]]
    for number, part in enumerate(parts[1:]):
        pieces += (head, noise[number * 64 : number * 64 + 64], part)
    return b"".join(pieces)


def text(value: str) -> bytes:
    """A string as JSON."""
    return msgspec.json.encode(value)
