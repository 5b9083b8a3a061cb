"""The API itself: routes, authentication, errors and pages, worded as Django REST framework words them. No sockets."""

import re
import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from typing import Final

from tpmirror.simulator import serializer
from tpmirror.simulator.drift import DRIFTS, Drift, apply
from tpmirror.simulator.http import Request, Response, Seen
from tpmirror.simulator.models import instant
from tpmirror.simulator.ordering import ORDERINGS
from tpmirror.simulator.pagination import window
from tpmirror.simulator.world import START, World

JOBS: Final = "/api/jobs/"
MODELS: Final = "/api/ml-models/"
DETAIL: Final = re.compile(r"/api/jobs/([^/.]+)/")
HISTORY: Final = re.compile(r"/api/jobs/history/([^/.]+)/")
JOB_ID: Final = re.compile(r"[0-9]{1,18}", re.ASCII)
REMEMBERED: Final = 100_000
"""Least number of recorded requests to keep; without a limit, they would fill the memory of a simulator within days."""

LOST: Final = b"""
<!doctype html>
<html lang="en">
<head>
  <title>Not Found</title>
</head>
<body>
  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>
</body>
</html>
"""


@dataclass(eq=False)
class Backend:
    """The API over a world. Every setting may be changed at any time.

    ``ordering``: one of ``ORDERINGS``. ``page_cap``: the largest page, None for no limit; ``default_limit`` applies
    to a query without one. ``active_only``: ended jobs leave the list, as some say of the true API. ``history``: ended
    jobs are found at a history endpoint too; ``archive``: there, and no longer by their id. ``latency``: seconds per
    request. ``drift``: a change, made once in ``every`` lists. ``resign``: each answer signs its URLs anew. ``speed``:
    virtual seconds per real second, 0: the clock stands. ``forbidden``: the account may not use the API. ``respond``:
    called first; its response replaces the API's. ``between``: called between counting and reading a page.
    """

    world: World
    _: KW_ONLY
    token: str = "simulator"  # noqa: S105 - opens nothing but made-up data
    ordering: str = "-id"
    page_cap: int | None = 100
    default_limit: int = 100
    active_only: bool = False
    history: bool = True
    archive: bool = False
    latency: float = 0.0
    drift: str | Drift | None = None
    every: int = 2
    gzip: bool = True
    resign: bool = True
    speed: float = 0.0
    forbidden: bool = False
    respond: Callable[[Request], Response | None] | None = None
    between: Callable[[World], object] | None = None
    requests: list[Seen] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if self.ordering not in ORDERINGS:
            raise ValueError(f"no ordering {self.ordering!r}: choose one of {', '.join(ORDERINGS)}")
        if isinstance(self.drift, str) and self.drift not in DRIFTS:
            raise ValueError(f"no drift {self.drift!r}: choose one of {', '.join(DRIFTS)}")
        self._clock = time.monotonic()
        self.reset()

    def reset(self) -> None:
        """Forget all requests, and throttle none."""
        self.requests.clear()
        self._seen = self._lists = self._throttled = 0
        self._retry_after: int | None = None

    def count_requests(self, path: str | None = None) -> int:
        """How many API requests came since the last reset; with ``path``, to this path."""
        return self._seen if path is None else sum(seen.path == path for seen in self.requests)

    def throttle(self, requests: int, retry_after: int | None = 2) -> None:
        """Refuse the next requests with 429; ``retry_after`` None: without a Retry-After header."""
        self._throttled, self._retry_after = requests, retry_after

    def handle(self, request: Request) -> Response:
        """The response to a request, recorded, delayed and compressed as set."""
        self._tick()
        if self.latency:
            time.sleep(self.latency)
        response = self.respond(request) if self.respond else None
        if response is None:
            response = self.answer(request)
            response = response.packed() if self.gzip and request.takes_gzip else response
        self._remember(request, response.status)
        return response

    def _tick(self) -> None:
        with self.world.lock:
            now = time.monotonic()
            elapsed, self._clock = now - self._clock, now
            if self.speed > 0:
                self.world.advance(elapsed * self.speed)

    def _remember(self, request: Request, status: int) -> None:
        with self.world.lock:
            self._seen += 1
            self.requests.append(Seen(request.method, request.path, request.query, status))
            if len(self.requests) > 2 * REMEMBERED:
                del self.requests[:REMEMBERED]

    def answer(self, request: Request) -> Response:
        """The API's response without ``respond``, which can call this and alter the response."""
        path = request.path
        if path.startswith("/api/") and not path.endswith("/") and self._knows(path + "/"):
            whole = request.target.replace(path, path + "/", 1)
            return Response(301, {"Location": whole, "Content-Type": "text/html; charset=utf-8"})
        if not self._knows(path):
            return Response(404, {"Content-Type": "text/html; charset=utf-8"}, LOST)
        return self._refuse(request) or self._route(request)

    def _knows(self, path: str) -> bool:
        archived = self.history and HISTORY.fullmatch(path) is not None
        return path in (JOBS, MODELS) or DETAIL.fullmatch(path) is not None or archived

    def _route(self, request: Request) -> Response:
        detail = DETAIL.fullmatch(request.path)
        method = "GET" if request.method == "HEAD" else request.method
        allowed = ("GET", "DELETE") if detail else ("GET",)
        if method not in allowed:
            allow = {"Allow": ", ".join((*allowed, "HEAD", "OPTIONS"))}
            return Response.detail(405, f'Method "{method}" not allowed.', allow)
        if detail:
            return self._detail(detail[1]) if method == "GET" else self._cancel(detail[1])
        if archived := HISTORY.fullmatch(request.path):
            return self._archived(archived[1])
        return self._list(request) if request.path == JOBS else self._models()

    # Authentication and throttling

    def _refuse(self, request: Request) -> Response | None:
        mistake = self._mistake(request.headers.get("authorization", ""))
        if mistake:
            return Response.detail(401, mistake, {"WWW-Authenticate": "Token"})
        if self.forbidden:
            return Response.detail(403, "You do not have permission to perform this action.")
        with self.world.lock:
            if not self._throttled:
                return None
            self._throttled -= 1
        return self._wait(self._retry_after)

    def _mistake(self, authorization: str) -> str | None:
        """The error of an Authorization header, as ``TokenAuthentication`` words it; None if the token is right."""
        scheme, *rest = authorization.split() or [""]
        if scheme.lower() != "token":
            return "Authentication credentials were not provided."
        if not rest:
            return "Invalid token header. No credentials provided."
        if len(rest) > 1:
            return "Invalid token header. Token string should not contain spaces."
        return None if rest[0] == self.token else "Invalid token."

    @staticmethod
    def _wait(seconds: int | None) -> Response:
        if seconds is None:
            return Response.detail(429, "Request was throttled.")
        unit = "second" if seconds == 1 else "seconds"
        text = f"Request was throttled. Expected available in {seconds} {unit}."
        return Response.detail(429, text, {"Retry-After": str(seconds)})

    # Endpoints

    def _list(self, request: Request) -> Response:
        asked = window(request.query, self.default_limit, self.page_cap)
        with self.world.lock:
            ids = self.world.order(self.ordering, active_only=self.active_only)
            count = len(ids)
            if self.between:
                self.between(self.world)
                ids = self.world.order(self.ordering, active_only=self.active_only)
            rows = [self.world.encoded(job_id) for job_id in ids[asked.offset : asked.offset + asked.limit]]
            head = self._signature()
            self._drift()
        body = b'{"count":%d,"next":%s,"previous":%s,"results":[%s]}' % (
            count,
            _link(asked.next(request.url, count)),
            _link(asked.previous(request.url)),
            serializer.sign(b",".join(rows), head, fresh=self.resign),
        )
        return _ok(body)

    def _drift(self) -> None:
        self._lists += 1
        if self.drift and self._lists % self.every == 0:
            apply(self.drift, self.world, self._lists // self.every)

    def _detail(self, number: str) -> Response:
        try:
            row = self.world.encoded(_job_id(number))
        except KeyError:
            return Response.detail(404, "Not found.")
        if self.archive and self.world.status(_job_id(number)) not in (0, 1):
            return Response.detail(404, "Not found.")
        return _ok(serializer.sign(row, self._signature(), fresh=self.resign))

    def _archived(self, number: str) -> Response:
        job_id = _job_id(number)
        with self.world.lock:
            if not self.world.found(job_id) or self.world.status(job_id) in (0, 1):
                return Response.detail(404, "Not found.")
            return Response.json(200, serializer.archived(self.world.undistorted(job_id)))

    def _cancel(self, number: str) -> Response:
        job_id = _job_id(number)
        with self.world.lock:
            if not self.world.found(job_id):
                return Response.detail(404, "Not found.")
            if self.world.status(job_id) not in (0, 1):
                return Response.detail(409, "The job has already ended.")
            self.world.cancel(job_id)
        return Response(204)

    def _models(self) -> Response:
        models = self.world.models()
        return Response.json(200, {"count": len(models), "next": None, "previous": None, "results": models})

    def _signature(self) -> bytes:
        return serializer.query(instant(self.world.now if self.resign else START))


def _job_id(text: str) -> int:
    """The id that a path names; 0, which no job has, for anything else."""
    return int(text) if JOB_ID.fullmatch(text) else 0


def _link(url: str | None) -> bytes:
    return b"null" if url is None else serializer.text(url)


def _ok(body: bytes) -> Response:
    headers = {"Content-Type": "application/json", "Vary": "Accept", "Allow": "GET, HEAD, OPTIONS"}
    return Response(200, headers, body)
