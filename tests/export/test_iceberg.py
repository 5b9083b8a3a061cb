"""An export into Iceberg tables: the mirror's rows, only touched months replaced, whole tables at every moment."""

import json
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import Mock, create_autospec
from urllib.parse import urlsplit

import duckdb
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.types import LongType, StringType
from sqlalchemy import text

from tests.support.account import connected, mirror, query
from tests.support.mover import LEAVING, LIFE, Mover, drawn
from tests.support.objectstore import ObjectStore
from tests.support.program import Program
from tpmirror.db import schema
from tpmirror.db.engine import open_engine, write
from tpmirror.errors import LeaseHeld, UsageError
from tpmirror.export import datasets, destination, iceberg, snapshots
from tpmirror.export.writer import CHUNK
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import runs

TO = "iceberg:mirror@test"
NAMES = {one.name for one in datasets.relations()} - {"active_jobs", "sync_health"}


@pytest.fixture
def world():
    return World(4, 24, now=datetime(2026, 11, 20, tzinfo=UTC), days=40, in_flight=2, jobs_per_day=0)


@pytest.fixture
def lived(sim, lite_url):
    mirror(sim, lite_url)
    return lite_url


@pytest.fixture
def catalog(tmp_path, monkeypatch) -> Any:
    """A catalog in a file, found as the configuration would have it."""
    (tmp_path / "lake").mkdir()
    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": f"file://{tmp_path}/lake"}
    monkeypatch.setattr(iceberg, "load_catalog", lambda name: load_catalog(name, **properties))
    return load_catalog("test", **properties)


def run(url: str, progress: Any = lambda _name, _rows: None, **options: Any) -> Any:
    engine = open_engine(url)
    try:
        return destination.export(engine, TO, "parquet", progress, **options)
    finally:
        engine.dispose()


def changed(sim: Simulator, world: World, url: str) -> None:
    """Something of the first month is another, and the mirror knows."""
    world.edit(min(world.ids()), {"description": f"another of {len(sim.requests)}"})
    mirror(sim, url)


Rows = dict[str, Counter[Any]]


def in_mirror(url: str) -> Rows:
    """The rows that every table should have, its month with each."""
    engine = open_engine(url)
    found: Rows = {}
    with engine.connect() as conn:
        for one in datasets.relations():
            names = [column.name for column in one.columns]
            month = [one.partitioned_by] if one.partitioned_by else []
            found[one.name] = Counter(
                tuple(sorted(zip([*names, *month], [*row, key][: len(names) + len(month)], strict=True)))
                for key, rows in datasets.rows(conn, one, None, 1000)
                for row in rows
            )
    engine.dispose()
    return {name: found[name] for name in NAMES}


def in_lake(catalog: Any, tag: str | None = None, namespace: str = "mirror") -> Rows:
    """The rows of every table, now or as of a tag."""
    found: Rows = {}
    for name in NAMES:
        try:
            table = catalog.load_table(f"{namespace}.{name}")
        except NoSuchTableError:
            continue
        scan = table.scan() if tag is None else table.scan(snapshot_id=table.refs()[tag].snapshot_id)
        found[name] = Counter(tuple(sorted(row.items())) for row in scan.to_arrow().to_pylist())
    return found


def places(catalog: Any) -> dict[str, str]:
    """Where each table's metadata lies: another place for every commit."""
    return {name: catalog.load_table(f"mirror.{name}").metadata_location for name in NAMES}


def test_every_table_has_the_mirrors_rows_exact_and_with_their_meaning(lived, catalog):
    assert {name.split()[0] for name in run(lived, dry_run=True).written} <= NAMES
    assert catalog.list_namespaces() == []
    done = run(lived)
    assert in_lake(catalog) == in_mirror(lived)
    assert set(done.manifest["relations"]) == NAMES
    table = catalog.load_table("mirror.jobs")
    types = {one.name: str(one.field_type) for one in table.schema().fields}
    wanted = {
        "id": "long",
        "status": "int",
        "cost_usd": "decimal(10, 4)",
        "started": "timestamptz",
        "preview": "boolean",
    }
    assert wanted.items() <= types.items()
    assert {one.name: one.doc for one in table.schema().fields}["cost_usd"] == schema.jobs.c.cost_usd.comment
    assert table.properties["comment"] == schema.jobs.comment
    assert [one.name for one in table.spec().fields] == ["started_month"]
    jobs = table.scan(row_filter="started_month = '2026-10'").to_arrow()
    ((cost,),) = query(lived, "SELECT ROUND(SUM(cost_usd), 4) FROM jobs WHERE started < '2026-11'")
    assert sum(filter(None, jobs["cost_usd"].to_pylist())) == Decimal(str(cost))
    with duckdb.connect() as db:
        table.scan().to_duckdb("jobs", connection=db)
        ((total, kind),) = db.sql("SELECT SUM(cost_usd), typeof(SUM(cost_usd)) FROM jobs").fetchall()
        ((cost,),) = query(lived, "SELECT ROUND(SUM(cost_usd), 4) FROM jobs")
        assert (total, kind) == (Decimal(str(cost)), "DECIMAL(38,4)")
    assert all(catalog.load_table(f"mirror.{name}").refs().keys() == {"main", done.manifest["tag"]} for name in NAMES)


def test_again_only_touched_months_are_replaced_and_the_same_mark_commits_nothing(lived, sim, world, catalog):
    first = run(lived)
    before, there = in_lake(catalog), places(catalog)
    assert run(lived).written == []
    assert places(catalog) == there
    files = {task.file.file_path for task in catalog.load_table("mirror.jobs").scan().plan_files()}
    changed(sim, world, lived)
    foretold = run(lived, dry_run=True)
    assert places(catalog) == there
    done = run(lived)
    assert done.written == foretold.written
    assert "jobs 2026-10" in done.written
    assert not {"jobs 2026-11", "job_ml_models 2026-10", "ml_models -"} & set(done.written)
    assert in_lake(catalog) == in_mirror(lived)
    table = catalog.load_table("mirror.jobs")
    now = {task.file.file_path for task in table.scan().plan_files()}
    assert len(now - files) == len(files - now) == 1
    assert len(table.snapshots()) == 2, "the old state and the new one, nothing between"
    assert in_lake(catalog, first.manifest["tag"]) == before
    assert in_lake(catalog, done.manifest["tag"]) == in_lake(catalog)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_the_tables_are_as_new_ones(seed, lived, sim, world, catalog, tmp_path, monkeypatch):
    """Whole months, and months of which the table gave most rows: in each the same rows in the same order."""
    monkeypatch.setattr(iceberg, "PATCHED", 1)
    monkeypatch.setattr(iceberg, "IDS", 3)
    patched = create_autospec(iceberg._Target._patched, side_effect=iceberg._Target._patched)
    monkeypatch.setattr(iceberg._Target, "_patched", patched)
    move, happenings = Mover(world), drawn(Random(seed), [*LIFE, *LEAVING])
    run(lived)
    for start in range(0, len(happenings), 8):
        for verb, number in happenings[start : start + 8]:
            move(verb, number)
        mirror(sim, lived)
        kept = run(lived)
    assert in_lake(catalog) == in_mirror(lived)
    (tmp_path / "new").mkdir()
    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/new.db", "warehouse": f"file://{tmp_path}/new"}
    monkeypatch.setattr(iceberg, "load_catalog", lambda name: load_catalog(name, **properties))
    assert kept.manifest == run(lived).manifest
    names = {target.relation.name for target, months, *_ in (call.args for call in patched.call_args_list) if months}
    assert {"jobs", "job_status_history", "job_model_costs", "focus_costs", "output_videos", "videos"} <= names


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"], indirect=True)
def test_rows_of_which_few_are_touched_come_from_the_table(mirror_url, sim, world, catalog, monkeypatch):
    mirror(sim, mirror_url)
    run(mirror_url)
    changed(sim, world, mirror_url)
    flying = [row[0] for row in query(mirror_url, "SELECT id FROM jobs WHERE status IN (0, 1) ORDER BY id")]
    rows = Mock(wraps=datasets.rows)
    monkeypatch.setattr(datasets, "rows", rows)
    run(mirror_url)
    asked = [call.args[2:] for call in rows.call_args_list if call.args[1].name == "job_overview"]
    assert asked == [({"2026-10", "2026-11"}, CHUNK, [min(world.ids()), *flying])], "no month is read anew"
    assert in_lake(catalog) == in_mirror(mirror_url)


def test_videos_that_change_places_between_two_months_are_there_once(lived, catalog):
    """Each month has as many videos as before."""
    run(lived)
    change = """
    INSERT INTO field_changes (entity, entity_id, field, observed_at, sync_run_id)
    VALUES ('input_video', :id, 'created_at', :at, (SELECT MAX(id) FROM sync_runs))
    """
    with connected(lived) as conn:
        videos = conn.execute(text("SELECT id, created_at AS at FROM input_videos ORDER BY created_at")).all()
        for one, other in ((videos[0], videos[-1]), (videos[-1], videos[0])):
            assert one.at[:7] != other.at[:7]
            conn.execute(
                text("UPDATE input_videos SET created_at = :at WHERE id = :id"), {"id": one.id, "at": other.at}
            )
            conn.execute(text(change), {"id": one.id, "at": videos[-1].at})
        conn.commit()
    run(lived)
    assert in_lake(catalog) == in_mirror(lived)


def test_what_a_retention_removed_leaves_the_lake(lived, sim, catalog):
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    engine = open_engine(lived)
    old = write(engine, lambda conn: runs.start(conn, "poll", begin, begin))
    write(engine, lambda conn: runs.update(conn, old, {"outcome": "succeeded", "finished_at": begin}))
    assert "sync_runs 2026-01" in run(lived).written
    write(engine, lambda conn: conn.execute(schema.sync_runs.delete().where(schema.sync_runs.c.id == old)))
    engine.dispose()
    mirror(sim, lived)
    assert "sync_runs 2026-01" in run(lived).written
    assert in_lake(catalog) == in_mirror(lived)


def test_a_table_with_other_columns_is_brought_to_those_of_this_version(lived, catalog):
    run(lived)
    table = catalog.load_table("mirror.jobs")
    with table.update_schema(allow_incompatible_changes=True) as columns:
        columns.delete_column("description")
        columns.delete_column("cost_usd")
    with table.update_schema() as columns:
        columns.add_column("of_an_older_version", LongType())
        columns.add_column("cost_usd", StringType())
    with connected(lived) as conn:  # an upgrade has another mark
        conn.execute(text("UPDATE ml_tasks SET name = 'another' WHERE code = 1"))
        conn.commit()
    assert {"jobs 2026-10", "jobs 2026-11"} <= set(run(lived).written)
    assert in_lake(catalog) == in_mirror(lived)


def test_rows_that_somebody_else_wrote_or_took_back_are_replaced(lived, sim, world, catalog):
    run(lived)
    changed(sim, world, lived)
    run(lived)
    jobs, history = (catalog.load_table(f"mirror.{name}") for name in ("jobs", "job_status_history"))
    jobs.manage_snapshots().rollback_to_snapshot(jobs.snapshots()[0].snapshot_id).commit()
    history.append(history.scan().to_arrow())
    changed(sim, world, lived)
    done = run(lived)
    assert {"jobs 2026-11", "job_status_history 2026-11"} <= set(done.written)
    assert in_lake(catalog) == in_mirror(lived)


@pytest.mark.parametrize("begun", [False, True])
def test_of_two_exports_at_once_none_overwrites_the_others(begun, lived, sim, world, catalog):
    if begun:
        run(lived)
        changed(sim, world, lived)
    others: list[Any] = []

    def overtake(name: str, _rows: int) -> None:
        if not others and name == "jobs":
            changed(sim, world, lived)
            others.append(run(lived))

    with pytest.raises(LeaseHeld, match="another export wrote there"):
        run(lived, overtake)
    assert in_lake(catalog)["jobs"] == in_mirror(lived)["jobs"]
    run(lived)
    assert in_lake(catalog) == in_mirror(lived)


def test_an_export_that_was_killed_between_two_tables_is_mended_table_by_table(lived, sim, world, catalog):
    class Killed(BaseException):
        pass

    def die(name: str, _rows: int) -> None:
        if name == "jobs":
            raise Killed

    with pytest.raises(Killed):
        run(lived, die)
    assert 0 < len(in_lake(catalog)) < len(NAMES)
    first = run(lived)
    before = in_lake(catalog)
    changed(sim, world, lived)
    with pytest.raises(Killed):
        run(lived, die)
    world.delete(world.ids()[3])
    changed(sim, world, lived)
    assert in_lake(catalog)["jobs"] == before["jobs"]
    assert in_lake(catalog, first.manifest["tag"]) == before
    run(lived)
    assert in_lake(catalog) == in_mirror(lived)


def test_old_snapshots_go_with_all_their_files(lived, sim, world, catalog, tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "KEPT", 1)
    for _ in range(3):
        done = run(lived)
        changed(sim, world, lived)
    table = catalog.load_table("mirror.jobs")
    assert table.refs().keys() == {"main", done.manifest["tag"]}
    assert len(table.snapshots()) == 1
    for name in NAMES:
        table = catalog.load_table(f"mirror.{name}")
        reached = {task.file.file_path for task in table.scan().plan_files()}
        for one in table.snapshots():
            reached |= {one.manifest_list, *(manifest.manifest_path for manifest in one.manifests(table.io))}
        there = {f"file://{path}" for path in Path(urlsplit(table.location()).path).rglob("*.*") if path.is_file()}
        assert {path for path in there if not path.endswith(".metadata.json")} == reached, name


def test_what_cannot_be_continued_is_refused(lived, catalog):
    catalog.create_namespace("mirror")
    catalog.create_table("mirror.jobs", iceberg._schema(iceberg._arrow(datasets.relations()[0])))
    with pytest.raises(UsageError, match=r"the table mirror\.jobs is not of tpmirror; give another namespace"):
        run(lived)
    catalog.drop_table("mirror.jobs")
    run(lived, public=True)
    assert not re.search(r"\w@\w", str(in_lake(catalog)))
    with pytest.raises(UsageError, match="holds an export without personal data"):
        run(lived)
    for to in ("iceberg:", "iceberg:mirror", "iceberg:mirror@", "iceberg:a b@test"):
        with pytest.raises(UsageError, match="names no tables; give iceberg:NAMESPACE@CATALOG"):
            destination.export(open_engine(lived), to, "parquet", lambda *_: None)
    with pytest.raises(UsageError, match="Iceberg tables hold Parquet, not csv"):
        destination.export(open_engine(lived), TO, "csv", lambda *_: None)


def test_the_command_lists_what_it_would_write_and_what_it_wrote(lived, tmp_path, capsys, catalog):
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": lived})
    said, _ = program.call(capsys, "export", TO, "--dry-run")
    assert re.search(r"^would write jobs: 2026-10, 2026-11$", said, re.MULTILINE)
    said, _ = program.call(capsys, "export", TO)
    assert re.search(rf"^{TO} holds [\d,]+ rows in {len(NAMES)} tables, tag run-1-", said)
    assert re.search(r"^written jobs: 2026-10, 2026-11$", said, re.MULTILINE)
    said, _ = program.call(capsys, "export", TO, "--json")
    assert json.loads(said)["relations"]["jobs"]["rows"] == 24
    _, complained = program.call(capsys, "export", str(tmp_path / "out"), "--dry-run", code=2)
    assert "--dry-run is for Iceberg tables" in complained


# A real catalog and store


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with ObjectStore() as started:
        yield started


@pytest.fixture
def rest(server) -> dict[str, str]:
    return server.catalog_properties


@pytest.fixture
def program(lived, server, tmp_path):
    return Program(tmp_path, {"TPMIRROR_DATABASE_URL": lived, **server.catalog_variables("TEST")})


@pytest.mark.exhaustive
def test_killed_at_random_moments_every_table_is_whole_and_the_next_export_mends(program, rest, lived, sim, world):
    kill_exports(program, load_catalog("test", **rest), "killed", (sim, world, lived), 3)


def kill_exports(
    program: Program, catalog: Any, namespace: str, account: tuple[Simulator, World, str], times: int
) -> Counter[str]:
    """Kill so many exports at random moments; how many tables held the old and the new state then."""
    sim, world, url = account
    to, rng, seen, killed = f"iceberg:{namespace}@test", Random(5), Counter[str](), 0
    begin = time.monotonic()
    program.run("export", to)
    length = time.monotonic() - begin
    before = in_lake(catalog, namespace=namespace)
    while killed < times:
        world.correct_cost(min(world.ids()), Decimal(rng.randrange(1, 10**6)) / 10_000)
        changed(sim, world, url)
        process = program.start("export", to)
        time.sleep(length * rng.uniform(0.3, 1.0))
        process.kill()
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        between, begin = in_lake(catalog, namespace=namespace), time.monotonic()
        program.run("export", to)
        length = time.monotonic() - begin
        after = in_lake(catalog, namespace=namespace)
        assert after == in_mirror(url)
        for name in NAMES:
            assert between[name] in (before[name], after[name]), name
            seen["same" if before[name] == after[name] else "old" if between[name] == before[name] else "new"] += 1
        before = after
    return seen


@pytest.mark.exhaustive
def test_a_catalog_that_does_not_answer_is_named_in_one_line(program, lite_url):
    complained = program.refuse("export", TO, code=1, PYICEBERG_CATALOG__TEST__URI="http://127.0.0.1:1")
    assert complained.startswith(f"error: cannot export to '{TO}': ConnectionError; see that the catalog")
    complained = program.refuse("export", "iceberg:mirror@unknown", code=2)
    assert "'iceberg:mirror@unknown' names no catalog that can be used" in complained
