"""The dashboard over HTTP: who may see it, what a browser may do with it, files, wrong values, clients that hold on."""

import base64
import csv
import html
import io
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from sqlalchemy import literal, select, text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.support import served
from tests.support.account import connected, query
from tests.support.hostile import HARMFUL, mirror_of_everything
from tests.support.program import Program
from tpmirror.config import Settings, load
from tpmirror.errors import MirrorError, UsageError
from tpmirror.service import probes
from tpmirror.service.watchdog import Watchdog
from tpmirror.store.status import MirrorStatus
from tpmirror.web import app as web_app
from tpmirror.web import downloads, server, templating
from tpmirror.web.app import AT_ONCE, create_app

TOKEN = "sixteen-letters-or-more"
PAGES = ["/", "/live", "/jobs", "/costs", "/statement", "/operations", "/sync", "/data", "/data/jobs", "/sql"]
THREADS = 40
"""Pages that are made at once, by starlette's own limit."""
BROKEN = (Route("/healthz", lambda _request: 1 / 0), Route("/metrics", lambda _request: 1 / 0))


def dashboard(database_url: str, routes: Any = BROKEN, **variables: str) -> AbstractContextManager[httpx.Client]:
    """A client of the dashboard of a mirror, which is served beside two routes that break, or others."""
    return served.dashboard(database_url, routes, **variables)


def test_an_empty_mirror_has_pages_too(mirror_url):
    with dashboard(mirror_url) as client:
        for path in PAGES:
            answer = client.get(path)
            assert answer.status_code == 200, path
        assert "The mirror is empty" in client.get("/").text
        assert client.get("/jobs.json").json() == []


def test_files_hold_every_job_and_no_formula(mirror_url):
    mirror_of_everything(mirror_url)
    (count,) = query(mirror_url, "SELECT COUNT(*) FROM jobs")[0]
    with dashboard(mirror_url) as client:
        answer = client.get("/jobs.csv")
        assert answer.headers["content-disposition"] == 'attachment; filename="tpmirror-jobs.csv"'
        table = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert len(table) == count
        by_id = {int(row["job_id"]): row for row in table}
        assert by_id[3]["description"] == "'" + HARMFUL[3]
        assert by_id[1]["description"] == HARMFUL[1]
        assert not [cell for row in table for cell in row.values() if cell[:1] in "=+@" and cell]
        objects = {row["job_id"]: row for row in client.get("/jobs.json?q=%3Dcmd()").json()}
        assert list(objects) == [3]
        assert objects[3]["description"] == HARMFUL[3]
        assert re.fullmatch(r"\d+\.\d{4}", objects[3]["credits"])
        assert objects[3]["started"].endswith("Z")
        ledger = client.get("/ledger.json").json()
        (total,) = query(mirror_url, "SELECT SUM(CASE WHEN preview THEN 0 ELSE cost_usd END) FROM jobs")[0]
        assert sum(float(row["credits"]) for row in ledger) == pytest.approx(float(total))
        assert {row["kind"] for row in ledger} == {"charge", "correction"}
        costs = list(csv.DictReader(io.StringIO(client.get("/costs.csv?per=day&by=task").text, newline="")))
        assert costs
        assert costs[0].keys() == {"period", "name", "jobs", "credits"}


def test_numbers_beyond_all_measure_break_no_page(mirror_url):
    mirror_of_everything(mirror_url)
    with connected(mirror_url) as conn:
        conn.execute(text("UPDATE jobs SET eta_s = 1e15"))
        conn.execute(text("UPDATE output_videos SET n_frames = -9223372036854775808, framerate = 25, size = 10"))
        conn.commit()
    ids = [job_id for (job_id,) in query(mirror_url, "SELECT id FROM jobs")]
    with dashboard(mirror_url) as client:
        for path in [*PAGES, *(f"/jobs/{job_id}" for job_id in ids[:9])]:
            assert client.get(path).status_code == 200, path


def test_numbers_kept_in_memory_are_those_of_now(mirror_url):
    with dashboard(mirror_url) as client:
        assert "The mirror has no job yet" in client.get("/jobs").text
        mirror_of_everything(mirror_url)
        (count,) = query(mirror_url, "SELECT COUNT(*) FROM jobs")[0]
        assert f"<strong>{count}</strong> jobs" in client.get("/jobs").text


@pytest.fixture(scope="module")
def empty(migrated_file: Path) -> str:
    """A mirror without jobs; nothing here writes to it."""
    return f"sqlite:///{migrated_file}"


@pytest.fixture(scope="module")
def client(empty: str) -> Iterator[httpx.Client]:
    """The dashboard of that mirror on loopback, which anybody may call by one name more."""
    with dashboard(empty, TPMIRROR_HTTP_HOSTS="mirror.example.com", TPMIRROR_HTTP_OPEN="yes") as found:
        yield found


@pytest.fixture
def guarded(empty: str) -> Iterator[httpx.Client]:
    """The same for other machines too, with a token. Of each test its own: it counts wrong passwords."""
    with dashboard(empty, TPMIRROR_HTTP_TOKEN=TOKEN, TPMIRROR_HTTP_ADDR="0.0.0.0:8377") as found:
        yield found


WRONG = [
    "/jobs?status=x", "/jobs?model=1e9", "/jobs?status=99999999999999999999", "/jobs?from=yesterday",
    "/jobs?to=9999-12-31", "/jobs?sort=password", "/jobs?presence=here", "/jobs?page=x", "/jobs?page=0",
    "/jobs?page=-1", "/jobs?page=1.5", "/jobs?after=1", "/jobs?input=x",
    "/costs?by=codec", "/costs?last=7", "/operations?days=-1",
    "/costs?from=soon", "/costs?from=2026-11&to=2026-10", "/costs?of=%00", "/operations?to=9999-12",
    "/statement?month=2026-13",
    "/report/costs.csv?by=nobody", "/report/eta.json?month=2026-10", "/report/sync.csv?from=later",
    "/data?x=1", "/data?q=%00",
    "/data/jobs?q=a",
    "/sync?before=one", "/sync?kind=none", "/jobs.csv?from=now", "/costs.csv?per=year",
    "/jobs?q=%00", "/jobs?owner=a%00b", "/jobs?resolution=%00", "/jobs.csv?q=%00", f"/jobs.json?q={60_000 * 'a'}",
    f"/jobs?q={60_000 * 'a'}", f"/jobs?page={18 * '9'}", f"/jobs?page={5_000 * '9'}", f"/jobs?input={2**63}",
    f"/jobs?status={18 * '9'}", f"/jobs?model={18 * '9'}", "/search?q=%00", f"/search?q={60_000 * 'a'}",
]  # fmt: skip
LARGE = [
    f"/jobs?q={18 * '9'}", f"/jobs?q={1000 * '%25'}", f"/sync?before={18 * '9'}", f"/jobs?input={18 * '9'}",
    f"/jobs?input=-{18 * '9'}", "/jobs?from=1900-01-01&to=9000-12-31",
    "/costs?from=all", "/costs?from=0001-01-01&per=day", "/costs?from=2026-01-01&to=9998-12-31&per=day&by=task",
    "/operations?from=all", "/operations?from=0001-01-01&to=9998-12-31", "/statement?month=0001-02",
    "/statement?month=9999-11",
]  # fmt: skip


@pytest.mark.parametrize("path", WRONG)
def test_a_wrong_value_is_refused_with_its_name(client, path):
    answer = client.get(path)
    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_no_database_has_to_refuse_a_value(mirror_url):
    with dashboard(mirror_url) as client:
        assert {path: code for path in WRONG if (code := client.get(path).status_code) != 400} == {}
        assert {path: code for path in LARGE if (code := client.get(path).status_code) != 200} == {}


@pytest.mark.parametrize(
    "path",
    [
        "/nothing", "/report/nothing.csv", "/data/nothing", "/data/jobs.csv", "/data/sync_runs.parquet",
        "/jobs/0", "/jobs/99999999999999999999999999",
        "/static/../app.py", "/jobs/1/x", "/jobs/-1",
        f"/jobs/{2**63}", f"/jobs/{5000 * '1'}",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(client, path):
    assert client.get(path).status_code == 404


def test_every_answer_tells_the_browser_what_it_may_do(client):
    for path in (*PAGES, "/nothing", "/jobs?status=x", "/static/style.css", "/metrics"):
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';"), path
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    broken = client.get("/metrics")
    assert broken.status_code == 500
    assert broken.text.startswith("Something went wrong here")


def test_nothing_can_be_sent(client):
    for path in PAGES:
        assert [client.request(way, path).status_code for way in ("POST", "PUT", "DELETE")] == [405] * 3


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8377", 200), ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:8377", 200), ("192.168.1.7", 200),
        ("mirror.example.com", 200), ("Mirror.Example.com:443", 200), ("evil.example.com", 421),
        ("localhost.evil.com", 421), ("127.0.0.1.evil.com:8377", 421), ("", 421), ("mirror.example.com.", 421),
        ("[::1]", 200), ("[::1].evil.com", 421), ("[::1].evil.com:8377", 421), ("[::1", 421), ("localhost:evil", 421),
    ],
)  # fmt: skip
def test_it_answers_to_its_own_names_only(client, host, status):
    assert client.get("/sync", headers={"host": host}).status_code == status


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401), (basic(TOKEN), 200), (f"Bearer {TOKEN}", 200), (basic("wrong"), 401), (f"Bearer {TOKEN}x", 401),
        ("Basic !!!", 401), ("Basic", 401), (TOKEN, 401), ("Basic /w==", 401), (basic("schl\u00fcssel"), 401),
        (b"Basic \xe9", 401), (b"Bearer \xe9", 401),
    ],
)  # fmt: skip
def test_a_token_is_asked_for(guarded, header, status):
    headers = {"authorization": header} if header else {}
    answers = [guarded.get(path, headers=headers) for path in ("/sync", "/static/style.css", "/jobs.csv")]
    assert {answer.status_code for answer in answers} == {status}
    if status == 401:
        assert answers[0].headers["www-authenticate"].startswith("Basic ")
        assert TOKEN not in answers[0].text


def test_a_token_is_the_bytes_that_it_was_set_to(empty):
    token = b"schl\xc3\xbcssel-\xff-of-bytes"
    with dashboard(empty, TPMIRROR_HTTP_TOKEN=token.decode("utf-8", "surrogateescape")) as client:
        pair = base64.b64encode(b"anybody:" + token)
        headers = [(b"authorization", value) for value in (b"Bearer " + token, b"Basic " + pair, b"Bearer schl")]
        assert [client.get("/sync", headers=[header]).status_code for header in headers] == [200, 200, 401]


def test_supervisors_need_no_token(guarded):
    assert guarded.get("/healthz", headers={"host": "pod.cluster.local"}).status_code == 500, "reached, and broken"
    assert guarded.get("/metrics").status_code == 401


@pytest.mark.parametrize(
    ("name", "value"),
    [*(("TPMIRROR_HTTP_ADDR", at) for at in ("0.0.0.0:8377", "192.168.1.7:80", "[::]:8377", "mirror.example.com:80")),
     ("TPMIRROR_HTTP_HOSTS", "mirror.example.com"), ("TPMIRROR_HTTP_HOSTS", "localhost,192.168.1.7"),
     ("TPMIRROR_HTTP_PREFIX", "/tpmirror")],
)  # fmt: skip
def test_strangers_are_let_in_on_purpose_only(empty, name, value):
    variables = {"TPMIRROR_DATABASE_URL": empty, name: value}
    with pytest.raises(UsageError, match=f"^{name} is .*TPMIRROR_HTTP_TOKEN"):
        create_app(load(variables))
    create_app(load({**variables, "TPMIRROR_HTTP_OPEN": "yes"}))
    create_app(load({**variables, "TPMIRROR_HTTP_TOKEN": TOKEN}))


@pytest.mark.parametrize(
    "headers",
    [{"host": "192.168.1.7"}, {"x-forwarded-for": "192.0.2.1"}, {"x-real-ip": "192.0.2.1"},
     {"forwarded": "for=192.0.2.1"}, {"x-forwarded-host": "mirror.example.com"}],
)  # fmt: skip
def test_a_proxy_that_no_setting_names_lets_nobody_in(empty, headers):
    with dashboard(empty) as client:
        assert client.get("/sync").status_code == 200
        answer = client.get("/sync", headers=headers)
        assert (answer.status_code, "TPMIRROR_HTTP_TOKEN" in answer.text) == (403, True)
    with dashboard(empty, TPMIRROR_HTTP_TOKEN=TOKEN) as client:
        assert client.get("/sync", headers={**headers, "authorization": basic(TOKEN)}).status_code == 200


LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
PICTURE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/jobs", LINK, 200), ("/jobs", PICTURE, 403), ("/jobs", {**PICTURE, "sec-fetch-site": "same-site"}, 403),
        ("/jobs", {**LINK, "sec-fetch-dest": "iframe"}, 403), ("/jobs.csv", LINK, 403), ("/ledger.json", LINK, 403),
        ("/jobs", {**LINK, "sec-purpose": "prefetch"}, 403), ("/static/style.css", PICTURE, 403),
        ("/jobs.csv", {**LINK, "sec-fetch-site": "none"}, 200), ("/live", {"sec-fetch-site": "same-origin"}, 200),
        ("/healthz", PICTURE, 500),
    ],
)  # fmt: skip
def test_another_site_may_link_to_a_page_and_no_more(client, path, headers, status):
    assert client.get(path, headers=headers).status_code == status


OUTSIDE = "https://mirror.example.com"


class Proxy(httpx.BaseTransport):
    """A proxy that serves the dashboard below a path, and nothing else; it passes the path on whole, or strips it."""

    def __init__(self, inside: httpx.URL, prefix: str, *, strips: bool) -> None:
        self._inside, self._prefix, self._strips = inside, prefix, strips
        self._forward = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        if re.match(rf"{self._prefix}(?:[/?]|$)", path) is None:
            return httpx.Response(404, text="of another application")
        path = path.removeprefix(self._prefix) if self._strips else path
        inner = self._inside.copy_with(raw_path=f"/{path.removeprefix('/')}".encode())
        headers = {**request.headers, "x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}
        return self._forward.handle_request(httpx.Request("GET", inner, headers=headers))

    def close(self) -> None:
        self._forward.close()


@contextmanager
def behind_proxy(database_url: str, prefix: str, *, strips: bool) -> Iterator[httpx.Client]:
    """A client of a dashboard below a path of another host."""
    variables = {"TPMIRROR_HTTP_PREFIX": prefix, "TPMIRROR_HTTP_HOSTS": "mirror.example.com"}
    with dashboard(database_url, TPMIRROR_HTTP_TOKEN=TOKEN, **variables) as inner:
        proxy = Proxy(inner.base_url, prefix, strips=strips)
        with httpx.Client(transport=proxy, base_url=OUTSIDE, auth=("anybody", TOKEN), timeout=30) as client:
            yield client


def leads_to(client: httpx.Client, address: str) -> set[str]:
    """Every address that a page names: links, forms, files, what its script fetches."""
    answer = client.get(address)
    if answer.has_redirect_location:
        return {str(answer.url.join(answer.headers["location"]))}
    assert answer.status_code == 200, address
    if not answer.headers["content-type"].startswith("text/html"):
        return set()
    named = re.findall(r'(?:href|src|action|data-live)="([^"]*)"', answer.text)
    return {str(answer.url.join(html.unescape(name)).copy_with(fragment=None)) for name in named}


@pytest.mark.parametrize(("prefix", "strips"), [("/tpmirror", True), ("/tools/tp.mirror", False)])
def test_below_a_path_every_link_leads_to_something_below_it(lived_mirror, prefix, strips):
    with behind_proxy(lived_mirror["sqlite"], prefix, strips=strips) as client:
        found, seen = {f"{OUTSIDE}{prefix}{path}" for path in ("", "/", "/jobs", "/jobs/", "/live")}, set[str]()
        while found:
            address = min(found)
            kind = re.sub(r"\d+|=[^&]*", "", address)  # one job, one value of a parameter is as good as another
            found.remove(address)
            if kind not in seen:
                seen.add(kind)
                found |= leads_to(client, address)
                assert {link for link in found if not link.startswith(f"{OUTSIDE}{prefix}")} == set(), address
        wanted = ["/static/style.css", "/static/live.js", "/jobs/", "/jobs.csv", "/ledger.json", "/costs", "/data"]
        assert {f"{OUTSIDE}{prefix}{path}" for path in wanted} <= seen
        assert client.get(f"{prefix}/nothing").status_code == 404
        assert f'href="{prefix}/"' in client.get(f"{prefix}/nothing").text
        assert 'aria-current="page">Jobs' in client.get(f"{prefix}/jobs").text


def test_below_a_path_probes_and_metrics_stay_at_the_root_too(empty):
    routes = [Route(path, lambda _request: PlainTextResponse("")) for path in ("/healthz", "/readyz", "/metrics")]
    with dashboard(empty, routes, TPMIRROR_HTTP_PREFIX="/tpmirror", TPMIRROR_HTTP_TOKEN=TOKEN) as client:
        asked = [f"{prefix}{path}" for prefix in ("", "/tpmirror") for path in ("/healthz", "/readyz", "/metrics")]
        assert [client.get(path).status_code for path in asked] == [200, 200, 401] * 2
        assert client.get("/tpmirrors").status_code == 401
        answers = [
            client.get(path, auth=("anybody", TOKEN)) for path in ("/metrics", "/tpmirrors", "/tpmirror/tpmirror")
        ]
        assert [answer.status_code for answer in answers] == [200, 404, 404]


@pytest.mark.parametrize("prefix", ["/jobs", "/static", "/healthz/x", "/costs.csv"])
def test_a_path_that_is_the_dashboards_own_is_refused(empty, prefix):
    variables = {"TPMIRROR_DATABASE_URL": empty, "TPMIRROR_HTTP_TOKEN": TOKEN, "TPMIRROR_HTTP_PREFIX": prefix}
    with pytest.raises(UsageError, match=f"^TPMIRROR_HTTP_PREFIX is '{prefix}'"):
        create_app(load(variables), BROKEN)


def test_wrong_passwords_are_logged_and_told_to_wait_and_the_right_one_passes(empty, caplog):
    with dashboard(empty, TPMIRROR_HTTP_TOKEN=TOKEN) as client:
        assert client.get("/sync").status_code == 401  # what every browser asks first
        guesses = [client.get("/sync", headers={"authorization": basic(f"guess-{n}")}) for n in range(120)]
        right = client.get("/sync", headers={"authorization": basic(TOKEN)})
    assert [answer.status_code for answer in guesses] == [401] * 10 + [429] * 110
    assert 0 < int(guesses[-1].headers["retry-after"]) <= 60
    assert right.status_code == 200
    said = [record.getMessage() for record in caplog.records if "wrong password" in record.getMessage()]
    assert len(said) == 3  # the 1st, 10th and 100th
    assert "127.0.0.1" in said[0]
    assert "guess" not in caplog.text


def test_an_answer_on_a_kept_connection_does_not_wait_for_an_acknowledgement(client):
    def seconds() -> float:
        begun = time.perf_counter()
        client.get("/static/icon.svg")
        return time.perf_counter() - begun

    assert min(seconds() for _ in range(20)) < 0.03  # with Nagle's algorithm each takes 40 ms


def test_a_mirror_that_cannot_be_read_is_said(tmp_path):
    with dashboard(f"sqlite:///{tmp_path / 'none.db'}") as client:
        answers = [client.get(path) for path in ("/", "/jobs.csv", "/ledger.json")]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert "run tpmirror sync" in answers[0].text
    assert list(tmp_path.iterdir()) == []


def endless(request: Request) -> Response:
    """A file without an end."""
    first = select(literal(1).label("n")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.c.n + 1))
    wanted = select(numbers.c.n, literal(100 * "x").label("text"))
    return downloads.csv(request, "endless", ["n", "text"], lambda _conn: wanted)


@contextmanager
def connection(client: httpx.Client, sent: str = "") -> Iterator[socket.socket]:
    """A connection to the dashboard over which this was sent, and nothing read."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.settimeout(20)
        made.connect((client.base_url.host, client.base_url.port))
        made.sendall(sent.encode())
        yield made


def asking(path: str) -> str:
    """A request's head."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"


def eventually(holds: Callable[[], bool]) -> None:
    """Fail if it does not come true within some seconds."""
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_cut_off(made: socket.socket) -> bool:
    """Read what there is, to the end of the connection."""
    try:
        while made.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


@pytest.mark.parametrize("sent", ["", "GET / HTTP/1.1\r\nHost: ", asking("/static/style.css"), asking("/") * 2 + "GET"])
def test_a_connection_without_a_request_is_closed(empty, monkeypatch, sent):
    monkeypatch.setattr(server, "IDLE", 1)
    with dashboard(empty) as client:
        begun = time.monotonic()
        with connection(client, sent) as idle:
            assert is_cut_off(idle)
        assert 0.9 < time.monotonic() - begun < 10


def test_a_head_that_comes_in_drops_is_not_waited_for(empty, monkeypatch):
    monkeypatch.setattr(server, "IDLE", 1)
    with dashboard(empty) as client:
        begun = time.monotonic()
        with connection(client, "GET / HTTP/1.1\r\n") as slow:
            dripping = Thread(target=_drip, args=[slow], daemon=True)
            dripping.start()
            dripping.join(60)
            assert not dripping.is_alive()
        assert time.monotonic() - begun > 0.9


def _drip(slow: socket.socket) -> None:
    with suppress(ConnectionError):
        while True:
            slow.sendall(b"X-More: x\r\n")
            time.sleep(0.1)


def test_idle_connections_make_room_for_requests(empty, monkeypatch):
    monkeypatch.setattr(server, "CONNECTIONS", 5)
    monkeypatch.setattr(server, "IDLE", 60)
    with dashboard(empty) as client, ExitStack() as stack:
        idle = [stack.enter_context(connection(client)) for _ in range(50)]
        assert client.get("/sync").status_code == 200
        assert all(is_cut_off(one) for one in idle[:40])
        idle[-1].sendall(asking("/sync").encode())
        assert idle[-1].recv(12) == b"HTTP/1.1 200"


def test_who_does_not_read_an_answer_is_cut_off(mirror_url, monkeypatch):
    monkeypatch.setattr(server, "STALL", 5.0)
    with dashboard(mirror_url, [Route("/endless", endless)]) as client, ExitStack() as stack:
        stalled: list[socket.socket] = []

        def begins() -> bool:
            made = stack.enter_context(connection(client, asking("/endless")))
            stalled.extend([made] if (begun := made.recv(12) == b"HTTP/1.1 200") else [])
            return begun

        for _ in range(downloads.AT_ONCE):
            assert begins()
        assert not begins()
        assert client.get("/jobs").status_code == 200
        for _ in range(downloads.AT_ONCE):  # in the places of those who were cut off
            eventually(begins)
        assert all(is_cut_off(one) for one in stalled[: downloads.AT_ONCE])


def test_a_file_has_its_time(mirror_url, monkeypatch):
    monkeypatch.setattr(downloads, "MAX_SECONDS", 0.5)
    with dashboard(mirror_url, [Route("/endless", endless)]) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.get("/endless")
        monkeypatch.setattr(downloads, "MAX_SECONDS", 600.0)
        assert [client.get("/jobs.csv").status_code for _ in range(2 * downloads.AT_ONCE)] == [200] * 8


def test_who_leaves_gives_the_place_to_another(mirror_url):
    with dashboard(mirror_url, [Route("/endless", endless)]) as client:
        for _ in range(2 * downloads.AT_ONCE):
            eventually(lambda: _begins(client))


def _begins(client: httpx.Client, path: str = "/endless") -> bool:
    with client.stream("GET", path) as answer:
        return answer.status_code == 200


SLOW = {
    "sqlite": "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT COUNT(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


def test_a_client_that_leaves_takes_its_query_with_it(mirror_url):
    said: list[str] = []

    def slow(request: Request) -> Response:
        try:
            with templating.snapshot(request) as conn:
                said.append("begun")
                conn.exec_driver_sql(SLOW[conn.dialect.name])
        except MirrorError as error:
            said.append(str(error))
        return PlainTextResponse("")

    with dashboard(mirror_url, [Route("/slow", slow)]) as client:
        for _ in range(2 * AT_ONCE):  # more than the database has connections for
            said.clear()
            with connection(client, asking("/slow")):
                eventually(lambda: bool(said))
            eventually(lambda: len(said) == 2)
            assert re.search("interrupted|canceling statement due to user request", said[1])
        assert client.get("/jobs").status_code == 200


def sparse(request: Request) -> Response:
    """A file whose first rows come at once, and no further one ever."""
    first = select(literal(1).label("n")).cte("numbers", recursive=True)
    numbers = first.union_all(select(first.c.n + 1))
    wanted = select(numbers.c.n).where(numbers.c.n < 1.5 * downloads.CHUNK)
    return downloads.csv(request, "sparse", ["n"], lambda _conn: wanted)


def test_a_file_whose_client_leaves_ends_in_the_middle_of_its_query(mirror_url, caplog):
    with dashboard(mirror_url, [Route("/sparse", sparse)]) as client:
        for _ in range(2 * downloads.AT_ONCE):
            eventually(lambda: _begins(client, "/sparse"))
    assert caplog.text == ""


def test_a_page_on_sqlite_has_its_time(empty):
    def slow(request: Request) -> Response:
        with templating.snapshot(request, 0.2) as conn:
            conn.exec_driver_sql(SLOW["sqlite"])
        return PlainTextResponse("")

    with dashboard(empty, [Route("/slow", slow)]) as client:
        answer = client.get("/slow")
    assert answer.status_code == 503
    assert "longer than 0.2 seconds" in answer.text


def test_pages_wait_their_turn_and_who_leaves_loses_it(empty):
    free = Event()
    waiting: list[str] = []

    def wait(request: Request) -> Response:
        waiting.append(request.url.query)
        free.wait(60)
        return PlainTextResponse("")

    with dashboard(empty, [web_app._page("/wait", wait)]) as client, ExitStack() as stack:
        try:
            for number in range(AT_ONCE):
                stack.enter_context(connection(client, asking(f"/wait?first={number}")))
            eventually(lambda: len(waiting) == AT_ONCE)
            for number in range(40):
                with connection(client, asking(f"/wait?given-up={number}")):
                    assert client.get("/static/icon.svg").status_code == 200
            patient = Thread(target=client.get, args=["/wait?patient"])
            patient.start()
            assert client.get("/static/icon.svg").status_code == 200
        finally:
            free.set()
        patient.join(60)
    assert waiting[AT_ONCE:] == ["patient"]


def test_probes_are_answered_while_every_thread_is_taken(empty):
    free = Event()
    waiting: list[Request] = []

    def wait(request: Request) -> Response:
        waiting.append(request)
        free.wait()
        return PlainTextResponse("")

    routes = probes.routes(Watchdog(Settings(), MirrorStatus, lambda: None), lambda: True)
    with dashboard(empty, [*routes, Route("/wait", wait)]) as client:
        pages = [Thread(target=client.get, args=["/wait"]) for _ in range(60)]
        for page in pages:
            page.start()
        try:
            eventually(lambda: len(waiting) == THREADS)
            assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
        finally:
            free.set()
            for page in pages:
                page.join()


@pytest.mark.parametrize(
    ("budget", "said"), [("", "at the rate of"), ("0", "the budget is 0"), ("9", "of the budget of 9")]
)
def test_the_forecast_is_held_against_the_budget(lived_mirror, dialect, budget, said):
    with dashboard(lived_mirror[dialect], TPMIRROR_BUDGET_MONTHLY=budget) as client:
        assert said in client.get("/").text


def test_the_database_password_is_on_no_page(migrated_postgres):
    url = migrated_postgres.url("migrated")
    assert "://" in url
    with dashboard(re.sub(r"://([^@/]*@)?", "://postgres:verysecret@", url, count=1)) as client:
        for path in PAGES:
            assert "verysecret" not in client.get(path).text


def test_the_command_serves_until_it_is_stopped(empty, tmp_path):
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": empty, "TPMIRROR_HTTP_ADDR": "127.0.0.1:0"})
    process = program.start("web")
    assert process.stderr is not None
    found = re.search(r"http://127.0.0.1:\d+/", process.stderr.readline())
    assert found is not None
    assert httpx.get(f"{found[0]}jobs.json", trust_env=False, timeout=60).json() == []
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[1] == "stopped\n"
    assert process.returncode == 0


def test_the_command_says_what_is_wrong_before_it_serves(empty, tmp_path):
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": f"sqlite:///{tmp_path}/none.db"})
    assert "tpmirror sync" in program.refuse("web", code=1)
    assert "TPMIRROR_HTTP_TOKEN" in program.refuse("web", "--http-prefix", "/tpmirror", "--database-url", empty, code=2)


def test_amounts_stand_beside_credits_if_a_price_is_known(lived_mirror, dialect):
    url = lived_mirror[dialect]
    (job_id, cost) = query(url, "SELECT id, cost_usd FROM jobs WHERE NOT preview AND cost_usd > 9 ORDER BY id DESC")[0]
    paths = ["/", "/costs", "/costs?per=day&from=90d", "/jobs", f"/jobs/{job_id}"]
    files = ("/costs", "/ledger", "/jobs")
    with dashboard(url) as client:
        unpriced = {path: client.get(path).text for path in paths}
        plain = {name: client.get(f"{name}.json").json() for name in files}
    with dashboard(url, TPMIRROR_CREDIT_PRICE="0.123457 EUR") as client:
        priced = {path: client.get(path).text for path in paths}
        for name in files:
            found = client.get(f"{name}.json").json()
            amounts = [Decimal(row["credits"]) * Decimal("0.123457") for row in plain[name] if row["credits"]]
            assert [Decimal(row["amount"]) for row in found if row["amount"]] == amounts
            assert {row["currency"] for row in found} == {"EUR"}
            table = list(csv.DictReader(io.StringIO(client.get(f"{name}.csv").text, newline="")))
            assert [row["amount"] for row in table] == [row["amount"] or "" for row in found]
    assert {path for path in paths if " EUR" in unpriced[path] or "Amount" in unpriced[path]} == set()
    shown = f"{Decimal(str(cost)).quantize(Decimal('0.0001')) * Decimal('0.123457'):,.2f} EUR"
    assert all(shown in priced[path] for path in paths[3:])
    assert all(" EUR" in priced[path] for path in paths)
