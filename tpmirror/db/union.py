"""Views over the mirrors of several accounts in one PostgreSQL: one for each table and view, a UNION ALL of accounts.

The first column of each, ``account``, is the schema that a row comes from. Ids are unique within an account only, so
joins need both.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, Engine, Table, inspect, text
from sqlalchemy.schema import CreateSchema

from tpmirror.db import schema
from tpmirror.db.engine import write
from tpmirror.db.migrate import preserve_grants
from tpmirror.db.revision import current_of, newest, refuse_newer
from tpmirror.db.views import sources, view
from tpmirror.errors import MirrorError, UsageError

ACCOUNT: Final = "account"
READER: Final = "tpmirror_reader"
"""The role of BI tools, from ``deploy/postgres-roles.sql``."""
_READABLE: Final = text("""
SELECT c.relname::text, a.attname::text
FROM pg_namespace AS n
JOIN pg_class AS c ON c.relnamespace = n.oid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_roles AS r ON r.rolname = :role
WHERE n.nspname::text = ANY(:accounts) AND c.relkind IN ('r', 'v')
  AND has_schema_privilege(r.oid, n.oid, 'USAGE') AND has_column_privilege(r.oid, c.oid, a.attnum, 'SELECT')
GROUP BY c.relname, a.attname
HAVING COUNT(*) = :count
""")
"""The columns that a role may read in every one of the accounts."""


def union_views(engine: Engine, into: str, accounts: Sequence[str]) -> int:
    """Create or replace the views in the schema ``into``; returns their number.

    ``accounts`` are schemas too. The reader role may select the columns that it may read in every account. Raises
    UsageError for a schema named twice and on SQLite, MirrorError if an account's holds no mirror of this version.
    """
    _check_names(engine, into, accounts)

    def work(conn: Connection) -> int:
        for account in accounts:
            _check_mirror(conn, account)
        _prepare(conn, into, accounts)
        relations = _relations()
        with preserve_grants(conn, [relation.name for relation in relations]):
            for relation in relations:
                _create(conn, relation, into, accounts)
        _grant(conn, relations, into, accounts)
        return len(relations)

    return write(engine, work)


def _relations() -> list[Table]:
    """Every table and view that the mirror promises."""
    tables = [table for table in schema.metadata.sorted_tables if table not in schema.WORKING]
    return tables + [view(name) for name in sources("postgresql")]


def _check_names(engine: Engine, into: str, accounts: Sequence[str]) -> None:
    if engine.dialect.name == "sqlite":
        raise UsageError("views over several accounts need PostgreSQL; docs/accounts.md shows ATTACH for SQLite")
    if into in accounts:
        raise UsageError(f"{into} cannot hold a mirror and the views over it; name another schema with --into")
    if len(set(accounts)) < len(accounts):
        raise UsageError("a schema is named twice, which would count its jobs twice; name each once")


def _check_mirror(conn: Connection, account: str) -> None:
    """Raises MirrorError, with the remedy, unless the schema holds a mirror of this version."""
    _search(conn, account)
    revision = current_of(conn)
    here = f"TPMIRROR_DATABASE_SCHEMA={account} tpmirror"
    if revision is None:
        raise MirrorError(f"the schema {account} holds no mirror; {here} sync makes one")
    refuse_newer(revision)
    there = inspect(conn)
    missing = {relation.name for relation in _relations()} - {*there.get_table_names(), *there.get_view_names()}
    if revision != newest() or missing:
        lacking = f" without {min(missing)}" if missing else ""
        raise MirrorError(f"the schema {account} is at revision {revision}{lacking}; run {here} db upgrade first")


def _prepare(conn: Connection, into: str, accounts: Sequence[str]) -> None:
    """Create the views' schema if it is missing, and search it. Raises MirrorError if it holds other relations."""
    if not inspect(conn).has_schema(into):
        conn.execute(CreateSchema(into))
    _search(conn, into)
    there = inspect(conn)
    views, names = set(there.get_view_names()), {relation.name for relation in _relations()}
    foreign = names & set(there.get_table_names())
    foreign |= {name for name in names & views if there.get_columns(name)[0]["name"] != ACCOUNT}
    if foreign:
        message = (
            f"the schema {into} holds {min(foreign)}, which is no view over {', '.join(accounts)}; name another one"
        )
        raise MirrorError(message)


def _create(conn: Connection, relation: Table, into: str, accounts: Sequence[str]) -> None:
    """Create the view; with unchanged columns it is replaced in place, which keeps users' views on it."""
    there = inspect(conn)
    if there.has_table(relation.name):
        columns = [column["name"] for column in there.get_columns(relation.name)]
        if columns != [ACCOUNT, *relation.columns.keys()]:
            conn.exec_driver_sql(f"DROP VIEW {_name(conn, into, relation.name)}")
    statements = ";\n".join(_statements(conn, relation, into, accounts))
    # no_parameters: the driver would take a percent sign in a comment for a placeholder.
    conn.exec_driver_sql(statements, execution_options={"no_parameters": True})


def _statements(conn: Connection, relation: Table, into: str, accounts: Sequence[str]) -> Iterator[str]:
    name, columns = _name(conn, into, relation.name), _columns(conn, relation.columns.keys())
    parts = (
        f"SELECT CAST({_literal(account)} AS text) AS {ACCOUNT}, {columns} "  # noqa: S608 - all of it is quoted
        f"FROM {_name(conn, account, relation.name)}"
        for account in accounts
    )
    yield f"CREATE OR REPLACE VIEW {name} AS\n" + "\nUNION ALL\n".join(parts)
    yield f"COMMENT ON VIEW {name} IS {_literal(f'{relation.comment} (of several accounts)')}"
    yield f"COMMENT ON COLUMN {name}.{ACCOUNT} IS 'schema of the account; ids are unique within it'"
    for column in relation.columns:
        yield f"COMMENT ON COLUMN {name}.{_columns(conn, [column.name])} IS {_literal(column.comment or '')}"


def _grant(conn: Connection, relations: Sequence[Table], into: str, accounts: Sequence[str]) -> None:
    """Grant the reader role the columns that it may read in every account, and revoke the others."""
    given = {"role": READER, "accounts": list(accounts), "count": len(accounts)}
    readable = {tuple(row) for row in conn.execute(_READABLE, given)}
    if not readable:
        return
    quote = conn.dialect.identifier_preparer.quote_identifier
    statements = [f"GRANT USAGE ON SCHEMA {quote(into)} TO {READER}"]
    for relation in relations:
        name, all_columns = _name(conn, into, relation.name), relation.columns.keys()
        columns = [column for column in all_columns if (relation.name, column) in readable]
        some = "" if columns == all_columns else f" ({_columns(conn, [ACCOUNT, *columns])})"
        statements.append(f"REVOKE ALL ON {name} FROM {READER}")
        statements += [f"GRANT SELECT{some} ON {name} TO {READER}"] if columns else []
    conn.exec_driver_sql(";\n".join(statements))


def _search(conn: Connection, name: str) -> None:
    """Search one schema alone for unqualified names, until the transaction ends."""
    conn.exec_driver_sql(f"SET LOCAL search_path TO {conn.dialect.identifier_preparer.quote_identifier(name)}")


def _name(conn: Connection, name: str, relation: str) -> str:
    quote = conn.dialect.identifier_preparer.quote_identifier
    return f"{quote(name)}.{quote(relation)}"


def _columns(conn: Connection, names: Sequence[str]) -> str:
    return ", ".join(map(conn.dialect.identifier_preparer.quote_identifier, names))


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
