"""The mirror's own tables: runs, quarantine, absences, account, Credit prices, lease, alerts, data dictionary."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, Table, Text, text

from tpmirror.db.schema.declaration import metadata, own, partial_index
from tpmirror.db.types import Double, Exact, Id, Timestamp

IDLE: Final = text(
    "kind = 'poll' AND outcome <> 'running' AND jobs_inserted = 0 AND jobs_updated = 0 AND transitions = 0 "
    "AND field_changes = 0 AND jobs_gone = 0 AND jobs_returned = 0 AND quarantined = 0"
)
"""Polls that recorded no change. A query repeats this text verbatim, or the planner skips the partial index."""
COVERED: Final = text("covered")
"""Runs that read every job of their kind; a query repeats this text verbatim too."""
_PROOF: Final = text("certificate IS NOT NULL")

sync_runs = Table(
    "sync_runs",
    metadata,
    own("id", Id, "number of the run", primary_key=True),
    own("kind", Text, "full (the whole list) or poll"),
    own("outcome", Text, "running, succeeded, failed, interrupted, abandoned"),
    own(
        "certified", Boolean, "whether the mirror provably held exactly the listed jobs, each as shown, at one instant"
    ),
    own("certificate", Text, "JSON: the numbers of the proof, or the reason there is none", nullable=True),
    own("started_at", Timestamp, "when the run began (UTC)"),
    own("finished_at", Timestamp, "when the run ended (UTC)", nullable=True),
    *(
        own(name, Integer, comment, server_default="0")
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
    own("error", Text, "why the run failed", nullable=True),
    own(
        "covered",
        Boolean,
        "whether every job the run stands for was read and held: all listed ones (full), all in flight (poll)",
        server_default="0",
    ),
    own(
        "clock_ahead",
        Double,
        "seconds that this machine's clock was ahead of the API's, where it was farthest off; negative: behind; null: "
        "the API stated no time",
        nullable=True,
    ),
    # Serves the UPDATE that abandons runs of dead processes, and the newest run that failed or succeeded.
    Index(None, "outcome", "id"),
    # Serves the removal of old polls.
    partial_index("ix_sync_runs_idle", "started_at", where=IDLE),
    # Serves the lookup of the newest covered run, at each batch: its start bounds when a change happened.
    partial_index("ix_sync_runs_covered", "kind", "id", where=COVERED),
    # Serves the lookup of the newest proven run, which otherwise would scan the many runs without a certificate.
    partial_index("ix_sync_runs_proof", "id", where=_PROOF),
    comment="one row per run of the syncer; old polls that found nothing are removed",
)

quarantined_jobs = Table(
    "quarantined_jobs",
    metadata,
    own("id", Id, "number of the entry", primary_key=True),
    own("job_id", BigInteger, "job, as far as readable; null if not", nullable=True),
    own("field", Text, "what could not be held, for example job.finished; null: the whole item", nullable=True),
    own("fault", Text, "kind of fault, for example out of range; null in rows of version 0.1", nullable=True),
    own("reason", Text, "why, with the value"),
    own("payload", Text, "the item as received, JSON in ASCII, query strings of URLs removed"),
    own("first_seen_at", Timestamp, "when the mirror first received it (UTC)"),
    own("last_seen_at", Timestamp, "when the mirror last received it (UTC)"),
    own("sync_run_id", Id, "run that received it first", ForeignKey("sync_runs.id")),
    own("resolved_at", Timestamp, "when it was held after all, or the job was off the list (UTC)", nullable=True),
    own("accepted_at", Timestamp, "since when it holds no certificate back: somebody has seen it (UTC)", nullable=True),
    # Serves "is this job already in quarantine".
    Index(None, "job_id"),
    # Serves the check whether a run may be removed.
    Index(None, "sync_run_id"),
    comment="payloads of which something could not be mirrored; one open row per job and field",
)

accepted_faults = Table(
    "accepted_faults",
    metadata,
    own("field", Text, "field, as in quarantined_jobs", primary_key=True),
    own("fault", Text, "kind of fault, as in quarantined_jobs", primary_key=True),
    own("accepted_at", Timestamp, "since when entries of any job are accepted as they come (UTC)"),
    comment="faults that an operator accepted in every job, future ones too",
)

job_absences = Table(
    "job_absences",
    metadata,
    own("job_id", Id, "job", ForeignKey("jobs.id"), primary_key=True, autoincrement=False),
    own("absent_since", Timestamp, "when a full sync first proved that the list lacks the job (UTC)"),
    own("looked_up_at", Timestamp, "when the job was last asked for by id (UTC)", nullable=True),
    own("answer", Text, "what the API answered: found, not found, or why it could not be told", nullable=True),
    own("confirmed_at", Timestamp, "when an operator allowed the mirror to mark it gone (UTC)", nullable=True),
    comment="working notes on jobs that the list lacks; removed when a job is listed again",
)

mirror_scope = Table(
    "mirror_scope",
    metadata,
    own("kind", Text, "origin, input_owner, output_owner or owners_key", primary_key=True),
    own(
        "value",
        Text,
        "the API's origin, an owner whose videos the account's jobs use, or by which key owners are hashed",
        primary_key=True,
    ),
    own("first_seen_at", Timestamp, "when it was first seen (UTC)"),
    comment="whose account this mirror belongs to",
)

credit_prices = Table(
    "credit_prices",
    metadata,
    own(
        "month",
        Text,
        "month (UTC) from which it counts, YYYY-MM; the first one before it too",
        primary_key=True,
    ),
    own("price", Exact(10, 6), "what a Credit costs, in the currency"),
    own("currency", Text, "code of the currency, ISO 4217"),
    comment="what a Credit costs in money, by TPMIRROR_CREDIT_PRICE; each row counts until the next one",
)

writer_lease = Table(
    "writer_lease",
    metadata,
    own("scope", Text, "what is held; one row, mirror", primary_key=True),
    own("epoch", BigInteger, "grows with every holder; a writer with an older epoch writes nothing"),
    own("holder", Text, "host, process id and start of the writer"),
    own("expires_at", Timestamp, "until when it is held, on the database's clock (UTC)"),
    comment="who may write",
)

_OPEN: Final = text("resolved_at IS NULL")

alerts = Table(
    "alerts",
    metadata,
    own("id", Id, "number of the alert", primary_key=True),
    own("code", Text, "what it is about; of several with one code, one is open at most"),
    own("message", Text, "what is wrong"),
    own("remedy", Text, "what to do about it"),
    own("opened_at", Timestamp, "when it was first so (UTC)"),
    own("attempted_at", Timestamp, "when somebody last set out to tell it (UTC)", nullable=True),
    own("notified_at", Timestamp, "when it was told (UTC)", nullable=True),
    own("resolved_at", Timestamp, "when it was over (UTC); events are never over", nullable=True),
    own("recovery_notified_at", Timestamp, "when it was told that it is over (UTC)", nullable=True),
    # One open alert per code: the replica whose INSERT succeeds sends it, and a second one cannot send it again.
    partial_index(None, "code", unique=True, where=_OPEN),
    comment="alerts, open and over, and who was told when",
)

exports = Table(
    "exports",
    metadata,
    own("destination", Text, "where it goes, as in TPMIRROR_EXPORT_URL", primary_key=True),
    own("since", Timestamp, "when the service first set out to export there (UTC)"),
    own("claimed_until", Timestamp, "until when a process has it in hand (UTC)", nullable=True),
    own("succeeded_at", Timestamp, "as of when it holds the mirror (UTC)", nullable=True),
    own("failures", Integer, "how often in a row it has failed since", server_default="0"),
    own("failed_at", Timestamp, "when it failed last, since it succeeded (UTC)", nullable=True),
    own("error", Text, "what it failed with", nullable=True),
    comment="exports that the service keeps fresh, and how they went",
)

data_dictionary = Table(
    "data_dictionary",
    metadata,
    own("table_name", Text, "table", primary_key=True),
    own("column_name", Text, "column; empty for the table itself", primary_key=True),
    own("description", Text, "what it holds"),
    own("api_path", Text, "where in the API's answer it comes from; null if the mirror states it", nullable=True),
    own("definition", Text, "SHA-256 of how a view or trigger is defined, for db check and audit", nullable=True),
    comment="what every table, column and view holds, and every trigger does",
)
