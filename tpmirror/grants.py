"""What others may do with our views on PostgreSQL, kept while the views are dropped and made anew."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, inspect, text

_GRANTED = text("""
SELECT c.relname, t.attname, a.privilege_type, a.is_grantable,
  CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
FROM pg_class AS c
JOIN (
  SELECT oid AS relid, NULL::name AS attname, relacl AS acl FROM pg_class
  UNION ALL SELECT attrelid, attname, attacl FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
) AS t ON t.relid = c.oid
CROSS JOIN aclexplode(t.acl) AS a
WHERE c.relkind = 'v' AND c.relname::text = ANY(:ours) AND c.relnamespace = current_schema()::regnamespace
  AND a.grantee <> c.relowner
""")


@contextmanager
def kept(conn: Connection, ours: Collection[str]) -> Iterator[None]:
    """Grant again, on those of our views that there are in the end, what was granted on them and their columns before.

    Not on others: they stay as they are, and who does not own them may not grant on them.
    """
    if conn.dialect.name != "postgresql":
        yield
        return
    granted = conn.execute(_GRANTED, {"ours": list(ours)}).all()
    yield
    there = inspect(conn)
    names = set(there.get_view_names())
    columns = {name: {column["name"] for column in there.get_columns(name)} for name, *_ in granted if name in names}
    quote = conn.dialect.identifier_preparer.quote
    for view, column, privilege, grantable, grantee in granted:
        if view in columns and (column is None or column in columns[view]):
            which = f" ({quote(column)})" if column else ""
            more = " WITH GRANT OPTION" if grantable else ""
            conn.exec_driver_sql(f"GRANT {privilege}{which} ON {quote(view)} TO {grantee}{more}")
