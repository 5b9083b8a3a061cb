"""Users' objects that depend on the mirror's tables and views, which PostgreSQL then refuses to drop."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, text

from tpmirror.errors import MirrorError

_DEPENDENTS: Final = text("""
WITH
  mirror AS (SELECT relnamespace AS schema FROM pg_class WHERE oid = to_regclass('data_dictionary')),
  dropped AS (
    SELECT 'pg_class'::regclass AS kind, c.oid FROM pg_class AS c JOIN mirror ON c.relnamespace = mirror.schema
    WHERE c.relname::text = ANY(:names)
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid FROM pg_proc AS p JOIN mirror ON p.pronamespace = mirror.schema
    WHERE p.proname::text = ANY(:names)
  ),
  dependents AS (
    -- A view depends by its rule, a foreign key and a trigger by themselves: "on" is the relation they belong to.
    SELECT d.classid, d.objid, r.ev_class AS view, COALESCE(r.ev_class, k.conrelid, t.tgrelid) AS "on"
    FROM pg_depend AS d
    JOIN dropped ON dropped.kind = d.refclassid AND dropped.oid = d.refobjid
    LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
    WHERE d.deptype = 'n'
  )
SELECT DISTINCT
  CASE
    WHEN view IS NULL THEN pg_describe_object(classid, objid, 0)
    ELSE pg_describe_object('pg_class'::regclass, view, 0)
  END AS dependent
FROM dependents
WHERE NOT EXISTS (
  SELECT FROM pg_class AS c JOIN mirror ON c.relnamespace = mirror.schema
  WHERE c.oid = "on" AND c.relname::text = ANY(:ours)
)
ORDER BY dependent
""")


def dependents(conn: Connection, names: Collection[str], ours: Collection[str]) -> list[str]:
    """Objects outside ``ours`` that depend on these relations and functions, each as ``view mine``; none on SQLite."""
    if conn.dialect.name == "sqlite":
        return []
    return list(conn.execute(_DEPENDENTS, {"names": list(names), "ours": list(ours)}).scalars())


def refuse_dependents(conn: Connection, names: Collection[str], ours: Collection[str]) -> None:
    """Raise MirrorError, with the remedy, if a user's object depends on ``names``, which are about to be dropped."""
    if found := dependents(conn, names, ours):
        message = f"{', '.join(found)}: built on what has to be dropped; drop that, try again, and make it anew"
        raise MirrorError(f"{message}. Nothing was changed")
