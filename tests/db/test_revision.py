"""Whose revision a database states: ours, a newer program's, or that of another program altogether."""

import pytest
from sqlalchemy import text

from tests.support.program import Program
from tpmirror.db.engine import connected

COMMANDS = (
    ["status"], ["sync"], ["db", "upgrade"], ["db", "downgrade", "base", "--yes"], ["db", "current"], ["db", "check"],
)  # fmt: skip


def state(database_url: str, *revisions: str) -> None:
    """Put revisions into the table that Alembic keeps for whatever program."""
    with connected(database_url) as engine, engine.connect().execution_options(tpmirror_writes=True) as conn:
        conn.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) NOT NULL)"))
        conn.execute(text("DELETE FROM alembic_version"))
        for revision in revisions:
            conn.execute(text("INSERT INTO alembic_version VALUES (:it)"), {"it": revision})
        conn.commit()


@pytest.mark.parametrize("revision", ["ae1027a6acf", "0003", "9999"])
def test_another_programs_table_is_named_as_such_and_left_alone(revision, database_url, sim, tmp_path, capsys):
    """Also where the other program numbers its revisions as tpmirror does."""
    state(database_url, revision)
    variables = {"TPMIRROR_DATABASE_URL": database_url, "TPMIRROR_API_URL": sim.url, "TPMIRROR_API_KEY": sim.token}
    tool = Program(tmp_path, variables)
    for command in COMMANDS:
        said = tool.call(capsys, *command, code=1)[1]
        assert f"alembic_version holds '{revision}', which is no revision of tpmirror" in said
        assert "of its own" in said
        assert "newer" not in said
    with connected(database_url) as engine, engine.connect() as conn:
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [revision]


def test_a_second_revision_beside_ours_is_another_programs(mirror_url, tmp_path, capsys):
    with connected(mirror_url) as engine, engine.connect().execution_options(tpmirror_writes=True) as conn:
        conn.execute(text("INSERT INTO alembic_version VALUES ('ae1027a6acf')"))
        conn.commit()
    said = Program(tmp_path, {"TPMIRROR_DATABASE_URL": mirror_url}).call(capsys, "status", code=1)[1]
    assert "holds 'ae1027a6acf', which is no revision of tpmirror" in said


def test_a_newer_mirror_still_asks_for_the_newer_program(mirror_url, tmp_path, capsys):
    state(mirror_url, "9999")
    said = Program(tmp_path, {"TPMIRROR_DATABASE_URL": mirror_url}).call(capsys, "status", code=1)[1]
    assert "it is newer than the program; install the newer tpmirror" in said
