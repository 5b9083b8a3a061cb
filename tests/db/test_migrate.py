"""The database as declared: built by migrations, documented, guarded; whole after whatever happened on the way."""

import os
import shutil
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from tests.support.account import KEY, connected, dump, mirror, query, rows
from tests.support.program import Program
from tpmirror.db import labels, migrate, revision, schema, views
from tpmirror.db.engine import open_engine
from tpmirror.errors import MirrorError, UsageError
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World


@pytest.fixture
def engine(database_url):
    opened = open_engine(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def migrated(mirror_url):
    opened = open_engine(mirror_url)
    yield opened
    opened.dispose()


@pytest.fixture
def lived(mirror_url):
    """The URL of a mirror with some history, field changes included."""
    world = World(seed=3, jobs=12, in_flight=2, jobs_per_day=0)
    with Simulator(world, token=KEY) as sim:
        mirror(sim, mirror_url)
        world.cancel(12)
        world.correct_cost(1, Decimal("1.5"))
        mirror(sim, mirror_url)
    return mirror_url


def names(engine) -> set[str]:
    """Everything there is in the database: tables and views."""
    found = inspect(engine)
    return {*found.get_table_names(), *found.get_view_names()}


def test_migrations_make_what_is_declared(migrated):
    assert migrate.differences(migrated) == []
    assert revision.current(migrated) == revision.newest()


@pytest.mark.parametrize("drift", ["DROP INDEX ix_jobs_status", "ALTER TABLE jobs ADD COLUMN color TEXT"])
def test_what_is_not_as_declared_is_told(migrated, drift):
    with migrated.begin() as conn:
        conn.exec_driver_sql(drift)
    assert len(migrate.differences(migrated)) == 1


def test_alembic_agrees_on_what_the_newest_revision_is():
    """``revision`` does without Alembic, by the names of the files."""
    scripts = ScriptDirectory(str(revision.SCRIPTS))
    assert revision.newest() == scripts.get_current_head()
    assert revision.known() == sorted(script.revision for script in scripts.walk_revisions())


def test_an_empty_database_differs_and_is_left_alone(engine, tmp_path):
    assert "tpmirror db upgrade" in migrate.differences(engine)[0]
    assert revision.current(engine) is None
    assert not (tmp_path / "empty.db").exists()


def test_up_and_up_again_changes_nothing(lived):
    before = dump(lived)
    engine = open_engine(lived)
    migrate.upgrade(engine)
    engine.dispose()
    assert dump(lived) == before


def test_down_takes_everything_away_and_up_brings_it_back(lived, dialect):
    engine = open_engine(lived)
    migrate.downgrade(engine, "base")
    assert names(engine) == {"alembic_version"}
    if dialect == "postgresql":
        assert query(lived, "SELECT proname FROM pg_proc WHERE proname LIKE 'tpmirror%'") == []
    migrate.upgrade(engine)
    assert migrate.differences(engine) == []
    engine.dispose()
    with Simulator(World(seed=3, jobs=12, in_flight=2, jobs_per_day=0), token=KEY) as sim:
        assert mirror(sim, lived)["jobs_inserted"] == 12


def test_an_unknown_revision_is_wrong_use(migrated):
    with pytest.raises(UsageError, match="0001"):
        migrate.upgrade(migrated, "nonsense")
    assert migrate.differences(migrated) == []


def test_several_upgrades_at_once_on_an_empty_database_all_succeed(database_url, tmp_path):
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": database_url})
    running = [program.start("db", "upgrade") for _ in range(4)]
    ended = [(process.communicate(timeout=120), process.returncode) for process in running]
    assert [code for _, code in ended] == [0] * 4, ended
    engine = open_engine(database_url)
    assert migrate.differences(engine) == []
    engine.dispose()


@pytest.fixture
def broken_views(tmp_path, monkeypatch):
    """A copy of the views with one more that no database can create."""
    folder = shutil.copytree(Path(str(views.VIEWS)), tmp_path / "views")
    (folder / "zz_broken.sql").write_text("-- A view of nothing.\nSELECT FROM WHERE\n")
    monkeypatch.setattr(views, "VIEWS", folder)


def test_a_migration_that_fails_leaves_an_empty_database_empty(engine, broken_views):
    with pytest.raises(MirrorError, match="syntax error"):
        migrate.upgrade(engine)
    assert names(engine) == set()


def test_a_migration_that_fails_leaves_a_mirror_as_it_was(lived, broken_views):
    before, engine = dump(lived), open_engine(lived)
    objects = names(engine)
    with pytest.raises(MirrorError, match="syntax error"):
        migrate.upgrade(engine)
    assert names(engine) == objects
    engine.dispose()
    assert dump(lived) == before


def execute(engine, *statements: str) -> None:
    with engine.begin() as conn:
        for statement in statements:
            conn.exec_driver_sql(statement, execution_options={"no_parameters": True})


MINE = "CREATE VIEW mine AS SELECT day FROM daily_costs"
THEIRS = {
    "sqlite": [MINE, "CREATE TRIGGER refuses INSTEAD OF INSERT ON daily_costs BEGIN SELECT 1; END"],
    "postgresql": [
        MINE,
        "CREATE MATERIALIZED VIEW totals AS SELECT COUNT(*) AS n FROM job_overview",
        "CREATE FUNCTION newest() RETURNS date BEGIN ATOMIC SELECT MAX(day) FROM daily_costs; END",
        "CREATE RULE refuses AS ON INSERT TO daily_costs DO INSTEAD NOTHING",
    ],
}
"""What somebody built on views of ours."""


@pytest.fixture
def built_on(migrated, dialect):
    """A mirror on whose views somebody built."""
    execute(migrated, *THEIRS[dialect])
    return migrated


def theirs(engine) -> set[str]:
    """What is left of it, and can be read."""
    catalog = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if engine.dialect.name == "postgresql":
        catalog = (
            "SELECT rulename::text FROM pg_rewrite UNION SELECT proname::text FROM pg_proc "
            "UNION SELECT relname::text FROM pg_class WHERE relkind = 'm'"
        )
    with engine.connect() as conn:
        conn.execute(text("SELECT * FROM mine")).all()
        found = set(conn.execute(text(catalog)).scalars())
    return found & {"refuses", "newest", "totals"}


def test_what_somebody_built_on_our_views_stays_through_an_upgrade(built_on, dialect):
    there = {"sqlite": {"refuses"}, "postgresql": {"refuses", "newest", "totals"}}[dialect]
    migrate.upgrade(built_on)
    assert theirs(built_on) == there
    execute(built_on, "UPDATE data_dictionary SET definition = NULL")
    migrate.upgrade(built_on)
    assert theirs(built_on) == there
    assert migrate.differences(built_on) == []


def test_what_somebody_built_on_our_views_stays_while_one_is_replaced(built_on, dialect):
    """As it is when a newer program counts otherwise, with the same columns."""
    other = "CREATE VIEW daily_costs AS " + views.sources(dialect)["daily_costs"].replace("COUNT(*)", "COUNT(*) + 1")
    if dialect == "postgresql":
        execute(built_on, other.replace("CREATE", "CREATE OR REPLACE"))
    else:
        execute(built_on, "DROP VIEW daily_costs", other)
    assert "daily_costs" in migrate.differences(built_on)[0]
    migrate.upgrade(built_on)
    assert migrate.differences(built_on) == []
    assert theirs(built_on) - {"refuses"} == {"sqlite": set(), "postgresql": {"newest", "totals"}}[dialect]


def put_back(conn: Connection) -> None:
    """The view of an older program in the place of the one that reads a newer table."""
    if conn.dialect.name == "postgresql":
        zeros = ", ".join(f"CAST(0 AS float) AS {name}" for name in ("error_s", "abs_error_s", "relative_error"))
        older = f"SELECT id AS job_id, finished, 0 AS progress_from, COUNT(*) AS samples, {zeros} FROM jobs GROUP BY id"
        conn.execute(text(f"CREATE OR REPLACE VIEW job_eta_errors AS {older}"))


def test_what_somebody_built_on_our_views_stays_through_a_migration(built_on, dialect, monkeypatch):
    with monkeypatch.context() as patch:  # an older program left its views there
        patch.setattr(migrate, "drop_views", put_back)
        migrate.downgrade(built_on, "0005")
    assert revision.current(built_on) == "0005"
    migrate.upgrade(built_on)
    assert migrate.differences(built_on) == []
    assert "mine" in names(built_on)
    assert theirs(built_on) >= {"sqlite": set(), "postgresql": {"refuses", "newest", "totals"}}[dialect]


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_view_with_other_columns_is_rebuilt_with_all_that_read_it(migrated):
    for name in ("job_model_costs", "cost_by_model"):
        execute(migrated, f"ALTER VIEW {name} RENAME COLUMN credits TO price")
    migrate.upgrade(migrated)
    assert migrate.differences(migrated) == []


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_view_that_cannot_be_replaced_names_what_somebody_built_on_it_and_changes_nothing(built_on):
    execute(
        built_on,
        "ALTER VIEW daily_costs RENAME COLUMN jobs TO number",
        "DROP VIEW active_jobs",
    )
    before = migrate.differences(built_on)
    with pytest.raises(MirrorError) as refused:
        migrate.upgrade(built_on)
    said = str(refused.value)
    assert said.startswith("function newest(), view mine: built on what has to be dropped; drop that, try again")
    assert "Nothing was changed" in said
    assert migrate.differences(built_on) == before
    execute(built_on, "DROP VIEW mine", "DROP FUNCTION newest")
    migrate.upgrade(built_on)
    assert migrate.differences(built_on) == []


def test_a_downgrade_names_what_somebody_built_and_changes_nothing(built_on, dialect):
    with built_on.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE notes (job_id BIGINT REFERENCES jobs (id), about TEXT)")
    if dialect == "sqlite":  # it checks nothing, and what is left reads nothing
        migrate.downgrade(built_on, "base")
        assert names(built_on) == {"alembic_version", "mine", "notes"}
        return
    execute(built_on, "CREATE TRIGGER refuse BEFORE DELETE ON notes EXECUTE FUNCTION tpmirror_refuse_change()")
    before, parts = names(built_on), ("view mine", "materialized view totals", "function newest()")
    for target, named in (
        ("0005", parts),
        ("base", (*parts, "constraint notes_job_id_fkey on table notes", "trigger refuse on table notes")),
    ):
        with pytest.raises(MirrorError) as refused:
            migrate.downgrade(built_on, target)
        assert set(str(refused.value).partition(": built on")[0].split(", ")) == set(named)
        assert names(built_on) == before
        assert revision.current(built_on) == revision.newest()


def test_every_table_and_column_has_its_comment(migrated_postgres, postgres):
    postgres.create("commented", "migrated")
    comments = (
        "SELECT c.relname, COALESCE(a.attname, ''), COALESCE(col_description(c.oid, a.attnum), obj_description(c.oid)) "
        "FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'alembic_version'"
    )
    tables = (
        "SELECT relname, '', obj_description(oid) FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'"
    )
    url = postgres.url("commented")
    found = {(table, column): comment for table, column, comment in [*query(url, comments), *query(url, tables)]}
    postgres.drop("commented")
    declared = {(table.name, ""): table.comment for table in schema.metadata.sorted_tables}
    declared |= {(c.table.name, c.name): c.comment for table in schema.metadata.sorted_tables for c in table.columns}
    assert found == declared
    assert all(found.values())


def test_the_data_dictionary_tells_of_every_table_column_view_and_trigger(migrated, dialect):
    found = inspect(migrated)
    there = {(name, column["name"]) for name in found.get_table_names() for column in found.get_columns(name)}
    there |= {(name, column["name"]) for name in found.get_view_names() for column in found.get_columns(name)}
    there |= {(name, "") for name in names(migrated)}
    triggers = {"sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'"}
    triggers["postgresql"] = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    url = migrated.url.render_as_string(hide_password=False)
    there |= {(name, "") for (name,) in query(url, triggers[dialect])}
    told = {(row["table_name"], row["column_name"]): row["description"] for row in rows(url, "data_dictionary")}
    assert told.keys() == {pair for pair in there if pair[0] != "alembic_version"}
    assert all(told.values())


def test_the_data_dictionary_says_where_in_the_api_a_value_comes_from(mirror_url):
    paths = {(row["table_name"], row["column_name"]): row["api_path"] for row in rows(mirror_url, "data_dictionary")}
    assert paths["jobs", "cost_usd"] == "results[].cost_usd"
    assert paths["jobs", "input_video_id"] == "results[].input_video.id"
    assert paths["output_videos", "preview_after"] == "results[].output_video.preview_videos.after_video"
    assert paths["ml_models", "task"] == "results[].ml_models[].task"
    assert paths["jobs", "presence"] is None


def test_labels_are_seeded(mirror_url):
    for table, seeds in labels.SEEDS.items():
        assert rows(mirror_url, table) == sorted(seeds, key=lambda row: int(str(row["code"])))


def test_an_upgrade_mends_labels_and_leaves_unknown_ones(mirror_url, migrated):
    with migrated.begin() as conn:
        conn.execute(text("UPDATE job_statuses SET name = 'Done' WHERE code = 2"))
        conn.execute(text("INSERT INTO ml_tasks (code, name) VALUES (16, 'unknown (16)')"))
    migrate.upgrade(migrated)
    assert dict(query(mirror_url, "SELECT code, name FROM job_statuses"))[2] == "Finished"
    assert dict(query(mirror_url, "SELECT code, name FROM ml_tasks"))[16] == "unknown (16)"


def test_the_lease_is_free_from_the_start(mirror_url):
    assert query(mirror_url, "SELECT scope, epoch, holder FROM writer_lease") == [("mirror", 0, "")]


def test_every_view_can_be_read_and_says_what_it_is(lived, dialect):
    selects = views.sources(dialect)
    assert selects
    for name, sql in selects.items():
        assert sql.startswith("-- ")
        assert sql.partition("\n")[0].endswith(".")
        query(lived, f"SELECT * FROM {name}")


def test_views_have_the_same_columns_on_both_databases(migrated_file, migrated_postgres, postgres):
    postgres.create("viewed", "migrated")
    lite, server = create_engine(f"sqlite:///{migrated_file}"), create_engine(postgres.url("viewed"))
    found = [
        {view: [column["name"] for column in inspect(engine).get_columns(view)] for view in views.sources("sqlite")}
        for engine in (lite, server)
    ]
    lite.dispose()
    server.dispose()
    postgres.drop("viewed")
    assert found[0] == found[1]


def test_daily_costs_add_up_to_what_the_jobs_cost(lived):
    ((jobs, credits_),) = query(lived, "SELECT SUM(jobs), SUM(credits) FROM daily_costs")
    charged = [job for job in rows(lived, "jobs") if not job["preview"]]
    assert jobs == len(charged)
    assert Decimal(str(credits_)).quantize(Decimal("0.0001")) == sum(job["cost_usd"] for job in charged)


COLUMNS = "job_id, seq, from_status, to_status, observed_at, sync_run_id, row_hash, entry"
FIRST = f"SELECT {COLUMNS} FROM job_status_history WHERE entry = 1"
FORGED = "NULL, 2, observed_at, sync_run_id, 'x'"
SOURCE = "FROM job_status_history WHERE entry = 1"
CHANGE = "(id, entity, entity_id, field, observed_at) VALUES (1, 'job', 1, 'x', '2026-11-01 00:00:00.000000+00:00')"
TAMPERING = {
    "both": [
        "UPDATE job_status_history SET to_status = 2",
        "UPDATE job_status_history SET row_hash = row_hash WHERE entry = 1",
        "DELETE FROM job_status_history",
        "DELETE FROM job_status_history WHERE entry = (SELECT MAX(entry) FROM job_status_history)",
        "UPDATE field_changes SET new_value = '0'",
        "DELETE FROM field_changes WHERE id = 1",
        f"INSERT INTO job_status_history ({COLUMNS}) {FIRST} ON CONFLICT (job_id, seq) DO UPDATE SET to_status = 2",
        f"INSERT INTO job_status_history ({COLUMNS}) {FIRST} ON CONFLICT (entry) DO UPDATE SET to_status = 2",
    ],
    "sqlite": [
        f"INSERT OR REPLACE INTO job_status_history ({COLUMNS}) SELECT job_id, seq, {FORGED}, 999 {SOURCE}",
        f"INSERT OR REPLACE INTO job_status_history ({COLUMNS}) SELECT job_id, 999, {FORGED}, 1 {SOURCE}",
        "UPDATE OR REPLACE job_status_history SET entry = 2 WHERE entry = 1",
        f"INSERT OR REPLACE INTO field_changes {CHANGE}",
        f"INSERT OR REPLACE INTO field_changes {CHANGE.replace('(id', '(rowid', 1)}",
    ],
    "postgresql": [
        "TRUNCATE job_status_history",
        "TRUNCATE field_changes CASCADE",
        "SET session_replication_role = replica; DELETE FROM job_status_history",
        "SET session_replication_role = replica; UPDATE field_changes SET new_value = '0'",
        "SET session_replication_role = replica; TRUNCATE job_status_history, field_changes",
    ],
}


def test_history_is_append_only(lived, dialect):
    before = dump(lived)
    assert before["field_changes"]
    for statement in TAMPERING["both"] + TAMPERING[dialect]:
        assert refused(lived, statement), statement
    assert dump(lived) == before


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_history_is_append_only_through_the_hidden_key_of_sqlite_too(lived):
    before = dump(lived)
    forged = f"SELECT rowid, job_id, 998, {FORGED}, 998 {SOURCE}"
    assert refused(lived, f"REPLACE INTO job_status_history (rowid, {COLUMNS}) {forged}")
    assert dump(lived) == before


def refused(url: str, statement: str) -> bool:
    """Whether the database refuses it because of the guard; what it would have done stays if not."""
    with connected(url) as conn:
        try:
            for part in statement.split("; "):
                conn.exec_driver_sql(part)
            conn.commit()
        except DBAPIError as error:
            return "append-only" in str(error)
    return False


def test_any_other_sqlite_client_meets_the_guard_too(migrated_file, tmp_path):
    copy = shutil.copyfile(migrated_file, tmp_path / "copy.db")
    conn = sqlite3.connect(copy)
    conn.execute("INSERT INTO field_changes (entity, entity_id, field, observed_at) VALUES ('job', 1, 'x', '')")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        conn.execute("DELETE FROM field_changes")
    conn.close()


def test_a_new_sqlite_file_and_what_is_beside_it_are_for_the_owner_alone(tmp_path):
    old = os.umask(0)
    try:
        engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
        migrate.upgrade(engine)
        with engine.connect() as conn:
            conn.execute(text("SELECT * FROM jobs"))
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        engine.dispose()
    finally:
        os.umask(old)
    assert "new.db" in modes
    assert set(modes.values()) == {0o600}


def test_secrets_of_urls_and_forms_go_out_of_what_older_versions_stored(lived, tmp_path):
    """As version 0.1 held them, in the history too: ``0007`` takes them out, and no sync books that as a change."""
    form = '{"key": "a.mp4", "policy": "hush", "X-Amz-Signature": ["hush"], "AWSAccessKeyId": "hush"}'
    bare = form.replace('"hush"', '""').replace('[""]', '""')
    url = "https://me:hush@host/a.mp4"
    engine = open_engine(lived)
    migrate.downgrade(engine, "0005")
    with engine.begin() as conn:
        run = "(SELECT MAX(id) FROM sync_runs)"
        for statement in (
            f"UPDATE input_videos SET external_url = '{url}' WHERE id = 1",
            f"UPDATE jobs SET extra = '{form}' WHERE id = 1",
            f"""INSERT INTO quarantined_jobs (reason, payload, first_seen_at, last_seen_at, sync_run_id)
            SELECT '{url}', '{form}', started_at, started_at, id FROM sync_runs WHERE id = {run}""",
            f"""INSERT INTO field_changes (entity, entity_id, field, old_value, new_value, observed_at, sync_run_id)
            SELECT 'input_video', 1, 'external_url', '{url}', 'me@here', started_at, id FROM sync_runs
            WHERE id = {run}""",
        ):
            conn.exec_driver_sql(statement, execution_options={"no_parameters": True})
    migrate.upgrade(engine)
    assert migrate.differences(engine) == [], "the triggers are back"
    engine.dispose()
    assert "hush" not in repr(dump(lived))
    assert [file for file in tmp_path.glob("mirror.db*") if b"hush" in file.read_bytes()] == []
    assert query(lived, "SELECT external_url FROM input_videos WHERE id = 1") == [("https://host/a.mp4",)]
    assert query(lived, "SELECT extra FROM jobs WHERE id = 1") == [(bare,)]
    assert query(lived, "SELECT old_value, new_value FROM field_changes ORDER BY id DESC LIMIT 1") == [
        ("https://host/a.mp4", "me@here")
    ]
