"""Real databases for every test that wants one, SQLite and PostgreSQL alike, and the proof that both were used."""

import gc
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support import browser as chromium
from tests.support import memory
from tests.support.postgres import Postgres, locate

MIGRATED = "migrated"
OWN_SETTINGS = ("TPMIRROR_", "TENSORPIX_", "PG")
KEPT_SETTINGS = "TPMIRROR_TEST_"

tempfile.tempdir = os.environ.setdefault("TMPDIR", memory.folder())  # of the tests and of every process they start

_names = (f"test_{number}" for number in count(1))


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Nobody's key, mirror or server is used because a variable of theirs was set while the tests ran."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(OWN_SETTINGS) and not name.startswith(KEPT_SETTINGS):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all tests; each test has its own database in it."""
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on: both, one after the other."""
    return str(request.param)


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh and empty database."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        yield from _database(request.getfixturevalue("postgres"))


@pytest.fixture
def mirror_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh database with all tables and no rows: copied from one that was migrated once, for speed."""
    if dialect == "sqlite":
        mirror = shutil.copyfile(request.getfixturevalue("migrated_file"), tmp_path / "mirror.db")
        yield f"sqlite:///{mirror}"
    else:
        yield from _database(request.getfixturevalue("migrated_postgres"), MIGRATED)


@pytest.fixture
def lite_url(migrated_file: Path, tmp_path: Path) -> str:
    """A SQLite mirror without rows, for what does not depend on the database."""
    return f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'lite.db')}"


@pytest.fixture
def world() -> Any:
    """A small account that moves only when a test moves it."""
    from tpmirror.simulator.world import World

    return World(seed=5, jobs=30, in_flight=3, jobs_per_day=0)


@pytest.fixture
def sim(world: Any) -> Iterator[Any]:
    """The API over ``world``, in pages of ten."""
    from tests.support.account import KEY
    from tpmirror.simulator.server import Simulator

    with Simulator(world, token=KEY, page_cap=10) as simulator:
        yield simulator


@pytest.fixture
def mirrored(sim: Any, mirror_url: str) -> str:
    """A mirror that has seen the account of ``sim`` once."""
    from tests.support.account import mirror

    assert mirror(sim, mirror_url)["outcome"] == "succeeded"
    return mirror_url


@pytest.fixture
def program(sim: Any, mirror_url: str, tmp_path: Path) -> Any:
    """The program on a mirror of ``sim``; it soon gives up."""
    from tests.support.account import environ
    from tests.support.program import Program

    quick = {"max_attempts": 2, "retry_base": 0.001}
    return Program(tmp_path, environ(sim.url, sim.token, database_url=mirror_url, **quick))


@pytest.fixture
def tpmirror(program: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    """The command line in this process: what it says on stdout and stderr."""
    return lambda *words, code=0: program.call(capsys, *map(str, words), code=code)


@pytest.fixture
def engine(mirror_url: str) -> Iterator[Any]:
    """An engine of ``mirror_url``, disposed of afterwards."""
    from tpmirror.db.engine import connected

    with connected(mirror_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SQLite file that ``mirror_url`` copies."""
    path = tmp_path_factory.mktemp("template") / "mirror.db"
    _migrate(f"sqlite:///{path}")
    beside = [other.name for other in path.parent.iterdir() if other != path]
    assert not beside, f"the migrated file alone is not the whole database: {beside}"
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Postgres:
    """The server, with the database that ``mirror_url`` copies."""
    postgres.create(MIGRATED)
    _migrate(postgres.url(MIGRATED))
    return postgres


@pytest.fixture(scope="session")
def lived_mirror(
    tmp_path_factory: pytest.TempPathFactory, migrated_file: Path, migrated_postgres: Postgres
) -> Iterator[dict[str, str]]:
    """The same lived-in mirror on both databases, URLs by dialect. For reading only."""
    from tests.support import lived

    path = shutil.copyfile(migrated_file, tmp_path_factory.mktemp("lived") / "mirror.db")
    migrated_postgres.create("lived", MIGRATED)
    urls = {"sqlite": f"sqlite:///{path}", "postgresql": migrated_postgres.url("lived")}
    first = lived.live(urls["sqlite"])
    (path.parent / "charges.json").write_text(json.dumps({job: str(cost) for job, cost in first.items()}))
    lived.copy(urls["sqlite"], urls["postgresql"])
    yield urls
    migrated_postgres.drop("lived")


def _database(server: Postgres, template: str | None = None) -> Iterator[str]:
    name = next(_names)
    server.create(name, template)
    try:
        yield server.url(name)
    finally:
        server.drop(name)


def _migrate(url: str) -> None:
    # Imported here: a package that cannot be imported must fail the tests that need it, not all of them.
    from tpmirror.db import migrate
    from tpmirror.db.engine import open_engine

    engine = open_engine(url)
    try:
        migrate.upgrade(engine)
    finally:
        engine.dispose()


class DatabaseTally:
    """Counts tests per database; a test on PostgreSQL that was skipped fails the session, whatever its reason."""

    def __init__(self) -> None:
        self.ran: Counter[str] = Counter()
        self.skipped: list[str] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note on the test itself where it runs: its reports carry the note along."""
        if database := _database_of(item):
            item.user_properties.append(("database", database))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what ran; a test that is expected to fail reports as skipped, but did run."""
        database = dict(report.user_properties).get("database")
        if report.skipped and not hasattr(report, "wasxfail"):
            if database == "postgresql":
                self.skipped.append(report.nodeid)
        elif database and report.when == "call":
            self.ran[str(database)] += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Half of the tests missing is no success."""
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say on which databases the tests ran, also in a quiet run, which has no header."""
        for name in self.skipped:
            terminalreporter.write_line(f"ERROR: a test on PostgreSQL was skipped: {name}", red=True)
        if self.ran["postgresql"]:
            terminalreporter.write_line(_server())
        if chromium.locate() is None:
            terminalreporter.write_line("NO BROWSER: the tests of the dashboard did not run", red=True)
        terminalreporter.write_line(f"database tests: sqlite {self.ran['sqlite']}, postgresql {self.ran['postgresql']}")


def _database_of(item: pytest.Item) -> str | None:
    """The database a test runs on; the server itself, without a parameter, is PostgreSQL too."""
    if isinstance(item, pytest.Function) and hasattr(item, "callspec") and "dialect" in item.callspec.params:
        return str(item.callspec.params["dialect"])
    return "postgresql" if "postgres" in getattr(item, "fixturenames", ()) else None


def _server() -> str:
    try:
        return str(locate())
    except RuntimeError as error:
        return str(error)


REPEATED = ("db", "store", "reports")
"""Rooms whose tests touch SQL themselves: they run on both databases in every run."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as exhaustive what a test of a higher room repeats on PostgreSQL after SQLite."""
    on_sqlite = {_without_dialect(item) for item in items if _database_of(item) == "sqlite"}
    for item in items:
        room = item.path.parent.name
        if room not in REPEATED and _database_of(item) == "postgresql" and _without_dialect(item) in on_sqlite:
            item.add_marker(pytest.mark.exhaustive)


def _without_dialect(item: pytest.Item) -> tuple[str, ...]:
    """What a test and its repeat on the other database have in common."""
    callspec = getattr(item, "callspec", None)
    ids = [] if callspec is None else [part for part in callspec.id.split("-") if part not in {"sqlite", "postgresql"}]
    return (str(item.path), getattr(item, "originalname", item.name), *ids)


def pytest_configure(config: pytest.Config) -> None:
    """Count from the first collected test on."""
    config.pluginmanager.register(DatabaseTally())


def pytest_collection_finish() -> None:
    """What is imported by now stays: a collector that looks at all of it again and again takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def pytest_report_header() -> str:
    """Which PostgreSQL the tests will use, or how to get one."""
    return _server()
