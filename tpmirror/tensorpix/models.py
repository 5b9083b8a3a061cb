"""The wire format: what ``GET /api/jobs/`` answers (API 1.1), as types.

Shape is strict: a wrong type
makes an item unreadable, because a guess would end up in the costs. Ranges are lenient: they are judged in
``normalize``, value by value. Every field may be missing or null except the ids and the status.
"""

from decimal import Decimal
from typing import Annotated, Final, TypeAlias

import msgspec


class Wire(msgspec.Struct, forbid_unknown_fields=True):
    """Unknown keys are refused so that known payloads, nearly all, take the fast way; see ``decode``."""


WireId: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
"""An id: without a readable one nothing can be stored."""
Code: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**15), le=2**15 - 1)]
"""A status: the one value besides the ids that a job cannot do without."""

MOST_MODELS: Final = 1_000
"""A job runs a handful of models, one after the other; planning takes time with the square of their number."""


class InputVideo(Wire):
    """``input_video`` of a job: an uploaded video, or one fetched from a URL."""

    id: WireId
    name: str | None = None
    width: int | None = None
    height: int | None = None
    created_at: str | None = None
    n_frames: int | None = None
    framerate: float | None = None
    size: int | None = None
    owner: str | None = None
    thumbnail: str | None = None
    external_url: str | None = None
    bitrate: int | None = None
    codec_id: str | None = None
    bit_depth: int | None = None
    chroma_subsampling: str | None = None
    color_space: str | None = None
    file: str | None = None


class PreviewVideos(Wire):
    """``preview_videos`` of an output video."""

    before_video: str | None = None
    after_video: str | None = None


class OutputVideo(Wire):
    """``output_video`` of a job."""

    id: WireId
    job_id: int | None = None
    preview_videos: PreviewVideos | None = None
    name: str | None = None
    created_at: str | None = None
    width: int | None = None
    height: int | None = None
    owner: int | None = None
    deleted: str | None = None
    framerate: float | None = None
    n_frames: int | None = None
    bitrate: int | None = None
    codec_id: str | None = None
    bit_depth: int | None = None
    chroma_subsampling: str | None = None
    color_space: str | None = None
    size: int | None = None
    file: str | None = None
    thumbnail: str | None = None
    quality_score: int | None = None


class MlModel(Wire):
    """One of a job's ``ml_models``."""

    id: WireId
    name: str | None = None
    task: int | None = None
    cost_weight: float | None = None
    upscale_factor: int | None = None
    fps_boost_factor: int | None = None
    priority: int | None = None
    max_resolution: int | None = None


class Job(Wire):
    """An item of the list, and the answer of ``GET /api/jobs/{id}/``."""

    id: WireId
    status: Code
    started: str | None = None
    preview: bool | None = None
    description: str | None = None
    cost_usd: Decimal | None = None
    eta_s: float | None = None
    finished: str | None = None
    processing_progress: float | None = None
    input_video: InputVideo | None = None
    output_video: OutputVideo | None = None
    ml_models: Annotated[list[MlModel], msgspec.Meta(max_length=MOST_MODELS)] | None = None
    grain: float | None = None
    codec: str | None = None
    output_resolution: int | None = None
    comparison: bool | None = None
    stabilization_smoothing: int | None = None
    fps_interpolation_factor: float | None = None
    playback_speed: float | None = None
    sharpen_strength: float | None = None
    start_frame: int | None = None
    end_frame: int | None = None


class Envelope(msgspec.Struct):
    """A page of the list, its items still undecoded."""

    count: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    results: list[msgspec.Raw]
    next: str | None = None
    previous: str | None = None
