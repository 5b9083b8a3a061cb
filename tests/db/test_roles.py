"""Three roles on PostgreSQL: an owner for migrations, a writer for the mirror, a reader for BI tools."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.account import KEY, mirror
from tests.support.program import ROOT, Program
from tests.support.webhook import Webhook
from tpmirror.cli.options import API_SETTINGS
from tpmirror.config import load
from tpmirror.credentials import Secret
from tpmirror.db import schema
from tpmirror.db.engine import connected, read, write
from tpmirror.db.views import sources
from tpmirror.service.alerting import Alerter
from tpmirror.service.notifier import Notifier
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import events
from tpmirror.store.status import MirrorStatus

ROLES = ROOT / "deploy" / "postgres-roles.sql"
EMAIL = "somebody@example.com"
DENIED = psycopg.errors.InsufficientPrivilege
FRESH = "roles_fresh"


def connect(server: Any, role: str, dbname: str = FRESH) -> psycopg.Connection[Any]:
    return psycopg.connect(host=str(server.home), user=role, dbname=dbname, autocommit=True)


def apply_roles(server: Any, dbname: str = FRESH) -> None:
    with connect(server, "postgres", dbname) as conn:
        conn.execute(ROLES.read_text(encoding="utf-8"))


def url(server: Any, role: str, dbname: str = FRESH) -> str:
    if role == "tpmirror_owner":
        return f"postgresql://postgres@/{dbname}?host={server.home}&options=-c%20role%3Dtpmirror_owner"
    return f"postgresql://{role}@/{dbname}?host={server.home}"


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    world = World(seed=2, jobs=40, in_flight=4, jobs_per_day=0, owner=(EMAIL, 815))
    with Simulator(world, token=KEY, page_cap=10) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def server(postgres, sim, tmp_path_factory) -> Iterator[Any]:
    """A database made as docs/postgresql.md says, mirrored by the writer."""
    postgres.create(FRESH)
    apply_roles(postgres)
    owner = Program(tmp_path_factory.mktemp("owner"), {"TPMIRROR_DATABASE_URL": url(postgres, "tpmirror_owner")})
    owner.run("db", "upgrade")
    apply_roles(postgres)
    mirror(sim, url(postgres, "tpmirror_writer"))
    yield postgres
    postgres.drop(FRESH)


@pytest.fixture
def reader(server) -> Iterator[psycopg.Connection[Any]]:
    with connect(server, "tpmirror_reader") as conn:
        yield conn


@pytest.fixture
def writer(server) -> Iterator[psycopg.Connection[Any]]:
    with connect(server, "tpmirror_writer") as conn:
        yield conn


def test_the_file_is_plain_sql_that_psql_and_drivers_run_alike():
    assert not [line for line in ROLES.read_text(encoding="utf-8").splitlines() if line.startswith("\\")]


def test_everything_belongs_to_the_owner_who_cannot_log_in(server):
    with connect(server, "postgres") as conn:
        owners = conn.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchall()
    assert owners == [("tpmirror_owner",)]
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        connect(server, "tpmirror_owner")


def test_the_writer_mirrors_everything_that_moves(server, sim, tmp_path, capsys):
    """New jobs, changes of every kind, deletions, other models, an unknown code, a payload for the quarantine."""
    world = sim.world
    first, second, third, fourth = world.listed()[:4]
    world.submit()
    world.finish(world.listed(active_only=True)[0])
    world.edit(first, {"ml_models": [], "status": 7, "output_resolution": 123, "start_frame": 2**70})
    world.edit(second, {"grain": "broken"})
    world.delete(third)
    world.hide(fourth)
    tool = Program(tmp_path, {"TPMIRROR_API_URL": sim.url, "TPMIRROR_API_KEY": KEY, "TPMIRROR_MAX_RPS": "0"})
    tool.variables["TPMIRROR_DATABASE_URL"] = url(server, "tpmirror_writer")
    tool.call(capsys, "sync", code=3)
    world.restore(fourth)
    world.edit(second, {"grain": 0.5})
    for words in (["--field", "job.start_frame"], ["--field", "job.start_frame", "--undo"], ["--all"]):
        tool.call(capsys, "quarantine", "accept", *words)
    tool.call(capsys, "sync")
    tool.call(capsys, "poll")
    tool.call(capsys, "verify")
    for command in (["status"], ["audit"], ["db", "check"], ["quarantine", "list"], ["gone", "list"], ["report"]):
        tool.call(capsys, *command)
    assert len(API_SETTINGS) > 1


def test_a_writer_that_may_not_remove_old_runs_is_told_and_fails_no_sync(server, sim, tmp_path, capsys):
    tool = Program(tmp_path, {"TPMIRROR_API_URL": sim.url, "TPMIRROR_API_KEY": KEY, "TPMIRROR_MAX_RPS": "0"})
    tool.variables |= {"TPMIRROR_DATABASE_URL": url(server, "tpmirror_writer"), "TPMIRROR_RUN_RETENTION": "1h"}
    with connect(server, "postgres") as conn:
        conn.execute("REVOKE DELETE ON sync_runs FROM tpmirror_writer")
        old = "'poll', 'succeeded', false, false, now() - interval '1 day'"
        conn.execute(f"INSERT INTO sync_runs (kind, outcome, certified, covered, started_at) VALUES ({old}), ({old})")
        before = conn.execute("SELECT count(*) FROM sync_runs").fetchone()
        tool.call(capsys, "sync")
        assert conn.execute("SELECT count(*) - 1 FROM sync_runs").fetchone() == before
        said = tool.call(capsys, "status")[0]
        assert "old rows of sync_runs are not removed" in said
        assert "deploy/postgres-roles.sql" in said
        apply_roles(server)
        assert "old rows" not in tool.call(capsys, "status")[0]
        tool.call(capsys, "sync")
        assert conn.execute(
            "SELECT count(*) FROM sync_runs WHERE started_at < now() - interval '1 hour'"
        ).fetchone() == (0,)


def test_the_writer_tells_alerts_and_that_they_are_over(server):
    with Webhook() as hook, connected(url(server, "tpmirror_writer")) as engine:
        for waiting in (2, 0):
            status = partial(MirrorStatus, certified_at=datetime.now(UTC), waiting=waiting)
            Alerter(load({}), engine, status, Notifier([Secret(hook.url)])).send_due()
    told = "2 vanished jobs wait for an operator"
    assert [title for title in hook.titles() if told in title] == [told, f"solved: {told}"]


@pytest.mark.parametrize("role", ["tpmirror_owner", "tpmirror_writer", "tpmirror_reader"])
def test_every_role_can_check_triggers_and_views(server, role, tmp_path, capsys):
    tool = Program(tmp_path, {"TPMIRROR_DATABASE_URL": url(server, role)})
    tool.call(capsys, "db", "check")
    with connect(server, "postgres") as conn:
        conn.execute("ALTER TABLE field_changes DISABLE TRIGGER field_changes_no_truncate")
        said, _ = tool.call(capsys, "db", "check", code=3)
        upgrade(server, tmp_path, capsys)
    assert said == "the trigger field_changes_no_truncate is disabled: tpmirror db upgrade rebuilds it\n"
    tool.call(capsys, "db", "check")


def test_a_writer_that_would_have_to_migrate_is_told_who_can(postgres, sim, tmp_path, capsys):
    postgres.create("roles_empty")
    try:
        apply_roles(postgres, "roles_empty")
        tool = Program(tmp_path, {"TPMIRROR_API_URL": sim.url, "TPMIRROR_API_KEY": KEY})
        tool.variables["TPMIRROR_DATABASE_URL"] = url(postgres, "tpmirror_writer", "roles_empty")
        said = tool.call(capsys, "sync", code=1)[1]
        assert "permission denied" in said
        assert "migrations run as the tables' owner" in said
    finally:
        postgres.drop("roles_empty")


CHANGES_OF_HISTORY = [
    "UPDATE job_status_history SET to_status = 2",
    "DELETE FROM job_status_history",
    "TRUNCATE job_status_history",
    "UPDATE field_changes SET new_value = ''",
    "DELETE FROM field_changes",
    "TRUNCATE field_changes",
    "ALTER TABLE job_status_history DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "DROP TABLE field_changes",
    "INSERT INTO field_changes (id, entity, entity_id, field, observed_at) VALUES (1, 'job', 1, 'x', now())",
    "INSERT INTO job_status_history SELECT * FROM job_status_history ON CONFLICT (entry) DO UPDATE SET to_status = 2",
    "SELECT setval('field_changes_id_seq', 1)",
    "DELETE FROM jobs",
    "TRUNCATE sync_runs CASCADE",
    "UPDATE alembic_version SET version_num = ''",
    "CREATE TABLE more (a int)",
    "CREATE TEMPORARY TABLE more (a int)",
    "SELECT pg_advisory_lock(1)",
    "SELECT lo_from_bytea(0, 'x')",
]


@pytest.mark.parametrize("statement", CHANGES_OF_HISTORY)
def test_the_writer_cannot_change_history_nor_the_schema(writer, statement):
    with pytest.raises(DENIED):
        writer.execute(statement)


def test_the_writer_removes_no_run_that_the_history_refers_to(writer):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        writer.execute("DELETE FROM sync_runs")


def columns_for(conn: psycopg.Connection[Any], relation: str) -> list[str]:
    """The columns of a relation that the role of this connection may read."""
    found = conn.execute(
        "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
        "AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'SELECT') ORDER BY attnum",
        [relation],
    ).fetchall()
    return [name for (name,) in found]


def test_the_reader_can_read_every_view_and_sees_no_personal_data(reader):
    relations = [*sources("postgresql"), *(table.name for table in schema.metadata.sorted_tables)]
    seen = {}
    for relation in relations:
        rows = reader.execute(f"SELECT {', '.join(columns_for(reader, relation))} FROM {relation}").fetchall()
        assert EMAIL not in repr(rows), relation
        seen[relation] = len(rows)
    assert seen["jobs"] == seen["job_overview"] >= 39
    assert seen["focus_costs"] > 0


@pytest.mark.parametrize(
    "hidden",
    ["input_videos.owner", "videos.owner", "job_overview.input_owner", "field_changes.old_value",
     "field_changes.new_value", "quarantined_jobs.payload", "mirror_scope.value"],
)  # fmt: skip
def test_the_reader_cannot_read_what_is_personal(reader, writer, hidden):
    relation, _, column = hidden.partition(".")
    writer.execute(f"SELECT {column} FROM {relation}")
    for statement in (f"SELECT {column} FROM {relation}", f"SELECT * FROM {relation}"):
        with pytest.raises(DENIED):
            reader.execute(statement)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE jobs SET status = 2", "DELETE FROM jobs", "INSERT INTO ml_tasks VALUES (99, 'x')", "TRUNCATE jobs",
     "CREATE TABLE more (a int)", "CREATE TEMPORARY TABLE more (a int)", "CREATE SCHEMA more",
     "LOCK TABLE jobs IN EXCLUSIVE MODE", "LOCK TABLE writer_lease IN SHARE MODE", "SELECT id FROM jobs FOR SHARE",
     "SELECT scope FROM writer_lease FOR UPDATE", "SELECT pg_advisory_lock(1)", "SELECT pg_try_advisory_lock(1)",
     "SELECT pg_advisory_xact_lock_shared(1, 2)", "SET ROLE tpmirror_writer",
     "SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'x')", "SELECT lowrite(0, 'x')",
     "SELECT pg_logical_emit_message(false, 'x', 'y')", "COPY jobs TO PROGRAM 'cat'"],
)  # fmt: skip
def test_the_reader_can_neither_write_nor_lock(reader, statement):
    reader.execute("SET default_transaction_read_only = off")  # what a session may change is no protection
    with pytest.raises(DENIED), reader.transaction():
        reader.execute(statement)


def test_a_reader_in_the_middle_of_a_query_does_not_hold_up_the_writer(server, sim, reader):
    with reader.transaction():
        reader.execute("SELECT id, status FROM jobs")
        for relation in schema.metadata.tables:
            with suppress(DENIED), reader.transaction():
                reader.execute(f"LOCK TABLE {relation} IN ACCESS SHARE MODE")
        sim.world.submit()
        run = mirror(sim, url(server, "tpmirror_writer"))
    assert (run["outcome"], run["jobs_inserted"]) == ("succeeded", 1)


def test_the_reader_has_few_connections_and_little_time(server):
    with connect(server, "tpmirror_reader") as conn:
        limits = {
            name: conn.execute(f"SHOW {name}").fetchone()
            for name in ("statement_timeout", "idle_in_transaction_session_timeout", "default_transaction_read_only")
        }
        assert list(limits.values()) == [("1min",), ("1min",), ("on",)]
        most = conn.execute("SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user").fetchone()
        assert most == (10,)


def test_grants_survive_an_upgrade_also_those_of_others(server, tmp_path, capsys):
    with connect(server, "postgres") as conn:
        conn.execute("CREATE ROLE other_reader")
        conn.execute("GRANT SELECT (status_name), REFERENCES ON job_overview TO other_reader")
        conn.execute("GRANT SELECT ON daily_costs TO other_reader WITH GRANT OPTION")
        before = acl(conn)
        upgrade(server, tmp_path, capsys)
        assert acl(conn) == before
        apply_roles(server)
        assert [entry for entry in acl(conn) if "other_reader" not in entry] == [
            entry for entry in before if "other_reader" not in entry
        ]
        conn.execute("REVOKE ALL ON job_overview, daily_costs FROM other_reader")
        conn.execute("DROP OWNED BY other_reader")
        conn.execute("DROP ROLE other_reader")


def test_a_view_of_somebody_else_does_not_stand_in_an_upgrades_way(server, tmp_path, capsys):
    with connect(server, "postgres") as conn:
        conn.execute("CREATE VIEW finance AS SELECT 1 AS one")
        conn.execute("GRANT SELECT ON finance TO tpmirror_reader")
        before = acl(conn)
        upgrade(server, tmp_path, capsys)
        assert acl(conn) == before
        conn.execute("DROP VIEW finance")


def upgrade(server: Any, folder: Path, capsys: Any) -> None:
    """As the owner."""
    Program(folder, {"TPMIRROR_DATABASE_URL": url(server, "tpmirror_owner")}).call(capsys, "db", "upgrade")


def acl(conn: psycopg.Connection[Any]) -> list[str]:
    """Every privilege on every relation and column, in words."""
    found = conn.execute("""
        SELECT format('%s.%s %s %s %s', c.relname, t.attname, a.privilege_type, a.grantee::regrole, a.is_grantable)
        FROM pg_class AS c
        JOIN (SELECT oid AS relid, '' AS attname, relacl AS acl FROM pg_class
              UNION ALL SELECT attrelid, attname, attacl FROM pg_attribute) AS t ON t.relid = c.oid
        CROSS JOIN aclexplode(t.acl) AS a
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v') ORDER BY 1
    """).fetchall()
    return [entry for (entry,) in found]


def test_a_mirror_that_one_role_made_is_handed_over(postgres, migrated_postgres, tmp_path, capsys):
    postgres.create("roles_handed_over", "migrated")
    try:
        apply_roles(postgres, "roles_handed_over")
        with connect(postgres, "postgres", "roles_handed_over") as conn:
            owners = conn.execute(
                "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            ).fetchall()
        assert owners == [("tpmirror_owner",)]
        tool = Program(tmp_path, {"TPMIRROR_DATABASE_URL": url(postgres, "tpmirror_owner", "roles_handed_over")})
        tool.call(capsys, "db", "downgrade", "base", "--yes")
        tool.call(capsys, "db", "upgrade")
    finally:
        postgres.drop("roles_handed_over")


def test_the_page_about_it_names_every_step():
    page = (Path(ROOT) / "docs" / "postgresql.md").read_text(encoding="utf-8")
    for word in ("deploy/postgres-roles.sql", "tpmirror db upgrade", "tpmirror_writer", "options=-c%20role%3D"):
        assert word in page


def test_the_writer_delivers_events_and_gives_up_and_resumes(server):
    with connected(url(server, "tpmirror_writer")) as engine:
        now = datetime.now(UTC)
        write(engine, lambda conn: events.enroll(conn, "crm"))
        write(engine, lambda conn: events.rewind(conn, "crm", 0))
        held = write(engine, lambda conn: events.claim(conn, "crm", now))
        assert held is not None
        write(engine, lambda conn: events.give_up(conn, held, "HTTP 400", now))
        write(engine, lambda conn: events.mark_redelivered(conn, "crm", 1, now))
        write(engine, lambda conn: events.rewind(conn, "crm", 0))
    with connected(url(server, "tpmirror_reader")) as engine:
        assert [found.sink for found in read(engine, events.sinks)] == ["crm"]
        assert read(engine, lambda conn: events.after(conn, 0, 1))[0].entry == 1
