"""How this database defines our views and the triggers of our tables, in its own words.

Reads catalogs alone: a role that may only read can do it, and so can a hot standby.
"""

from typing import Final

from sqlalchemy import Connection, text

from tpmirror.db.views import sources

_SQLITE: Final = text("SELECT tbl_name, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')")
_FORMATS: Final = text("""
SELECT set_config('datestyle', 'ISO', true), set_config('intervalstyle', 'postgres', true),
  set_config('extra_float_digits', '1', true), set_config('quote_all_identifiers', 'off', true)
""")
"""PostgreSQL writes definitions out by settings that each role may have otherwise; for this transaction."""
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
"""A trigger is when it fires, its statement and its function's body: each of them can be changed alone."""


def definitions(conn: Connection) -> dict[tuple[str, str], str]:
    """Definitions by table and trigger; a view stands for its table too."""
    if conn.dialect.name == "sqlite":
        found = conn.execute(_SQLITE)
    else:
        conn.execute(_FORMATS)
        found = conn.execute(_POSTGRESQL, {"ours": list(sources("postgresql"))})
    return {(table, name): definition for table, name, definition in found}
