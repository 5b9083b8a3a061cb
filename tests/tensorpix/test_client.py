"""The client against a server that misbehaves: every answer is judged, every wait ends, the key goes nowhere else."""

import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import httpcore
import httpx
import pytest

from tests.support.account import KEY, environ, mirror, pages, rows, settings
from tests.support.payloads import encoded, envelope, job
from tpmirror import __version__
from tpmirror.config import load
from tpmirror.errors import ApiError, AuthenticationError, Interrupted, JobUnavailable, TransientError
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.sync.poll import poll
from tpmirror.tensorpix import client as api_module
from tpmirror.tensorpix import transport
from tpmirror.tensorpix.caching import CacheGuard, staleness
from tpmirror.tensorpix.client import Api
from tpmirror.tensorpix.control import Control
from tpmirror.tensorpix.ratelimit import RateLimiter, backoff, retry_after
from tpmirror.tensorpix.transport import Deadline, PinnedTransport

JSON = {"Content-Type": "application/json"}
GZIP = {**JSON, "Content-Encoding": "gzip"}
PAGE = envelope([job(1), job(2)])
HTML = Response(200, {"Content-Type": "text/html"}, b"<html>maintenance</html>")


@pytest.fixture
def sim():
    with Simulator(World(seed=1, jobs=25, in_flight=2), token=KEY) as simulator:
        yield simulator


@contextlib.contextmanager
def client(sim, **options):
    """A client that gives up at once unless told otherwise."""
    with Api(settings(sim, **{"max_attempts": 1, "retry_base": 0, **options})) as api:
        yield api


def once(*responses):
    """Answer with these, one after the other, then honestly."""
    left = list(responses)
    return lambda _: left.pop(0) if left else None


def refused(sim, response, kind=TransientError, **options):
    """What the client says to this answer."""
    sim.respond = lambda _: response
    with client(sim, **options) as api, pytest.raises(kind) as caught:
        api.page(100, 0)
    assert KEY not in str(caught.value)
    return str(caught.value)


class Cache:
    """A cache before the API: it keeps each answer for ever, and says how old it is in a header, or not at all."""

    def __init__(self, sim, *, header="Age"):
        self.sim, self.header, self.kept, self.served = sim, header, {}, 0
        sim.respond = self.respond

    def respond(self, request):
        answer = self.kept.get(request.target)
        if answer is None:
            self.kept[request.target] = self.sim.answer(request)
            return None
        self.served += 1
        stored = {"Age": {"Age": "1"}, "Date": {"Date": "Sun, 01 Nov 2020 00:00:00 GMT"}}[self.header]
        return Response(answer.status, {**answer.headers, **stored}, answer.body)


@pytest.mark.parametrize("header", ["Age", "Date"])
def test_a_cache_that_serves_old_pages_is_no_evidence_and_is_got_past(sim, lite_url, header):
    """Of two looks with a change between them, the second one is not taken for the first."""
    cache, (job_id, *_) = Cache(sim, header=header), sim.world.listed(active_only=True)
    assert mirror(sim, lite_url, page_size=10)["certified"]
    sim.world.finish(job_id)
    cache.served = 0
    run = mirror(sim, lite_url, page_size=10)
    assert (cache.served, run["certified"]) == (1, True)
    assert rows(lite_url, "jobs", id=job_id)[0]["status"] == 2
    assert len({request.query["_"] for request in sim.requests if "_" in request.query}) > 1


def test_a_cache_that_cannot_be_got_past_fails_the_run_by_its_name(sim, lite_url):
    cache = Cache(sim)
    honest = cache.respond
    sim.respond = lambda asked: honest(Request(asked.method, asked.target.partition("&_")[0], asked.headers))
    mirror(sim, lite_url, max_attempts=2)
    with pytest.raises(ApiError, match="answered for by a cache: it is 1 s old; check what proxy"):
        mirror(sim, lite_url, max_attempts=2)
    assert rows(lite_url, "sync_runs")[-1]["outcome"] == "failed"


def test_a_parameter_that_the_api_refuses_is_sent_once_in_a_run(sim):
    stored = iter([Response.json(200, json.loads(PAGE), {"Age": "9"})])
    refusal = Response.detail(400, "Unknown parameter.")
    sim.respond = lambda request: refusal if "_" in request.query else next(stored, None)
    with client(sim, max_attempts=3) as api:
        assert len(api.page(5, 0).listing) == 5
        assert len(api.page(5, 5).listing) == 5
    assert [sorted(request.query) for request in sim.requests] == [
        ["limit", "offset"], ["_", "limit", "offset"], ["limit", "offset"], ["limit", "offset"],
    ]  # fmt: skip


def test_a_stored_answer_is_no_evidence_either_once_the_parameter_is_refused(sim):
    old = Response.json(200, json.loads(PAGE), {"Date": "Sun, 01 Nov 2020 00:00:00 GMT"})
    sim.respond = lambda request: Response.detail(400, "Unknown parameter.") if "_" in request.query else old
    with client(sim, max_attempts=5) as api, pytest.raises(TransientError, match="answered for by a cache"):
        api.page(5, 0)
    assert sum("_" in request.query for request in sim.requests) == 1


def test_a_run_that_stood_still_takes_no_answer_of_before():
    guard, noon = CacheGuard("a run"), datetime(2026, 11, 1, 12, tzinfo=UTC)

    def judged(dated: int, asked: int, answered: int | None = None) -> bool:
        """Whether an answer is evidence; all in seconds after noon."""
        headers = {"date": format_datetime(noon + timedelta(seconds=dated), usegmt=True)}
        seconds = float(asked), float(asked if answered is None else answered)
        return guard.reason(headers, noon + timedelta(seconds=asked), seconds) is None

    assert judged(0, 0)
    assert judged(7150, 7200)
    assert not judged(7089, 7200)
    assert judged(7200, 7200, 7500), "a slow answer is as old as its request"
    assert judged(7190, 7190, 7510), "and one beside it that took as long"


@pytest.mark.parametrize(
    ("age", "behind", "stored"),
    [
        ("", 0, False),
        ("0", 60, False),
        ("1", 0, True),
        (" 9", 0, True),
        ("60, 0", 0, True),
        ("-3", 0, False),
        ("x", 61, True),
        ("", -99, False),
    ],
)
def test_an_answer_is_stored_by_its_age_or_by_a_date_far_behind(age, behind, stored):
    newest = datetime(2026, 11, 1, tzinfo=UTC)
    assert bool(staleness(age, newest - timedelta(seconds=behind), newest)) is stored
    assert bool(staleness(age, None, newest)) is (stored and behind == 0)
    assert staleness("", newest, None) is None


def test_an_answer_of_a_cache_says_nothing_about_the_clock(sim):
    stored = Response.json(200, json.loads(PAGE), {"Age": "9", "Date": "Sun, 01 Nov 2020 00:00:00 GMT"})
    sim.respond = lambda _: stored
    with client(sim) as api:
        with pytest.raises(TransientError):
            api.page(5, 0)
        before, sim.respond = api.skew, None
        api.page(5, 0)
        assert (before, round(api.skew / 60)) == (None, 0)


def test_a_clock_that_is_ahead_costs_one_request_and_looks_like_no_cache(sim, monkeypatch):
    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=1)

    monkeypatch.setattr(api_module, "datetime", Tomorrow)
    with client(sim) as api:
        for offset in (0, 5, 10):
            api.page(5, offset)
        monkeypatch.setattr(api_module, "datetime", datetime)
        api.page(5, 15)
    assert (api.requests, round(api.skew / 3600), round(api.clock_ahead / 3600)) == (5, 0, 24)


def test_one_server_whose_clock_is_ahead_refutes_the_others_once(sim):
    ahead = iter([{"Date": format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)}])

    def respond(asked):
        answer = sim.answer(asked)
        return replace(answer, headers={**answer.headers, **next(ahead, {})})

    with client(sim, max_attempts=2) as api:
        api.page(5, 0)
        sim.respond = respond
        for offset in (5, 10, 15, 20):
            api.page(5, offset)
    assert api.requests <= 7


def test_a_page_is_asked_for_with_token_limit_and_offset(sim):
    seen: list[Request] = []
    sim.respond = seen.append
    with client(sim) as api:
        found = api.page(10, 20)
    (request,) = seen
    assert (request.method, request.path, request.query) == ("GET", "/api/jobs/", {"limit": "10", "offset": "20"})
    assert request.headers["authorization"] == f"Token {KEY}"
    assert request.headers["user-agent"] == f"tpmirror/{__version__}"
    assert request.headers["accept-encoding"] == "gzip"
    assert "cookie" not in request.headers
    assert ([item.id for item in found.listing.items], found.end) == ([5, 4, 3, 2, 1], 25)


def test_the_page_size_in_force_is_learnt_when_the_server_caps_it(sim):
    sim.page_cap = 10
    with client(sim) as api:
        found = api.page(100, 0)
        assert (len(found.listing), found.served_limit, found.is_last) == (10, 10, False)
        assert api.page(100, 20).is_last


def test_requests_and_answers_have_numbers_in_order(sim):
    with client(sim) as api, ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda offset: api.page(5, offset), range(0, 25, 5)))
        after = api.number()
    numbers = [number for page in found for number in (page.sent, page.received)]
    assert len(set(numbers)) == 10
    assert all(page.sent < page.received < after for page in found)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 429])
def test_faults_that_pass_are_tried_again_and_counted(sim, status):
    fault = Response(status, {"Content-Type": "text/html"}, b"oops")
    sim.respond = once(fault, fault)
    with client(sim, max_attempts=3) as api:
        assert len(api.page(100, 0).listing) == 25
        assert (api.requests, api.retries, sim.count_requests()) == (3, 2, 3)


def test_after_the_last_try_the_fault_is_told(sim):
    assert "answers 502" in refused(sim, Response(502), max_attempts=3)
    assert sim.count_requests() == 3


def cut_off(length: int = 1000) -> Response:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    return Response.raw(head.encode() + PAGE[:100], close=True)


def bad_gzip(body: bytes) -> Response:
    return Response(200, GZIP, body)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (HTML, "text/html"),
        (Response(200, {}, PAGE), "no content type"),
        (Response(200, {"Content-Type": f"text/html token {KEY}"}, PAGE), "'no media type'"),
        (Response(200, {"Content-Type": "text/" + "x" * 60_000}, PAGE), "'no media type'"),
        (Response(200, JSON, b'{"count":%s,"results":[]}' % (b"9" * 400)), "not a page"),
        (Response(200, JSON, b""), "nothing"),
        (Response(200, JSON, b"null"), "not a page"),
        (Response(200, JSON, PAGE[:-5]), "not a page"),
        (Response(200, JSON, b'{"detail": "hello"}'), "not a page"),
        (cut_off(), "cut off"),
        (Response.raw(b"", close=True), "cut off"),
        (Response.raw(b"SSH-2.0-OpenSSH_9\r\n", close=True), "damaged"),
        (bad_gzip(gzip.compress(PAGE)[:-20]), "cut off"),
        (bad_gzip(gzip.compress(PAGE)[:-1]), "cut off"),
        (bad_gzip(gzip.compress(PAGE) + b"\x1f"), "cut off"),
        (bad_gzip(gzip.compress(PAGE) + gzip.compress(b" ")[:-1]), "cut off"),
        (bad_gzip(b"no gzip at all"), "damaged"),
        (bad_gzip(gzip.compress(b"")), "nothing"),
        (Response(200, {**JSON, "Content-Encoding": "br"}, PAGE), "packed as 'br'"),
        (Response(200, {**JSON, "Content-Encoding": "gzip, gzip"}, PAGE), "packed as"),
    ],
)
def test_half_an_answer_is_none(sim, response, reason):
    assert reason in refused(sim, response)


def test_half_an_answer_is_asked_for_again(sim):
    sim.respond = once(cut_off(), HTML, bad_gzip(gzip.compress(PAGE)[:-20]))
    with client(sim, max_attempts=4) as api:
        assert len(api.page(100, 0).listing) == 25
        assert (api.requests, api.retries) == (4, 3)


def test_a_body_that_never_ends_is_refused(sim):
    endless = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b" " * (7 * 2**20)
    assert "larger than 6 MiB" in refused(sim, Response.raw(endless, close=True))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"


@pytest.mark.parametrize(
    "dripping",
    [
        Response.raw(HEAD + b"\r\n" + PAGE, drip=(1, 0.05)),
        Response.raw(HEAD + b"\r\n" + PAGE, drip=(len(HEAD) + 10, 0.05)),
        Response.raw(HEAD + b"X-Padding: x\r\n" * 500 + b"\r\n", drip=(14, 0.05)),
        Response(200, JSON, PAGE, drip=(150, 0.1)),
    ],
)
def test_a_request_ends_in_time_however_slowly_the_answer_drips(sim, dripping):
    before = time.monotonic()
    said = refused(sim, dripping, request_timeout=0.3)
    assert "within 0.3 s" in said
    assert time.monotonic() - before < 20


def test_an_answer_whose_time_ends_between_two_reads_is_given_up_too(sim, monkeypatch):
    with client(sim) as api:
        left = api._deadline.left

        def over(timeout=None):
            return left(timeout) if timeout is not None else left(None) and raise_timeout()

        monkeypatch.setattr(api._deadline, "left", over)
        with pytest.raises(TransientError, match="within"):
            api.page(100, 0)


def raise_timeout():
    raise httpcore.ReadTimeout


def test_a_server_that_says_nothing_is_given_up_in_time(sim):
    given_up = threading.Event()

    def say_nothing(_):
        given_up.wait(60)  # whoever waits so long gets the page

    sim.respond = say_nothing
    try:
        with client(sim, request_timeout=0.2) as api, pytest.raises(TransientError, match="within"):
            api.page(100, 0)
    finally:
        given_up.set()


def resolves_to(monkeypatch, name, *addresses):
    resolve = socket.getaddrinfo
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *of, **by: found if host == name else resolve(host, *of, **by)
    )


def test_a_host_has_another_address_where_one_does_not_answer(sim, monkeypatch):
    resolves_to(monkeypatch, "localhost", "127.0.0.2", "127.0.0.1")
    with client(sim, api_url=sim.url.replace("127.0.0.1", "localhost")) as api:
        assert len(api.page(100, 0).listing) == 25


def test_all_addresses_of_a_host_share_the_time_for_one(monkeypatch):
    addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]
    resolves_to(monkeypatch, "api.example.com", *addresses)
    clock, tried = Clock(), []

    def connect(_backend, host, _port, timeout, *_):
        tried.append(host)
        clock.sleep(timeout)
        raise httpcore.ConnectTimeout

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: clock.now))
    with pytest.raises(httpcore.ConnectTimeout):
        transport.Backend(Deadline(Control())).connect_tcp("api.example.com", 443)
    assert tried == addresses
    assert sum(clock.slept) == pytest.approx(transport.CONNECT)


def test_an_answer_over_which_the_machine_slept_is_asked_for_again(sim, monkeypatch):
    """The clock of the deadline stands still meanwhile; what the answer shows was so before."""
    slept = [timedelta(0)]

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + slept[0]

    def sleep(request: Request) -> Response:
        slept[0] = timedelta(hours=8)
        then = format_datetime(datetime.now(UTC) + slept[0], usegmt=True)
        honest = sim.answer(request)
        return replace(honest, headers={**honest.headers, "Date": then})

    monkeypatch.setattr(api_module, "datetime", Clock)
    sim.respond = sleep
    with client(sim, max_attempts=2) as api:
        page = api.page(10, 0)
        assert (len(page.listing), api.requests, api.retries) == (10, 2, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed_and_take_the_key_nowhere(sim, status):
    with Simulator(World(jobs=1), token=KEY) as elsewhere:
        said = refused(
            sim, Response(status, {"Location": f"{elsewhere.url}/api/jobs/?secret=1"}), ApiError, max_attempts=5
        )
        assert "redirects to http://127.0.0.1" in said
        assert "secret" not in said
        assert (elsewhere.count_requests(), sim.count_requests()) == (0, 1)


def test_next_is_never_followed(sim, tmp_path):
    sim.page_cap = 10
    with Simulator(World(jobs=1), token=KEY) as elsewhere:

        def mislead(page, request):
            page["next"] = page["next"] and f"{elsewhere.url}/api/jobs/?limit=10&offset=0"

        pages(mislead, sim)
        url = f"sqlite:///{tmp_path / 'a.db'}"
        run = mirror(sim, url)
        assert elsewhere.count_requests() == 0
    assert (run["certified"], len(rows(url, "jobs"))) == (True, 25)


@pytest.mark.parametrize("link", ["http://[", "", "::::", "https://x/?limit=99999999999999999999", "\u2028"])
def test_a_next_that_is_no_url_does_no_harm(sim, link):
    pages(lambda page, _: page.update(next=link), sim)
    with client(sim) as api:
        found = api.page(100, 0)
        assert (len(found.listing), found.served_limit) == (25, 100)


def test_proxies_of_the_environment_are_not_used(sim, monkeypatch):
    with Simulator(World(jobs=1), token=KEY) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        with client(sim) as api:
            assert len(api.page(100, 0).listing) == 25
        assert proxy.count_requests() == 0


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "http://127.0.0.2:1/api/jobs/"),
        ("GET", "http://127.0.0.1:2/api/jobs/"),
        ("GET", "https://127.0.0.1:1/api/jobs/"),
        ("GET", "http://user@127.0.0.1:1/"),
        ("POST", "http://127.0.0.1:1/api/jobs/"),
        ("DELETE", "http://127.0.0.1:1/api/jobs/1/"),
    ],
)
def test_the_transport_sends_gets_to_its_origin_and_nothing_else(method, url):
    with (
        PinnedTransport("http://127.0.0.1:1", 1, Deadline(Control())) as pinned,
        pytest.raises(ApiError, match="refused"),
    ):
        pinned.handle_request(httpx.Request(method, url))


def test_the_name_of_the_server_is_checked():
    with PinnedTransport("https://api.example.com", 1, Deadline(Control())) as pinned:
        context = pinned._pool._ssl_context
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert context.get_ca_certs()


def test_a_key_refused_twice_is_refused(sim):
    sim.token = "another"
    with (
        Api(load(environ(sim.url, KEY, max_attempts=5))) as api,
        pytest.raises(AuthenticationError, match="401") as caught,
    ):
        api.page(100, 0)
    assert KEY not in str(caught.value)
    assert (api.requests, sim.count_requests()) == (2, 2)


def test_one_401_may_be_a_hiccup(sim):
    sim.respond = once(Response.detail(401, "Invalid token."))
    with client(sim) as api:
        assert len(api.page(100, 0).listing) == 25


def test_a_forbidden_account_is_refused_at_once(sim):
    sim.forbidden = True
    with client(sim, max_attempts=5) as api, pytest.raises(AuthenticationError, match="403"):
        api.page(100, 0)
    assert sim.count_requests() == 1


def test_a_key_replaced_in_its_file_is_picked_up_after_a_401(sim, tmp_path):
    path = tmp_path / "key"
    path.write_text("old-key\n")
    variables = environ(sim.url, "", api_key_file=path)

    def replace(request):
        path.write_text(f"{KEY}\n")

    sim.respond = replace
    with Api(load(variables)) as api:
        assert len(api.page(100, 0).listing) == 25
        assert api.requests == 2


def test_an_api_out_of_reach_is_told_without_the_key():
    with Api(load(environ("http://127.0.0.1:9", max_attempts=2))) as api:
        with pytest.raises(TransientError, match=r"cannot reach http://127\.0\.0\.1:9") as caught:
            api.page(100, 0)
        assert (api.requests, api.retries) == (2, 1)
    assert KEY not in str(caught.value)


def test_a_job_is_read_by_its_id(sim):
    with client(sim) as api:
        found, answer = api.job(7)
    assert found is not None
    assert (found.job.id, answer.status, answer.sent < answer.received) == (7, 200, True)


def test_only_the_apis_own_404_means_that_there_is_no_job(sim):
    with client(sim) as api:
        assert api.job(999)[0] is None
        for body in (b"<h1>Not Found</h1>", b'"detail"', b"[]", b"{}", b"", b"[" * 100_000):
            sim.respond = lambda _, body=body: Response(404, JSON, body)
            with pytest.raises(TransientError, match="404"):
                api.job(1)


def test_a_job_is_in_the_history_or_not_and_without_such_an_endpoint_it_is_not(sim):
    job_id = next(job_id for job_id in sim.world.listed() if sim.world.status(job_id) == 2)
    with client(sim) as api:
        assert (api.in_history(job_id), api.in_history(999)) == (True, False)
        sim.history = False
        assert not api.in_history(job_id)
        assert api.retries == 0
        for answer, error in ((Response.detail(403, "No."), JobUnavailable), (Response.json(200, job(8)), ApiError)):
            sim.respond = lambda _, answer=answer: answer
            with pytest.raises(error):
                api.in_history(7)


def test_another_job_than_the_one_asked_for_is_no_answer(sim):
    sim.respond = lambda _: Response.json(200, job(8))
    with client(sim) as api, pytest.raises(TransientError, match="something else"):
        api.job(7)


@pytest.mark.parametrize("odd", [{"id": None}, {"id": "seven"}, {"id": True}])
def test_a_job_whose_own_answer_has_no_readable_id_is_unavailable_and_fails_no_run(sim, tmp_path, odd):
    sim.respond = lambda _: Response.json(200, {**job(7), **odd})
    with client(sim) as api, pytest.raises(JobUnavailable, match="id cannot be read"):
        api.job(7)


def test_a_job_in_flight_that_no_parser_reads_fails_no_poll(sim, tmp_path):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    mirror(sim, url)
    (job_id,) = [row["id"] for row in rows(url, "jobs") if row["status"] == 1]

    def spoil(request):
        answer = sim.answer(request)
        return Response(answer.status, answer.headers, answer.body.replace(b'"status":1,', b'"status":01,'))

    sim.respond = spoil
    assert poll(settings(sim, url))["outcome"] == "succeeded"
    entries = [row["job_id"] for row in rows(url, "quarantined_jobs")]
    assert sorted(entries, key=str) == [job_id, None]


def test_a_list_that_is_not_found_points_to_the_setting(sim):
    assert "TPMIRROR_API_URL" in refused(sim, Response.detail(404, "Not found."), ApiError)


@pytest.mark.parametrize("status", [204, 206, 400, 402, 405, 410, 418])
def test_only_a_200_is_a_job(sim, status):
    sim.respond = lambda _: Response.json(status, {"detail": "Bad request."})
    with client(sim) as api, pytest.raises(ApiError):
        api.job(7)


@pytest.mark.parametrize("document", [{}, [], None, "ok", {"detail": "maintenance"}, {"id": None, "status": 2}])
def test_an_answer_that_does_not_name_the_job_is_no_evidence_of_it(sim, document):
    sim.respond = lambda _: Response.json(200, document)
    with client(sim) as api, pytest.raises(ApiError):
        api.job(7)


def test_the_first_page_at_another_offset_is_no_answer(sim):
    first = encoded({"count": 25, "next": f"{sim.url}/api/jobs/?limit=10&offset=10", "previous": None})
    page = first[:-1] + b', "results": [' + b",".join(encoded(job(number)) for number in range(1, 11)) + b"]}"
    sim.respond = lambda _: Response(200, JSON, page)
    with client(sim) as api:
        assert len(api.page(10, 0).listing) == 10
        with pytest.raises(TransientError, match="from 10, the API answered with those from 0"):
            api.page(10, 10)


def test_closing_wakes_whoever_waits_for_a_retry(sim):
    sim.respond = lambda _: Response(503, {"Retry-After": "900"})
    asked = threading.Event()
    errors = []

    def work(api):
        try:
            api.page(100, 0)
        except Interrupted as error:
            errors.append(str(error))

    with Api(settings(sim, max_attempts=50)) as api:
        worker = threading.Thread(target=work, args=(api,))
        worker.start()
        while not sim.count_requests():
            asked.wait(0.01)
    worker.join(timeout=30)
    assert not worker.is_alive()
    assert errors


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self):
        self.now = 100.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(round(seconds, 6))
        self.now += seconds


def test_requests_keep_the_pace():
    clock = Clock()
    pace = RateLimiter(10, lambda: clock.now, clock.sleep)
    for _ in range(3):
        pace.wait()
    assert clock.slept == [0.1, 0.1]


def test_no_limit_means_no_wait():
    clock = Clock()
    pace = RateLimiter(0, lambda: clock.now, clock.sleep)
    for _ in range(100):
        pace.wait()
    assert clock.slept == []


def test_a_pause_that_the_api_asks_for_holds_everybody():
    clock = Clock()
    pace = RateLimiter(10, lambda: clock.now, clock.sleep)
    pace.hold(30)
    pace.hold(5)
    pace.wait()
    assert clock.now >= 130


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        (None, None, None), ("", None, None), ("17", None, 17), (" 17 ", None, 17), ("0", None, 1), ("900", None, 900),
        ("901", None, 900), ("9" * 400, None, 900), ("-5", None, None), ("1.5", None, None), ("soon", None, None),
        ("\u0663", None, None),
        ("Sun, 01 Nov 2026 12:01:00 GMT", "Sun, 01 Nov 2026 12:00:00 GMT", 60),
        ("Sun, 01 Nov 2026 11:00:00 GMT", "Sun, 01 Nov 2026 12:00:00 GMT", 1),
        ("Sun, 01 Nov 2036 12:00:00 GMT", "Sun, 01 Nov 2026 12:00:00 GMT", 900),
        ("Sun, 01 Nov 2026 12:01:00 GMT", None, None),
        ("Sun, 01 Nov 2026 12:01:00 GMT", "yesterday", None),
        ("Sun, 01 Nov 2026 12:01:00 +99999999999999999999", "Sun, 01 Nov 2026 12:00:00 GMT", None),
        ("Sun, 01 Nov 2026 12:01:00 -0000", "Sun, 01 Nov 2026 12:00:00 GMT", 60),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_within_reason(value, date, seconds):
    assert retry_after(value, date) == seconds


def test_a_throttled_client_waits_as_long_as_it_was_told(sim):
    sim.throttle(1, retry_after=1)
    before = time.monotonic()
    with client(sim, max_attempts=2) as api:
        assert len(api.page(100, 0).listing) == 25
    assert 0.95 < time.monotonic() - before < 30


def test_backoff_doubles_up_to_a_minute_with_full_jitter():
    assert [backoff(attempt, 1.0, lambda: 1.0) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [backoff(attempt, 1.0, lambda: 0.0) for attempt in (1, 5, 100)] == [0, 0, 0]
    assert backoff(100, 60.0, lambda: 0.5) == 30
    assert backoff(3, 0.0, lambda: 1.0) == 0
