"""The database's edge: what every session relies on, and which errors are worth another try."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from threading import Timer
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from tests.support.account import environ, mirror, settings
from tests.support.program import Program
from tpmirror.config import Database
from tpmirror.db.engine import connected, open_engine, read, reading, retry_transient, translated, write
from tpmirror.db.revision import current, newest
from tpmirror.errors import MirrorError, TransientDatabaseError, UsageError
from tpmirror.sync.verify import verify


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
            "jit": "off",
            "extra_float_digits": "1",
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
    with connected(mirror_url) as engine:
        assert write(engine, lambda conn: conn.execute(text("SHOW synchronous_commit")).scalar_one()) == session


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


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_numbers_are_read_whole_whatever_the_database_leaves_of_them(sim, world, mirror_url):
    with connected(mirror_url) as engine, engine.begin() as conn:
        name = conn.execute(text("SELECT current_database()")).scalar_one()
        conn.execute(text(f"ALTER DATABASE {name} SET extra_float_digits = -9"))
    world.edit(7, {"grain": 0.1234567890123456})
    for _ in range(2):
        assert mirror(sim, mirror_url)["field_changes"] == 0
    assert not verify(settings(sim, mirror_url)).needs_attention


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_does_not_hold_every_name_is_refused_with_the_remedy(postgres, sim, tmp_path, capsys, encoding):
    with psycopg.connect(host=str(postgres.home), user="postgres", dbname="postgres", autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {encoding} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    program = Program(tmp_path, environ(sim.url, sim.token, database_url=postgres.url(encoding.lower())))
    for words in (["db", "upgrade"], ["sync"], ["doctor"]):
        said = "".join(program.call(capsys, *words, code=1))
        assert encoding in said
        assert "ENCODING 'UTF8'" in said
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
        (psycopg.errors.IdleSessionTimeout, True),
        (psycopg.errors.ConnectionTimeout, True),
        (psycopg.OperationalError, True),  # of a connection that could not be made, or was lost
        (psycopg.errors.QueryCanceled, False),
        (psycopg.errors.DiskFull, False),
        (psycopg.errors.InsufficientPrivilege, False),
        (psycopg.errors.NotNullViolation, False),
    ],
)
def test_what_may_pass_is_tried_again_and_nothing_else(mirror_url, error, passes):
    with connected(mirror_url) as engine:
        assert isinstance(fails(engine, error("es ging schief")), TransientDatabaseError) == passes


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("said", "passes"),
    [
        ("server conn crashed?", True),
        ("server login has been failing, try again later (server_login_retry)", True),
        ("transaction blocks not allowed in statement pooling mode", False),
        ("unsupported startup parameter: options", False),
    ],
)
def test_what_a_pooler_says_with_one_code_for_all_is_told_apart(mirror_url, said, passes):
    with connected(mirror_url) as engine:
        failure = fails(engine, psycopg.errors.ProtocolViolation(said))
    assert isinstance(failure, TransientDatabaseError) == passes
    assert passes or "; " in str(failure)


def test_a_server_that_cannot_be_reached_is_a_fault_that_passes_and_has_a_remedy(postgres):
    beyond = "TPMIRROR_DATABASE_URL"
    for url, remedy in {
        "postgresql://me@127.0.0.1:1/none": f"check that the server runs and {beyond} names it",
        "postgresql://me@no.such.host.invalid/none": f"check the host in {beyond}",
        "postgresql://me@/none?host=/nowhere": "check that the server runs and has a connection left",
        postgres.url("none"): "and host, database, user and password of TPMIRROR_DATABASE_URL",
    }.items():
        with connected(url) as engine, pytest.raises(TransientDatabaseError) as caught, reading(engine):
            pass
        assert remedy in str(caught.value)


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_a_role_without_a_connection_left_in_mid_run_is_waited_for(sim, mirror_url):
    """With a real limit: the role's connections are ended, and for a second it gets no other one."""
    role = make_url(mirror_url).database
    with connected(mirror_url) as engine, engine.connect() as conn:
        admin = conn.execution_options(isolation_level="AUTOCOMMIT")

        def close(_request):
            if sim.count_requests() == 2:
                admin.execute(text(f"ALTER ROLE {role} CONNECTION LIMIT 0"))
                admin.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"))
                Timer(1, admin.execute, [text(f"ALTER ROLE {role} CONNECTION LIMIT -1")]).start()

        admin.execute(text(f"CREATE ROLE {role} LOGIN IN ROLE pg_read_all_data, pg_write_all_data"))
        sim.respond = close
        run = mirror(sim, mirror_url.replace("postgres@", f"{role}@"), concurrency=1)
        admin.execute(text(f"DROP ROLE {role}"))
    assert (run["outcome"], run["certified"], run["jobs_seen"]) == ("succeeded", True, 30)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_full_disk_of_a_server_has_a_remedy_in_every_language(mirror_url):
    with connected(mirror_url) as engine:
        said = str(fails(engine, psycopg.errors.DiskFull("konnte Datei nicht erweitern: kein Platz mehr")))
    assert "free some space where the server keeps its data" in said


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("file", "statement", "remedy"),
    [
        ("full.db", "PRAGMA max_page_count = 1; CREATE TABLE t (a); CREATE TABLE u (a)", "free some space"),
        ("file:read.db?mode=ro", "CREATE TABLE t (a)", "check the permissions of the file"),
        ("none/none.db", "SELECT 1", "check that the folder exists"),
        ("text.db", "CREATE TABLE t (a)", "a file that is something else"),
    ],
)
def test_what_sqlite_refuses_has_a_remedy(mirror_url, tmp_path, monkeypatch, file, statement, remedy):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "read.db").touch()
    (tmp_path / "text.db").write_text("a text that is no database, and long enough to be looked at" * 20)

    def use():
        with closing(sqlite3.connect(file, uri=True)) as driver:
            driver.executescript(statement)

    with connected(mirror_url) as engine, pytest.raises(MirrorError, match=remedy), translated(engine):
        use()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_sqlite_file_that_another_program_holds_is_tried_again(mirror_url):
    path = mirror_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as holder, closing(sqlite3.connect(path, timeout=0)) as second:
        holder.execute("BEGIN IMMEDIATE")
        refused = pytest.raises(TransientDatabaseError, match="holds a lock")
        with connected(mirror_url) as engine, refused, translated(engine):
            second.execute("BEGIN IMMEDIATE")


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
