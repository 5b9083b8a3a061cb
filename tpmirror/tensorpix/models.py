"""The wire format: what ``GET /api/jobs/`` answers (API 1.1), as types.

Items that are just so take the fast way; ``reading`` takes the others field by field. Ranges are judged in
``normalize``. A field that an answer does not show is UNSET, which is not null: it says nothing about the field.
"""

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType


class Wire(msgspec.Struct, forbid_unknown_fields=True):
    """Unknown keys are refused so that known payloads, nearly all, take the fast way; see ``decode``."""


WireId: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
"""An id: without a readable one nothing can be stored."""
Text: TypeAlias = str | UnsetType | None
Whole: TypeAlias = int | UnsetType | None
Real: TypeAlias = float | UnsetType | None
Flag: TypeAlias = bool | UnsetType | None
Money: TypeAlias = str | int | float | UnsetType | None
"""Credits: a string of four decimals or a number; a double holds the ten digits of a column exactly."""

MOST_MODELS: Final = 1_000
"""A job runs a handful of models, one after the other; planning takes time with the square of their number."""


class InputVideo(Wire):
    """``input_video`` of a job: an uploaded video, or one fetched from a URL."""

    id: WireId
    name: Text = UNSET
    width: Whole = UNSET
    height: Whole = UNSET
    created_at: Text = UNSET
    n_frames: Whole = UNSET
    framerate: Real = UNSET
    size: Whole = UNSET
    owner: Text = UNSET
    thumbnail: Text = UNSET
    external_url: Text = UNSET
    bitrate: Whole = UNSET
    codec_id: Text = UNSET
    bit_depth: Whole = UNSET
    chroma_subsampling: Text = UNSET
    color_space: Text = UNSET
    file: Text = UNSET


class PreviewVideos(Wire):
    """``preview_videos`` of an output video."""

    before_video: Text = UNSET
    after_video: Text = UNSET


class OutputVideo(Wire):
    """``output_video`` of a job."""

    id: WireId
    job_id: Whole = UNSET
    preview_videos: PreviewVideos | UnsetType | None = UNSET
    name: Text = UNSET
    created_at: Text = UNSET
    width: Whole = UNSET
    height: Whole = UNSET
    owner: Whole = UNSET
    deleted: Text = UNSET
    framerate: Real = UNSET
    n_frames: Whole = UNSET
    bitrate: Whole = UNSET
    codec_id: Text = UNSET
    bit_depth: Whole = UNSET
    chroma_subsampling: Text = UNSET
    color_space: Text = UNSET
    size: Whole = UNSET
    file: Text = UNSET
    thumbnail: Text = UNSET
    quality_score: Whole = UNSET


class MlModel(Wire):
    """One of a job's ``ml_models``."""

    id: WireId
    name: Text = UNSET
    task: Whole = UNSET
    cost_weight: Real = UNSET
    upscale_factor: Whole = UNSET
    fps_boost_factor: Whole = UNSET
    priority: Whole = UNSET
    max_resolution: Whole = UNSET


class Job(Wire):
    """An item of the list, and the answer of ``GET /api/jobs/{id}/``."""

    id: WireId
    status: Whole = UNSET
    started: Text = UNSET
    preview: Flag = UNSET
    description: Text = UNSET
    cost_usd: Money = UNSET
    eta_s: Real = UNSET
    finished: Text = UNSET
    processing_progress: Real = UNSET
    input_video: InputVideo | UnsetType | None = UNSET
    output_video: OutputVideo | UnsetType | None = UNSET
    ml_models: Annotated[list[MlModel], msgspec.Meta(max_length=MOST_MODELS)] | UnsetType | None = UNSET
    grain: Real = UNSET
    codec: Text = UNSET
    output_resolution: Whole = UNSET
    comparison: Flag = UNSET
    stabilization_smoothing: Whole = UNSET
    fps_interpolation_factor: Real = UNSET
    playback_speed: Real = UNSET
    sharpen_strength: Real = UNSET
    start_frame: Whole = UNSET
    end_frame: Whole = UNSET


class Envelope(msgspec.Struct):
    """A page of the list, its items still undecoded."""

    count: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    results: list[msgspec.Raw]
    next: str | None = None
    previous: str | None = None
