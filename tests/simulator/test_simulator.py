"""The imitation API: it answers as Django REST framework does, and its world tells the truth about itself."""

import itertools
import json
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.support.program import until
from tpmirror.simulator.http import Response
from tpmirror.simulator.oddity import ABSENT, RESPELT, UNREADABLE, Oddity, draw, objects
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

TOKEN = "t0ken"
PLAIN: dict[str, Any] = {"verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), "timeout": 60}
"""Never used, but reading certificates for each client would take most of the time of these tests."""
JOB_KEYS = [
    "id", "started", "preview", "description", "cost_usd", "status", "eta_s", "finished", "processing_progress",
    "input_video", "output_video", "ml_models", "grain", "codec", "output_resolution", "comparison",
    "stabilization_smoothing", "fps_interpolation_factor", "playback_speed", "sharpen_strength", "start_frame",
    "end_frame",
]  # fmt: skip
INPUT_KEYS = [
    "id", "name", "width", "height", "created_at", "n_frames", "framerate", "size", "owner", "thumbnail",
    "external_url", "bitrate", "codec_id", "bit_depth", "chroma_subsampling", "color_space", "file",
]  # fmt: skip
OUTPUT_KEYS = [
    "id", "job_id", "preview_videos", "name", "created_at", "width", "height", "owner", "deleted", "framerate",
    "n_frames", "bitrate", "codec_id", "bit_depth", "chroma_subsampling", "color_space", "size", "file", "thumbnail",
    "quality_score",
]  # fmt: skip
MODEL_KEYS = [
    "id", "name", "task", "cost_weight", "upscale_factor", "fps_boost_factor", "priority", "max_resolution",
]  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")


@pytest.fixture
def world() -> World:
    return World(jobs=50, jobs_per_day=0)


@pytest.fixture(scope="module")
def big() -> World:
    """To be read only."""
    return World(seed=3, jobs=3000)


@pytest.fixture(scope="module")
def payloads(big):
    return [big.job(job_id) for job_id in big.ids()]


@pytest.fixture
def sim(world) -> Iterator[Simulator]:
    with Simulator(world, token=TOKEN) as simulator:
        yield simulator


@pytest.fixture
def client(sim) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sim.url, headers={"Authorization": f"Token {TOKEN}"}, **PLAIN) as made:
        yield made


def listed(client, query=""):
    answer = client.get(f"/api/jobs/{query}")
    assert answer.status_code == 200
    return [job["id"] for job in answer.json()["results"]]


def unsigned(value):
    """A payload, its URLs without query."""
    if isinstance(value, dict):
        return {key: unsigned(below) for key, below in value.items()}
    if isinstance(value, list):
        return [unsigned(below) for below in value]
    return value.partition("?X-Amz-")[0] if isinstance(value, str) else value


def outputs_with(world, key):
    """The ids of the jobs whose output has a value for a key."""
    return {job for job in world.ids() if (world.job(job)["output_video"] or {}).get(key)}


# Pages


@pytest.mark.parametrize(
    ("query", "rows", "following", "previous"),
    [
        ("", 50, None, None),
        ("?limit=10", 10, "limit=10&offset=10", None),
        ("?limit=10&offset=10", 10, "limit=10&offset=20", "limit=10"),
        ("?limit=10&offset=20", 10, "limit=10&offset=30", "limit=10&offset=10"),
        ("?limit=5&offset=3", 5, "limit=5&offset=8", "limit=5"),
        ("?limit=10&offset=40", 10, None, "limit=10&offset=30"),
        ("?limit=10&offset=45", 5, None, "limit=10&offset=35"),
        ("?limit=10&offset=50", 0, None, "limit=10&offset=40"),
        ("?limit=10&offset=999", 0, None, "limit=10&offset=989"),
        ("?limit=0", 50, None, None),
        ("?limit=-3", 50, None, None),
        ("?limit=ten", 50, None, None),
        ("?limit=", 50, None, None),
        ("?limit=1.5", 50, None, None),
        ("?limit=%2010%20", 10, "limit=10&offset=10", None),
        ("?limit=999999", 50, None, None),
        ("?limit=10&offset=-1", 10, "limit=10&offset=10", None),
        ("?limit=10&offset=x", 10, "limit=10&offset=10", None),
        ("?limit=10&limit=20", 20, "limit=20&offset=20", None),
        ("?z=1&limit=10&a=b%20c&e=", 10, "a=b+c&e=&limit=10&offset=10&z=1", None),
        ("?a=2&offset=10", 40, None, "a=2&limit=100"),
    ],
)
def test_pages_are_those_of_limit_offset_pagination(sim, client, query, rows, following, previous):
    page = client.get(f"/api/jobs/{query}").json()
    assert list(page) == ["count", "next", "previous", "results"]
    assert page["count"] == 50
    assert len(page["results"]) == rows
    base = f"{sim.url}/api/jobs/?"
    assert page["next"] == (following and base + following)
    assert page["previous"] == (previous and base + previous)


def test_limits_above_the_cap_are_capped_silently_and_a_default_above_it_is_not(sim, client):
    sim.page_cap = 7
    page = client.get("/api/jobs/?limit=20").json()
    assert len(page["results"]) == 7
    assert page["next"].endswith("?limit=7&offset=7")
    assert len(listed(client)) == 50
    sim.page_cap = None
    assert len(listed(client, "?limit=1000000")) == 50


def test_links_lead_through_the_whole_list_and_back(client, world):
    url, seen = "/api/jobs/?limit=8", []
    while url:
        page = client.get(url).json()
        seen += [job["id"] for job in page["results"]]
        url, last = page["next"], url
    assert seen == world.ids()[::-1]
    assert client.get(client.get(last).json()["previous"]).json()["results"][0]["id"] == seen[40]


def test_links_have_the_host_that_was_asked_for(client):
    page = client.get("/api/jobs/?limit=1", headers={"Host": "backend.example:8443"}).json()
    assert page["next"] == "http://backend.example:8443/api/jobs/?limit=1&offset=1"


def test_an_empty_account_has_an_empty_page():
    with Simulator(World(jobs=0, jobs_per_day=0), token=TOKEN) as sim:
        page = httpx.get(f"{sim.url}/api/jobs/", headers={"Authorization": f"Token {TOKEN}"}, **PLAIN).json()
    assert page == {"count": 0, "next": None, "previous": None, "results": []}


# Errors


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("", "Authentication credentials were not provided."),
        (f"Bearer {TOKEN}", "Authentication credentials were not provided."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token a b", "Invalid token header. Token string should not contain spaces."),
        ("Token wrong", "Invalid token."),
    ],
)
def test_without_the_token_nothing_is_shown(sim, header, text):
    answer = httpx.get(f"{sim.url}/api/jobs/", headers={"Authorization": header}, **PLAIN)
    assert (answer.status_code, answer.json()) == (401, {"detail": text})
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert answer.headers["Content-Type"] == "application/json"


def test_a_token_may_be_replaced_while_it_runs(sim, client):
    sim.token = "another"
    assert client.get("/api/jobs/").json() == {"detail": "Invalid token."}


def test_an_account_may_be_forbidden_to_use_the_api(sim, client):
    sim.forbidden = True
    answer = client.get("/api/jobs/")
    assert answer.status_code == 403
    assert answer.json() == {"detail": "You do not have permission to perform this action."}


def test_throttled_requests_are_told_when_to_come_back(sim, client):
    sim.throttle(2)
    first = client.get("/api/jobs/")
    assert first.status_code == 429
    assert first.headers["Retry-After"] == "2"
    assert first.json() == {"detail": "Request was throttled. Expected available in 2 seconds."}
    assert [client.get("/api/jobs/1/").status_code for _ in range(2)] == [429, 200]
    sim.throttle(1, retry_after=1)
    assert client.get("/api/jobs/").json()["detail"].endswith("in 1 second.")
    sim.throttle(1, retry_after=None)
    silent = client.get("/api/jobs/")
    assert silent.json() == {"detail": "Request was throttled."}
    assert "Retry-After" not in silent.headers


@pytest.mark.parametrize("path", ["/api/jobs/51/", "/api/jobs/0/", "/api/jobs/x/", f"/api/jobs/{'9' * 5000}/"])
def test_what_is_not_a_job_is_not_found(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


def test_other_paths_are_pages_that_do_not_exist(client):
    for path in ("/", "/api/", "/api/nothing/", "/api/jobs/1/more/"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "<h1>Not Found</h1>" in answer.text


def test_a_missing_slash_is_a_redirect(client):
    for path in ("/api/jobs", "/api/jobs/3", "/api/ml-models"):
        answer = client.get(f"{path}?limit=2")
        assert answer.status_code == 301
        assert answer.headers["Location"] == f"{path}/?limit=2"


def test_wrong_methods_are_refused(client):
    answer = client.post("/api/jobs/", json={})
    assert (answer.status_code, answer.json()) == (405, {"detail": 'Method "POST" not allowed.'})
    assert "GET" in answer.headers["Allow"]
    assert client.delete("/api/jobs/").status_code == 405
    assert client.head("/api/jobs/").status_code == 200


# Listing and single jobs


def test_a_job_is_the_same_by_its_id_as_in_the_list_and_in_the_world(client, world):
    for job in client.get("/api/jobs/").json()["results"]:
        assert unsigned(client.get(f"/api/jobs/{job['id']}/").json()) == unsigned(job) == world.job(job["id"])


def test_hidden_jobs_are_found_by_id_and_deleted_ones_are_not(client, world):
    world.hide(10)
    world.delete(20)
    assert set(world.ids()) - set(listed(client)) == {10}
    assert 20 not in world.ids()
    assert client.get("/api/jobs/10/").status_code == 200
    assert client.get("/api/jobs/20/").status_code == 404
    with pytest.raises(KeyError):
        world.job(20)
    world.restore(10)
    world.restore(20)
    assert listed(client) == list(range(50, 0, -1)) == world.listed()[::-1]


def test_ended_jobs_may_leave_the_list(sim, client, world):
    sim.active_only = True
    active = world.listed(active_only=True)
    assert listed(client) == active[::-1]
    assert client.get("/api/jobs/").json()["count"] == len(active) == 4
    world.finish(active[0])
    assert listed(client) == active[:0:-1]
    assert client.get(f"/api/jobs/{active[0]}/").json()["status"] == 2


def test_ended_jobs_have_a_history(sim, client, world):
    job = world.listed(active_only=True)[0]
    assert client.get(f"/api/jobs/history/{job}/").json() == {"detail": "Not found."}
    world.finish(job)
    shown = client.get(f"/api/jobs/history/{job}/").json()
    assert (shown["id"], shown["status"]) == (job, "Finished")
    assert "cost_usd" not in shown
    assert client.get(f"/api/jobs/{job}/").status_code == 200
    world.delete(job)
    assert client.get(f"/api/jobs/history/{job}/").json() == {"detail": "Not found."}
    sim.history = False
    assert "<h1>" in client.get(f"/api/jobs/history/{job}/").text


def test_ended_jobs_may_be_found_in_the_history_alone(sim, client, world):
    sim.archive = True
    job = world.listed(active_only=True)[0]
    assert client.get(f"/api/jobs/{job}/").status_code == 200
    world.finish(job)
    assert client.get(f"/api/jobs/{job}/").json() == {"detail": "Not found."}
    assert client.get(f"/api/jobs/history/{job}/").status_code == 200


def test_orderings(sim, client, world):
    sim.ordering = "id"
    assert listed(client) == world.ids()
    sim.ordering = "-started"
    started = [job["started"] for job in client.get("/api/jobs/").json()["results"]]
    assert started == sorted(started, reverse=True)
    sim.ordering = "random"
    assert listed(client) != listed(client)
    sim.ordering = "status"
    first, second = listed(client), listed(client)
    assert first != second
    assert (
        [world.status(job) for job in first]
        == [world.status(job) for job in second]
        == sorted(map(world.status, first))
    )


def test_written_rows_move_in_orderings_by_something_that_changes(sim, client, world):
    sim.ordering = "unordered"
    assert listed(client) == world.ids()
    world.touch(5)
    world.rate(next(job for job in world.ids() if world.job(job)["output_video"] and job > 5), 4)
    assert listed(client)[-2] == 5
    sim.ordering = "-updated"
    assert listed(client)[1] == 5
    sim.ordering = "-id"
    assert listed(client) == world.ids()[::-1]


def test_settings_that_mean_nothing_are_refused(world):
    with pytest.raises(ValueError, match="no ordering"):
        Simulator(world, ordering="name")
    with pytest.raises(ValueError, match="no drift"):
        Simulator(world, drift="wind")
    with pytest.raises(ValueError, match="no ordering"):
        world.order("name")


@pytest.mark.parametrize(
    ("drift", "change"),
    [("insert", 2), ("delete", -2), ("insert+delete", 0), ("touch", 0), ("cancel", 0), ("distort", 0)],
)
def test_the_account_drifts_between_pages(sim, client, world, drift, change):
    sim.drift, before, version = drift, world.ids(), world.version
    counts = [client.get("/api/jobs/?limit=5").json()["count"] for _ in range(5)]
    assert counts[:2] == [50, 50]
    assert counts[4] == 50 + change
    assert world.version > version
    assert (world.ids() != before) == (drift in ("insert", "delete", "insert+delete"))
    assert len(world.listed(active_only=True)) == (2 if drift == "cancel" else len(world.listed(active_only=True)))


def test_any_drift_may_be_given(sim, client, world):
    times = []
    sim.drift, sim.every = (lambda there, number: times.append((there, number))), 1
    client.get("/api/jobs/")
    client.get("/api/jobs/")
    client.get("/api/jobs/1/")
    assert times == [(world, 1), (world, 2)]


@pytest.mark.parametrize("drift", ["delete", "insert+delete", "touch", "cancel", "distort"])
def test_an_empty_account_drifts_too(drift):
    world = World(jobs=0, jobs_per_day=0)
    with Simulator(world, drift=drift, every=1) as sim:
        headers = {"Authorization": f"Token {sim.token}"}
        counts = [httpx.get(f"{sim.url}/api/jobs/", headers=headers, **PLAIN).json()["count"] for _ in range(2)]
    assert counts == [0, 0]


def test_something_may_happen_between_counting_and_reading(sim, client):
    sim.between = lambda world: world.submit()
    page = client.get("/api/jobs/?limit=50").json()
    assert (page["count"], page["next"]) == (50, None)
    assert page["results"][0]["id"] == 51
    assert page["results"][-1]["id"] == 2


def test_urls_are_signed_anew_in_each_answer(sim, client):
    first, second = (client.get("/api/jobs/?limit=20").json()["results"] for _ in range(2))
    assert first != second
    assert unsigned(first) == unsigned(second)
    urls = [video[key] for job in first for video in (job["input_video"],) if video for key in ("file", "thumbnail")]
    signatures = [dict(parse_qsl(urlsplit(url).query))["X-Amz-Signature"] for url in urls if url]
    assert len(set(signatures)) == len(signatures) > 20
    assert all(re.fullmatch("[0-9a-f]{64}", signature) for signature in signatures)
    assert ".r2.cloudflarestorage.com" in next(url for url in urls if url)
    sim.resign = False
    assert client.get("/api/jobs/").content == client.get("/api/jobs/").content


def test_models_are_listed(client):
    page = client.get("/api/ml-models/").json()
    assert page["count"] == len(page["results"]) >= 16
    assert {model["task"] for model in page["results"]} == set(range(1, 16))


# Canceling


def test_a_job_in_flight_can_be_canceled_once(client, world):
    job = world.listed(active_only=True)[-1]
    answer = client.delete(f"/api/jobs/{job}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert world.job(job)["status"] == -2
    assert world.job(job)["output_video"] is None
    assert client.delete(f"/api/jobs/{job}/").status_code == 409
    assert client.delete("/api/jobs/999/").status_code == 404


# On the wire


def test_answers_are_compressed_for_those_who_take_it(sim, client):
    packed = client.get("/api/jobs/", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(packed.content) / 3
    assert "Content-Encoding" not in client.get("/api/jobs/", headers={"Accept-Encoding": "identity"}).headers
    sim.gzip = False
    assert "Content-Encoding" not in client.get("/api/jobs/").headers


def test_connections_are_kept(sim):
    with socket.create_connection(("127.0.0.1", sim.port), timeout=60) as connection:
        for _ in range(2):
            connection.sendall(b"GET /api/jobs/1/ HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 401 Unauthorized\r\n")


def test_requests_are_remembered_until_reset(sim, client):
    client.get("/api/jobs/?limit=3&offset=6")
    client.get("/api/jobs/77/")
    assert [tuple(seen) for seen in sim.requests] == [
        ("GET", "/api/jobs/", {"limit": "3", "offset": "6"}, 200),
        ("GET", "/api/jobs/77/", {}, 404),
    ]
    assert (sim.count_requests(), sim.count_requests("/api/jobs/")) == (2, 1)
    sim.throttle(5)
    sim.reset()
    assert sim.count_requests() == 0
    assert client.get("/api/jobs/").status_code == 200


def test_only_the_latest_of_very_many_requests_are_remembered(sim, client, monkeypatch):
    monkeypatch.setattr("tpmirror.simulator.api.REMEMBERED", 5)
    for number in range(13):
        client.get(f"/api/jobs/{number}/")
    assert [seen.path for seen in sim.requests] == [f"/api/jobs/{number}/" for number in range(5, 13)]
    assert sim.count_requests() == 13


def test_answers_may_be_replaced_or_distorted(sim, client):
    answers = iter([None, Response(502, {"X-Odd": "1"}, b"bad gateway")])
    sim.respond = lambda _: next(answers)
    assert client.get("/api/jobs/").status_code == 200
    answer = client.get("/api/jobs/")
    assert (answer.status_code, answer.headers["X-Odd"], answer.text) == (502, "1", "bad gateway")
    sim.respond = lambda request: replace(sim.answer(request), body=b"[]")
    assert client.get("/api/jobs/").json() == []


def test_any_bytes_may_be_sent_and_dripped(sim, client):
    wire = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    sim.respond = lambda _: Response.raw(wire, drip=(20, 0.02))
    began = time.monotonic()
    assert client.get("/api/jobs/").json() == {}
    assert time.monotonic() - began >= 0.02
    sim.respond = lambda _: Response.raw(wire[:-1], close=True)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/api/jobs/")


def test_closing_does_not_wait_for_a_dripping_answer(world):
    with Simulator(world) as sim:
        sim.respond = lambda _: Response.raw(b"HTTP/1.1 200 OK\r\n\r\n", drip=(1, 3600))
        with socket.create_connection(("127.0.0.1", sim.port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert connection.recv(1) == b"H"
            sim.close()
            until(lambda: not sim._server._open)


def test_a_mistake_in_a_test_is_an_answer(sim, client):
    sim.respond = lambda _: 1 / 0
    answer = client.get("/api/jobs/")
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.json()["detail"]


def test_answers_may_be_slow(sim, client):
    sim.latency = 0.05
    began = time.monotonic()
    client.get("/api/jobs/1/")
    assert time.monotonic() - began >= 0.05


def test_it_serves_in_the_foreground_until_shut_down(world):
    sim = Simulator(world, token=TOKEN)
    thread = threading.Thread(target=sim.serve_forever)
    thread.start()
    assert httpx.get(f"{sim.url}/api/jobs/", headers={"Authorization": f"Token {TOKEN}"}, **PLAIN).json()["count"] == 50
    sim.shutdown()
    thread.join(timeout=60)
    assert not thread.is_alive()
    with pytest.raises(httpx.ConnectError):
        httpx.get(sim.url, **PLAIN)


def test_the_clock_may_run(sim, client, world):
    before = world.now
    client.get("/api/jobs/")
    assert world.now == before
    sim.speed = 1_000_000
    client.get("/api/jobs/")
    time.sleep(0.01)
    client.get("/api/jobs/")
    assert world.now - before > timedelta(hours=2)
    assert world.listed(active_only=True) == []


def test_many_clients_at_once_see_whole_answers(sim, world):
    sim.drift, sim.every = "insert+delete", 1
    wrong: list[int] = []

    def read():
        with httpx.Client(base_url=sim.url, headers={"Authorization": f"Token {TOKEN}"}, **PLAIN) as client:
            wrong.extend(1 for _ in range(20) if len(listed(client)) != 50)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sim.count_requests() == 80
    assert len(world.listed()) == 50


# What a job looks like


def test_every_key_of_the_documentation_is_there_and_no_other(payloads):
    for job in payloads:
        assert list(job) == JOB_KEYS
        assert list(job["input_video"]) == INPUT_KEYS
        assert job["output_video"] is None or list(job["output_video"]) == OUTPUT_KEYS
        assert all(list(model) == MODEL_KEYS for model in job["ml_models"])


def test_values_are_printed_as_django_prints_them(payloads):
    for job in payloads:
        assert re.fullmatch(r"\d{1,6}\.\d{4}", job["cost_usd"])
        for text in (job["started"], job["finished"], job["input_video"]["created_at"]):
            assert text is None or TIME.fullmatch(text)
    assert any("." in job["started"] for job in payloads)
    assert any("." not in job["started"] for job in payloads)


def test_values_are_in_their_ranges(payloads):
    for job in payloads:
        assert job["start_frame"] is None or 0 <= job["start_frame"] < job["end_frame"]
        assert 0 <= job["processing_progress"] <= 1
        assert job["eta_s"] >= 0
        assert job["input_video"]["created_at"] < job["started"]
        video = job["output_video"]
        if video:
            assert 64 <= video["width"] <= 8192
            assert 64 <= video["height"] <= 8192
            assert 100 <= video["size"] <= 400_000_000_000
            assert (video["job_id"], video["created_at"]) == (job["id"], job["finished"])


def test_outcomes_are_those_of_life(payloads):
    shares = Counter(job["status"] for job in payloads)
    assert 0.89 < shares[2] / 3000 < 0.95
    assert 0.03 < shares[-1] / 3000 < 0.07
    assert 0.015 < shares[-2] / 3000 < 0.05
    assert 1 <= shares[0] + shares[1] <= 4
    for job in payloads:
        assert (job["output_video"] is not None) == (job["status"] == 2)
        assert (job["finished"] is not None) == (job["status"] in (2, -1, -2))
        assert job["processing_progress"] == 1 or job["status"] != 2


def test_models_are_one_per_task_in_order_of_priority(payloads):
    for job in payloads:
        models = job["ml_models"]
        assert 1 <= len(models) <= 3
        assert len({model["task"] for model in models}) == len(models)
        assert [model["priority"] for model in models] == sorted(model["priority"] for model in models)


def test_ids_of_inputs_and_outputs_collide_and_inputs_are_shared(payloads):
    inputs = {job["input_video"]["id"] for job in payloads}
    outputs = {job["output_video"]["id"] for job in payloads if job["output_video"]}
    assert len(inputs & outputs) > 1000
    assert 0.1 < 1 - len(inputs) / len(payloads) < 0.3
    assert len(outputs) == sum(job["output_video"] is not None for job in payloads)
    shown: dict[int, dict] = {}
    for job in payloads:
        assert shown.setdefault(job["input_video"]["id"], job["input_video"]) == job["input_video"]


def test_owners_are_of_different_types(payloads):
    assert {job["input_video"]["owner"] for job in payloads} == {"studio@example.com"}
    assert {job["output_video"]["owner"] for job in payloads if job["output_video"]} == {4711}


def test_jobs_from_a_url_have_no_file(payloads):
    fetched = [job["input_video"] for job in payloads if job["input_video"]["external_url"]]
    assert 0.06 < len(fetched) / len(payloads) < 0.14
    assert all(video["file"] is None and video["thumbnail"] is None for video in fetched)


def test_previews_cost_nothing_and_are_short(payloads):
    previews = [job for job in payloads if job["preview"]]
    assert 0.05 < len(previews) / len(payloads) < 0.11
    assert {job["cost_usd"] for job in previews} == {"0.0000"}
    assert all((job["output_video"] or {}).get("preview_videos") is None for job in payloads if not job["preview"])
    shown = [job["output_video"] for job in previews if (job["output_video"] or {}).get("preview_videos")]
    assert shown
    assert all(video["n_frames"] <= 600 for video in shown)
    assert sum(video["n_frames"] >= 240 for video in shown) > len(shown) * 0.8


def test_the_account_has_what_makes_mirrors_stumble(payloads):
    text = json.dumps([job["input_video"]["name"] for job in payloads], ensure_ascii=False)
    assert all(piece in text for piece in ("\U0001f3ac", "\u0301", "زفاف", "סרט", "家族", "=cmd(", "'", '\\"'))
    videos = [job["input_video"] for job in payloads] + [job["output_video"] for job in payloads if job["output_video"]]
    assert any(video["size"] > 2**31 for video in videos)
    assert any(video["bitrate"] is None for video in videos)
    assert any(video["codec_id"] is None for video in videos)
    assert any(video.get("deleted") and video["file"] is None for video in videos)
    assert any(video.get("quality_score") for video in videos)
    assert {23.976, 29.97, 25.0} <= {video["framerate"] for video in videos}
    started = Counter(job["started"] for job in payloads)
    assert max(started.values()) > 1


# Life


def test_the_same_seed_makes_the_same_account_and_the_same_life():
    def lived(seed, steps):
        world = World(seed=seed, jobs=60, days=3)
        for step in steps:
            world.advance(step)
        return [world.job(job_id) for job_id in world.ids()]

    whole = lived(5, [86400])
    assert whole == lived(5, [0.25] * 40 + [10] * 200 + [84390])
    assert whole != lived(6, [86400])
    assert len(whole) > 65


def test_jobs_live_from_the_queue_to_their_end(world):
    job = world.submit()
    assert (world.job(job)["status"], world.job(job)["started"]) == (0, "2026-11-01T00:00:00Z")
    assert world.history(job) == [(world.now, None, 0)]
    seen = []
    for _ in range(800):
        world.advance(10)
        shown = world.job(job)
        seen.append((shown["status"], shown["processing_progress"], shown["eta_s"]))
    statuses = [status for status, _ in itertools.groupby(status for status, _, _ in seen)]
    assert statuses == [0, 1, 2]
    progress = [ratio for _, ratio, _ in seen]
    assert progress == sorted(progress)
    assert len(set(progress)) > 5
    estimates = [eta for status, _, eta in seen if status == 1]
    assert any(later > earlier for earlier, later in itertools.pairwise(estimates))
    assert [(before, after) for _, before, after in world.history(job)] == [(None, 0), (0, 1), (1, 2)]
    assert world.history(job)[-1][0].isoformat().replace("+00:00", "Z") == world.job(job)["finished"]


def test_history_is_what_was_served(world):
    watched = [world.submit() for _ in range(40)]
    seen = {job: [world.status(job)] for job in watched}
    while world.listed(active_only=True):
        world.advance(5)
        for job in watched:
            if world.status(job) != seen[job][-1]:
                seen[job].append(world.status(job))
    assert {job: [after for _, _, after in world.history(job)] for job in watched} == seen
    assert {after for job in watched for _, _, after in world.history(job)} >= {0, 1, 2, -1}


def test_new_jobs_come_and_old_outputs_change():
    world = World(jobs=300, days=30)
    rated, erased = outputs_with(world, "quality_score"), outputs_with(world, "deleted")
    world.advance(30 * 86400)
    assert 220 < len(world.ids()) - 300 < 380
    assert outputs_with(world, "quality_score") & set(range(1, 301)) >= rated
    assert outputs_with(world, "deleted") & set(range(1, 301)) > erased
    assert world.jobs_per_day == 10
    world.jobs_per_day, count = 0, len(world.ids())
    world.advance(30 * 86400)
    assert len(world.ids()) == count
    with pytest.raises(ValueError, match="time does not go back"):
        world.advance(-1)


def test_so_many_are_in_flight_as_asked_for():
    world = World(jobs=30, in_flight=20)
    assert world.listed(active_only=True) == list(range(11, 31))
    assert {world.status(job) for job in range(11, 31)} == {0, 1}
    assert World(jobs=30, in_flight=0).listed(active_only=True) == []


def test_the_clock_and_the_owner_can_be_chosen():
    now = datetime(2027, 1, 2, 3, tzinfo=UTC)
    world = World(jobs=5, now=now, days=1, owner=("a@b.example", 9))
    assert world.now == now
    assert all("2027-01-01T" <= world.job(job)["started"] <= "2027-01-02T03" for job in world.ids())
    assert world.job(1)["input_video"]["owner"] == "a@b.example"


# Verbs


def test_ends_can_be_forced_and_life_does_not_undo_them(world):
    finished, failed, canceled = (world.submit() for _ in range(3))
    world.start(finished)
    world.finish(finished)
    world.fail(failed)
    world.cancel(canceled)
    world.advance(86400)
    assert [world.status(job) for job in (finished, failed, canceled)] == [2, -1, -2]
    assert [after for _, _, after in world.history(finished)] == [0, 1, 2]
    assert [after for _, _, after in world.history(canceled)] == [0, -2]


def test_even_an_ended_job_can_begin_again(world):
    job = world.submit()
    world.finish(job)
    output = world.job(job)["output_video"]["id"]
    world.start(job)
    assert (world.job(job)["finished"], world.job(job)["output_video"]) == (None, None)
    world.finish(job)
    assert world.job(job)["output_video"]["id"] != output
    assert [(before, after) for _, before, after in world.history(job)] == [(None, 0), (0, 2), (2, 1), (1, 2)]


def test_submissions_may_choose(world):
    used = world.job(1)["input_video"]["id"]
    job = world.job(world.submit(preview=True, ml_models=[43, 44], description="x", input_video=used))
    assert (job["preview"], job["cost_usd"], job["description"]) == (True, "0.0000", "x")
    assert [model["id"] for model in job["ml_models"]] == [44, 43]
    assert job["input_video"]["id"] == used
    for wrong in ({"colour": 1}, {"ml_models": [1]}, {"codec": "h266"}):
        with pytest.raises(ValueError, match="no "):
            world.submit(**wrong)


def test_outputs_are_rated_and_deleted(world):
    job = world.submit()
    with pytest.raises(ValueError, match="has no output"):
        world.rate(job, 3)
    world.finish(job)
    world.rate(job, 3)
    world.advance(60)
    world.delete_output(job)
    video = world.job(job)["output_video"]
    assert (video["quality_score"], video["deleted"]) == (3, "2026-11-01T00:01:00Z")
    assert video["file"] is video["thumbnail"] is video["preview_videos"] is None


def test_a_deleted_input_is_gone_from_all_its_jobs(world):
    first = world.submit()
    second = world.submit(input_video=world.job(first)["input_video"]["id"])
    world.delete_input(first)
    assert world.job(first)["input_video"] is world.job(second)["input_video"] is None


def test_credits_are_what_the_jobs_say(world):
    total = sum(Decimal(world.job(job)["cost_usd"]) for job in world.ids())
    assert world.credits() == total > 0
    cost = Decimal(world.job(7)["cost_usd"])
    world.correct_cost(7, cost + Decimal("1.5"))
    assert world.job(7)["cost_usd"] == f"{cost + Decimal('1.5'):.4f}"
    assert world.credits() == total + Decimal("1.5")
    world.delete(7)
    assert world.credits() == total - cost


def test_lies_are_served_as_told(client, world):
    world.finish(50)
    world.edit(50, {"output_video": {"bitrate": 9223372036854776000}, "brand_new_key": 1})
    world.edit(50, {"output_video": {"name": "\ud800\u0000"}, "status": 7, "ml_models": [], "eta_s": 2**70})
    job = client.get("/api/jobs/50/").json()
    assert (job["output_video"]["bitrate"], job["brand_new_key"], job["status"]) == (9223372036854776000, 1, 7)
    assert (job["output_video"]["name"], job["ml_models"], job["eta_s"]) == ("\ud800\u0000", [], 2**70)
    assert unsigned(job) == world.job(50)
    assert world.status(50) == 2
    world.edit(49, {"id": "12", "output_video": {"id": 3}, "input_video": None, "cost_usd": float("nan")})
    text = client.get("/api/jobs/49/").text
    assert '"id":"12"' in text
    assert '"output_video":{"id":3' in text
    assert '"cost_usd":NaN' in text


def test_a_job_may_be_distorted_in_places_and_is_mended(client, world):
    sound = world.job(50)
    world.distort(
        50, Oddity(("status",), "done"), Oddity(("input_video", "width"), ABSENT), Oddity(("ml_models", 0, "new"), 1),
        Oddity(("output_video", "preview_videos", "before_video"), 7), Oddity(("ml_models", 99, "name"), 7),
    )  # fmt: skip
    shown = unsigned(client.get("/api/jobs/50/").json())
    assert shown == world.job(50) == unsigned(client.get("/api/jobs/?limit=1").json()["results"][0])
    assert (shown["status"], "width" in shown["input_video"], shown["ml_models"][0]["new"]) == ("done", False, 1)
    assert world.undistorted(50) == sound
    assert list(world.distorted()) == [50]
    world.distort(50)
    assert (world.job(50), world.distorted()) == (sound, {})


def test_oddities_come_to_every_key_but_the_id_of_the_job(world):
    world.finish(50)
    world.edit(50, {"output_video": {"preview_videos": {"before_video": "a", "after_video": "b"}}})
    job, rng = world.job(50), Random(1)
    drawn = [draw(job, rng) for _ in range(5000)]
    keys = {(*path, key) for path, found in objects(job) for key in found}
    assert {oddity.path for oddity in drawn if not str(oddity.path[-1]).startswith("new_")} == keys - {("id",)}
    statuses = [oddity.value for oddity in drawn if oddity.path == ("status",)]
    assert all(value is RESPELT or value is ABSENT or value in UNREADABLE for value in statuses)


def test_a_respelt_status_is_the_status_of_the_moment(world):
    world.distort(50, Oddity(("status",), RESPELT), Oddity(("no_such_key",), RESPELT))
    before = world.job(50)["status"]
    world.finish(50)
    assert (before, world.job(50)["status"]) == ("0", "2")
    assert "no_such_key" not in world.job(50)


def test_a_drift_distorts_one_job_at_a_time(client, sim, world):
    sim.drift, sim.every, sound = "distort", 1, {job_id: world.job(job_id) for job_id in world.ids()}
    for _ in range(20):
        client.get("/api/jobs/")
        assert len(world.distorted()) == 1
        assert sum(world.job(job_id) != sound[job_id] for job_id in world.ids()) <= 1


def test_any_bytes_may_stand_for_a_job(client, world):
    world.raw(48, b'{"id":48,"id":4800000000000000000000}')
    assert client.get("/api/jobs/48/").content == b'{"id":48,"id":4800000000000000000000}'
    assert b',{"id":48,"id":4800000000000000000000},' in client.get("/api/jobs/").content
    world.raw(48, b"")
    assert client.get("/api/jobs/48/").json()["id"] == 48


def test_a_change_of_the_catalogue_shows_in_every_job_and_costs_nothing(world):
    using = [job for job in world.ids() if any(model["id"] == 34 for model in world.job(job)["ml_models"])]
    before = world.credits()
    world.edit_model(34, {"name": "Denoise 4", "cost_weight": 9.5})
    for job in using:
        shown = next(model for model in world.job(job)["ml_models"] if model["id"] == 34)
        assert (shown["name"], shown["cost_weight"], shown["task"]) == ("Denoise 4", 9.5, 3)
    assert using
    assert world.credits() == before
    assert World(jobs=0).models()[7]["name"] == "General Denoise 3"


@pytest.mark.exhaustive
def test_a_hundred_thousand_jobs_start_soon():
    began = time.process_time()
    world = World(jobs=100_000)
    assert time.process_time() - began < 30
    assert len(world.order("-started")) == 100_000
