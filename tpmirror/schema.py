"""Every table of the mirror, declared once: columns, types, comments, and where in the API each value comes from.

What hangs on this declaration: normalization (``Column.info["api"]``), field changes (``volatile``), ``COMMENT ON`` and
the table ``data_dictionary``, and the test that holds the migrations against it. Codes carry no CHECK: upstream
enumerations grow. Nothing upstream promises is enforced here beyond the keys; a mirror shows what it was shown.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from tpmirror.columns import Double, Id, Money, Timestamp

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _api(name: str, type_: Any, comment: str, *args: Any, path: str | None = None, **flags: bool) -> Column[Any]:
    """A column that upstream states; ``path`` is where, relative to the table's object. Flags: volatile, url."""
    return Column(name, type_, *args, comment=comment, nullable=True, info={"api": path or name, **flags})


def _own(name: str, type_: Any, comment: str, *args: Any, **options: Any) -> Column[Any]:
    """A column that the mirror states itself."""
    return Column(name, type_, *args, comment=comment, **{"nullable": False, **options})


def _key(comment: str, *args: Any) -> Column[Any]:
    return Column("id", Id, *args, primary_key=True, autoincrement=False, comment=comment, info={"api": "id"})


def _seen() -> tuple[Column[Any], ...]:
    return (
        _own("extra", Text, "JSON object of the keys upstream sent that have no column; null when none", nullable=True),
        _own("first_seen_at", Timestamp, "when the mirror first saw this row (UTC)"),
        _own("changed_at", Timestamp, "when the mirror last saw a column of this row change (UTC)"),
    )


def _media(owner: Column[Any]) -> tuple[Column[Any], ...]:
    """What input and output videos have in common."""
    return (
        _api("name", Text, "media name"),
        _api("width", Integer, "width in pixels"),
        _api("height", Integer, "height in pixels"),
        _api("created_at", Timestamp, "when the media was created upstream (UTC)"),
        _api("n_frames", BigInteger, "number of frames"),
        _api("framerate", Double, "frames per second"),
        _api("size", BigInteger, "size in bytes"),
        owner,
        _api("thumbnail", Text, "URL of the thumbnail without its query string", url=True),
        _api("bitrate", BigInteger, "bits per second"),
        _api("codec_id", Text, "codec as MediaInfo names it, for example avc1"),
        _api("bit_depth", Integer, "bits per sample"),
        _api("chroma_subsampling", Text, "for example 4:2:0"),
        _api("color_space", Text, "for example YUV"),
        _api(
            "file", Text, "URL of the media without its presigned query string; null if not stored upstream", url=True
        ),
    )


job_statuses = Table(
    "job_statuses",
    metadata,
    _own("code", SmallInteger, "status code of the API", primary_key=True, autoincrement=False),
    _own("name", Text, "label; unknown (N) for a code that this version does not know"),
    _own("is_terminal", Boolean, "whether a job in this status is over"),
    comment="labels of jobs.status",
)

ml_tasks = Table(
    "ml_tasks",
    metadata,
    _own("code", Integer, "task code of the API", primary_key=True, autoincrement=False),
    _own("name", Text, "label; unknown (N) for a code that this version does not know"),
    comment="labels of ml_models.task",
)

output_resolutions = Table(
    "output_resolutions",
    metadata,
    _own(
        "code",
        Integer,
        "output resolution code of the API: width in pixels, -1 for none",
        primary_key=True,
        autoincrement=False,
    ),
    _own("name", Text, "label; unknown (N) for a code that this version does not know"),
    comment="labels of jobs.output_resolution",
)

input_videos = Table(
    "input_videos",
    metadata,
    _key("id of the input video; a sequence of its own, collides with output_videos.id"),
    *_media(_api("owner", Text, "e-mail address of the owner (personal data)")),
    _api("external_url", Text, "source of a job made from a URL, without its query string", url=True),
    *_seen(),
    comment="videos that jobs read; one may feed many jobs",
    info={"api": "input_video"},
)

output_videos = Table(
    "output_videos",
    metadata,
    _key("id of the enhanced video; a sequence of its own, collides with input_videos.id"),
    _api("job_id", BigInteger, "job that made it, as upstream states it"),
    _api(
        "preview_before",
        Text,
        "URL of the preview before, without query string",
        path="preview_videos.before_video",
        url=True,
    ),
    _api(
        "preview_after",
        Text,
        "URL of the preview after, without query string",
        path="preview_videos.after_video",
        url=True,
    ),
    *_media(_api("owner", BigInteger, "user id of the owner")),
    _api("deleted", Timestamp, "when the media was deleted upstream (UTC); null if it was not"),
    _api("quality_score", Integer, "rating by the user, 1 worst to 5 best; null if not rated"),
    *_seen(),
    comment="enhanced videos that jobs made",
    info={"api": "output_video"},
)

ml_models = Table(
    "ml_models",
    metadata,
    _key("id of the model"),
    _api("name", Text, "model name"),
    _api("task", Integer, "task (filter) code, see ml_tasks"),
    _api("cost_weight", Double, "impact on a job's cost, as the newest job that used the model shows it"),
    _api("upscale_factor", Integer, "2 turns 512x512 into 1024x1024"),
    _api("fps_boost_factor", Integer, "deprecated upstream, see jobs.fps_interpolation_factor"),
    _api("priority", Integer, "order of execution, lower is earlier"),
    _api("max_resolution", Integer, "largest input the model supports, in pixels"),
    *_seen(),
    comment="models as the newest job that used each shows them",
    info={"api": "ml_models[]"},
)

jobs = Table(
    "jobs",
    metadata,
    _key("id of the job"),
    Column(
        "status",
        SmallInteger,
        nullable=False,
        comment="0 queued, 1 processing, 2 finished, -1 failed, -2 canceled; see job_statuses",
        info={"api": "status"},
    ),
    _api("preview", Boolean, "free preview: not charged, watermarked, a short segment only"),
    _api("description", Text, "free text"),
    _api("cost_usd", Money, "cost in Credits, despite its upstream name; exact to 4 decimals"),
    _api("eta_s", Double, "estimated seconds to the end; volatile, not in field_changes", volatile=True),
    _api("processing_progress", Double, "ratio from 0 to 1; volatile, not in field_changes", volatile=True),
    _api("started", Timestamp, "upstream's start time (UTC); stated for queued jobs too, so probably creation"),
    _api("finished", Timestamp, "upstream's finish time (UTC)"),
    _api(
        "input_video_id",
        Id,
        "input video; stays when upstream detaches it",
        ForeignKey("input_videos.id"),
        path="input_video.id",
    ),
    _api(
        "output_video_id",
        Id,
        "enhanced video; stays when upstream detaches it",
        ForeignKey("output_videos.id"),
        path="output_video.id",
    ),
    _api("grain", Double, "film grain added, 0 to 1"),
    _api("codec", Text, "codec of the output: libx264, libx265, prores_ks"),
    _api("output_resolution", Integer, "output resolution code, see output_resolutions"),
    _api("comparison", Boolean, "whether the output shows original and enhanced side by side"),
    _api("stabilization_smoothing", Integer, "strength of stabilization"),
    _api("fps_interpolation_factor", Double, "1.5 gives 1.5 times the frames; 1 leaves them"),
    _api("playback_speed", Double, "0.5 is half speed"),
    _api("sharpen_strength", Double, "strength of sharpening"),
    _api("start_frame", BigInteger, "first frame enhanced"),
    _api("end_frame", BigInteger, "last frame enhanced"),
    *_seen(),
    _own(
        "presence",
        Text,
        "listed, missing (absent from a certified walk, not yet explained), unlisted (answers by id only), gone (404)",
    ),
    _own("gone_at", Timestamp, "when the job was found gone (UTC); null unless presence is gone", nullable=True),
    _own(
        "input_video_detached_at",
        Timestamp,
        "since when upstream shows the job without the input video it had (UTC)",
        nullable=True,
    ),
    _own(
        "output_video_detached_at",
        Timestamp,
        "since when upstream shows the job without the output video it had (UTC)",
        nullable=True,
    ),
    Column(
        "fingerprint",
        Text,
        nullable=False,
        comment="hash of the last answer without its volatile parts: equal means nothing to write; working column",
        info={"working": True},
    ),
    # Serves the look for jobs in flight (poll, active_jobs), counts by status and the candidates of a walk.
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
    _own("job_id", Id, "job", ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    _own("position", SmallInteger, "place in the API's list, from 0", primary_key=True, autoincrement=False),
    _own("ml_model_id", Id, "model", ForeignKey("ml_models.id")),
    _own("cost_weight", Double, "the model's cost weight when the job was first seen with it", nullable=True),
    # Serves "the newest job that used this model" and cost by model.
    Index(None, "ml_model_id", "job_id"),
    comment="which models a job uses, in the API's order",
)

sync_runs = Table(
    "sync_runs",
    metadata,
    _own("id", Id, "number of the run", primary_key=True),
    _own("kind", Text, "full (a walk of the whole list) or poll"),
    _own("outcome", Text, "running, succeeded, failed, interrupted, abandoned"),
    _own("certified", Boolean, "whether the run proved that the mirror held exactly the listed jobs at one instant"),
    _own("certificate", Text, "JSON: the numbers of the proof, or the reason there is none", nullable=True),
    _own("started_at", Timestamp, "when the run began (UTC)"),
    _own("finished_at", Timestamp, "when the run ended (UTC)", nullable=True),
    *(
        _own(name, Integer, comment, server_default="0")
        for name, comment in {
            "requests": "requests sent, retries included",
            "retries": "requests sent again after a fault",
            "pages": "pages of the list received",
            "upstream_count": "how many jobs the API said there are",
            "jobs_seen": "distinct jobs received",
            "jobs_inserted": "jobs the mirror did not know",
            "jobs_updated": "known jobs with a change",
            "jobs_unchanged": "known jobs without a change",
            "transitions": "status changes recorded, first sightings not counted",
            "field_changes": "other changes recorded",
            "jobs_gone": "jobs found gone",
            "jobs_returned": "jobs listed again after they were not",
            "quarantined": "payloads put into quarantine or noted there",
        }.items()
    ),
    _own("error", Text, "why the run failed", nullable=True),
    _own(
        "covered",
        Boolean,
        "whether the run saw every job it stands for: all listed ones (full), all in flight (poll)",
        server_default="0",
    ),
    comment="one row per run of the syncer",
)

job_status_history = Table(
    "job_status_history",
    metadata,
    _own("job_id", Id, "job", ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    _own("seq", Integer, "number of the change within the job, from 1", primary_key=True, autoincrement=False),
    _own("from_status", SmallInteger, "status before; null in the first row", nullable=True),
    _own("to_status", SmallInteger, "status after"),
    _own(
        "not_before", Timestamp, "when the mirror last saw the old status (UTC); null in the first row", nullable=True
    ),
    _own("observed_at", Timestamp, "when the mirror saw the new status (UTC)"),
    _own("occurred_at", Timestamp, "the moment upstream states for it (UTC), else null", nullable=True),
    _own("sync_run_id", Id, "run that saw it", ForeignKey("sync_runs.id")),
    _own("row_hash", Text, "SHA-256 of the previous entry's hash and this row, hex"),
    _own("entry", BigInteger, "place in the hash chain, from 1, no gaps"),
    UniqueConstraint("entry"),
    # Serves reports over time.
    Index(None, "observed_at"),
    comment="one row per status change that the API showed; append-only",
)

field_changes = Table(
    "field_changes",
    metadata,
    _own("id", Id, "number of the change", primary_key=True),
    _own("entity", Text, "job, input_video, output_video or ml_model"),
    _own("entity_id", BigInteger, "id of that entity"),
    _own("field", Text, "column, or ml_models for a job's list of models"),
    _own("old_value", Text, "value before, as text; null if there was none", nullable=True),
    _own("new_value", Text, "value after, as text; null if there is none", nullable=True),
    _own("observed_at", Timestamp, "when the mirror saw the new value (UTC)"),
    _own(
        "sync_run_id", Id, "run that saw it; null for what an operator did", ForeignKey("sync_runs.id"), nullable=True
    ),
    # Serves the history of one entity.
    Index(None, "entity", "entity_id"),
    comment="every change after the first sighting of every column that is not volatile; append-only",
)

job_progress_samples = Table(
    "job_progress_samples",
    metadata,
    _own("job_id", Id, "job", ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    _own("observed_at", Timestamp, "when the mirror saw it (UTC)", primary_key=True),
    _own("processing_progress", Double, "ratio from 0 to 1", nullable=True),
    _own("eta_s", Double, "estimated seconds to the end", nullable=True),
    # Serves the removal of old samples.
    Index(None, "observed_at"),
    comment="progress and ETA while processing; old samples are removed",
)

quarantined_jobs = Table(
    "quarantined_jobs",
    metadata,
    _own("id", Id, "number of the entry", primary_key=True),
    _own("job_id", BigInteger, "job, as far as readable; null if not", nullable=True),
    _own("reason", Text, "what could not be mirrored and why"),
    _own("payload", Text, "the item as received, JSON in ASCII, query strings of URLs removed"),
    _own("first_seen_at", Timestamp, "when the mirror first received it (UTC)"),
    _own("last_seen_at", Timestamp, "when the mirror last received it (UTC)"),
    _own("sync_run_id", Id, "run that received it first", ForeignKey("sync_runs.id")),
    _own("resolved_at", Timestamp, "when the job was mirrored after all, or was off the list (UTC)", nullable=True),
    # Serves "is this job's payload already in quarantine".
    Index(None, "job_id"),
    comment="payloads, whole, of which something could not be mirrored",
)

job_absences = Table(
    "job_absences",
    metadata,
    _own("job_id", Id, "job", ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    _own("absent_since", Timestamp, "when a certified walk first lacked the job (UTC)"),
    _own("looked_up_at", Timestamp, "when the job was last asked for by id (UTC)", nullable=True),
    _own("answer", Text, "what the API answered: found, not found, or why it could not be told", nullable=True),
    _own("confirmed_at", Timestamp, "when an operator allowed the mirror to mark it gone (UTC)", nullable=True),
    comment="working notes on jobs that the list lacks; removed when a job is listed again",
)

mirror_scope = Table(
    "mirror_scope",
    metadata,
    _own("kind", Text, "origin, input_owner or output_owner", primary_key=True),
    _own("value", Text, "the API's origin, or an owner whose videos the account's jobs use", primary_key=True),
    _own("first_seen_at", Timestamp, "when it was first seen (UTC)"),
    comment="whose account this mirror belongs to",
)

writer_lease = Table(
    "writer_lease",
    metadata,
    _own("scope", Text, "what is held; one row, mirror", primary_key=True),
    _own("epoch", BigInteger, "grows with every holder; a writer with an older epoch writes nothing"),
    _own("holder", Text, "host, process id and start of the writer"),
    _own("expires_at", Timestamp, "until when it is held, on the database's clock (UTC)"),
    comment="who may write",
)

_OPEN: Final = text("resolved_at IS NULL")

alerts = Table(
    "alerts",
    metadata,
    _own("id", Id, "number of the alert", primary_key=True),
    _own("code", Text, "what it is about; of several with one code, one is open at most"),
    _own("message", Text, "what is wrong"),
    _own("remedy", Text, "what to do about it"),
    _own("opened_at", Timestamp, "when it was first so (UTC)"),
    _own("attempted_at", Timestamp, "when somebody last set out to tell it (UTC)", nullable=True),
    _own("notified_at", Timestamp, "when it was told (UTC)", nullable=True),
    _own("resolved_at", Timestamp, "when it was over (UTC); events are never over", nullable=True),
    _own("recovery_notified_at", Timestamp, "when it was told that it is over (UTC)", nullable=True),
    # Whoever opens an alert tells it: two replicas that see the same thing open it once.
    Index(None, "code", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),
    comment="alerts, open and over, and who was told when",
)

data_dictionary = Table(
    "data_dictionary",
    metadata,
    _own("table_name", Text, "table", primary_key=True),
    _own("column_name", Text, "column; empty for the table itself", primary_key=True),
    _own("description", Text, "what it holds"),
    _own("api_path", Text, "where in the API's answer it comes from; null if the mirror states it", nullable=True),
    comment="what every table and column holds",
)

APPEND_ONLY: Final = (job_status_history, field_changes)
"""Tables whose rows are never changed nor removed; triggers see to it."""
WORKING: Final = (alerts, job_absences, mirror_scope, writer_lease)
"""Tables that only the program itself relies on; neither exported nor promised."""
