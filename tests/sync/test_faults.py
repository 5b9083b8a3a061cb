"""What the API may do wrong, one row a fault: what it answers, what the user is told, what the mirror holds.

Each fault is met twice on a real socket. First it lasts: the first page arrives, every other request gets the fault.
The run ends with one line that names it; the rows of the first page are there, nothing is certified. Then it passes: it
is met once, and the full sync goes on to its proof, unless it is one that no second try can mend.
"""

import contextlib
import gzip
import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import cycle
from typing import Any

import pytest

from tests.support.account import KEY, environ, mirror, row, rows
from tests.support.account import settings as client_settings
from tests.support.program import ROOT, Program
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.tensorpix.client import Api

JOBS, PAGE, IN_FLIGHT, TRIES = 35, 10, 2, 2
JSON = {"Content-Type": "application/json"}
DIGITS = b"9" * 5000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Answer = Callable[[Simulator, Request], Response]


@dataclass(frozen=True)
class Fault:
    """A row: what the server does, what the user sees."""

    what: str
    answer: Answer
    says: str
    again: bool = True
    """Whether it is worth another try; if not, nothing is asked twice."""
    code: int = 1
    options: dict[str, str] = field(default_factory=dict)


def slow(what: str, answer: Answer) -> Fault:
    """A fault that only the request's time ends."""
    return Fault(what, answer, "within 1 s", options={"request_timeout": "1"})


def final(what: str, answer: Answer, says: str, code: int = 1) -> Fault:
    """A fault that no second try can mend."""
    return Fault(what, answer, says, again=False, code=code)


def honest(sim: Simulator, request: Request) -> bytes:
    """The body of the true answer."""
    return sim.answer(request).body


def always(response: Response) -> Answer:
    return lambda _sim, _request: response


def plain(status: int, text: str = "<h1>Oops</h1>") -> Answer:
    return always(Response(status, {"Content-Type": "text/html"}, text.encode()))


def detail(status: int, text: str = "No.") -> Answer:
    return always(Response.detail(status, text))


def body(change: Callable[[bytes], bytes], **headers: str) -> Answer:
    """The true page with its bytes distorted."""
    return lambda sim, request: Response(200, {**JSON, **headers}, change(honest(sim, request)))


def fields(**changed: Any) -> Answer:
    """The true page with other values in its envelope; ``...`` takes a key away."""

    def answer(sim: Simulator, request: Request) -> Response:
        page = {**json.loads(honest(sim, request)), **changed}
        return Response.json(200, {name: value for name, value in page.items() if value is not ...})

    return answer


def wire(change: Callable[[bytes], bytes], *, drip: tuple[int, float] | None = None) -> Answer:
    """Bytes on the wire, made of the true body."""
    return lambda sim, request: Response.raw(change(honest(sim, request)), close=True, drip=drip)


def packed(change: Callable[[bytes], bytes]) -> Answer:
    return body(lambda page: change(gzip.compress(page)), **{"Content-Encoding": "gzip"})


def offset(number: int) -> Answer:
    """A cache that hands out this page whatever is asked for."""

    def answer(sim: Simulator, request: Request) -> Response:
        return sim.answer(replace(request, target=f"/api/jobs/?limit={PAGE}&offset={number}"))

    return answer


def redirect(status: int, target: str) -> Answer:
    return always(Response(status, {"Location": target}))


@cache
def bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(mebibytes)) + packer.flush()


def length(page: bytes, claimed: int) -> bytes:
    return HEAD + b"Content-Length: %d\r\n\r\n" % claimed + page


def twice(name: bytes) -> Callable[[bytes], bytes]:
    """A key of the envelope that stands there a second time."""
    return lambda page: page[:-1] + b"," + name + b"}"


FAULTS = [
    # Overloaded, or somebody in between says so.
    Fault("429 without a word on when", plain(429), "answers 429"),
    Fault("500", detail(500), "answers 500"),
    Fault("502 in HTML", plain(502), "answers 502"),
    Fault("503", plain(503), "answers 503"),
    Fault("504", plain(504), "answers 504"),
    Fault("520 of a CDN", plain(520), "answers 520"),
    # Too slow: the time is for the whole request.
    slow("headers that drip", wire(lambda _: HEAD + b"X: y\r\n" * 99, drip=(6, 0.04))),
    slow("a body that drips", wire(lambda page: length(page, len(page)), drip=(200, 0.02))),
    slow("silence", wire(lambda _: HEAD, drip=(1, 9))),
    # Half an answer.
    Fault("closed before a word", wire(lambda _: b""), "cut off"),
    Fault("body shorter than stated", wire(lambda page: length(page[:99], len(page))), "cut off"),
    Fault("chunks without end", wire(lambda _: HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"cou'), "cut off"),
    Fault("body cut off without a length", wire(lambda page: HEAD + b"\r\n" + page[:99]), "not a page of jobs"),
    Fault("gzip cut off", packed(lambda zipped: zipped[:-30]), "gzip stream is cut off"),
    Fault("gzip without its checksum", packed(lambda zipped: zipped[:-8]), "gzip stream is cut off"),
    Fault("gzip whose second member is cut off", packed(lambda zipped: zipped + zipped[:-30]), "stream is cut off"),
    Fault("gzip whose second member is damaged", packed(lambda zipped: zipped + b"\x1f\x8bmore"), "stream is damaged"),
    Fault("gzip that is none", packed(lambda zipped: b"none" + zipped), "gzip stream is damaged"),
    Fault("a gzip bomb", packed(lambda _: bomb(20)), "larger than 4 MiB"),
    Fault("a gzip bomb in the second member", packed(lambda zipped: zipped + bomb(20)), "larger than 4 MiB"),
    Fault("a body without end", body(lambda page: page + b" " * 5 * 2**20), "larger than 4 MiB"),
    Fault("a packing nobody asked for", body(lambda page: page, **{"Content-Encoding": "br"}), "packed as 'br'"),
    # Not HTTP as it should be.
    Fault("another protocol", always(Response.raw(b"SSH-2.0-OpenSSH_9\r\n", close=True)), "damaged"),
    Fault("two lengths", wire(lambda _: HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), "damaged"),
    Fault("a huge header", wire(lambda page: HEAD + b"X: " + b"y" * 2**18 + b"\r\n\r\n" + page), "damaged"),
    # 200, but no page.
    Fault("HTML with 200", plain(200), "'text/html' instead of JSON"),
    Fault("JSON called text", body(lambda page: page, **{"Content-Type": "text/plain"}), "'text/plain' instead of"),
    Fault("text, said twice", body(lambda page: page, **{"Content-Type": "text/plain, text/html"}), "'text/plain'"),
    Fault("no content type", always(Response(200, {}, b"{}")), "'no content type' instead of JSON"),
    Fault("HTML called JSON", body(lambda _: b"<h1>Maintenance</h1>"), "not a page of jobs"),
    Fault("nothing with 200", body(lambda _: b""), "answers with nothing"),
    Fault("204", always(Response(204)), "answers with nothing"),
    Fault("JSON cut off", body(lambda page: page[:-40]), "not a page of jobs"),
    Fault("JSON and more", body(lambda page: page + b"{}"), "not a page of jobs"),
    Fault("two byte order marks", body(lambda page: 2 * b"\xef\xbb\xbf" + page), "not a page of jobs"),
    Fault("UTF-16", body(lambda page: page.decode().encode("utf-16")), "not a page of jobs"),
    Fault("brackets without end", body(lambda _: b"[" * 20_000), "not a page of jobs"),
    Fault("null", body(lambda _: b"null"), "not a page of jobs"),
    Fault("a bare list", body(lambda page: page[page.index(b"[") : -1]), "not a page of jobs"),
    Fault("an error with 200", detail(200), "not a page of jobs"),
    # An envelope that cannot be trusted.
    Fault("no count", fields(count=...), "not a page of jobs"),
    Fault("a negative count", fields(count=-1), "counts -1"),
    Fault("a count beyond belief", fields(count=10**18), "counts 1e+18"),
    Fault("a count of 5,000 digits", body(lambda page: page.replace(b":35,", b":%s," % DIGITS, 1)), "not a page"),
    Fault("a count as text", fields(count="35"), "not a page of jobs"),
    Fault("a count that is true", fields(count=True), "not a page of jobs"),
    Fault("a count that is no number", body(lambda page: page.replace(b":35,", b":NaN,", 1)), "not a page of jobs"),
    Fault("no results", fields(results=...), "no list of results"),
    Fault("results that are null", fields(results=None), "no list of results"),
    Fault("results that are an object", fields(results={"id": 1}), "no list of results"),
    Fault("next as a number", fields(next=20), "not a page of jobs"),
    Fault("two counts", body(twice(b'"count":3')), "a key stands in it twice"),
    Fault("two lists of results", body(twice(b'"results":[]')), "a key stands in it twice"),
    Fault("a stored page", body(lambda page: page, Age="300"), "by a cache: it is 300 s old"),
    Fault("a page of long ago", body(lambda page: page, Date="Sun, 01 Nov 2020 00:00:00 GMT"), "by a cache: its"),
    Fault("the first page for every other", offset(0), "answered with those from 0"),
    Fault("a later page for every other", offset(11), "answered with those from 11"),
    # No second try can mend these.
    final("a redirect elsewhere", redirect(302, "https://elsewhere.example/?s=1"), "https://elsewhere.example;"),
    final("a redirect to no URL", redirect(301, "http://[/?s=1"), "redirects to something that is no URL"),
    final("a redirect to another path", redirect(308, "/login/?next=/api/jobs/"), "redirects to another path"),
    final("a list not found", detail(404, "Not found."), "answers 404; check TPMIRROR_API_URL"),
    final("a list not found, in HTML", plain(404), "answers 404; check TPMIRROR_API_URL"),
    final("a method not allowed", detail(405), "answers 405"),
    final("a list that is over", detail(410), "answers 410"),
    final("a bad request", detail(400), "answers 400"),
    final("a forbidden list", detail(403), "the API refused the key (403)", code=4),
    Fault("a key revoked", detail(401, "Invalid token."), "the API refused the key (401)", code=4),
]  # fmt: skip


def in_halves(change: Callable[[bytes], bytes] = lambda zipped: zipped) -> Answer:
    """The true page in two members of gzip, a half each."""
    return body(
        lambda page: change(gzip.compress(page[: len(page) // 2]) + gzip.compress(page[len(page) // 2 :])),
        **{"Content-Encoding": "gzip"},
    )


NO_FAULTS = {
    "gzip in two members": in_halves(),
    "gzip in two members that come byte by byte": lambda sim, request: replace(in_halves()(sim, request), drip=(1, 0)),
    "gzip in two members and a line end": in_halves(lambda zipped: zipped + b"\n"),
    "gzip with an empty member": packed(lambda zipped: zipped + gzip.compress(b"")),
    "gzip and one byte": packed(lambda zipped: zipped + b"\0"),
    "gzip and more": packed(lambda zipped: zipped + b"more"),
    "a byte order mark": body(lambda page: b"\xef\xbb\xbf" + page),
    "a packed byte order mark": packed(lambda zipped: gzip.compress(b"\xef\xbb\xbf") + zipped),
    "one content type twice": wire(lambda page: HEAD + b"Content-Type: application/json\r\n\r\n" + page),
    "two content types": body(lambda page: page, **{"Content-Type": "text/plain, application/json; charset=utf-8"}),
}
"""What is odd and whole: it is read as if it were plain."""


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(World(seed=1, jobs=JOBS, in_flight=0, jobs_per_day=0), token=KEY, page_cap=PAGE) as simulator:
        yield simulator


def program(sim: Simulator, lite_url: str, folder: Any, **options: str) -> Program:
    chosen: dict[str, Any] = {"page_size": PAGE, "concurrency": IN_FLIGHT, "max_attempts": TRIES, "retry_base": 0}
    return Program(folder, {**environ(sim.url, **{**chosen, **options}), "TPMIRROR_DATABASE_URL": lite_url})


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_a_fault_is_named_keeps_what_arrived_and_is_mended_by_another_try(fault, sim, lite_url, tmp_path, capsys):
    tool = program(sim, lite_url, tmp_path, **fault.options)

    sim.respond = lambda request: None if request.query.get("offset") == "0" else fault.answer(sim, request)
    said, complained = tool.call(capsys, "sync", code=fault.code)
    assert (said, complained.count("\n")) == ("", 1), complained
    assert fault.says in complained
    assert KEY not in complained
    assert "s=1" not in complained
    ended = row(lite_url, "sync_runs")
    assert (ended["outcome"], ended["certified"], ended["covered"]) == ("failed", False, False)
    assert ended["error"] in complained
    assert len(rows(lite_url, "jobs")) == PAGE
    # Both pages in flight meet the fault; neither asks more often than told, and nothing goes on after it.
    asked = sim.count_requests() - 1
    assert 1 <= asked <= (TRIES if fault.again else 1) * 2 * IN_FLIGHT
    assert asked >= (TRIES if fault.again else 1)

    tool.variables["TPMIRROR_MAX_ATTEMPTS"] = "9"  # also an honest answer may be too slow, on a busy machine
    pending = [fault.answer] if fault.again else []
    sim.respond = lambda request: pending.pop()(sim, request) if pending and request.query["offset"] != "0" else None
    tool.call(capsys, "sync")
    assert pending == []
    assert rows(lite_url, "sync_runs")[-1]["certified"]
    assert len(rows(lite_url, "jobs")) == JOBS


@pytest.mark.parametrize("answer", NO_FAULTS.values(), ids=NO_FAULTS)
def test_an_answer_that_is_odd_and_whole_is_read_at_once(answer, sim):
    sim.respond = lambda request: answer(sim, request)
    with Api(client_settings(sim, max_attempts=1)) as api:
        page, (found, _) = api.page(PAGE, 10), api.job(7)
    assert [item.id for item in page.listing.items] == list(range(25, 15, -1))
    assert found is not None
    assert (page.listing.count, found.id, api.requests) == (JOBS, 7, 2)


def test_a_first_page_that_cannot_be_had_leaves_no_trace(sim, tmp_path, capsys):
    tool = program(sim, f"sqlite:///{tmp_path / 'new.db'}", tmp_path)
    for answer in (plain(200), detail(403), plain(502), redirect(302, "https://elsewhere.example/")):
        sim.respond = lambda request, answer=answer: answer(sim, request)
        tool.call(capsys, "sync", code=4 if answer(sim, Request("GET", "/")).status == 403 else 1)
    assert list(tmp_path.iterdir()) == []


def test_a_key_refused_for_good_is_asked_for_twice_a_run_and_no_more(sim, lite_url, tmp_path, capsys):
    sim.token = "another"
    tool = program(sim, lite_url, tmp_path, max_attempts="9")
    for runs in (1, 2, 3):
        tool.call(capsys, "sync", code=4)
        assert sim.count_requests() == 2 * runs


def test_a_key_replaced_during_the_full_sync_is_read_again_from_its_file(sim, lite_url, tmp_path, capsys):
    path = tmp_path / "key"
    path.write_text("tpx-of-yesterday\n")
    path.chmod(0o600)
    tool = program(sim, lite_url, tmp_path)
    tool.variables |= {"TPMIRROR_API_KEY": "", "TPMIRROR_API_KEY_FILE": str(path)}
    sim.token = "tpx-of-yesterday"

    def replace_key(request: Request) -> None:
        if request.query.get("offset") == "20":
            fresh = path.with_name("fresh")
            fresh.write_text("tpx-of-today\n")
            fresh.replace(path)  # as secrets are replaced: nobody ever reads half of one
            sim.token = "tpx-of-today"

    sim.respond = replace_key
    tool.call(capsys, "sync")
    assert len(rows(lite_url, "jobs")) == JOBS
    assert 0 < sum(seen.status == 401 for seen in sim.requests) <= IN_FLIGHT


@pytest.mark.parametrize(
    "header",
    [
        {"Retry-After": "1"},
        {"Retry-After": "Sun, 01 Nov 2026 12:00:01 GMT", "Date": "Sun, 01 Nov 2026 12:00:00 GMT"},
        {"Retry-After": "Sun, 01 Nov 2026 11:00:00 GMT", "Date": "Sun, 01 Nov 2026 12:00:00 GMT"},
        {"Retry-After": "0"},
    ],
    ids=["seconds", "a date against the answer's own", "a date gone by", "no time at all"],
)
def test_a_pause_the_api_asks_for_is_kept_by_all_pages_in_flight(sim, header):
    """Four threads at once; one of them is throttled. None sends anything in the second after it."""
    times: list[float] = []
    told: list[float] = []
    lock, all_asked = threading.Lock(), threading.Event()

    def respond(_: Request) -> Response | None:
        with lock:
            times.append(time.monotonic())
            if len(times) == 4:
                all_asked.set()
            if len(times) > 1:
                return None
        all_asked.wait(25)
        told.append(time.monotonic())
        return Response.detail(429, "Request was throttled.", header)

    sim.respond = respond
    with Api(client_settings(sim, max_attempts=2, retry_base=0)) as api:

        def ask() -> None:
            for number in range(3):
                api.page(5, 5 * number)
                all_asked.wait(25)
                for _ in range(1000):  # until the answer that was under way with the others has reached its thread
                    if api._pace._held > 0:
                        break
                    time.sleep(0.01)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len(times) == 13
    assert min(moment for moment in times if moment > told[0]) - told[0] >= 0.95


@contextlib.contextmanager
def resetting(sim: Simulator, resets: int) -> Iterator[str]:
    """A wire to the simulator that is cut with a reset, in the middle of the answer, so many times."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        left = resets
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                asked = re.sub(rb"(?i)(?<=connection: )keep-alive", b"close", connection.recv(65536))
                with socket.create_connection(("127.0.0.1", sim.port)) as upstream:
                    upstream.sendall(asked)
                    answer = b"".join(iter(lambda: upstream.recv(65536), b""))
                if left:
                    left -= 1
                    connection.sendall(answer[: len(answer) // 2])
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_connections_that_are_reset_are_made_again(sim, lite_url, tmp_path, capsys):
    tool = program(sim, lite_url, tmp_path, max_attempts="4")
    with resetting(sim, 3) as origin:
        tool.variables["TPMIRROR_API_URL"] = origin
        tool.call(capsys, "sync")
    with resetting(sim, 99) as origin:
        tool.variables["TPMIRROR_API_URL"] = origin
        assert f"cannot reach {origin}: " in tool.call(capsys, "sync", code=1)[1]
    assert [run["outcome"] for run in rows(lite_url, "sync_runs")] == ["succeeded", "failed"]
    assert rows(lite_url, "sync_runs")[0]["retries"] == 3


@pytest.mark.parametrize("following", [None, "https://x/?more=1"])
def test_a_server_that_minds_no_offset_does_not_keep_a_full_sync_for_ever(sim, lite_url, tmp_path, capsys, following):
    page = {
        "count": PAGE,
        "next": following,
        "previous": None,
        "results": [{"id": n, "status": 2} for n in range(1, 11)],
    }
    sim.respond = lambda _: Response.json(200, page)
    said = program(sim, lite_url, tmp_path).call(capsys, "sync", code=1)[1]
    assert f"counts {PAGE} jobs but still serves some from 1" in said
    assert sim.count_requests() < 150


def test_the_api_out_of_reach_during_a_full_sync_is_told(sim, lite_url, tmp_path, capsys):
    tool = program(sim, lite_url, tmp_path, api_url="http://127.0.0.1:9")
    assert "cannot reach http://127.0.0.1:9" in tool.call(capsys, "sync", code=1)[1]


PEAK = """
import re, sys
from tpmirror.cli.main import main
try:
    main()
finally:
    print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
def test_a_sync_under_gzip_bombs_stays_below_150_mb(sim, lite_url, tmp_path):
    """Four pages in flight, each 100 MiB once unpacked, and each tried three times."""
    huge = Response(200, {**JSON, "Content-Encoding": "gzip"}, bomb(100))
    sim.respond = lambda request: None if request.query.get("offset") == "0" else huge
    tool = program(sim, lite_url, tmp_path, concurrency="4", max_attempts="3", page_size="100")
    done = subprocess.run(
        [sys.executable, "-c", PEAK, "sync"],
        env={**os.environ, **tool.variables, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "larger than 6 MiB" in done.stderr
    assert int(done.stdout) < 150_000
    assert len(rows(lite_url, "jobs")) == PAGE


def test_a_mirror_that_met_every_fault_equals_one_that_met_none(sim, lite_url, tmp_path, migrated_file):
    """All faults that pass, one after the other, in a single full sync with as many tries as it takes."""
    plagued = [fault.answer for fault in FAULTS if fault.again and not fault.options and fault.code == 1]
    pending = iter(plagued)

    def respond(request: Request) -> Response | None:
        answer = next(pending, None) if request.query["offset"] != "0" else None
        return answer(sim, request) if answer else None

    sim.respond = respond
    run = mirror(sim, lite_url, page_size=PAGE, concurrency=4, max_attempts=100, retry_base=0)
    assert (run["certified"], run["retries"], list(pending)) == (True, len(plagued), [])
    answers = cycle(NO_FAULTS.values())
    sim.respond = lambda request: next(answers)(sim, request)
    again = mirror(sim, lite_url, page_size=PAGE, concurrency=4, max_attempts=1)
    assert (again["certified"], again["retries"], again["jobs_unchanged"]) == (True, 0, JOBS)
    calm = tmp_path / "calm.db"
    calm.write_bytes(migrated_file.read_bytes())
    sim.respond = None
    mirror(sim, f"sqlite:///{calm}")
    seen = {"first_seen_at", "changed_at"}
    for table in ("jobs", "input_videos", "output_videos", "ml_models", "job_ml_models"):
        both = [
            [{name: value for name, value in line.items() if name not in seen} for line in rows(where, table)]
            for where in (lite_url, f"sqlite:///{calm}")
        ]
        assert both[0] == both[1]
