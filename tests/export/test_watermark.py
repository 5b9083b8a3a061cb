"""Whatever a table holds otherwise than before, the months that show it are exported again."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, Connection, Engine, Integer, SmallInteger, Table, func, select, text

from tests.support.account import mirror
from tpmirror.db import bulk, labels, schema, views
from tpmirror.db.engine import open_engine, reading, write
from tpmirror.db.types import Double, Exact, Row, Timestamp
from tpmirror.export import datasets, watermark
from tpmirror.export.watermark import Touched
from tpmirror.export.writer import MANIFEST, Outcome, export
from tpmirror.simulator.world import World
from tpmirror.store import jobs, runs
from tpmirror.store.changes import Changeset, LastChange, StoredState
from tpmirror.store.presence import PresenceResult, write_presence
from tpmirror.store.retention import delete_old, old_samples
from tpmirror.sync.diff import Differ

NOW = datetime(2027, 1, 10, tzinfo=UTC)
"""Later than all that the mirror holds, in a month of its own."""
RELATIONS = {one.name: one for one in datasets.relations()}
TABLES = {name: one for name, one in RELATIONS.items() if one.kind == "table"}
STATED = {"jobs": "job", "input_videos": "input_video", "output_videos": "output_video", "ml_models": "ml_model"}
"""Tables of what the API states, with their names in ``field_changes``."""
CONSTANT = {
    **{name: {"id", "first_seen_at", "changed_at"} for name in STATED},  # changed_at changes with any other column
    "job_ml_models": {"job_id", "position"},
    "job_progress_samples": {"job_id", "observed_at"},
    "job_status_history": set(schema.job_status_history.c.keys()),
    "field_changes": set(schema.field_changes.c.keys()),
    "sync_runs": {"id"},
    "quarantined_jobs": {"id"},
    "data_dictionary": {"table_name", "column_name"},
    "credit_prices": {"month"},
    "event_cursors": {"sink"},
    "event_deliveries_dead": {"sink", "entry"},
    **{name: {"code"} for name in labels.SEEDS},
}
"""Columns that nobody changes in a row that is there; a row that comes or goes has a test of its own."""


@pytest.fixture
def world() -> World:
    """Jobs of two months; those in flight are of the second."""
    return World(4, 24, now=datetime(2026, 11, 20, tzinfo=UTC), days=40, in_flight=2, jobs_per_day=0)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder of an export; the mirror may lie beside it."""
    return tmp_path / "out"


@pytest.fixture
def held(mirrored: str) -> Iterator[Engine]:
    """A mirror with something in every table that is exported."""
    engine = open_engine(mirrored)
    write(engine, _fill)
    yield engine
    engine.dispose()


def _fill(conn: Connection) -> None:
    job_id, run_id = ended(conn), runs.start(conn, "full", NOW, NOW)
    entry = {"job_id": job_id, "reason": "some", "payload": "{}", "first_seen_at": NOW, "last_seen_at": NOW}
    changes = Changeset(samples=[sample(job_id, 0), sample(job_id, 1)])
    changes.quarantine.append({**entry, "sync_run_id": run_id, "resolved_at": None})
    jobs.apply(conn, changes)
    bulk.upsert(conn, schema.credit_prices, [{"month": "2026-11", "price": Decimal("0.1"), "currency": "EUR"}])
    bulk.upsert(conn, schema.event_cursors, [{"sink": "crm", "entry": 5, "attempts": 0}])
    given_up = {"sink": "crm", "entry": 4, "failed_at": NOW, "last_error": "HTTP 500", "redelivered_at": None}
    bulk.upsert(conn, schema.event_deliveries_dead, [given_up])


def ended(conn: Connection) -> int:
    """A job that is over, of the first month."""
    found: int = conn.execute(select(func.min(schema.jobs.c.id)).where(schema.jobs.c.status == 2)).scalar_one()
    return found


def sample(job_id: int, minute: int) -> Row:
    at = NOW + timedelta(minutes=minute)
    return {"job_id": job_id, "observed_at": at, "processing_progress": 0.5, "eta_s": 60.0}


Part = tuple[str, str | None]
"""A relation and a month."""
WHOLE: set[Part] = {("everything", None)}
"""Stands for everything being written anew."""


class Exported:
    """A mirror as an export has read it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.rows, self.mark = write(engine, self._read)

    def _read(self, conn: Connection) -> tuple[dict[Part, list[Any]], dict[str, Any]]:
        """The rows of every partitioned relation by its name and month; the mark, as the manifest gives it back."""
        found: dict[Part, list[Any]] = {}
        for relation in datasets.relations():
            if relation.partitioned_by:
                for month, rows in datasets.rows(conn, relation, None, 1000):
                    found.setdefault((relation.name, month), []).extend(map(tuple, rows))
        return found, json.loads(json.dumps(watermark.take(conn)))

    def stale_after(self, change: Callable[[Connection], object]) -> set[Part]:
        """Relations and months of which the next export would keep the file, though a change has made it another."""
        write(self.engine, change)
        return write(self.engine, self.stale)

    def stale(self, conn: Connection) -> set[Part]:
        before, old = self.rows, self.mark
        self.rows, self.mark = self._read(conn)
        assert self.mark != old, "the export would not even begin"
        if not watermark.continues(conn, old, self.mark):
            return WHOLE
        counts: dict[str, dict[str | None, int]] = {name: {} for name in TABLES}
        for (name, month), rows in before.items():
            counts.setdefault(name, {})[month] = len(rows)
        touched = watermark.touched(conn, old, self.mark, counts)
        changed = {key for key in before.keys() | self.rows.keys() if before.get(key) != self.rows.get(key)}
        # A relation that is not named is exported whole.
        return {
            (name, month)
            for name, month in changed
            if name in touched and self._is_missed(name, month, touched[name], before)
        }

    def _is_missed(self, name: str, month: str | None, touched: Touched, before: dict[Part, list[Any]]) -> bool:
        """Whether other rows than those of the touched months, jobs and videos have changed."""
        if month not in touched.months or month in touched.whole:
            return month not in touched.months
        relation, ids = RELATIONS[name], touched.ids
        at = [column.name for column in relation.columns].index(str(relation.key))
        there = [[row for row in rows.get((name, month), []) if row[at] not in ids] for rows in (before, self.rows)]
        return there[0] != there[1]


def other(conn: Connection, column: Column[Any], value: Any) -> Any:
    """Another value than this one that the column can hold; valid JSON if it is a text."""
    if column.foreign_keys:
        (foreign,) = column.foreign_keys
        return conn.execute(select(func.max(foreign.column)).where(foreign.column != value)).scalar_one()
    for kind, make in (
        (Boolean, lambda: not value),
        (Timestamp, lambda: (value or NOW) - timedelta(days=20)),
        (Exact, lambda: (value or 0) + Decimal("0.0001")),
        (type(Double), lambda: (value or 0) + 0.1 + 0.2),
        ((BigInteger, Integer, SmallInteger), lambda: (value or 0) + 1),
    ):
        if isinstance(column.type, kind):
            return make()
    return json.dumps({"was": value})


def row_of(conn: Connection, table: Table) -> Row:
    """The row to change: of a job that is over and its like; the newest of what the mirror notes itself."""
    wanted = select(table).order_by(*(column.desc() for column in table.primary_key))
    job = select(schema.jobs).where(schema.jobs.c.id == ended(conn)).subquery().c
    links = schema.job_ml_models.c
    model = select(func.min(links.ml_model_id)).where(links.job_id == job.id).scalar_subquery()
    picks = {
        "jobs": lambda: table.c.id == job.id,
        "input_videos": lambda: table.c.id == job.input_video_id,
        "output_videos": lambda: table.c.id == job.output_video_id,
        "ml_models": lambda: table.c.id == model,
        "job_ml_models": lambda: table.c.job_id == job.id,
        "job_statuses": lambda: table.c.code == job.status,
        "output_resolutions": lambda: table.c.code == job.output_resolution,
        "ml_tasks": lambda: table.c.code.in_(select(schema.ml_models.c.task).where(schema.ml_models.c.id == model)),
    }
    if pick := picks.get(table.name):
        wanted = wanted.where(pick())
    return dict(conn.execute(wanted).mappings().first() or pytest.fail(table.name))


def rewritten(conn: Connection, column: Column[Any]) -> None:
    """Another value in a column, written as the syncer or an upgrade writes it."""
    table, row = column.table, row_of(conn, column.table)
    value = other(conn, column, row[column.name])
    if column.name in {"presence", "gone_at"}:
        presence = "listed" if row["presence"] == "gone" else "gone"
        write_presence(conn, {row["id"]: PresenceResult(presence)}, 1, NOW)
        assert conn.execute(select(column).where(table.c.id == row["id"])).scalar_one() != row[column.name]
    elif table.name in STATED:
        jobs.apply(conn, differing(conn, table, row, {str(column.name): value}))
    else:
        bulk.upsert(conn, table, [{**row, column.name: value}])


def differing(conn: Connection, table: Table, known: Row, values: Row) -> Changeset:
    """What the syncer writes where the API states other values."""
    changes = Changeset()
    last = select(func.max(schema.job_status_history.c.seq)).where(schema.job_status_history.c.job_id == known["id"])
    last_changes = {known["id"]: LastChange(conn.execute(last).scalar() or 0, NOW)}
    differ = Differ(StoredState(last_changes=last_changes), changes, 1, ())
    if "status" in values:
        values = {"status": -1}
        seen: Any = SimpleNamespace(at=NOW, shown_at=None)  # an observation, of which nothing else counts
        differ.status(seen, {**known, **values}, known)
    differ.merge(STATED[table.name], known, {"id": known["id"], **values}, NOW)
    return changes


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_change_of_any_exported_column_is_exported(name, held):
    exported, anew = Exported(held), name == "data_dictionary" or name in labels.SEEDS
    columns = [column for column in TABLES[name].columns if column.name not in CONSTANT[name]]
    columns.sort(key=lambda column: column.name == "outcome")  # last: with it the run is over
    found = {column.name: exported.stale_after(partial(rewritten, column=column)) for column in columns}
    assert found == {column.name: WHOLE if anew else set() for column in columns}


def test_the_working_column_alone_makes_no_export(held):
    exported = Exported(held)
    write(held, lambda conn: bulk.update(conn, schema.jobs, [{"id_": ended(conn), "fingerprint": "another"}]))
    assert Exported(held).mark == exported.mark


def removed(conn: Connection) -> None:
    delete_old(conn, schema.job_progress_samples, old_samples(NOW + timedelta(seconds=1)), 1000)


def exchanged(conn: Connection) -> None:
    """As many samples in each month as before."""
    removed(conn)
    jobs.apply(conn, Changeset(samples=[sample(ended(conn), 2)]))


def added(conn: Connection) -> None:
    jobs.apply(conn, Changeset(samples=[sample(ended(conn), 2)]))


def unlinked(conn: Connection) -> None:
    links = schema.job_ml_models.c
    conn.execute(schema.job_ml_models.delete().where(links.job_id == ended(conn)))


def labelled(conn: Connection) -> None:
    """A code that this version does not know comes up: no file but that of the labels has to be written."""
    jobs.apply(conn, Changeset(new_labels={"job_statuses": {7: labels.unlabelled("job_statuses", 7)}}))


def begun(conn: Connection) -> None:
    """A run ends, and the next one begins in another month."""
    runs.start(conn, "full", NOW + timedelta(days=40), NOW)


@pytest.mark.parametrize("change", [removed, exchanged, added, unlinked, labelled, begun])
def test_a_row_that_comes_or_goes_is_exported(change, held):
    assert Exported(held).stale_after(change) == set()


def costs(conn: Connection, job_id: int) -> None:
    """Another cost of a job, at once and in the run that is under way."""
    known = dict(conn.execute(select(schema.jobs).where(schema.jobs.c.id == job_id)).mappings().one())
    jobs.apply(conn, differing(conn, schema.jobs, known, {"cost_usd": Decimal("1.2345")}))


def run_in(conn: Connection, month: int) -> None:
    """A run from begin to end."""
    begin = datetime(2027, month, 1, tzinfo=UTC)
    runs.update(conn, runs.start(conn, "poll", begin, begin), {"outcome": "succeeded", "finished_at": begin})


@pytest.mark.parametrize("happen", [costs, run_in])
def test_a_mirror_restored_from_a_backup_is_exported_anew(happen, held):
    """The same number of rows under the same numbers: in the future that was exported, and after the restore."""
    exported = Exported(held)
    with held.connect() as conn:
        happen(conn, 2)
        exported.rows, exported.mark = exported._read(conn)
        conn.rollback()
        if held.dialect.name == "postgresql":  # as a backup restores it; a transaction does not take numbers back
            conn.execute(
                text("SELECT setval(pg_get_serial_sequence('sync_runs', 'id'), (SELECT MAX(id) FROM sync_runs))")
            )
        happen(conn, 4)
        assert exported.stale(conn) == WHOLE


def test_a_run_that_was_removed_since_is_no_reason_to_export_all_anew(held):
    exported, run = Exported(held), schema.sync_runs.c.id
    with held.connect() as conn:
        run_in(conn, 2)
        exported.rows, exported.mark = exported._read(conn)
        last = exported.mark["sync_runs"][0]
        run_in(conn, 4)
        conn.execute(schema.sync_runs.delete().where(run == last))
        assert exported.stale(conn) == set()
        exported.mark["sync_runs"][0] = 10 * last  # of a mirror that had gone on, before this one was restored
        conn.execute(schema.sync_runs.delete().where(run > last))
        assert exported.stale(conn) == WHOLE


def test_a_run_that_a_restored_mirror_never_began_is_left_out(held):
    exported = Exported(held)
    with held.connect() as conn:
        begun(conn)
        exported.rows, exported.mark = exported._read(conn)
        conn.rollback()
        runs.start(conn, "full", NOW, NOW)
        assert exported.stale(conn) == set()


def test_whatever_a_partitioned_view_reads_is_followed():
    """By months of its own, or by name: a table that a view begins to read needs a place in the watermark.

    Of the quarantine only what it tells of jobs in flight counts, which are always exported again.
    """
    partitioned = {one.name for one in datasets.relations() if one.partitioned_by}
    # Sums of the ETA's errors are written as a job ends, and when its end moves: history and field_changes show both.
    by_name = {*labels.SEEDS, "ml_models", "quarantined_jobs", "mirror_scope", "credit_prices", "eta_errors"}
    sources = views.sources("sqlite") | {f"{name} ": text for name, text in views.sources("postgresql").items()}
    read = {name: set(re.findall(r"\b(?:FROM|JOIN) (\w+)", text)) for name, text in sources.items()}
    tables = set().union(*(found for name, found in read.items() if name.strip() in partitioned))
    assert tables & schema.metadata.tables.keys() - partitioned <= by_name
    assert tables & views.sources("sqlite").keys() <= partitioned, "its own files are no measure for another's"


def estimated(world: World, job_id: int) -> None:
    world.edit(job_id, {"eta_s": 7.25})


def advanced(world: World, job_id: int) -> None:
    world.edit(job_id, {"processing_progress": 0.5})


def renamed(world: World, job_id: int) -> None:
    world.edit_model(world.job(job_id)["ml_models"][0]["id"], {"name": "Another name"})


@pytest.mark.parametrize("happen", [estimated, advanced, renamed])
def test_what_the_api_states_otherwise_of_a_job_that_is_over_is_in_the_next_export(happen, held, sim, world, tmp_path):
    run(held, tmp_path / "kept")
    with reading(held) as conn:
        job_id = ended(conn)
    happen(world, job_id)
    mirror(sim, held.url.render_as_string(hide_password=False))
    done, new = run(held, tmp_path / "kept"), run(held, tmp_path / "new")
    assert {f"{name}/started_month=2026-10/data.parquet" for name in ("jobs", "job_overview")} & set(done.written)
    for name in TABLES.keys() | datasets.JOB_KEYS.keys() | datasets.OWN_TIMES.keys():
        assert done.manifest["relations"][name] == new.manifest["relations"][name], name


def run(engine: Engine, folder: Path) -> Outcome:
    return export(engine, folder, "parquet", lambda _name, _rows: None)


def test_an_export_of_a_version_that_looked_at_less_is_written_anew(held, out):
    run(held, out)
    manifest = json.loads((out / MANIFEST).read_text())
    new, mark = manifest["mark"], {**manifest["mark"], "declaration": "0" * 64, "sync_runs": [1, "0" * 64]}
    manifest["mark"] = {name: value for name, value in mark.items() if name not in {"months", "labels"}}
    (out / MANIFEST).write_text(json.dumps(manifest))
    for file in out.glob("*/*/data.parquet"):
        file.write_bytes(bytes(file.stat().st_size))
    done = run(held, out)
    assert done.manifest["mark"] == new
    assert {path for path in done.written if "=" in path} == {
        file["path"] for part in done.manifest["relations"].values() for file in part["files"] if file["month"]
    }
    assert run(held, out).written == []
