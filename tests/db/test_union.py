"""Several accounts: a schema each in one PostgreSQL, or a SQLite file each; and views over all of them."""

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from tests.support.account import KEY, environ, mirror, query
from tests.support.program import ROOT, Program
from tpmirror.config import Database
from tpmirror.db import migrate, schema
from tpmirror.db.engine import connected
from tpmirror.db.revision import newest
from tpmirror.db.union import ACCOUNT, union_views
from tpmirror.db.views import sources, view
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store.audit import audit

DBNAME = "accounts"
ACCOUNTS = ("team_a", "Team_B")
"""One has to be quoted wherever it is written."""
INTO = "all_accounts"
DENIED = psycopg.errors.InsufficientPrivilege
PAGE = (ROOT / "docs" / "accounts.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sims() -> Iterator[dict[str, Simulator]]:
    """Two accounts whose ids collide."""
    worlds = [World(seed, jobs=25, in_flight=2, owner=(f"{seed}@example.com", seed)) for seed in (1, 2)]
    with Simulator(worlds[0], token=KEY, page_cap=10) as one, Simulator(worlds[1], token=KEY, page_cap=10) as other:
        yield dict(zip(ACCOUNTS, (one, other), strict=True))


@pytest.fixture(scope="module")
def runs(postgres, sims) -> Iterator[list[dict[str, Any]]]:
    """Both mirrored at the same time, and again after each has moved; the rows of the runs."""
    postgres.create(DBNAME)
    url = postgres.url(DBNAME)
    found: list[dict[str, Any]] = []
    for account in ACCOUNTS:  # one after the other: Alembic is not made for threads
        with connected(Database(url, account)) as engine:
            migrate.upgrade(engine)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            found += pool.map(lambda account: mirror(sims[account], url, database_schema=account), ACCOUNTS)
            for sim in sims.values():
                sim.world.submit()
    for account in ACCOUNTS:
        roles(postgres, account)
    yield found
    postgres.drop(DBNAME)


@pytest.fixture
def tool(postgres, runs, sims, tmp_path) -> Program:
    """The program as the owner of both mirrors."""
    return Program(tmp_path, {"TPMIRROR_DATABASE_URL": postgres.url(DBNAME)})


@pytest.fixture(scope="module")
def united(postgres, runs) -> int:
    """The views over both; how many."""
    with connected(postgres.url(DBNAME)) as engine:
        return union_views(engine, INTO, ACCOUNTS)


def roles(server: Any, account: str) -> None:
    with psycopg.connect(host=str(server.home), user="postgres", dbname=DBNAME) as conn:
        conn.execute("SELECT set_config('tpmirror.schema', %s, false)", [account])
        conn.execute((ROOT / "deploy" / "postgres-roles.sql").read_bytes())


def test_two_accounts_in_one_database_are_mirrored_at_the_same_time(postgres, runs):
    assert [run["certified"] for run in runs] == [True] * 4
    for account in ACCOUNTS:
        with connected(Database(postgres.url(DBNAME), account)) as engine:
            assert migrate.differences(engine) == []
            with engine.connect() as conn:
                assert audit(conn).findings == []
    strays = "SELECT COUNT(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    assert query(postgres.url(DBNAME), strays) == [(0,)]


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "command",
    [["poll"], ["status"], ["history", "1"], ["report", "costs"], ["verify"], ["audit"], ["db", "check"],
     ["db", "current"], ["export", "files"], ["gone", "list"], ["quarantine", "list"], ["doctor"]],
    ids="-".join,
)  # fmt: skip
def test_every_command_works_in_a_schema_that_has_to_be_quoted(command, postgres, runs, sims, tmp_path, capsys):
    sim = sims["Team_B"]
    mirror(sim, postgres.url(DBNAME), database_schema="Team_B")
    variables = environ(sim.url, sim.token, database_url=postgres.url(DBNAME), database_schema="Team_B")
    Program(tmp_path, variables).call(capsys, *command)


def test_migrations_keep_grants_in_a_schema_that_has_to_be_quoted(postgres, runs):
    with connected(Database(postgres.url(DBNAME), "Team_B")) as engine, engine.connect() as conn:
        conn.execute(text("CREATE VIEW kept AS SELECT 1 AS one"))
        conn.execute(text("GRANT SELECT ON kept TO tpmirror_reader"))
        with migrate.preserve_grants(conn, ["kept"]):
            conn.execute(text("DROP VIEW kept"))
            conn.execute(text("CREATE VIEW kept AS SELECT 2 AS one"))
        assert conn.scalar(text("SELECT has_table_privilege('tpmirror_reader', 'kept', 'SELECT')"))


def test_a_migration_of_one_account_does_not_wait_for_another(postgres, runs):
    with connected(Database(postgres.url(DBNAME), "team_a")) as one, one.begin() as conn:
        migrate._lock(conn)
        with connected(Database(postgres.url(DBNAME), "Team_B")) as other, other.begin() as second:
            second.execute(text("SET LOCAL statement_timeout = '5s'"))
            migrate._lock(second)
            second.execute(text("SET LOCAL statement_timeout = '200ms'"))
            locked = text("SELECT pg_try_advisory_xact_lock(hashtextextended('team_a', :key))")
            assert second.execute(locked, {"key": migrate.LOCK}).scalar() is False


def test_the_views_hold_every_row_of_each_account(united, postgres):
    names = {table.name for table in schema.metadata.sorted_tables if table not in schema.WORKING}
    names |= set(sources("postgresql"))
    url = postgres.url(DBNAME)
    columns_of = f"""SELECT c.relname, a.attnum, a.attname FROM pg_class AS c
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
      WHERE c.relnamespace = '{INTO}'::regnamespace AND c.relkind = 'v' ORDER BY 1, 2"""
    found = query(url, columns_of)
    assert {name for name, *_ in found} == names
    assert united == len(names)
    for name in names:
        columns = view(name).c.keys() if name in sources("sqlite") else schema.metadata.tables[name].c.keys()
        wanted = [(name, number, column) for number, column in enumerate([ACCOUNT, *columns], 1)]
        assert [row for row in found if row[0] == name] == wanted
    differing = " UNION ALL ".join(
        f"""SELECT '{name}' WHERE (SELECT COUNT(*) FROM {INTO}.{name} WHERE account = '{account}')
            <> (SELECT COUNT(*) FROM "{account}".{name})"""
        for name in sorted(names)
        for account in ACCOUNTS
    )
    assert query(url, differing) == []


def test_sums_over_accounts_are_exact_and_views_are_of_now(united, postgres):
    url = postgres.url(DBNAME)
    (statement,) = re.findall(r"```sql\n(SELECT account.*?);\n```", PAGE, re.DOTALL)
    own = {account: query(url, f'SELECT SUM(credits) FROM "{account}".job_overview')[0][0] for account in ACCOUNTS}
    assert dict(query(url, statement)) == own
    ((total,),) = query(url, f"SELECT SUM(credits) FROM {INTO}.cost_ledger")
    assert total == sum(own.values(), Decimal(0)) > 0
    assert len(query(url, f"SELECT account FROM {INTO}.sync_health WHERE certified_age_s >= 0")) == 2
    assert {account for (account,) in query(url, f"SELECT account FROM {INTO}.active_jobs")} == set(ACCOUNTS)


def test_the_reader_sees_both_accounts_and_no_owner(united, postgres):
    with psycopg.connect(host=str(postgres.home), user="tpmirror_reader", dbname=DBNAME, autocommit=True) as conn:
        for wanted in ("account, COUNT(*) FROM {}.job_overview_public", "account, COUNT(credits) FROM {}.job_overview"):
            assert len(conn.execute(f"SELECT {wanted.format(INTO)} GROUP BY account".encode()).fetchall()) == 2
        for wanted in ("input_owner FROM {}.job_overview", "owner FROM {}.videos", "* FROM {}.input_videos",
                       "new_value FROM {}.field_changes", "payload FROM {}.quarantined_jobs"):  # fmt: skip
            with pytest.raises(DENIED):
                conn.execute(f"SELECT {wanted.format(INTO)}".encode())


def test_it_may_be_run_again_and_keeps_what_others_built_on_it(united, tool, postgres, capsys):
    url = postgres.url(DBNAME)
    with connected(url) as engine, engine.begin() as conn:
        conn.execute(text(f"CREATE VIEW public.finance AS SELECT account, credits FROM {INTO}.cost_ledger"))
        conn.execute(text(f"GRANT SELECT ON {INTO}.daily_costs TO PUBLIC"))
    granted = "SELECT unnest(relacl)::text FROM pg_class WHERE oid = 'all_accounts.daily_costs'::regclass ORDER BY 1"
    before = query(url, granted)
    said = f"{INTO} has {united} views over team_a, Team_B\n"
    assert tool.call(capsys, "db", "union-views", "--into", INTO, *ACCOUNTS)[0] == said
    assert query(url, granted) == before
    tool.call(capsys, "db", "union-views", "--into", INTO, "team_a")
    assert query(url, "SELECT DISTINCT account FROM finance") == [("team_a",)]
    with connected(url) as engine, engine.begin() as conn:
        conn.execute(text("DROP VIEW public.finance"))
        conn.execute(text(f"DROP VIEW {INTO}.job_durations"))
        conn.execute(text(f"CREATE VIEW {INTO}.job_durations AS SELECT '' AS account, 1 AS of_an_older_version"))
        conn.execute(text(f"GRANT SELECT ON {INTO}.job_durations TO PUBLIC"))
    assert tool.call(capsys, "db", "union-views", "--into", INTO, *ACCOUNTS)[0] == said
    rights = query(url, granted.replace("daily_costs", "job_durations"))
    assert ("=r/postgres",) in rights, "the grant to everybody did not outlive the replacement"


OLDER = "SELECT DATE '2020-01-01' AS day, CAST(1 AS bigint) AS jobs, CAST(1 AS numeric) AS credits"
"""A definition of daily_costs with the same columns."""


def test_an_upgrade_of_one_account_leaves_the_views_over_it(united, tool, postgres, capsys):
    url, here = postgres.url(DBNAME), "--database-schema"
    views = f"SELECT COUNT(*), SUM(oid::bigint) FROM pg_class WHERE relnamespace = '{INTO}'::regnamespace"
    before = query(url, views)
    for statement in ("SELECT 1", f"CREATE OR REPLACE VIEW team_a.daily_costs AS {OLDER}"):
        with connected(url) as engine, engine.begin() as conn:
            conn.execute(text(statement))
        tool.call(capsys, "db", "upgrade", here, "team_a")
        assert "as declared" in tool.call(capsys, "db", "check", here, "team_a")[0]
        assert query(url, views) == before
    with connected(url) as engine, engine.begin() as conn:
        conn.execute(text("DROP VIEW team_a.daily_costs CASCADE"))
        conn.execute(text("CREATE VIEW team_a.daily_costs AS SELECT 1 AS of_an_older_version"))
        conn.execute(text(f"CREATE VIEW {INTO}.daily_costs AS SELECT * FROM team_a.daily_costs"))
    refused = tool.call(capsys, "db", "upgrade", here, "team_a", code=1)[1]
    assert f"view {INTO}.daily_costs: built on what has to be dropped; drop that" in refused
    assert query(url, f"SELECT * FROM {INTO}.daily_costs") == [(1,)]
    drop, *_ = re.findall(r"^psql -d tpmirror -c '(.*)'$", PAGE, re.MULTILINE)
    with connected(url) as engine, engine.begin() as conn:
        conn.execute(text(drop))
    tool.call(capsys, "db", "upgrade", here, "team_a")
    tool.call(capsys, "db", "union-views", "--into", INTO, *ACCOUNTS)
    assert query(url, views)[0][0] == united


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--into", "x", "team_a", "nothing"], 1, "nothing holds no mirror; TPMIRROR_DATABASE_SCHEMA=nothing tpmirror"),
        (["--into", "team_a", "Team_B"], 1, "team_a holds "),
        (["--into", "team_a", "team_a"], 2, "name another schema with --into"),
        (["--into", "x", "team_a", "team_a"], 2, "named twice"),
        (["--into", 'x"; DROP', "team_a"], 2, "is no schema"),
        (["--into", "x", "pg_catalog"], 2, "is no schema"),
    ],
)
def test_names_that_make_no_sense_are_refused(words, code, said, tool, capsys):
    assert said in tool.call(capsys, "db", "union-views", *words, code=code)[1]


def test_accounts_of_different_revisions_are_refused(tool, postgres, capsys):
    url = postgres.url(DBNAME)
    for revision, remedy in (("0001", "TPMIRROR_DATABASE_SCHEMA=team_a tpmirror db upgrade"), ("9999", "newer")):
        with connected(url) as engine, engine.begin() as conn:
            conn.execute(text("UPDATE team_a.alembic_version SET version_num = :it"), {"it": revision})
        assert remedy in tool.call(capsys, "db", "union-views", "--into", "x", *ACCOUNTS, code=1)[1]
    with connected(url) as engine, engine.begin() as conn:
        conn.execute(text("UPDATE team_a.alembic_version SET version_num = :it"), {"it": newest()})
    assert query(url, "SELECT COUNT(*) FROM pg_namespace WHERE nspname = 'x'") == [(0,)]


def test_sqlite_is_told_to_attach(lite_url, tmp_path, capsys):
    said = Program(tmp_path, {"TPMIRROR_DATABASE_URL": lite_url}).call(
        capsys, "db", "union-views", "--into", "x", "y", code=2
    )
    assert "ATTACH" in said[1]


def test_the_documented_attach_adds_up_two_files(sims, migrated_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    charged = {}
    for name, sim in zip(("team_a", "team_b"), sims.values(), strict=True):
        url = f"sqlite:///{tmp_path / name}.db"
        mirror(sim, url)
        charged[name] = query(url, "SELECT CAST(SUM(ROUND(credits * 10000)) AS INTEGER) / 10000.0 FROM job_overview")[
            0
        ][0]
    (attach, statement) = re.findall(r"```sql\n(ATTACH.*?);\n(.*?);\n```", PAGE, re.DOTALL)[0]
    conn = sqlite3.connect("team_a.db")
    conn.execute(attach)
    assert dict(conn.execute(statement).fetchall()) == charged
    conn.close()
