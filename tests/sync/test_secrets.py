"""Canaries: a key, presigned queries and a database password pass through everything, and are found nowhere."""

import json
import os
import sqlite3
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tests.support.account import dump, environ
from tests.support.program import Program
from tpmirror.config import load
from tpmirror.credentials import exposure
from tpmirror.db.engine import open_engine
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.sync import full as syncing
from tpmirror.tensorpix.client import Api
from tpmirror.web.app import create_app
from tpmirror.web.server import Server

KEY = "tpx-canary-of-the-key"
PASSWORD = "canary-of-the-password"
QUERY = "canary-of-a-query"
SIGNED = f"https://storage.example.com/canary.mp4?X-Amz-Credential={QUERY}&X-Amz-Signature={QUERY}"
USER = f"https://me:{PASSWORD}@storage.example.com/canary.mp4"
FORM = {"key": "canary.mp4", "policy": QUERY, "x-amz-signature": QUERY, "AWSAccessKeyId": QUERY, "X-Amz-Date": [QUERY]}
"""What a browser may upload a file with: as good as a presigned URL."""
SECRETS = (KEY, PASSWORD, QUERY, "X-Amz-Signature", "X-Amz-Credential")
NONE = "holds no API key"
PAGES = ["/", "/live", "/jobs", "/jobs.csv", "/jobs.json", "/jobs/3", "/jobs/5", "/costs", "/ledger.csv", "/operations",
         "/sync", "/sql"]  # fmt: skip


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """Signed URLs and forms wherever a text or an unknown key may stand, and in payloads that cannot be mirrored."""
    world = World(seed=3, jobs=30, in_flight=3, jobs_per_day=0)
    world.edit(3, {"link": SIGNED, "start_frame": 2**64, "description": f"made from {SIGNED} yesterday"})
    world.edit(4, {"links": {SIGNED: [SIGNED]}, "grain": "broken", "codec": SIGNED})
    world.edit(5, {"finished": SIGNED, "codec": SIGNED})
    world.edit(6, {"finished": f"X-Amz-Signature={QUERY}", SIGNED: 1, f"{SIGNED}&page=2": 2})
    world.edit(7, {"upload": {"url": USER, "fields": FORM}, "links": [USER, json.dumps(FORM)]})
    world.edit(
        8, {"upload": {"fields": FORM}, "finished": USER, "grain": FORM, "codec": [[*pair] for pair in FORM.items()]}
    )
    with Simulator(world, token=KEY, page_cap=10) as simulator:
        yield simulator


def secret_url(url: str) -> str:
    """The same database, with a password that a server which trusts everybody does not ask for."""
    return url.replace("postgres@", f"postgres:{PASSWORD}@").replace("postgresql+psycopg", "postgresql")


def clean(text: str | bytes) -> bool:
    held = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return not [secret for secret in SECRETS if secret.encode() in held]


@pytest.fixture
def program(sim, mirror_url, tmp_path) -> Program:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "key").write_text(f"{KEY}\n")
    (folder / "key").chmod(0o600)
    variables = environ(
        sim.url, "", api_key_file=folder / "key", log_level="debug", max_attempts=2, retry_base=0, page_size=2
    )
    return Program(folder, {**variables, "TPMIRROR_DATABASE_URL": secret_url(mirror_url)})


def faults() -> Iterator[tuple[Response, int]]:
    """Answers that repeat what they were asked with, as a proxy's error page may; and how the run ends."""
    header = f"Token {KEY}"
    yield Response(502, {}, header.encode()), 1
    yield Response(302, {"Location": f"https://me:{PASSWORD}@elsewhere.example/?sig={QUERY}"}), 1
    yield Response(200, {"Content-Type": f"text/html; {header}"}, header.encode()), 1
    yield Response(200, {"Content-Type": header}, header.encode()), 1
    yield Response(404, {}, header.encode()), 1
    yield Response.json(200, {"count": header, "results": SIGNED}), 1
    yield Response.json(200, {"count": 1, "previous": SIGNED, "results": [{"id": SIGNED, "status": "x"}]}), 3
    yield Response.raw(f"HTTP/1.1 2000 {header}\r\n\r\n".encode(), close=True), 1
    yield Response.detail(401, header), 4


def test_no_secret_is_in_any_output_nor_anywhere_in_the_database(program, sim, mirror_url, tmp_path, capsys):
    path = Path(mirror_url.removeprefix("sqlite:///"))
    # A reader from before keeps the write-ahead log from being folded into the file: both are looked through.
    holder = sqlite3.connect(path) if mirror_url.startswith("sqlite") else None
    if holder:
        holder.execute("BEGIN")
        holder.execute("SELECT COUNT(*) FROM jobs").fetchone()
    told = [
        program.run("sync", code=3),
        *(
            program.call(capsys, *words, code=code)
            for *words, code in (
                ("sync", "--json", 3), ("poll", 0), ("verify", "--json", 3), ("status", "--json", 0), ("audit", 0),
                ("history", "3", 0), ("history", "5", "--json", 0), ("quarantine", "list", "--json", 0), ("report", 0),
                ("quarantine", "retry", 3), ("export", "csv", "--format", "csv", 0),
                ("export", "jsonl", "--format", "jsonl", 0),
            )
        ),
    ]  # fmt: skip
    for answer, code in faults():
        sim.respond = lambda _request, answer=answer: answer
        told.append(program.call(capsys, "sync", code=code))
    assert clean(repr(told)), [text for text in map(repr, told) if not clean(text)]
    assert "canary.mp4" in repr(told)
    if holder:
        assert path.with_name(f"{path.name}-wal").stat().st_size > 0
        for file in path.parent.glob(f"{path.name}*"):
            assert clean(file.read_bytes()), file
        holder.close()
    assert clean(repr(dump(mirror_url)))
    exported = [file for file in program.folder.rglob("*") if file.is_file() and file.name != "key"]
    assert len(exported) > 20
    assert all(clean(file.read_bytes()) for file in exported)
    assert b"canary.mp4" in b"".join(file.read_bytes() for file in exported)


def test_no_secret_is_on_any_page(program, mirror_url, capsys):
    program.call(capsys, "sync", code=3)
    app = create_app(load({"TPMIRROR_DATABASE_URL": secret_url(mirror_url)}))
    server = Server(app, ("127.0.0.1", 0))
    try:
        with httpx.Client(base_url=server.start(), trust_env=False, timeout=30) as client:
            for path in PAGES:
                answer = client.get(path)
                assert (path, answer.status_code) == (path, 200)
                assert clean(answer.content), path
    finally:
        server.stop()
        app.state.engine.dispose()


def test_no_secret_is_in_a_traceback(program, monkeypatch, capsys):
    """What nobody expected is shown with its traceback, if asked for: whatever stands in it."""

    def fail(*_: Any, **__: Any) -> None:
        message = f"b'Token {KEY}' postgresql://me:{PASSWORD}@host/db {SIGNED}"
        raise RuntimeError(message)

    monkeypatch.setattr(syncing, "sync", fail)
    said = program.call(capsys, "sync", code=1)[1]
    assert "RuntimeError" in said
    assert "in fail" in said
    assert clean(said)
    program.variables["TPMIRROR_LOG_LEVEL"] = "info"
    assert "unexpected RuntimeError" in program.call(capsys, "sync", code=1)[1]


def test_no_secret_is_in_the_text_of_any_object(sim, mirror_url):
    settings = load({**environ(sim.url, KEY), "TPMIRROR_DATABASE_URL": secret_url(mirror_url)})
    with Api(settings) as api:
        page = api.page(10, 20)
        texts = [repr(api), repr(vars(api)), repr(api._client), repr(api._client.headers), repr(api._key)]
    engine = open_engine(settings.database)
    texts += [repr(engine), repr(engine.url), str(engine.url)]
    assert clean(repr(texts))
    assert page.listing.items


def test_an_error_of_the_database_repeats_no_values(mirror_url, engine):
    try:
        with engine.connect() as conn, pytest.raises(SQLAlchemyError, match="nowhere") as caught:
            conn.execute(text("SELECT 1 FROM nowhere WHERE file = :file"), {"file": SIGNED})
        assert clean("".join(traceback.format_exception(caught.value)))
    finally:
        engine.dispose()


def test_a_new_database_and_its_log_are_for_their_owner_alone(sim, tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    program = Program(folder, environ(sim.url, KEY))
    asked: list[int] = []

    def look(_: Request) -> None:
        asked.extend(path.stat().st_mode & 0o777 for path in folder.iterdir())

    sim.respond = look
    program.run("sync", code=3)
    names = {path.name for path in folder.iterdir()}
    assert "tpmirror.db" in names
    assert set(asked) == {0o600}
    assert len(asked) > 3  # the file, and what SQLite keeps beside it during a run


@pytest.mark.parametrize(
    ("content", "says"),
    [(f"{KEY}\n", ""), (f"  {KEY}\r\n\r\n", ""), (f"\t{KEY} ", ""), ("", NONE), ("\n\n", NONE),
     (f"{KEY} {KEY}", NONE), (f"{KEY}\nmore", NONE), (f"{KEY}\0", NONE),
     (f"\ufeff{KEY}", NONE), (f"{KEY}é", NONE), (b"\xff\xfe" + KEY.encode(), "not text"),
     (f"TPMIRROR_API_KEY={KEY} # the key", NONE), ("x" * 5000, NONE)],
)  # fmt: skip
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_key_file_is_read_or_refused_without_being_shown(program, content, says, capsys):
    (program.folder / "key").write_bytes(content if isinstance(content, bytes) else content.encode())
    said, complained = program.call(capsys, "sync", code=2 if says else 3)
    assert says in complained
    assert clean(said + complained)
    assert complained.count("\n") == (1 if says else complained.count("\n"))


@pytest.mark.parametrize("path", ["none", "/none", ".", "/dev/null", "/dev/zero"])
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_path_to_no_key_file_is_refused_by_its_name(program, path, capsys):
    program.variables["TPMIRROR_API_KEY_FILE"] = path
    said = program.call(capsys, "sync", code=2)[1]
    assert (said.count("\n"), repr(path) in said) == (1, True)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_pipe_is_refused_as_key_file_and_a_link_to_a_file_is_not(program, capsys):
    os.mkfifo(program.folder / "pipe")
    (program.folder / "link").symlink_to("key")
    program.variables["TPMIRROR_API_KEY_FILE"] = "pipe"
    assert "a pipe" in program.call(capsys, "sync", code=2)[1]
    program.variables["TPMIRROR_API_KEY_FILE"] = "link"
    program.call(capsys, "sync", code=3)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_key_given_as_the_name_of_its_file_is_not_shown(program, capsys):
    for key in (KEY, KEY * 20):
        program.variables["TPMIRROR_API_KEY_FILE"] = key
        said, complained = program.call(capsys, "sync", code=2)
        assert clean(said + complained)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o644, 0o604, 0o666])
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_key_file_that_everybody_may_read_is_used_with_a_warning(program, mode, capsys):
    (program.folder / "key").chmod(mode)
    warned = [line for line in program.call(capsys, "sync", code=3)[1].splitlines() if line.startswith("warning: ")]
    assert len(warned) == (1 if mode & 0o007 else 0)
    assert all("chmod 600" in line and clean(line) for line in warned)


def test_a_key_file_of_somebody_else_is_no_reason_to_warn(tmp_path, monkeypatch):
    path = tmp_path / "key"
    path.write_text(KEY)
    path.chmod(0o644)
    assert exposure(path)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert exposure(path) is None
