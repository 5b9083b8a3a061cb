"""An export into an object store: the same files as in a folder, whole at every moment, and never mixed."""

import json
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import obstore
import pyarrow.parquet as pq
import pytest
from obstore import exceptions
from obstore.store import MemoryStore

from tests.support.account import mirror
from tests.support.objectstore import BUCKET, ObjectStore
from tests.support.program import Program
from tpmirror.db.engine import open_engine
from tpmirror.errors import LeaseHeld, TpmirrorError, UsageError
from tpmirror.export import destination, objectstore, writer
from tpmirror.export.writer import MANIFEST
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

URL = "s3://bucket/prefix"
OF_NOW = {"active_jobs", "sync_health"}
"""Relations that depend on the time of the query."""


@pytest.fixture
def world():
    return World(4, 60, now=datetime(2026, 11, 20, tzinfo=UTC), days=50, in_flight=3, jobs_per_day=0)


@pytest.fixture
def lived(sim, lite_url):
    mirror(sim, lite_url)
    return lite_url


@pytest.fixture
def store(monkeypatch):
    """A store in memory, which knows conditions as S3 does, in the place of every URL's."""
    made = MemoryStore()
    monkeypatch.setattr(objectstore, "open_store", lambda _url: made)
    return made


def run(url: str, progress: Any = lambda _name, _rows: None, format_: str = "parquet", *, public: bool = False) -> Any:
    engine = open_engine(url)
    try:
        return destination.export(engine, URL, format_, progress, public=public)
    finally:
        engine.dispose()


def changed(sim: Simulator, world: World, url: str) -> None:
    """Something in the first month is another, and the mirror knows."""
    world.edit(min(world.ids()), {"description": f"another of {len(sim.requests)}"})
    mirror(sim, url)


def paths(store: Any) -> set[str]:
    return {one["path"] for some in obstore.list(store) for one in some}


def state(store: Any) -> dict[str, Counter[Any]]:
    """The rows of every relation by the manifest, all of whose files must be there, and as it says."""
    found: dict[str, Counter[Any]] = {}
    for name, part in json.loads(bytes(obstore.get(store, MANIFEST).bytes()))["relations"].items():
        found[name] = Counter()
        for file in part["files"]:
            contents = bytes(obstore.get(store, file["path"]).bytes())
            assert sha256(contents).hexdigest() == file["sha256"]
            found[name].update(tuple(row.values()) for row in pq.read_table(BytesIO(contents)).to_pylist())
        assert found[name].total() == part["rows"]
    return found


def only_named(store: Any) -> bool:
    """Whether nothing is there but what the manifest names: no file twice, none of a killed export."""
    manifest = json.loads(bytes(obstore.get(store, MANIFEST).bytes()))
    named = [file["path"] for part in manifest["relations"].values() for file in part["files"]]
    return len(named) == len(set(named)) and paths(store) == {*named, MANIFEST}


def entries(manifest: dict[str, Any]) -> set[Any]:
    """What a manifest says of each file, but for its name."""
    return {
        (name, file["month"], file["rows"], file["sha256"])
        for name, part in manifest["relations"].items()
        for file in part["files"]
        if name not in OF_NOW
    }


def test_a_store_has_the_same_months_and_files_as_a_folder(lived, store, tmp_path):
    done = run(lived)
    engine = open_engine(lived)
    folder = writer.export(engine, tmp_path / "out", "parquet", lambda _name, _rows: None)
    engine.dispose()
    assert entries(done.manifest) == entries(folder.manifest)
    assert {path.rpartition("/")[0] for path in done.written} == {path.rpartition("/")[0] for path in folder.written}
    assert only_named(store)
    assert state(store)["jobs"].total() == 60


def test_again_only_what_changed_is_sent_and_what_it_replaces_goes(lived, sim, world, store):
    first = run(lived)
    assert (run(lived).written, run(lived).removed) == ([], [])
    changed(sim, world, lived)
    done = run(lived)
    assert any(path.startswith("jobs/started_month=2026-10/") for path in done.written)
    assert not any(path.startswith(("job_ml_models/", "ml_models/")) for path in done.written), "they hold the same"
    assert len(done.written) < len(first.written) / 2
    assert only_named(store)
    assert entries(done.manifest) == entries(run(lived).manifest)


def test_of_two_exports_at_once_one_wins_whole(lived, sim, world, store):
    """Into a new place, and into one with an export: the slower one reads an older mirror and writes nothing of it."""
    for begun in (False, True):
        others: list[Any] = []

        def overtake(_name: str, _rows: int, others: list[Any] = others) -> None:
            if not others:
                changed(sim, world, lived)
                others.append(run(lived))

        changed(sim, world, lived)
        with pytest.raises(LeaseHeld, match="another export wrote there"):
            run(lived, overtake)
        assert json.loads(bytes(obstore.get(store, MANIFEST).bytes())) == others[0].manifest, begun
        assert only_named(store)
        state(store)


@pytest.mark.parametrize("at", [0, 3, "manifest", "sweep"])
def test_cut_off_at_any_moment_the_old_state_stays_and_the_next_export_mends_all(
    at, lived, sim, world, store, monkeypatch
):
    run(lived)
    before = state(store)
    changed(sim, world, lived)
    put, sent = obstore.put, []

    def fail(*_: Any) -> None:
        raise exceptions.GenericError("HTTP error: error sending request")

    def fail_at(where: Any, path: str, *arguments: Any, **options: Any) -> Any:
        sent.append(path)
        if len(sent) - 1 == at or (at == "manifest" and path == MANIFEST):
            fail()
        return put(where, path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(obstore, "put", fail_at)
        if at == "sweep":
            patch.setattr(obstore, "delete", fail)
        with pytest.raises(TpmirrorError, match="cannot export to 's3://bucket/prefix': no connection"):
            run(lived)
    assert not only_named(store)
    assert (state(store) == before) == (at != "sweep")
    done = run(lived)
    assert only_named(store)
    assert state(store)["jobs"] != before["jobs"]
    assert (done.written == []) == (at == "sweep")


def test_a_manifest_whose_reply_was_lost_counts(lived, store, monkeypatch):
    put = obstore.put

    def lose(where: Any, path: str, *arguments: Any, **options: Any) -> Any:
        answer = put(where, path, *arguments, **options)
        if path == MANIFEST:  # the library sends it again, and the store finds it changed
            raise exceptions.AlreadyExistsError("it is there")
        return answer

    monkeypatch.setattr(obstore, "put", lose)
    assert run(lived).written
    assert only_named(store)


def test_a_file_that_was_lost_is_sent_again(lived, store):
    first = run(lived)
    lost = next(path for path in first.written if path.startswith("jobs/"))
    obstore.delete(store, lost)
    assert lost.rpartition("/")[0] in {path.rpartition("/")[0] for path in run(lived).written}
    assert only_named(store)
    assert state(store)["jobs"].total() == 60


def test_an_export_copied_from_a_folder_is_continued_and_one_copied_back_too(lived, sim, world, store, tmp_path):
    engine = open_engine(lived)
    writer.export(engine, tmp_path / "out", "parquet", lambda _name, _rows: None)
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            obstore.put(store, str(path.relative_to(tmp_path / "out")), path.read_bytes())
    changed(sim, world, lived)
    run(lived)
    assert only_named(store)
    for path in paths(store):
        (tmp_path / "back" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "back" / path).write_bytes(bytes(obstore.get(store, path).bytes()))
    changed(sim, world, lived)
    writer.export(engine, tmp_path / "back", "parquet", lambda _name, _rows: None)
    engine.dispose()
    months = [str(path.parent) for path in (tmp_path / "back").rglob("*.parquet")]
    assert len(months) == len(set(months)), "nothing is doubled"


def test_what_is_something_else_is_refused_and_left_as_it_is(lived, store):
    obstore.put(store, "mine.txt", b"mine")
    with pytest.raises(UsageError, match=r"'s3://bucket/prefix' holds 'mine.txt' and no export"):
        run(lived)
    obstore.put(store, MANIFEST, b"{}")
    with pytest.raises(UsageError, match=r"'s3://bucket/prefix/manifest\.json' is not the manifest of an export"):
        run(lived)
    assert paths(store) == {"mine.txt", MANIFEST}


def test_another_format_or_one_with_personal_data_is_refused(lived, store):
    run(lived, public=True)
    before = {path: bytes(obstore.get(store, path).bytes()) for path in paths(store)}
    with pytest.raises(UsageError, match="holds an export as parquet"):
        run(lived, format_="csv")
    with pytest.raises(UsageError, match="without personal data"):
        run(lived)
    assert {path: bytes(obstore.get(store, path).bytes()) for path in paths(store)} == before


@pytest.mark.parametrize("url", ["s3://key:hidden@bucket/prefix", "s3://bucket/prefix?X-Amz-Signature=hidden"])
def test_a_url_with_a_secret_is_refused_and_not_shown(url, lite_url):
    with pytest.raises(
        UsageError, match=r"DEST is a value that may hold a secret; it accepts a folder, s3://.*without user and query"
    ) as caught:
        destination.export(open_engine(lite_url), url, "parquet", lambda *_: None)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["ftp://host/x", "http://host/x", "file://host/x"])
def test_a_destination_of_another_kind_is_refused(url, lite_url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"DEST is '.*; it accepts a folder, s3://"):
        destination.export(open_engine(lite_url), url, "parquet", lambda *_: None)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_file_url_is_the_folder(lived, tmp_path):
    engine = open_engine(lived)
    done = destination.export(engine, f"file://{tmp_path}/my%20folder", "parquet", lambda *_: None)
    engine.dispose()
    assert json.loads((tmp_path / "my folder" / MANIFEST).read_text()) == done.manifest


def test_what_cannot_be_a_store_is_named(monkeypatch):
    with pytest.raises(UsageError, match="names no bucket"):
        objectstore.open_store("s3:///prefix")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:hidden@host")
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL is no endpoint") as caught:
        objectstore.open_store(URL)
    assert "hidden" not in str(caught.value)


# A real store


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with ObjectStore() as started:
        yield started


@pytest.fixture
def program(lived, server, tmp_path):
    return Program(tmp_path, {"TPMIRROR_DATABASE_URL": lived, **server.variables})


@pytest.mark.exhaustive
def test_the_command_exports_into_a_bucket(program, server, lived, sim, world, capsys):
    said, complained = program.call(capsys, "export", f"s3://{BUCKET}/whole")
    assert said.startswith(f"s3://{BUCKET}/whole holds ")
    assert complained == ""
    store = server.store("whole")
    before = state(store)
    assert only_named(store)
    assert "Nothing to write" in program.call(capsys, "export", f"s3://{BUCKET}/whole")[0]
    changed(sim, world, lived)
    said, _ = program.call(capsys, "export", f"s3://{BUCKET}/whole", "--json")
    assert json.loads(said) == json.loads(bytes(obstore.get(store, MANIFEST).bytes()))
    assert state(store)["jobs"] != before["jobs"]
    assert only_named(store)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("variables", "url", "code", "words"),
    [
        ({}, "s3://nowhere/x", 2, "there is no bucket 'nowhere' for the export; create it"),
        ({"AWS_SECRET_ACCESS_KEY": "hidden"}, f"s3://{BUCKET}/x", 2, "refused the credentials .*: SignatureDoesNot"),
        ({"AWS_ACCESS_KEY_ID": "hidden"}, f"s3://{BUCKET}/x", 2, "refused the credentials .*: InvalidAccessKeyId"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, f"s3://{BUCKET}/x", 1, "cannot export to .*: no connection"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(variables, url, code, words, program):
    complained = program.refuse("export", url, code=code, **variables)
    assert re.search(words, complained)
    assert "hidden" not in complained
    assert "lake-secret" not in complained


@pytest.mark.exhaustive
def test_killed_at_random_moments_readers_see_an_old_or_a_new_state_and_the_next_run_mends(
    program, server, lived, sim, world
):
    kill_exports(program, server.store("killed"), f"s3://{BUCKET}/killed", (sim, world, lived), 5)


def kill_exports(
    program: Program, store: Any, url: str, account: tuple[Simulator, World, str], times: int
) -> Counter[str]:
    """Kill so many exports at random moments of their run; how often the old and the new state was there then."""
    sim, world, database_url = account
    rng, seen = Random(5), Counter[str]()
    begin = time.monotonic()
    program.run("export", url)
    length = time.monotonic() - begin
    before = settled(store)
    while seen.total() < times:
        world.correct_cost(min(world.ids()), Decimal(rng.randrange(1, 10**6)) / 10_000)
        changed(sim, world, database_url)
        process = program.start("export", url)
        time.sleep(length * rng.uniform(0.5, 1.0))
        process.kill()
        process.communicate()
        between, begin = settled(store), time.monotonic()
        program.run("export", url)
        length, after = time.monotonic() - begin, settled(store)
        assert after["jobs"] != before["jobs"]
        assert between in (before, after)
        assert only_named(store)
        if process.returncode == -signal.SIGKILL:  # else it was over before
            seen["old" if between == before else "new"] += 1
        before = after
    return seen


def settled(store: Any) -> dict[str, Counter[Any]]:
    """The state, without what depends on the time of the query."""
    return {name: rows for name, rows in state(store).items() if name not in OF_NOW}


@pytest.mark.exhaustive
def test_exports_of_several_processes_at_once_never_mix(program, server, lived, sim, world):
    url, store = f"s3://{BUCKET}/contended", server.store("contended")
    for _ in range(2):
        changed(sim, world, lived)
        processes = [program.start("export", url) for _ in range(3)]
        codes = [process.wait(120) for process in processes]
        said = [process.communicate()[1] for process in processes]
        assert 0 in codes
        assert set(codes) <= {0, 5}, said
        state(store)
    program.run("export", url)
    assert only_named(store)
    assert Path(program.folder).is_dir()
