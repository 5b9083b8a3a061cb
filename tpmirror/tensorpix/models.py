"""The wire format: what ``GET /api/jobs/`` answers (API 1.1), as types.

Items of exactly this format are decoded at once; ``reading`` reads the others field by field. The ranges are those of
the columns, so that ``normalize`` checks none in an item decoded at once. A field that an answer does not show is
UNSET, which is not null: the answer states nothing about the field.
"""

from datetime import datetime
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType


class Wire(msgspec.Struct, forbid_unknown_fields=True):
    """Refuses unknown keys, so that an item with one is read field by field and keeps them; see ``decode``."""


WireId: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
"""An id: without a readable one nothing can be stored."""
Text: TypeAlias = str | UnsetType | None
Time: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)] | UnsetType | None
"""RFC 3339, as DRF prints it; digits beyond microseconds are rounded."""
Int16: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**15), le=2**15 - 1)] | UnsetType | None
Int32: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)] | UnsetType | None
Int64: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | UnsetType | None
LARGEST: Final = 1e15
"""The largest real number that is taken for a measure: PostgreSQL refuses a sum or product that leaves its range, and
with it the whole view."""
Real: TypeAlias = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)] | UnsetType | None
Flag: TypeAlias = bool | UnsetType | None
Money: TypeAlias = str | int | float | UnsetType | None
"""Credits: a string of four decimals or a number; a double holds the ten digits of a column exactly."""

MOST_MODELS: Final = 1_000
"""A job runs a handful of models, one after the other; comparing them takes time with the square of their number."""


class InputVideo(Wire):
    """``input_video`` of a job: an uploaded video, or one fetched from a URL."""

    id: WireId
    name: Text = UNSET
    width: Int32 = UNSET
    height: Int32 = UNSET
    created_at: Time = UNSET
    n_frames: Int64 = UNSET
    framerate: Real = UNSET
    size: Int64 = UNSET
    owner: Text = UNSET
    thumbnail: Text = UNSET
    external_url: Text = UNSET
    bitrate: Int64 = UNSET
    codec_id: Text = UNSET
    bit_depth: Int32 = UNSET
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
    job_id: Int64 = UNSET
    preview_videos: PreviewVideos | UnsetType | None = UNSET
    name: Text = UNSET
    created_at: Time = UNSET
    width: Int32 = UNSET
    height: Int32 = UNSET
    owner: Int64 = UNSET
    deleted: Time = UNSET
    framerate: Real = UNSET
    n_frames: Int64 = UNSET
    bitrate: Int64 = UNSET
    codec_id: Text = UNSET
    bit_depth: Int32 = UNSET
    chroma_subsampling: Text = UNSET
    color_space: Text = UNSET
    size: Int64 = UNSET
    file: Text = UNSET
    thumbnail: Text = UNSET
    quality_score: Int32 = UNSET


class MlModel(Wire):
    """One of a job's ``ml_models``."""

    id: WireId
    name: Text = UNSET
    task: Int32 = UNSET
    cost_weight: Real = UNSET
    upscale_factor: Int32 = UNSET
    fps_boost_factor: Int32 = UNSET
    priority: Int32 = UNSET
    max_resolution: Int32 = UNSET


class Job(Wire):
    """An item of the list, and the answer of ``GET /api/jobs/{id}/``."""

    id: WireId
    status: Int16 = UNSET
    started: Time = UNSET
    preview: Flag = UNSET
    description: Text = UNSET
    cost_usd: Money = UNSET
    eta_s: Real = UNSET
    finished: Time = UNSET
    processing_progress: Real = UNSET
    input_video: InputVideo | UnsetType | None = UNSET
    output_video: OutputVideo | UnsetType | None = UNSET
    ml_models: Annotated[list[MlModel], msgspec.Meta(max_length=MOST_MODELS)] | UnsetType | None = UNSET
    grain: Real = UNSET
    codec: Text = UNSET
    output_resolution: Int32 = UNSET
    comparison: Flag = UNSET
    stabilization_smoothing: Int32 = UNSET
    fps_interpolation_factor: Real = UNSET
    playback_speed: Real = UNSET
    sharpen_strength: Real = UNSET
    start_frame: Int64 = UNSET
    end_frame: Int64 = UNSET


class Envelope(msgspec.Struct):
    """A page of the list, its items still undecoded."""

    count: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
    results: list[msgspec.Raw]
    next: str | None = None
    previous: str | None = None
