"""The labels of the API's codes."""

from sqlalchemy import Boolean, Integer, SmallInteger, Table, Text

from tpmirror.db.schema.declaration import metadata, own

job_statuses = Table(
    "job_statuses",
    metadata,
    own("code", SmallInteger, "status code of the API", primary_key=True, autoincrement=False),
    own("name", Text, "label; unknown (N) for a code that this version does not know"),
    own("is_terminal", Boolean, "whether a job in this status is over"),
    comment="labels of jobs.status",
)

ml_tasks = Table(
    "ml_tasks",
    metadata,
    own("code", Integer, "task code of the API", primary_key=True, autoincrement=False),
    own("name", Text, "label; unknown (N) for a code that this version does not know"),
    comment="labels of ml_models.task",
)

output_resolutions = Table(
    "output_resolutions",
    metadata,
    own(
        "code",
        Integer,
        "output resolution code of the API: width in pixels, -1 for none",
        primary_key=True,
        autoincrement=False,
    ),
    own("name", Text, "label; unknown (N) for a code that this version does not know"),
    comment="labels of jobs.output_resolution",
)
