"""Triggers and views that somebody took away, switched off or replaced: both checks say so, an upgrade mends it."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from tests.support.account import connected, dump, query, rows
from tests.support.program import Program
from tpmirror.db import migrate, views
from tpmirror.db.dictionary import altered
from tpmirror.db.engine import connected as opened
from tpmirror.db.engine import reading
from tpmirror.db.guards import guards

REFUSE = "EXECUTE FUNCTION tpmirror_refuse_change()"
BODY = "CREATE OR REPLACE FUNCTION tpmirror_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
LET_IN = "CREATE TRIGGER job_status_history_no_update BEFORE UPDATE ON job_status_history"
OTHER = "CREATE VIEW status_transitions AS SELECT {} FROM job_status_history LIMIT 0"
ALTERATIONS: dict[str, dict[str, tuple[list[str], dict[str, str]]]] = {
    "sqlite": {
        "dropped": (
            ["DROP TRIGGER job_status_history_no_update", "DROP TRIGGER field_changes_no_replace"],
            {"job_status_history_no_update": "is gone", "field_changes_no_replace": "is gone"},
        ),
        "other body": (
            ["DROP TRIGGER job_status_history_no_update", f"{LET_IN} BEGIN SELECT 1; END"],
            {"job_status_history_no_update": "was replaced"},
        ),
        "never fires": (
            ["DROP TRIGGER job_status_history_no_update",
             f"{LET_IN} WHEN FALSE BEGIN SELECT RAISE(ABORT, 'job_status_history is append-only'); END"],
            {"job_status_history_no_update": "was replaced"},
        ),
        "on another table": (
            ["DROP TRIGGER field_changes_no_delete",
             "CREATE TRIGGER field_changes_no_delete BEFORE DELETE ON alerts BEGIN SELECT 1; END"],
            {"field_changes_no_delete": "is gone"},
        ),
    },
    "postgresql": {
        "dropped": (
            ["DROP TRIGGER job_status_history_no_change ON job_status_history",
             "DROP TRIGGER field_changes_no_truncate ON field_changes"],
            {"job_status_history_no_change": "is gone", "field_changes_no_truncate": "is gone"},
        ),
        "disabled": (
            ["ALTER TABLE field_changes DISABLE TRIGGER USER"],
            {"field_changes_no_change": "is disabled", "field_changes_no_truncate": "is disabled"},
        ),
        "not always": (
            ["ALTER TABLE job_status_history ENABLE TRIGGER job_status_history_no_change",
             "ALTER TABLE job_status_history ENABLE REPLICA TRIGGER job_status_history_no_truncate"],
            {"job_status_history_no_change": "can be switched off by a session",
             "job_status_history_no_truncate": "can be switched off by a session"},
        ),
        "function lets in": (
            [f"{BODY} $$ BEGIN RETURN NEW; END $$"],
            dict.fromkeys([guard.name for guard in guards("postgresql")], "was replaced"),
        ),
        "function gone": (
            ["DROP FUNCTION tpmirror_refuse_change() CASCADE"],
            dict.fromkeys([guard.name for guard in guards("postgresql")], "is gone"),
        ),
        "never fires": (
            ["DROP TRIGGER field_changes_no_change ON field_changes",
             f"CREATE TRIGGER field_changes_no_change BEFORE DELETE ON field_changes WHEN (FALSE) {REFUSE}",
             "ALTER TABLE field_changes ENABLE ALWAYS TRIGGER field_changes_no_change"],
            {"field_changes_no_change": "was replaced"},
        ),
        "on another table": (
            ["DROP TRIGGER field_changes_no_change ON field_changes",
             f"CREATE TRIGGER field_changes_no_change BEFORE DELETE OR UPDATE ON alerts FOR EACH ROW {REFUSE}"],
            {"field_changes_no_change": "is gone"},
        ),
    },
}  # fmt: skip
BOTH: dict[str, tuple[list[str], dict[str, str]]] = {
    "view dropped": (["DROP VIEW status_transitions"], {"status_transitions": "is gone"}),
    "view with other numbers": (
        ["DROP VIEW status_transitions", "{other}"],
        {"status_transitions": "was replaced"},
    ),
    "not recorded": (
        ["UPDATE data_dictionary SET definition = NULL WHERE table_name = 'daily_costs'",
         "DELETE FROM data_dictionary WHERE table_name = 'field_changes_no_{change}'"],
        {"daily_costs": "has no definition in the data dictionary",
         "field_changes_no_{change}": "has no definition in the data dictionary"},
    ),
}  # fmt: skip
CASES = [(dialect, case) for dialect in ALTERATIONS for case in (*ALTERATIONS[dialect], *BOTH)]


def case_of(dialect: str, name: str) -> tuple[list[str], dict[str, str]]:
    """The statements that alter a mirror, and what is found, by trigger or view."""
    if name in ALTERATIONS[dialect]:
        return ALTERATIONS[dialect][name]
    statements, found = BOTH[name]
    columns = ", ".join(f'NULL AS "{column.name}"' for column in views.view_columns("status_transitions"))
    known = {"other": OTHER.format(columns), "change": "delete" if dialect == "sqlite" else "change"}
    return [one.format(**known) for one in statements], {one.format(**known): what for one, what in found.items()}


def alter(url: str, statements: list[str]) -> None:
    with connected(url) as conn:
        for statement in statements:
            conn.exec_driver_sql(statement)
        conn.commit()


def found_in(url: str) -> list[str]:
    """What is found on a connection that may only read."""
    with opened(url) as engine, reading(engine) as conn:
        return [one.finding for one in altered(conn)]


@pytest.fixture
def tool(mirror_url, tmp_path) -> Program:
    return Program(tmp_path, {"TPMIRROR_DATABASE_URL": mirror_url})


@pytest.mark.parametrize(("dialect", "name"), CASES, ids=lambda value: str(value).replace(" ", "_"))
def test_what_was_altered_is_found_by_both_checks_and_mended_by_an_upgrade(dialect, name, mirror_url, tool, capsys):
    before, (statements, what) = dump(mirror_url), case_of(dialect, name)
    alter(mirror_url, statements)
    triggers = {guard.name for guard in guards(dialect)}
    kinds = {one: "trigger" if one in triggers else "view" for one in what}
    sentences = {f"the {kinds[one]} {one} {fault}: tpmirror db upgrade rebuilds it" for one, fault in what.items()}
    assert set(tool.call(capsys, "db", "check", code=3)[0].splitlines()) == sentences
    audited = json.loads(tool.call(capsys, "audit", "--json", code=3)[0])["findings"]
    assert {finding["finding"] for finding in audited} == sentences
    checks = {"trigger": "guard", "view": "view"}
    assert {finding["check"] for finding in audited} == {checks[kind] for kind in kinds.values()}
    assert {(finding["job_id"], finding["entry"]) for finding in audited} == {(None, None)}
    tool.call(capsys, "db", "upgrade")
    assert dump(mirror_url) == before
    assert healthy(tool, capsys)
    assert history_is_guarded(mirror_url)


def healthy(tool: Program, capsys: Any) -> bool:
    """Whether both checks are content."""
    checked = tool.call(capsys, "db", "check")[0]
    return (
        checked == "the database is as declared\n"
        and not json.loads(tool.call(capsys, "audit", "--json")[0])["findings"]
    )


def history_is_guarded(url: str) -> bool:
    """Whether a row that was added can be neither changed nor removed."""
    row = "('job', 1, 'x', '2026-11-01 00:00:00.000000+00:00')"
    alter(url, [f"INSERT INTO field_changes (entity, entity_id, field, observed_at) VALUES {row}"])
    for statement in ("UPDATE field_changes SET field = 'y'", "DELETE FROM field_changes"):
        with pytest.raises(DBAPIError, match="append-only"):
            alter(url, [statement])
    return bool(rows(url, "field_changes"))


@pytest.mark.parametrize("revision", ["0001", "0002"])
@pytest.mark.parametrize("way", ["up", "down and up"])
def test_a_mirror_of_an_older_revision_is_whole_once_it_is_upgraded(database_url, revision, way):
    with opened(database_url) as engine:
        if way == "up":
            migrate.upgrade(engine, revision)
        else:
            migrate.upgrade(engine)
            migrate.downgrade(engine, revision)
        migrate.upgrade(engine)
        assert migrate.differences(engine) == []
    assert history_is_guarded(database_url)


def test_triggers_that_are_gone_come_back_with_an_upgrade_from_an_older_revision(database_url, dialect):
    with opened(database_url) as engine:
        migrate.upgrade(engine, "0002")
        alter(database_url, ALTERATIONS[dialect]["dropped"][0])
        migrate.upgrade(engine)
        assert migrate.differences(engine) == []
    assert history_is_guarded(database_url)


def test_a_mirror_that_is_taken_down_to_nothing_and_made_again_is_whole(mirror_url, tool, capsys):
    tool.call(capsys, "db", "downgrade", "base", "--yes")
    tool.call(capsys, "db", "upgrade")
    assert healthy(tool, capsys)


def test_housekeeping_alters_nothing(mirror_url, dialect, tool, capsys):
    with opened(mirror_url) as engine, closing(engine.raw_connection()) as conn:
        driver: Any = conn.driver_connection
        if dialect == "postgresql":
            driver.autocommit = True
        for statement in {"sqlite": ["VACUUM", "ANALYZE", "REINDEX"], "postgresql": ["VACUUM FULL ANALYZE"]}[dialect]:
            driver.execute(statement)
    assert healthy(tool, capsys)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_file_restored_from_a_dump_is_whole(mirror_url, tmp_path):
    with sqlite3.connect(mirror_url.removeprefix("sqlite:///")) as old, sqlite3.connect(tmp_path / "new.db") as new:
        new.executescript("\n".join(old.iterdump()))
    old.close()
    new.close()
    assert found_in(f"sqlite:///{tmp_path / 'new.db'}") == []


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_views_restored_from_a_dump_are_whole(mirror_url):
    """A dump has them as PostgreSQL writes them out."""
    ours = views.sources("postgresql")
    written = {name: query(mirror_url, f"SELECT pg_get_viewdef('{name}'::regclass)")[0][0] for name in ours}
    with connected(mirror_url) as conn:
        for name, select in written.items():
            statement = f"CREATE OR REPLACE VIEW {name} AS {select}"
            conn.exec_driver_sql(statement, execution_options={"no_parameters": True})
        conn.commit()
    assert found_in(mirror_url) == []


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("setting", ["intervalstyle=iso_8601", "datestyle=German", "quote_all_identifiers=on"])
def test_how_a_session_writes_values_makes_no_difference(mirror_url, setting):
    assert found_in(f"{mirror_url}&options=-c%20{setting}") == []


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_mirror_in_a_schema_of_its_own_is_looked_at_there(mirror_url):
    """Another mirror in ``public``, whole or not, is nobody's business."""
    alter(mirror_url, ["CREATE SCHEMA other", *case_of("postgresql", "function lets in")[0]])
    other = f"{mirror_url}&options=-c%20search_path%3Dother"
    with opened(other) as engine:
        migrate.upgrade(engine)
        assert migrate.differences(engine) == []
        alter(other, ["ALTER TABLE field_changes DISABLE TRIGGER USER", "DROP VIEW status_transitions"])
        assert len(migrate.differences(engine)) == 3
    assert len(found_in(mirror_url)) == len(guards("postgresql"))
    with opened(other) as engine:
        migrate.upgrade(engine)
        assert migrate.differences(engine) == []
    alter(mirror_url, ["ALTER SCHEMA other RENAME TO moved", "CREATE SCHEMA mine"])
    assert found_in(mirror_url + "&options=-c%20search_path%3Dmine,moved") == []


def test_whoever_made_another_trigger_or_view_keeps_it(mirror_url, dialect, tool, capsys):
    trigger = {
        "sqlite": "CREATE TRIGGER mine AFTER INSERT ON jobs BEGIN SELECT 1; END",
        "postgresql": f"CREATE TRIGGER mine BEFORE TRUNCATE ON jobs {REFUSE}",
    }[dialect]
    alter(mirror_url, ["CREATE VIEW theirs AS SELECT id FROM jobs", trigger])
    assert healthy(tool, capsys)
    tool.call(capsys, "db", "upgrade")
    catalog = {"sqlite": "sqlite_master WHERE name", "postgresql": "pg_trigger WHERE tgname"}[dialect]
    assert query(mirror_url, f"SELECT 1 FROM {catalog} = 'mine'") == [(1,)]
    query(mirror_url, "SELECT id FROM theirs")


def test_a_table_that_is_gone_is_told_as_before(mirror_url, tool, capsys):
    """Without the data dictionary nothing says how triggers and views were defined."""
    alter(mirror_url, ["DROP TABLE data_dictionary"])
    (line,) = tool.call(capsys, "db", "check", code=3)[0].splitlines()
    assert "add_table" in line
    assert "data_dictionary" in line


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_an_upgrade_of_a_whole_mirror_waits_for_nobody_who_reads(mirror_url):
    with connected(mirror_url) as reader, opened(mirror_url) as engine:
        reader.exec_driver_sql("LOCK TABLE job_status_history, field_changes, daily_costs IN ACCESS SHARE MODE")
        migrate.upgrade(engine)
