"""The database's edge: what every session relies on, and which errors are worth another try."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from tests.support.account import environ, mirror
from tests.support.program import Program
from tpmirror.config import Database
from tpmirror.db.engine import connected, open_engine, read, retry_transient, translated
from tpmirror.db.revision import current, newest
from tpmirror.errors import MirrorError, TransientDatabaseError, UsageError


def fails(engine, error):
    """What becomes of a driver's error."""
    with pytest.raises(MirrorError) as caught, translated(engine):
        raise OperationalError("SELECT 1", {}, error)
    return caught.value


def test_a_session_waits_for_nothing_for_ever_and_its_commits_last(mirror_url, dialect):
    known: dict[str, dict[str, Any]] = {
        "postgresql": {
            "statement_timeout": "30s",
            "lock_timeout": "5s",
            "idle_in_transaction_session_timeout": "1min",
            "TimeZone": "UTC",
            "DateStyle": "ISO, MDY",
            "client_encoding": "UTF8",
            "application_name": "tpmirror",
        },
        "sqlite": {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000},
    }
    wanted = known[dialect]
    ask = {"postgresql": "SHOW {}", "sqlite": "PRAGMA {}"}[dialect]
    with connected(mirror_url) as engine, engine.connect() as conn:
        told = {name: conn.execute(text(ask.format(name))).scalar_one() for name in wanted}
    assert told == wanted


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize(("server", "session"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")])
def test_a_commit_lasts_whatever_the_server_takes_for_enough(mirror_url, server, session):
    with connected(mirror_url) as engine, engine.begin() as conn:
        name = conn.execute(text("SELECT current_database()")).scalar_one()
        conn.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = {server}"))
    with connected(mirror_url) as engine, engine.connect() as conn:
        assert conn.execute(text("SHOW synchronous_commit")).scalar_one() == session


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_session_is_left_as_it_was_and_keeps_no_statement(mirror_url):
    """Behind a pooler in transaction mode the next transaction on it is another client's."""
    with connected(mirror_url) as engine:
        for _ in range(20):
            read(engine, lambda conn: conn.execute(text("SELECT :n"), {"n": 7}).all())
        with engine.connect() as conn:
            driver: Any = conn.connection.dbapi_connection
            driver.rollback()
            told = [driver.execute(f"SHOW {name}").fetchone()[0] for name in ("statement_timeout", "lock_timeout")]
            kept = driver.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert (told, kept) == (["0", "0"], (0,))


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("style", ["German", "SQL, DMY", "Postgres"])
def test_times_are_read_whatever_the_style_of_the_database(sim, mirror_url, style):
    with connected(mirror_url) as engine, engine.begin() as conn:
        name = conn.execute(text("SELECT current_database()")).scalar_one()
        conn.execute(text(f"ALTER DATABASE {name} SET datestyle = '{style}'"))
        conn.execute(text(f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'"))
    for _ in range(2):
        assert mirror(sim, mirror_url)["certified"]


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_does_not_hold_every_name_is_refused_with_the_remedy(postgres, sim, tmp_path, capsys, encoding):
    with psycopg.connect(host=str(postgres.home), user="postgres", dbname="postgres", autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {encoding} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    program = Program(tmp_path, environ(sim.url, sim.token, database_url=postgres.url(encoding.lower())))
    for words in (["db", "upgrade"], ["sync"]):
        _, complained = program.call(capsys, *words, code=1)
        assert encoding in complained
        assert "ENCODING 'UTF8'" in complained
    postgres.drop(encoding.lower())


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_peer_that_is_dead_is_noticed(mirror_url):
    with connected(mirror_url) as engine, engine.connect() as conn:
        driver: Any = conn.connection.dbapi_connection
        told = driver.info.get_parameters()
    assert {name: told[name] for name in ("keepalives_idle", "keepalives_interval", "keepalives_count")} == {
        "keepalives_idle": "15", "keepalives_interval": "5", "keepalives_count": "3",
    }  # fmt: skip
    assert (told["tcp_user_timeout"], told["connect_timeout"]) == ("20000", "10")


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (psycopg.errors.SerializationFailure, True),
        (psycopg.errors.DeadlockDetected, True),
        (psycopg.errors.LockNotAvailable, True),
        (psycopg.errors.TooManyConnections, True),
        (psycopg.errors.AdminShutdown, True),
        (psycopg.errors.CrashShutdown, True),
        (psycopg.errors.CannotConnectNow, True),
        (psycopg.errors.ConnectionFailure, True),
        (psycopg.errors.IdleInTransactionSessionTimeout, True),
        (psycopg.errors.QueryCanceled, False),
        (psycopg.errors.DiskFull, False),
        (psycopg.errors.InsufficientPrivilege, False),
        (psycopg.errors.NotNullViolation, False),
    ],
)
def test_what_may_pass_is_tried_again_and_nothing_else(mirror_url, error, passes):
    with connected(mirror_url) as engine:
        assert isinstance(fails(engine, error("it went wrong")), TransientDatabaseError) == passes


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_full_disk_has_a_remedy_wherever_it_is(mirror_url):
    with connected(mirror_url) as engine:
        for error in (
            psycopg.errors.DiskFull('could not extend file "base/1/2": No space left on device'),
            psycopg.OperationalError("database or disk is full"),
        ):
            assert "free some space" in str(fails(engine, error))


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_an_interrupt_is_one_also_where_the_connection_does_not_survive_it(mirror_url):
    def leave(engine):
        try:
            raise KeyboardInterrupt
        finally:
            with engine.connect():
                raise OperationalError("ROLLBACK", {}, psycopg.ProgrammingError("can't change 'autocommit' now"))

    with connected(mirror_url) as engine, pytest.raises(KeyboardInterrupt), translated(engine):
        leave(engine)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_an_interrupt_before_hides_no_error_of_what_is_done_because_of_it(mirror_url):
    def close(engine):
        try:
            raise KeyboardInterrupt
        finally:
            with translated(engine):
                raise OperationalError("UPDATE", {}, psycopg.errors.AdminShutdown("terminating connection"))

    with connected(mirror_url) as engine, pytest.raises(TransientDatabaseError):
        close(engine)


def test_patience_ends():
    tried = []

    def work():
        tried.append(1)
        raise TransientDatabaseError("server closed the connection")

    with pytest.raises(TransientDatabaseError):
        retry_transient(work, 1)
    assert len(tried) > 1


def test_the_schema_holds_for_each_transaction_and_for_none_after_it(postgres, migrated_postgres):
    """As the other settings: behind a pooler the next transaction on the session is another client's."""
    database = Database(postgres.url("migrated"), 'Of "Team"')
    with connected(database) as engine:
        for _ in range(2):
            assert read(engine, lambda conn: conn.execute(text("SHOW search_path")).scalar()) == '"Of ""Team"""'
        with engine.connect() as conn:
            driver: Any = conn.connection.dbapi_connection
            assert driver.execute("SHOW search_path").fetchone() == ('"$user", public',)
        assert current(engine) is None, "the mirror in public was taken for that of a schema that is not there"


def test_what_does_not_go_together_is_refused(tmp_path):
    file = tmp_path / "password"
    file.write_text("secret")
    for database, said in (
        (Database("sqlite:///x.db", schema="x"), "SCHEMA is set, .* SQLite, which has no schemas"),
        (Database("sqlite:///x.db", password_file=file), "PASSWORD_FILE is set, .* SQLite, which has no passwords"),
        (Database("postgresql://u:secret@h/d", password_file=file), "keep one of them"),
        (Database("postgresql://u@h/d?password=secret", password_file=file), "keep one of them"),
        (Database("postgresql://u@h/d", password_file=tmp_path / "none"), "none'.* cannot be read: No such file"),
    ):
        with pytest.raises(UsageError, match=said) as refused:
            open_engine(database)
        assert "secret" not in str(refused.value)


@pytest.fixture
def guarded(postgres, migrated_postgres, tmp_path) -> Iterator[Database]:
    """A mirror whose role has to give a password, which is in a file."""
    rules = postgres.home / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"local all guarded scram-sha-256\n{before}")
    with psycopg.connect(postgres.url("postgres").replace("+psycopg", ""), autocommit=True) as conn:
        conn.execute("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'first one'")
        conn.execute("SELECT pg_reload_conf()")
        (tmp_path / "password").write_text("first one\n")
        yield Database(postgres.url("migrated", "guarded"), password_file=tmp_path / "password")
        conn.execute("DROP ROLE guarded")
        rules.write_text(before)
        conn.execute("SELECT pg_reload_conf()")


def test_the_password_is_read_anew_for_each_connection(guarded, tmp_path, capsys):
    with connected(guarded) as engine:
        assert current(engine) == newest()
        with engine.begin() as conn:
            conn.execute(text("ALTER ROLE guarded PASSWORD 'second'"))
        engine.dispose()
        with pytest.raises(MirrorError, match="password authentication failed") as refused:
            current(engine)
        assert "first one" not in str(refused.value)
        (tmp_path / "password").write_text("second\r\n")
        assert current(engine) == newest()
    variables = {"TPMIRROR_DATABASE_URL": guarded.url, "TPMIRROR_DATABASE_PASSWORD_FILE": str(guarded.password_file)}
    tool = Program(tmp_path, variables)
    (tmp_path / "password").chmod(0o644)
    said, warned = tool.call(capsys, "db", "current")
    assert "is at revision" in said
    assert "every user of this machine may read TPMIRROR_DATABASE_PASSWORD_FILE" in warned
    assert "second" not in said + warned
    (tmp_path / "password").chmod(0o600)
    assert tool.call(capsys, "db", "current")[1] == ""
