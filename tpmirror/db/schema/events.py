"""Event sinks: the last transition delivered to each, and the events that could not be delivered."""

from sqlalchemy import BigInteger, Integer, Table, Text

from tpmirror.db.schema.declaration import metadata, own
from tpmirror.db.types import Timestamp

event_cursors = Table(
    "event_cursors",
    metadata,
    own("sink", Text, "name of the sink, as in TPMIRROR_WEBHOOK_URLS", primary_key=True),
    own(
        "entry",
        BigInteger,
        "entry of job_status_history that was delivered last; null until the first full sync has ended",
        nullable=True,
    ),
    own("attempts", Integer, "failed attempts to deliver the entry after that", server_default="0"),
    own(
        "next_try_at",
        Timestamp,
        "before that nobody tries: after a failure, and while a process delivers (UTC); null: at once",
        nullable=True,
    ),
    own("last_error", Text, "why the last attempt failed; null after a delivery", nullable=True),
    own("disabled_at", Timestamp, "since when nothing is sent: the sink answered 410 (UTC)", nullable=True),
    comment="sinks of events, each with the last transition delivered to it",
)

event_deliveries_dead = Table(
    "event_deliveries_dead",
    metadata,
    own("sink", Text, "name of the sink", primary_key=True),
    own("entry", BigInteger, "entry of job_status_history", primary_key=True, autoincrement=False),
    own("failed_at", Timestamp, "when the last attempt failed (UTC)"),
    own("last_error", Text, "why it failed"),
    own("redelivered_at", Timestamp, "when it was delivered after all (UTC)", nullable=True),
    comment="events that a sink did not take, however often they were sent",
)
