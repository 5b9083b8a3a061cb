"""Users and passwords in URLs, and what signs presigned forms, go out of what is stored already; no column changes.

The history of changes as well: its triggers are put aside for these rows. The patterns are those of ``redaction`` as it
was at this revision.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXTS = {
    "input_videos": ("thumbnail", "file", "external_url", "extra"),
    "output_videos": ("preview_before", "preview_after", "thumbnail", "file", "extra"),
    "jobs": ("extra",),
    "ml_models": ("extra",),
    "quarantined_jobs": ("payload", "reason"),
    "field_changes": ("old_value", "new_value"),
}
RECORDED = "field IN ('thumbnail', 'file', 'external_url', 'preview_before', 'preview_after', 'extra')"
SIGNS = r"x-(?:amz|goog|oss|obs|cos)-[\w-]{1,40}|cloudfront-[\w-]{1,40}|key-pair-id|\w{0,10}accesskeyid|googleaccessid"
MARKS = ("://%@", "x-amz-", "x-goog-", "x-oss-", "x-obs-", "x-cos-", "cloudfront-", "key-pair-id", "accesskeyid",
         "googleaccessid", '"policy"%"signature"', '"signature"%"policy"')  # fmt: skip
"""What a text has that may hold a secret, for the database to look for."""
USER = re.compile(r"""([a-z0-9+.-]{2}:\\*/\\*/)[^\s/?#\\"'<>]*@""", re.IGNORECASE)
FORM = re.compile(rf'"(?:{SIGNS})"', re.IGNORECASE | re.ASCII)
FIELD = re.compile(
    rf"""("(?:{SIGNS}|policy|signature|sig|token|expires)"\s*[:,]\s*(?:"value"\s*:\s*)?)"""
    r"""(?:"(?:[^"\\]|\\.)*+"|\[(?:[^"\[\]]|"(?:[^"\\]|\\.)*+")*+\])""",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)


def upgrade() -> None:
    """Rewrite the texts that hold any."""
    conn = op.get_bind()
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("PRAGMA secure_delete=ON")  # else the old texts stay in the free space of their pages
    for table, columns in TEXTS.items():
        for column in columns:
            marked = " OR ".join(f"lower({column}) LIKE '%{mark}%'" for mark in MARKS)
            where = f"({marked})" + (f" AND {RECORDED}" if table == "field_changes" else "")
            found = conn.execute(sa.text(f"SELECT id, {column} FROM {table} WHERE {where}")).all()
            changed = [{"id_": key, "text": bare} for key, text in found if (bare := without_secrets(text)) != text]
            if changed:
                with unguarded(conn, table):
                    conn.execute(sa.text(f"UPDATE {table} SET {column} = :text WHERE id = :id_"), changed)


def downgrade() -> None:
    """Nothing comes back."""


def without_secrets(text: str) -> str:
    """A URL or JSON as this revision stores it."""
    bare, lower = USER.sub(r"\1", text), text.lower()
    is_form = FORM.search(bare) or ('"policy"' in lower and '"signature"' in lower)
    return FIELD.sub(r'\1""', bare) if is_form else bare


@contextmanager
def unguarded(conn: sa.Connection, table: str) -> Iterator[None]:
    """Without the triggers that refuse changes of a table, if it has any."""
    if conn.dialect.name == "postgresql":
        named = "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND NOT tgisinternal"
        names = conn.execute(sa.text(named), {"table": table}).scalars().all()
        aside = [f"ALTER TABLE {table} DISABLE TRIGGER {name}" for name in names]
        back = [f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}" for name in names]
    else:
        named = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
        triggers = conn.execute(sa.text(named), {"table": table}).all()
        aside, back = [f"DROP TRIGGER {name}" for name, _ in triggers], [sql for _, sql in triggers]
    for statement in aside:
        conn.exec_driver_sql(statement, execution_options={"no_parameters": True})
    yield
    for statement in back:
        conn.exec_driver_sql(statement, execution_options={"no_parameters": True})
