"""The API's objects as last seen: jobs, their videos and their models."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, SmallInteger, Table, Text

from tpmirror.db.schema.declaration import api, key, metadata, own, seen
from tpmirror.db.types import Double, Id, Money, Timestamp


def _media(owner: Column[Any]) -> tuple[Column[Any], ...]:
    """The columns that input and output videos share."""
    return (
        api("name", Text, "media name"),
        api("width", Integer, "width in pixels"),
        api("height", Integer, "height in pixels"),
        api("created_at", Timestamp, "when the media was created upstream (UTC)"),
        api("n_frames", BigInteger, "number of frames"),
        api("framerate", Double, "frames per second"),
        api("size", BigInteger, "size in bytes"),
        owner,
        api("thumbnail", Text, "URL of the thumbnail without its query string", url=True),
        api("bitrate", BigInteger, "bits per second"),
        api("codec_id", Text, "codec as MediaInfo names it, for example avc1"),
        api("bit_depth", Integer, "bits per sample"),
        api("chroma_subsampling", Text, "for example 4:2:0"),
        api("color_space", Text, "for example YUV"),
        api("file", Text, "URL of the media without its presigned query string; null if not stored upstream", url=True),
    )


input_videos = Table(
    "input_videos",
    metadata,
    key("id of the input video; a sequence of its own, collides with output_videos.id"),
    *_media(api("owner", Text, "e-mail address of the owner (personal data)")),
    api("external_url", Text, "source of a job made from a URL, without its query string", url=True),
    *seen(),
    comment="videos that jobs read; one may feed many jobs",
    info={"api": "input_video"},
)

output_videos = Table(
    "output_videos",
    metadata,
    key("id of the enhanced video; a sequence of its own, collides with input_videos.id"),
    api("job_id", BigInteger, "job that made it, as upstream states it"),
    api(
        "preview_before",
        Text,
        "URL of the preview before, without query string",
        path="preview_videos.before_video",
        url=True,
    ),
    api(
        "preview_after",
        Text,
        "URL of the preview after, without query string",
        path="preview_videos.after_video",
        url=True,
    ),
    *_media(api("owner", BigInteger, "user id of the owner")),
    api("deleted", Timestamp, "when the media was deleted upstream (UTC); null if it was not"),
    api("quality_score", Integer, "rating by the user, 1 worst to 5 best; null if not rated"),
    *seen(),
    comment="enhanced videos that jobs made",
    info={"api": "output_video"},
)

ml_models = Table(
    "ml_models",
    metadata,
    key("id of the model"),
    api("name", Text, "model name"),
    api("task", Integer, "task (filter) code, see ml_tasks"),
    api("cost_weight", Double, "impact on a job's cost, as the newest job that used the model shows it"),
    api("upscale_factor", Integer, "2 turns 512x512 into 1024x1024"),
    api("fps_boost_factor", Integer, "deprecated upstream, see jobs.fps_interpolation_factor"),
    api("priority", Integer, "order of execution, lower is earlier"),
    api("max_resolution", Integer, "largest input the model supports, in pixels"),
    *seen(),
    comment="models as the newest job that used each shows them",
    info={"api": "ml_models[]"},
)

jobs = Table(
    "jobs",
    metadata,
    key("id of the job"),
    Column(
        "status",
        SmallInteger,
        nullable=False,
        comment="0 queued, 1 processing, 2 finished, -1 failed, -2 canceled; see job_statuses",
        info={"api": "status"},
    ),
    api("preview", Boolean, "free preview: not charged, watermarked, a short segment only"),
    api("description", Text, "free text"),
    api("cost_usd", Money, "cost in Credits, despite its upstream name; exact to 4 decimals"),
    api("eta_s", Double, "estimated seconds to the end; volatile, not in field_changes", volatile=True),
    api("processing_progress", Double, "ratio from 0 to 1; volatile, not in field_changes", volatile=True),
    api("started", Timestamp, "upstream's start time (UTC); stated for queued jobs too, so probably creation"),
    api("finished", Timestamp, "upstream's finish time (UTC)"),
    api(
        "input_video_id",
        Id,
        "input video; stays when upstream detaches it",
        ForeignKey("input_videos.id"),
        path="input_video.id",
    ),
    api(
        "output_video_id",
        Id,
        "enhanced video; stays when upstream detaches it",
        ForeignKey("output_videos.id"),
        path="output_video.id",
    ),
    api("grain", Double, "film grain added, 0 to 1"),
    api("codec", Text, "codec of the output: libx264, libx265, prores_ks"),
    api("output_resolution", Integer, "output resolution code, see output_resolutions"),
    api("comparison", Boolean, "whether the output shows original and enhanced side by side"),
    api("stabilization_smoothing", Integer, "strength of stabilization"),
    api("fps_interpolation_factor", Double, "1.5 gives 1.5 times the frames; 1 leaves them"),
    api("playback_speed", Double, "0.5 is half speed"),
    api("sharpen_strength", Double, "strength of sharpening"),
    api("start_frame", BigInteger, "first frame enhanced"),
    api("end_frame", BigInteger, "last frame enhanced"),
    *seen(),
    own(
        "presence",
        Text,
        "listed, missing (provably off the list, not yet explained), unlisted (answers by id only), gone (404)",
    ),
    own("gone_at", Timestamp, "when the job was found gone (UTC); null unless presence is gone", nullable=True),
    own(
        "input_video_detached_at",
        Timestamp,
        "since when upstream shows the job without the input video it had (UTC)",
        nullable=True,
    ),
    own(
        "output_video_detached_at",
        Timestamp,
        "since when upstream shows the job without the output video it had (UTC)",
        nullable=True,
    ),
    Column(
        "fingerprint",
        Text,
        nullable=False,
        comment="hash of the last answer without the queries of its URLs: equal means no news; working column",
        info={"working": True},
    ),
    # Serves the look for jobs in flight (poll, active_jobs), counts by status and the candidates of a full sync.
    Index(None, "status"),
    Index(None, "presence"),
    # Serve joins from a video to its jobs and reports over time.
    Index(None, "input_video_id"),
    Index(None, "output_video_id"),
    Index(None, "started"),
    Index(None, "finished"),
    comment="one row per job, as last seen; never deleted",
    info={"api": ""},
)

job_ml_models = Table(
    "job_ml_models",
    metadata,
    own("job_id", Id, "job", ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    own("position", SmallInteger, "place in the API's list, from 0", primary_key=True, autoincrement=False),
    own("ml_model_id", Id, "model", ForeignKey("ml_models.id")),
    own("cost_weight", Double, "the model's cost weight when the job was first seen with it", nullable=True),
    # Serves "the newest job that used this model" and cost by model.
    Index(None, "ml_model_id", "job_id"),
    comment="which models a job uses, in the API's order",
)
