"""Definitions of the mirror's views and triggers, as the database's catalog states them.

Reads the catalog alone, so a read-only role and a hot standby can run it.
"""

from typing import Final

from sqlalchemy import Connection, text

from tpmirror.db.views import sources

_SQLITE: Final = text("SELECT tbl_name, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')")
_FORMATS: Final = text("""
SELECT set_config('datestyle', 'ISO', true), set_config('intervalstyle', 'postgres', true),
  set_config('extra_float_digits', '1', true), set_config('quote_all_identifiers', 'off', true)
""")
"""Settings by which PostgreSQL formats definitions, fixed per transaction: a role's own would change the hash."""
_POSTGRESQL: Final = text("""
WITH mirror AS (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('data_dictionary'))
SELECT c.relname::text, c.relname::text, pg_get_viewdef(c.oid)
FROM pg_class AS c JOIN mirror USING (relnamespace)
WHERE c.relkind = 'v' AND c.relname::text = ANY(:ours)
UNION ALL
SELECT c.relname::text, t.tgname::text,
  concat_ws(chr(10), t.tgenabled::text, pg_get_triggerdef(t.oid, true), p.prosrc)
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN mirror USING (relnamespace)
JOIN pg_proc AS p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal
""")
"""A trigger's definition: its enabled state, its statement and its function's body. Each can be changed alone."""


def definitions(conn: Connection) -> dict[tuple[str, str], str]:
    """Definitions by table and trigger; the key of a view is its name twice."""
    if conn.dialect.name == "sqlite":
        found = conn.execute(_SQLITE)
    else:
        conn.execute(_FORMATS)
        found = conn.execute(_POSTGRESQL, {"ours": list(sources("postgresql"))})
    return {(table, name): definition for table, name, definition in found}
