"""An export equals the mirror, row for row and type for type; again, it writes what changed and nothing else."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert

from tests.support.account import KEY, mirror, query, rows, settings
from tests.support.mover import LEAVING, LIFE, Mover, drawn
from tests.support.program import ROOT, Program
from tpmirror.db import schema, views
from tpmirror.db.engine import connected, open_engine
from tpmirror.errors import LeaseHeld, TpmirrorError, UsageError
from tpmirror.export import datasets
from tpmirror.export.files import ExportFile
from tpmirror.export.writer import MANIFEST, STAGING, _locked, export
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import eta
from tpmirror.sync.account import accept_owner
from tpmirror.sync.owners import hash_owners

NAMES = [relation.name for relation in datasets.relations()]
OF_NOW = {"active_jobs": {"waiting_s", "status_s"}, "sync_health": {"certified_age_s"}}
"""Columns that depend on the time of the query."""


@pytest.fixture
def world():
    made = World(4, 120, now=datetime(2026, 11, 20, tzinfo=UTC), days=50, in_flight=3, jobs_per_day=0)
    first, *others = made.ids()
    made.edit(first, {"description": '=cmd|"/c calc"!A1, "quoted"\nשָׁ 👩‍🚀', "started": None, "preview": None})
    made.edit(others[0], {"cost_usd": "-5.1000", "description": ""})
    made.edit(others[1], {"cost_usd": None, "description": "\uff20SUM(A1)", "extra_key": [1]})
    return made


@pytest.fixture
def sim(world):
    with Simulator(world, token=KEY) as simulator:
        yield simulator


@pytest.fixture
def lived(sim, world, mirror_url):
    """A mirror with corrections, a vanished job, jobs in flight, and samples of one that finished since."""
    mirror(sim, mirror_url)
    ids = world.ids()
    world.correct_cost(ids[5], Decimal("12.3456"))
    world.delete(ids[6])
    world.advance(300)
    mirror(sim, mirror_url)
    with connected(mirror_url) as engine, engine.begin() as conn:  # a look before it finished; those above came after
        seen_at = datetime.fromisoformat(world.job(ids[-3])["finished"]) - timedelta(minutes=1)
        sample = {"job_id": ids[-3], "observed_at": seen_at, "processing_progress": 0.9, "eta_s": 70.0}
        conn.execute(insert(schema.job_progress_samples).values(sample))
        eta.sum_up(conn, [ids[-3]])
    return mirror_url


@pytest.fixture
def out(tmp_path):
    """The folder of the export; the mirror may lie beside it."""
    return tmp_path / "out"


def run(
    url: str, folder: Path, format_: str = "parquet", progress: Any = lambda _name, _rows: None, *, public: bool = False
) -> Any:
    engine = open_engine(url)
    try:
        return export(engine, folder, format_, progress, public=public)
    finally:
        engine.dispose()


def read(folder: Path, name: str) -> pa.Table:
    """All files of a relation, without the partition key."""
    files = sorted((folder / name).glob("**/*.parquet"))
    return pa.concat_tables([pq.ParquetFile(file).read() for file in files])


def plain(value: Any, kind: pa.DataType) -> Any:
    """What a driver gives for a column of this kind, whichever the database, as Arrow gives it."""
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(str(value)).quantize(Decimal("0.0001"))
    if pa.types.is_timestamp(kind):
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    if pa.types.is_date(kind):
        return date.fromisoformat(value) if isinstance(value, str) else value
    return bool(value) if pa.types.is_boolean(kind) else value


def expected(url: str, name: str, table: pa.Table) -> Counter[Any]:
    """The rows that plain SQL gives."""
    skipped = OF_NOW.get(name, set())
    fields = [field for field in table.schema if field.name not in skipped]
    listed = ", ".join(f'"{field.name}"' for field in fields)
    found = query(url, f"SELECT {listed} FROM {name}")
    return Counter(tuple(plain(v, field.type) for v, field in zip(row, fields, strict=True)) for row in found)


def test_every_table_and_view_is_exported_row_for_row_and_type_for_type(lived, out):
    done = run(lived, out)
    assert set(done.manifest["relations"]) == set(NAMES) == {path.name for path in (out).iterdir()} - {MANIFEST}
    for name in NAMES:
        table = read(out, name)
        shown = table.drop_columns(sorted(OF_NOW.get(name, set())))
        assert Counter(tuple(row.values()) for row in shown.to_pylist()) == expected(lived, name, table), name
        assert table.num_rows == done.manifest["relations"][name]["rows"]
    assert read(out, "jobs").num_rows == 120


def test_nothing_but_working_tables_and_the_working_column_is_left_out(lived, out):
    run(lived, out)
    assert set(NAMES) == set(schema.metadata.tables) - {t.name for t in schema.WORKING} | set(views.sources("sqlite"))
    for name in set(NAMES) & set(schema.metadata.tables):
        declared = [column.name for column in schema.metadata.tables[name].columns if column.name != "fingerprint"]
        assert read(out, name).column_names == declared


def test_types_are_the_same_from_both_databases(lived, out):
    run(lived, out)
    types = {field.name: str(field.type) for field in read(out, "jobs").schema}
    wanted = {
        "id": "int64", "status": "int16", "preview": "bool", "description": "string", "cost_usd": "decimal128(10, 4)",
        "eta_s": "double", "started": "timestamp[us, tz=UTC]", "output_resolution": "int32",
    }  # fmt: skip
    assert {name: types[name] for name in wanted} == wanted
    costs = {field.name: str(field.type) for field in read(out, "daily_costs").schema}
    assert costs == {"day": "date32[day]", "jobs": "int64", "credits": "decimal128(20, 4)"}
    field = read(out, "jobs").schema.field("cost_usd")
    assert field.metadata[b"comment"].decode() == schema.jobs.c.cost_usd.comment
    assert not read(out, "jobs").schema.field("id").nullable


def test_every_relation_of_jobs_is_partitioned_by_their_month():
    others = {"active_jobs", "storage_usage", "output_videos", "videos", "videos_public", "quarantined_jobs"}
    of_jobs = {r.name for r in datasets.relations() if {"job_id", "x_JobId"} & {c.name for c in r.columns}}
    assert of_jobs - others == set(datasets.JOB_KEYS) - {"jobs"}
    assert {"started_month", "created_month", "observed_month", None} == {
        relation.partitioned_by for relation in datasets.relations()
    }


def test_duckdb_reads_the_partitions(lived, out):
    run(lived, out)
    source = f"read_parquet('{out}/jobs/**/*.parquet', hive_partitioning=true)"
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        types = dict(row[:2] for row in db.sql(f"DESCRIBE SELECT * FROM {source}").fetchall())
        assert types["cost_usd"] == "DECIMAL(10,4)"
        assert types["started"] == "TIMESTAMP WITH TIME ZONE"
        assert types["preview"] == "BOOLEAN"
        assert types["started_month"] == "VARCHAR"
        wrong = f"SELECT count(*) FROM {source} WHERE started_month IS DISTINCT FROM strftime(started, '%Y-%m')"
        assert db.sql(wrong).fetchall() == [(0,)]
        ((total,),) = query(lived, "SELECT ROUND(SUM(cost_usd), 4) FROM jobs")
        assert db.sql(f"SELECT SUM(cost_usd) FROM {source}").fetchall() == [(Decimal(str(total)),)]
        read_lines = f"SELECT count(*) FROM read_parquet('{out}/jobs/started_month=2026-10/*.parquet')"
        assert (
            db.sql(f"SELECT count(*) FROM {source} WHERE started_month = '2026-10'").fetchall()
            == db.sql(read_lines).fetchall()
        )


def test_the_examples_for_duckdb_run(lived, tmp_path, monkeypatch):
    run(lived, tmp_path / "archive")
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs" / "offline.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(examples) >= 2
    with duckdb.connect() as db:
        assert all(db.sql(example.rstrip().rstrip(";")).fetchall() for example in examples)


def test_the_manifest_holds_for_each_file_its_rows_and_hash(lived, out):
    manifest = run(lived, out).manifest
    assert json.loads((out / MANIFEST).read_text()) == manifest
    entries = [file for part in manifest["relations"].values() for file in part["files"]]
    files = {str(path.relative_to(out)) for path in out.rglob("data.*")}
    assert {file["path"] for file in entries} == files
    for file in entries:
        contents = (out / file["path"]).read_bytes()
        assert file["sha256"] == sha256(contents).hexdigest()
        assert file["bytes"] == len(contents)
        assert file["rows"] == pq.ParquetFile(out / file["path"]).metadata.num_rows


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """What changes when a file is replaced, or written to."""
    found = {str(path.relative_to(folder)): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def test_an_unchanged_mirror_rewrites_nothing(lived, out):
    first = run(lived, out)
    before = stamps(out)
    again = run(lived, out)
    assert (again.written, again.removed, again.manifest) == ([], [], first.manifest)
    assert stamps(out) == before


def test_only_months_with_a_change_are_rewritten(lived, sim, world, out):
    run(lived, out)
    before = stamps(out)
    started = {row["id"]: row["started"] for row in rows(lived, "jobs")}
    in_flight = {row["id"] for row in rows(lived, "jobs") if row["status"] in (0, 1)}
    changed = {
        job_id for job_id, start in started.items() if start and f"{start:%Y-%m}" == "2026-10"
    } & set(world.ids())  # fmt: skip
    job_id = min(changed)
    world.edit(job_id, {"description": "another"})
    mirror(sim, lived)
    run(lived, out)
    written = {name for name, stamp in stamps(out).items() if before.get(name) != stamp}
    months = {start and f"{start:%Y-%m}" for known, start in started.items() if known in {job_id, *in_flight}}
    touched = {
        month for name in written for month in re.findall(r"started_month=([\d-]+)/", name) if "sync_runs" not in name
    }
    assert "2026-10" in touched <= months
    assert "jobs/started_month=2026-10/data.parquet" in written
    assert "job_ml_models/started_month=2026-10/data.parquet" not in written
    assert {row["description"] for row in read(out, "jobs").to_pylist() if row["id"] == job_id} == {"another"}


@pytest.mark.parametrize("seed", [1])
def test_whatever_happens_the_next_export_is_as_a_new_one(seed, lived, sim, world, tmp_path):
    """The files of an export brought up to date, again and again, are byte for byte those of one made at once."""
    move, happenings = Mover(world), drawn(Random(seed), [*LIFE, *LEAVING])
    run(lived, tmp_path / "kept")
    for start in range(0, len(happenings), 8):
        for verb, number in happenings[start : start + 8]:
            move(verb, number)
        mirror(sim, lived)
        kept = run(lived, tmp_path / "kept")
    new = run(lived, tmp_path / "new")
    parts = [
        {name: outcome.manifest["relations"][name] for name in set(NAMES) - set(OF_NOW)} for outcome in (kept, new)
    ]
    assert {name for name in parts[0] if parts[0][name] != parts[1][name]} == set()
    assert kept.manifest["mark"] == new.manifest["mark"]


KILLER = """
import os, signal, sys
from pathlib import Path
from tpmirror.db.engine import connected, open_engine
from tpmirror.export.writer import export
where, left = sys.argv[3], [int(sys.argv[4])]
def count(*_):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
if where == "moving":
    move = Path.replace
    Path.replace = lambda self, target: (count(), move(self, target))[1]
export(open_engine(sys.argv[1]), Path(sys.argv[2]), "parquet", count if where == "writing" else lambda *_: None)
"""


def killed(url: str, folder: Path, where: str, after: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLER, url, folder, where, str(after)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.exhaustive
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # what is killed is the writing of files
@pytest.mark.parametrize("where", ["writing", "moving"])
def test_a_killed_export_leaves_whole_files_and_the_next_one_mends_all(where, lived, sim, world, tmp_path):
    folder = tmp_path / "out"
    killed(lived, folder, where, 20)
    first = run(lived, folder)
    world.correct_cost(max(world.ids()), Decimal("1.0001"))
    world.advance(600)
    mirror(sim, lived)
    before = stamps(folder)
    killed(lived, folder, where, 9)
    left = {name: stamp for name, stamp in stamps(folder).items() if not name.startswith(STAGING)}
    assert left.keys() >= before.keys()
    assert (left == before) == (where == "writing")
    assert max(Counter(str(Path(name).parent) for name in left).values()) == 1, "nothing is doubled"
    for name in left.keys() - {MANIFEST}:
        pq.ParquetFile(folder / name).read()
    assert json.loads((folder / MANIFEST).read_text()) == first.manifest
    mended, new = run(lived, folder), run(lived, tmp_path / "new")
    for name in set(NAMES) - set(OF_NOW):
        assert mended.manifest["relations"][name] == new.manifest["relations"][name]
        assert read(folder, name).num_rows == new.manifest["relations"][name]["rows"]
    assert not (folder / STAGING).exists()


@pytest.mark.parametrize("format_", ["parquet", "csv"])
def test_an_export_whose_files_could_not_all_be_moved_is_mended_by_the_next_one(lived, out, format_, monkeypatch):
    moved, move = count(), Path.replace

    def fail(self: Path, target: Path) -> Path:
        if next(moved) == 20:
            raise OSError(28, "No space left on device")
        return move(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(TpmirrorError, match="No space left on device"):
            run(lived, out)
        patch.setattr(ExportFile, "add", lambda *_: fail(out, out))  # nor can any be written the next time
        moved = count(20)
        with pytest.raises(TpmirrorError, match="No space left on device"):
            run(lived, out)
    done = run(lived, out, format_)
    files = {file["path"] for part in done.manifest["relations"].values() for file in part["files"]}
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == {*files, MANIFEST}


def test_where_the_account_has_another_name_all_its_costs_have(lived, out, tmp_path):
    run(lived, out)
    with connected(lived) as engine:
        accept_owner(engine, "1")
    kept, new = run(lived, out), run(lived, tmp_path / "new")
    assert kept.manifest["relations"]["focus_costs"] == new.manifest["relations"]["focus_costs"]
    assert set(read(out, "focus_costs")["BillingAccountId"].to_pylist()) == {"user-1"}


def test_a_new_folder_is_its_owners_alone(mirror_url, out):
    run(mirror_url, out)
    assert out.stat().st_mode & 0o777 == 0o700


def test_a_lost_file_is_written_again(lived, out):
    first = run(lived, out)
    victim = out / "jobs/started_month=2026-10/data.parquet"
    contents = victim.read_bytes()
    victim.unlink()
    assert "jobs/started_month=2026-10/data.parquet" in run(lived, out).written
    assert victim.read_bytes() == contents
    assert first.manifest["mark"] == json.loads((out / MANIFEST).read_text())["mark"]


def test_files_of_a_month_without_jobs_any_more_go_away(lived, sim, world, out):
    run(lived, out)
    lone = out / "jobs" / "started_month=__HIVE_DEFAULT_PARTITION__"
    assert lone.exists()
    world.edit(min(world.ids()), {"started": "2026-10-10T10:00:00Z"})
    mirror(sim, lived)
    assert "jobs/started_month=__HIVE_DEFAULT_PARTITION__/data.parquet" in run(lived, out).removed
    assert not lone.exists()
    assert read(out, "jobs").num_rows == 120


def test_a_mirror_restored_from_a_backup_is_exported_anew(sim, world, migrated_file, tmp_path):
    path = Path(shutil.copyfile(migrated_file, tmp_path / "mirror.db"))
    url = f"sqlite:///{path}"
    mirror(sim, url)
    backup = shutil.copyfile(path, tmp_path / "backup.db")
    world.edit(max(world.ids()), {"description": "lost with the backup"})
    mirror(sim, url)
    run(url, tmp_path / "out")
    shutil.copyfile(backup, path)
    world.edit(min(world.ids()), {"description": "first after it"})
    world.edit(max(world.ids()), {"description": None})
    mirror(sim, url)
    kept, new = run(url, tmp_path / "out"), run(url, tmp_path / "new")
    assert kept.manifest["relations"]["jobs"] == new.manifest["relations"]["jobs"]


def test_csv_is_safe_in_a_spreadsheet_and_tells_null_from_empty(lived, out):
    run(lived, out, "csv")
    text = b"".join(path.read_bytes() for path in sorted((out / "jobs").glob("**/*.csv"))).decode()
    shown = {row["description"]: row for path in (out / "jobs").glob("**/*.csv") for row in table(path)}
    assert '\'=cmd|"/c calc"!A1, "quoted"\nשָׁ 👩‍🚀' in shown
    assert "'\uff20SUM(A1)" in shown
    assert re.search(r',"",-5\.1000,', text)
    assert re.search(r"\r\n\d+,2,,", text), "null is nothing"
    assert "2026-" in text
    assert not re.search(r'(?:^|,)"?[=\uff1d\uff20]', text, re.MULTILINE)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_lines_hold_every_digit(lived, out):
    run(lived, out, "jsonl")
    found = [
        json.loads(line) for path in (out / "jobs").glob("**/*.jsonl") for line in path.read_text("utf-8").splitlines()
    ]
    stored = {row["id"]: row for row in rows(lived, "jobs")}
    assert {row["id"] for row in found} == set(stored)
    for row in found:
        assert row["cost_usd"] == (
            None if stored[row["id"]]["cost_usd"] is None else str(stored[row["id"]]["cost_usd"])
        )
        started = stored[row["id"]]["started"]
        assert row["started"] == (started and started.isoformat().replace("+00:00", "Z"))
        assert row["description"] == stored[row["id"]]["description"]


def test_no_query_string_reaches_a_file(lived, out):
    run(lived, out, "jsonl")
    text = "".join(path.read_text(encoding="utf-8") for path in out.rglob("*.json*"))
    assert "https://" in text
    assert not re.search(r"X-Amz|Signature=|[?&]token=", text)


def test_a_folder_that_is_something_else_is_refused(lived, tmp_path):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        run(lived, file)
    with pytest.raises(UsageError, match="is not empty"):
        run(lived, tmp_path)  # where the file is
    with pytest.raises(TpmirrorError, match=r"cannot export to .*: Not a directory"):
        run(lived, file / "below")
    (tmp_path / "out").mkdir()
    for text in (
        '{"name": "of a web page"}',
        '{"format": "parquet", "mark": {"mirror": null}, "layout": 1, "relations": {"jobs": {}}}',
        '{"format": "parquet", "mark": {"mirror": null}, "layout": 1, "relations": []}',
    ):
        (tmp_path / "out" / MANIFEST).write_text(text)
        with pytest.raises(UsageError, match="not the manifest of an export"):
            run(lived, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [MANIFEST]
    assert file.read_text() == "mine"


def test_another_format_or_mirror_is_refused(lived, sim, migrated_file, tmp_path):
    run(lived, tmp_path / "out")
    before = stamps(tmp_path / "out")
    with pytest.raises(UsageError, match="holds an export as parquet"):
        run(lived, tmp_path / "out", "csv")
    other = f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'other.db')}"
    mirror(sim, other)
    with pytest.raises(UsageError, match="another mirror"):
        run(other, tmp_path / "out")
    assert stamps(tmp_path / "out") == before


def test_two_exports_into_one_folder_do_not_mix(lived, out):
    with _locked(out), pytest.raises(LeaseHeld, match="another export"):
        run(lived, out)
    assert run(lived, out).written


def test_an_empty_mirror_has_empty_tables(mirror_url, out):
    done = run(mirror_url, out)
    assert done.manifest["relations"]["jobs"]["rows"] == 0
    assert read(out, "daily_costs").num_rows == 0
    assert run(mirror_url, out).written == []


def test_the_command_prints_the_manifest_or_what_it_did(lived, tmp_path, capsys):
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": lived})
    said, complained = program.call(capsys, "export", "out")
    assert re.search(r"^out holds [\d,]+ rows in \d+ files, [\d.]+ MB\nWritten \d+ files, removed 0;", said)
    assert complained == ""
    said, _ = program.call(capsys, "export", "out")
    assert "Nothing to write" in said
    said, _ = program.call(capsys, "export", "out", "--json")
    assert json.loads(said) == json.loads((tmp_path / "out" / MANIFEST).read_text())
    _, complained = program.call(capsys, "export", "out", "--format", "jsonl", code=2)
    assert complained.startswith("error: 'out' holds an export as parquet")


def test_without_pyarrow_the_command_says_how_to_get_it(mirror_url, tmp_path):
    (tmp_path / "pyarrow.py").write_text("raise ModuleNotFoundError('no', name='pyarrow')")
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": mirror_url, "PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert "pip install 'tpmirror[export]'" in program.refuse("export", "out", code=2)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def _open_to_all():
    """A umask with which new files are readable by everybody."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_open_to_all")
@pytest.mark.parametrize("format_", ["parquet", "csv", "jsonl"])
def test_what_an_export_makes_is_for_its_owner_alone_in_a_folder_of_others_too(lived, out, format_):
    out.mkdir(mode=0o755)
    run(lived, out, format_)
    modes = {path.is_dir(): {one.stat().st_mode & 0o777 for one in out.rglob("*") if one.is_dir() == path.is_dir()}
             for path in out.rglob("*")}  # fmt: skip
    assert modes == {True: {0o700}, False: {0o600}}
    assert out.stat().st_mode & 0o777 == 0o755, "what was there stays as it was"


def test_a_public_export_has_no_personal_data_and_all_the_rest(lived, sim, world, out, tmp_path):
    world.edit(world.ids()[3], {"by": "jane@example.com", "start_frame": "jane@example.com"})
    with connected(lived) as engine, engine.begin() as conn:
        conn.exec_driver_sql(
            """INSERT INTO field_changes (entity, entity_id, field, old_value, new_value, observed_at, sync_run_id)
            SELECT 'input_video', 1, 'owner', 'john@example.com', 'jane@example.com', started_at, id
            FROM sync_runs WHERE id = 1"""
        )
    mirror(sim, lived)
    for format_ in ("csv", "jsonl"):
        run(lived, tmp_path / format_, format_, public=True)
        files = [path for path in (tmp_path / format_).rglob("*") if path.is_file()]
        assert [path for path in files if re.search(rb"\w@\w", path.read_bytes())] == []
    done = run(lived, out, public=True)
    assert set(done.manifest["relations"]) == set(NAMES)
    assert done.manifest["public"] is True
    left_out = {name: len(columns) for name, columns in datasets.PERSONAL.items()}
    for name in NAMES:
        table, whole = read(out, name), next(one for one in datasets.relations() if one.name == name)
        assert len(whole.columns) - len(table.column_names) == left_out.get(name, 0), name
        others = "WHERE field NOT IN ('owner', 'extra')" if name == "field_changes" else ""
        assert [(table.num_rows,)] == query(lived, f"SELECT COUNT(*) FROM {name} {others}"), name
    assert run(lived, out, public=True).written == []


def test_an_export_with_and_one_without_personal_data_do_not_share_a_folder(lived, out, tmp_path):
    run(lived, out)
    with pytest.raises(UsageError, match="with personal data"):
        run(lived, out, public=True)
    run(lived, tmp_path / "public", public=True)
    with pytest.raises(UsageError, match="without personal data"):
        run(lived, tmp_path / "public")
    assert json.loads((out / MANIFEST).read_text())["public"] is False


def test_a_path_with_a_typo_makes_no_folders(lived, tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        run(lived, tmp_path / "archvie" / "of" / "ours")
    assert not (tmp_path / "archvie").exists()


def test_owners_that_are_hashed_are_hashed_in_the_next_export_too(lived, sim, out, tmp_path):
    run(lived, out, "jsonl")
    held = b"".join(path.read_bytes() for path in out.rglob("*.jsonl"))
    assert re.search(rb"\w@\w", held)
    (tmp_path / "key").write_text("k" * 32)
    with connected(lived) as engine:
        hash_owners(engine, settings(sim, lived, owners="hash", owners_key_file=tmp_path / "key"))
    run(lived, out, "jsonl")
    held = b"".join(path.read_bytes() for path in out.rglob("*.jsonl"))
    assert not re.search(rb"\w@\w", held)
    assert b"owner-" in held
