"""What lies between the client and the account: an in-process transport, its faults, and notes of what was served."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from random import Random
from typing import Any, Final

import httpx

from tests.support.answers import answers_of
from tests.support.mover import KEPT
from tests.support.notes import BY_ID, LIST, Note, Recorder, items_of
from tests.support.simulation.machine import Machine, Process
from tpmirror.simulator.api import Backend
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.oddity import Oddity, draw, lay_over
from tpmirror.simulator.world import World
from tpmirror.tensorpix.caching import LAG, PARAMETER

ARCHIVE: Final = "/api/jobs/history/"
WINDOWS: Final = {
    "empty": "nothing is listed",
    "foreign": "another account answers",
    "shared": "another account answers, which shares a job with this one",
    "denied": "404 for every id",
    "partial": "the list lacks every second job; by id some of them are denied, then the server fails",
    "stale": "a replica answers that lacks the newest jobs",
    "revoked": "401",
}
LYING: Final = WINDOWS.keys() - {"partial", "stale"}
"""Those of which no answer shows the mirror anything of this account."""
DENIALS: Final = 4
"""Jobs that a client is denied before the server fails."""
EMPTY: Final[dict[str, Any]] = {"count": 0, "next": None, "previous": None, "results": []}


@dataclass(eq=False)
class Network:
    """The way to an account.

    ``fault``: how likely an answer goes wrong; ``lies``: whether also in ways that nobody can tell from the truth.
    ``window``: what is wrong with all answers for a while, see ``WINDOWS``.
    """

    machine: Machine
    backend: Backend
    stranger: Backend
    rng: Random
    struck: Callable[[], object]
    happen: Callable[[], object]
    distorted: Callable[[], object] = lambda: None
    fault: float = 0.0
    lies: bool = True
    pause: float = 0.0
    odd: float = 0.0
    """How likely an answer shows an oddity that the account does not have, in one job of it."""
    endpoint: dict[bool, list[Oddity]] = field(default_factory=dict)
    """Keys that all answers of the list (True), or of those by id, show or lack."""
    cache: str = ""
    """What tells of a stored answer: its ``age`` or its ``date``; empty: there is no cache."""
    is_picky: bool = False
    """Whether the API refuses a parameter that it does not know."""
    is_dated: bool = False
    """Whether answers state when they were made."""
    window: str = ""
    known: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    """How often each kind of fault was met."""

    def __post_init__(self) -> None:
        self._still = False
        self._lacking = set[int]()
        self._shared = 0
        self._denials = dict[Process, set[int]]()
        self._stored = dict[str, tuple[Response, float]]()
        self._is_emptied = False
        self.recorder = Recorder(self.backend, self._between)

    @property
    def notes(self) -> list[Note]:
        """Every answer since the notes were cleared."""
        return self.recorder.notes

    def open(self, window: str) -> None:
        """From now on all answers are wrong in this way."""
        listed = self.backend.world.listed()
        self.window = window
        self.counts[window] += 1
        self._shared = self.rng.choice(listed)
        lacking = {"stale": listed[-self.rng.randrange(1, 4) :], "partial": listed[::2]}.get(window, [])
        self._lacking = {*lacking[: len(listed) - KEPT]}
        for job_id in self._lacking:
            self.backend.world.hide(job_id)

    def close(self) -> None:
        """All answers are right again."""
        for job_id in filter(self.backend.world.found, self._lacking):
            self.backend.world.restore(job_id)
        self.window, self._lacking = "", set()

    def _between(self, _world: World) -> None:
        if not self._still and self.rng.random() < 0.05:
            self.happen()

    def handle(self, request: httpx.Request) -> httpx.Response:
        """One exchange: it takes time there and back, and each way may be the last."""
        process = self.machine.process
        assert process is not None
        self.machine.touch()
        asked_at = self.machine.now
        self.machine.sleep(self.rng.uniform(0.01, 0.3))
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Request("GET", request.url.raw_path.decode(), headers)
        note, answer = self._serve(process, asked)
        stored = self._from_cache(asked, answer)
        if process.touches == process.strike or self.rng.random() < self.fault:
            self.struck()
            note.shown = {}
            respond = self._spoil(asked, answer)
        elif stored:
            self.counts["stored"] += 1
            note.shown = {}  # it was so once
            respond = stored
        else:
            respond = self._whole(answer)
        self.happen()
        self.machine.sleep(self.rng.uniform(0.01, 0.3))
        if self.rng.random() < self.pause:
            # Stopped, swapped out, its machine asleep: longer than a request may take. The answer counts no more.
            note.shown = {}
            self.machine.sleep(self.rng.choice([100, 1000, 10_000]))
        note.at = self.machine.now
        if self.is_dated and self.machine.skew.total_seconds() > LAG and PARAMETER not in asked.query:
            note.shown = {}  # by this clock the answer is old, and may count for nothing
        if (note.at - asked_at).total_seconds() > request.extensions["timeout"]["read"]:
            note.shown = {}  # the clock was set forward, which looks as if the machine had slept: it counts no more
        self.known.update(note.shown)
        self.machine.touch()
        return respond

    def _serve(self, process: Process, asked: Request) -> tuple[Note, Response]:
        known = frozenset(self.known)
        note, answer = self.recorder.ask(asked, self._answer)
        note.client, note.known = process, known
        self.counts["archived"] += answer.status == 200 and asked.path.startswith(ARCHIVE)
        job = BY_ID.fullmatch(asked.path)
        if job and answer.status == 404 and int(job[1]) in self._lacking:
            note.found = False  # a lie, and nobody can tell
            self.counts["misled"] += 1
        if self.window in LYING:
            note.shown = {}
        if self._is_emptied and asked.path == LIST:  # a window that opens while the page is made came after it
            note.counted = note.sliced = frozenset()  # nothing is listed: true where known jobs answer by id as ended
        return note, answer

    def _from_cache(self, asked: Request, answer: Response) -> httpx.Response | None:
        """An answer of before that says so; caches know an address, and what they kept of it."""
        if not self.cache or answer.status != 200:
            return None
        before, at = self._stored.setdefault(asked.target, (answer, self.machine.monotonic()))
        seconds = self.machine.monotonic() - at
        if seconds < (1 if self.cache == "age" else LAG + 1) or self.rng.random() < 0.3:
            self._stored[asked.target] = (answer, self.machine.monotonic())
            return None
        told = {"age": f"{seconds:.0f}"} if self.cache == "age" else {"date": self._date(seconds)}
        return httpx.Response(200, headers={**before.headers, **told}, stream=_Body([before.body]))

    def _date(self, seconds_ago: float = 0) -> str:
        """What the servers' clock shows: the right time."""
        return format_datetime(self.machine.true_now - timedelta(seconds=seconds_ago), usegmt=True)

    def _answer(self, asked: Request) -> Response:
        self._is_emptied = False
        if self.is_picky and PARAMETER in asked.query:
            return Response.detail(400, f"Unknown parameter {PARAMETER}.")
        answer = self._window(asked)
        return answer or self._distorted(asked, self.backend.handle(asked))

    def _distorted(self, asked: Request, answer: Response) -> Response:
        """The answer with the keys of its endpoint, and perhaps an oddity of its own."""
        laid = self.endpoint.get(asked.path == LIST, [])
        is_odd = self.rng.random() < self.odd
        jobs = items_of(asked.path, answer)
        if not jobs or not (is_odd or laid):
            return answer
        for job in jobs:
            for one in laid:
                lay_over(job, one)
        if is_odd:
            job = self.rng.choice(jobs)
            lay_over(job, Oddity(("id",), "odd") if self.rng.random() < 0.03 else draw(job, self.rng))
            self.distorted()
        body = {**json.loads(answer.body), "results": jobs} if asked.path == LIST else jobs[0]
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        return replace(answer, body=text.encode())

    def _window(self, asked: Request) -> Response | None:
        if self.window == "revoked":
            return Response.detail(401, "Invalid token.")
        if asked.path != LIST:
            return self._window_by_id(asked)
        if self.window in {"foreign", "shared"}:
            return self._other_account(asked)
        self._is_emptied = self.window == "empty"
        return Response.json(200, EMPTY) if self._is_emptied else None

    def _window_by_id(self, asked: Request) -> Response | None:
        job = BY_ID.fullmatch(asked.path)
        job_id, denied = int(job[1]) if job else 0, Response.detail(404, "Not found.")
        if self.window == "partial" and job_id in self._lacking:
            process = self.machine.process
            assert process is not None
            mine = self._denials.setdefault(process, set())
            if len(mine) < DENIALS or job_id in mine:
                mine.add(job_id)
                return denied
            return Response(500, {"Content-Type": "text/html"}, b"<h1>Server Error</h1>")
        is_denied = job_id in self._lacking or self.window in {"foreign", "denied"}
        return denied if is_denied or (self.window == "shared" and job_id != self._shared) else None

    def _other_account(self, asked: Request) -> Response:
        answer = self.stranger.handle(asked)
        if self.window == "foreign" or answer.status != 200 or not self.backend.world.found(self._shared):
            return answer
        page = json.loads(answer.body)
        both = [self.backend.world.job(self._shared), *page["results"]]
        return Response.json(200, {**page, "count": page["count"] + 1, "results": both})

    # What may go wrong with an answer

    def _whole(self, answer: Response) -> httpx.Response:
        dated = {"date": self._date()} if self.is_dated else {}
        return httpx.Response(answer.status, headers={**answer.headers, **dated}, stream=_Body([answer.body]))

    def _spoil(self, asked: Request, answer: Response) -> httpx.Response:
        prefixes = ("_fault_", "_lie_") if self.lies else "_fault_"
        kinds = [kind for name, kind in vars(Network).items() if name.startswith(prefixes)]
        response: httpx.Response = self.rng.choice(kinds)(self, asked, answer)
        return response

    def _fault_refused(self, _asked: Request, _answer: Response) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    def _fault_slow(self, _asked: Request, _answer: Response) -> httpx.Response:
        self.machine.sleep(30)
        raise httpx.ReadTimeout("timed out")

    def _fault_reset(self, _asked: Request, _answer: Response) -> httpx.Response:
        raise httpx.ReadError("connection reset by peer")

    def _fault_server(self, _asked: Request, _answer: Response) -> httpx.Response:
        status = self.rng.choice([500, 502, 503, 504])
        headers = {"content-type": "text/html", **({"retry-after": "7"} if status == 503 else {})}
        return httpx.Response(status, headers=headers, stream=_Body([b"<h1>Error</h1>"]))

    def _fault_throttled(self, _asked: Request, _answer: Response) -> httpx.Response:
        wait = self.rng.choice(["3", "120", "Sun, 01 Nov 2026 00:00:20 GMT", "soon", "-5", None])
        headers = {"content-type": "application/json", "date": "Sun, 01 Nov 2026 00:00:00 GMT"}
        headers |= {"retry-after": wait} if wait else {}
        return httpx.Response(429, headers=headers, stream=_Body([b'{"detail":"Request was throttled."}']))

    def _fault_key(self, _asked: Request, _answer: Response) -> httpx.Response:
        return self._whole(Response.detail(401, "Invalid token."))

    def _fault_html(self, _asked: Request, _answer: Response) -> httpx.Response:
        return httpx.Response(200, headers={"content-type": "text/html"}, stream=_Body([b"<h1>Maintenance</h1>"]))

    def _fault_nothing(self, _asked: Request, answer: Response) -> httpx.Response:
        return httpx.Response(200, headers=dict(answer.headers), stream=_Body([]))

    def _fault_cut(self, _asked: Request, answer: Response) -> httpx.Response:
        half = answer.body[: len(answer.body) // 2]
        broken = _Body([half], httpx.RemoteProtocolError("peer closed connection without sending complete body"))
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=broken)

    def _fault_cut_without_a_sign(self, _asked: Request, answer: Response) -> httpx.Response:
        return httpx.Response(answer.status, headers=dict(answer.headers), stream=_Body([answer.body[:-7]]))

    def _fault_cut_gzip(self, _asked: Request, answer: Response) -> httpx.Response:
        packed = gzip.compress(answer.body, 1, mtime=0)
        headers = {**answer.headers, "content-encoding": "gzip"}
        return httpx.Response(answer.status, headers=headers, stream=_Body([packed[: -self.rng.randrange(1, 20)]]))

    def _fault_no_json(self, _asked: Request, answer: Response) -> httpx.Response:
        body = self.rng.choice([b"[]", b"{}", b"null", b'{"count":NaN}', b'{"count":"2","results":[]}', b"{" * 5000])
        return httpx.Response(200, headers=dict(answer.headers), stream=_Body([body]))

    def _lie_empty(self, asked: Request, answer: Response) -> httpx.Response:
        """One page of nothing, as of an empty account. A mirror that holds nothing yet has to believe it."""
        if asked.path != LIST:
            return self._whole(answer)
        self.notes[-1].counted = self.notes[-1].sliced = frozenset()
        return self._whole(Response.json(200, EMPTY))

    def _lie_first_page(self, asked: Request, answer: Response) -> httpx.Response:
        """A cache that knows no queries."""
        if asked.path != LIST or answer.status != 200:
            return self._whole(answer)
        first = Request("GET", f"{LIST}?limit={asked.query.get('limit', 5)}&offset=0", asked.headers)
        self._still = True
        cached = self._answer(first)
        self._still = False
        lied = answers_of(items_of(LIST, cached))
        self.recorder.learn(lied)
        self.notes[-1].answers += lied
        if self.window != "empty":
            # At the moment of this answer, not of the other.
            self.notes[-1].counted = self.notes[-1].sliced = self.recorder.listed
        return self._whole(cached)

    def _lie_short(self, asked: Request, answer: Response) -> httpx.Response:
        """A page that lost its last rows on the way."""
        if asked.path != LIST or answer.status != 200:
            return self._whole(answer)
        page: dict[str, Any] = json.loads(answer.body)
        return self._whole(Response.json(200, {**page, "results": page["results"][:-2]}))


class Wire(httpx.BaseTransport):
    """The transport of a client."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._network.handle(request)


class _Body(httpx.SyncByteStream):
    def __init__(self, parts: list[bytes], error: Exception | None = None) -> None:
        self._parts, self._error = parts, error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts
        if self._error:
            raise self._error
