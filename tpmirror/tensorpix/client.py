"""The only module that talks to the TensorPix API: key, origin, deadline, retries, rate.

Offsets are computed by the caller; ``next`` is never followed. Every request and every complete answer gets a number
from one counter: these numbers, never clocks, decide which request or answer came before which.
"""

import itertools
import json
import random
import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

import httpcore
import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from tpmirror import __version__
from tpmirror.config import Settings, read_key, read_owners_key
from tpmirror.credentials import Secret
from tpmirror.errors import ApiError, AuthenticationError, Interrupted, JobUnavailable, TransientError
from tpmirror.log import logger
from tpmirror.tensorpix import tls
from tpmirror.tensorpix.caching import CacheGuard
from tpmirror.tensorpix.control import Control
from tpmirror.tensorpix.decode import (
    NO_ID,
    ParsedJob,
    ParseFailure,
    decode_beginning,
    decode_job,
    decode_large_job,
    decode_listing,
)
from tpmirror.tensorpix.owners import Pseudonyms
from tpmirror.tensorpix.page import Page
from tpmirror.tensorpix.pagesize import PageSize
from tpmirror.tensorpix.ratelimit import RateLimiter, backoff, farthest, retry_after, skew
from tpmirror.tensorpix.transport import Deadline, PinnedTransport, read_body, room_for

T = TypeVar("T")
JOBS: Final = "/api/jobs/"
log: Final = logger(__name__)
_MEDIA_TYPE: Final = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,30}")  # no media type: may repeat the key, and be very long

REFUSALS: Final = 2
"""401s in a row after which the key counts as refused: one may be a passing fault, or a key just replaced in its
file."""

NAP: Final = 10.0
"""Seconds between two calls of ``on_wait`` during a longer pause."""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A complete answer, between the number of its request and the number of its arrival."""

    status: int
    body: bytes
    sent: int
    received: int
    at: datetime
    is_whole: bool = True
    """Whether the body is complete; else it is the beginning of a body larger than the limit."""


class Api:
    """A connection to one account. Use as a context manager; its methods may be called from several threads."""

    def __init__(
        self, settings: Settings, transport: httpx.BaseTransport | None = None, control: Control | None = None
    ) -> None:
        self._settings = settings
        self.origin = settings.api_url
        self._key: Secret = read_key(settings)
        key = read_owners_key(settings)
        self.owners = Pseudonyms(key) if key else None
        """Puts hashes in the place of owners' addresses in all answers; None where the addresses are kept."""
        self._control = control or Control()
        self._closing = self._control.stop
        self._deadline = Deadline(self._control)
        self._pace = RateLimiter(settings.max_rps, time.monotonic, self._sleep)
        self._cache = CacheGuard(secrets.token_hex(4))
        self._numbers = itertools.count(1)
        self._size = PageSize(settings.page_size, room_for(settings.page_size))
        self._lock = threading.Lock()
        self.requests = 0
        self.retries = 0
        self.clock_ahead: float | None = None
        """The ``skew`` farthest from 0 until now: observations at that time have wrong times."""
        self._client = httpx.Client(
            base_url=settings.api_url,
            transport=transport
            or PinnedTransport(settings.api_url, settings.concurrency, self._deadline, settings.ca_file),
            timeout=httpx.Timeout(settings.request_timeout, pool=None),
            headers={
                "user-agent": f"tpmirror/{__version__}",
                "accept": "application/json",
                "accept-encoding": "gzip",
                "cache-control": "no-cache",  # a cached response would be recorded as a new observation
            },
            follow_redirects=False,
            # Before httpx parses a redirect's target: it fails on an invalid URL, and the request would be tried again.
            event_hooks={"response": [_refuse_redirect]},
            trust_env=False,
        )

    def __enter__(self) -> Self:
        """Nothing is sent yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close; each thread that waits for its turn or for a retry is woken and gives up."""
        self._closing.set()
        self._client.close()

    @property
    def skew(self) -> float | None:
        """Seconds that our clock is ahead of the API's, as its newest answer shows; None if it states no date."""
        return self._control.skew

    def number(self) -> int:
        """The next number of the counter that orders requests and answers."""
        return next(self._numbers)

    @property
    def page_size(self) -> int:
        """The most jobs worth asking for at once, by the sizes of jobs that this run has seen."""
        return self._size.most

    def page(self, limit: int, offset: int) -> Page:
        """One page of the list: of at most ``limit`` jobs, of fewer where an answer of so many is too large to read.

        A single job that is too large becomes an item that cannot be read. Raises ApiError when all tries fail,
        AuthenticationError for the key.
        """
        asked = min(limit, self._size.now)
        page = self._retry(partial(self._page, asked, offset))
        if page is not None:
            return page
        log.debug("an answer was too large, asking for fewer jobs", limit=asked // 2)
        self._size.refuse(asked)
        with self._lock:
            self.retries += 1
        return self.page(asked // 2, offset)

    def _page(self, limit: int, offset: int) -> Page | None:
        """One try for a page; None if the answer is too large to read, and one with fewer jobs may not be."""
        answer = self._send(JOBS, {"limit": limit, "offset": offset})
        if answer.status != httpx.codes.OK:
            message = f"{JOBS} answers {answer.status}; check TPMIRROR_API_URL"
            raise ApiError(message)
        if answer.is_whole:
            listing, size = decode_listing(answer.body), len(answer.body)
        elif beginning := decode_beginning(answer.body, limit, self._size.room):
            listing, size = beginning, 0  # one job is too large; its neighbours may be small
        else:
            return None
        page = Page(listing, limit, offset, answer.sent, answer.received, answer.at)
        if page.stated_offset not in {None, offset}:  # a proxy's cache may hand out another page
            self._cache.suspect()
            message = f"asked for the jobs from {offset}, the API answered with those from {page.stated_offset}"
            raise TransientError(message)
        self._size.accept(limit, size)
        return page

    def job(self, job_id: int) -> tuple[ParsedJob | ParseFailure | None, ApiResponse]:
        """One job by its id, and the answer it came in; None if the API itself says that there is none.

        Raises JobUnavailable when the API does not answer for this job, other ApiErrors as ``page`` does.
        """

        def attempt() -> tuple[ParsedJob | ParseFailure | None, ApiResponse]:
            answer = self._send(f"{JOBS}{job_id}/", {})
            if answer.status == httpx.codes.NOT_FOUND:
                _check_not_found(answer)
                return None, answer
            if answer.status != httpx.codes.OK:
                message = f"{JOBS}{job_id}/ answers {answer.status}"
                raise JobUnavailable(message)
            found = self._shown(answer, job_id)
            if isinstance(found, ParseFailure) and (found.reason == NO_ID or (not answer.is_whole and not found.id)):
                message = f"{JOBS}{job_id}/ answers with an object whose id cannot be read"
                raise JobUnavailable(message)
            if found.id != job_id:
                message = f"asked for job {job_id}, the API answered with something else"
                raise TransientError(message)
            return found, answer

        return self._retry(attempt)

    def in_history(self, job_id: int) -> bool:
        """Whether the API has a job in its history of ended jobs; False as well where it has no history endpoint.

        To be called once ``job`` found none: ended jobs may be there. The history's answer has a status in words and no
        cost, so it is not mirrored. Raises as ``job`` does.
        """

        def attempt() -> bool:
            answer = self._send(f"{JOBS}history/{job_id}/", {})
            if answer.status == httpx.codes.NOT_FOUND:
                return False
            if answer.status != httpx.codes.OK:
                message = f"{JOBS}history/{job_id}/ answers {answer.status}"
                raise JobUnavailable(message)
            if self._shown(answer, job_id).id != job_id:
                message = f"asked for the history of job {job_id}, the API answered with something else"
                raise TransientError(message)
            return True

        return self._retry(attempt)

    def _shown(self, answer: ApiResponse, job_id: int) -> ParsedJob | ParseFailure:
        """The job in an answer for its id."""
        return decode_job(answer.body, job_id) if answer.is_whole else decode_large_job(answer.body, self._size.room)

    def _retry(self, attempt: Callable[[], T]) -> T:
        stop = stop_after_attempt(self._settings.max_attempts)
        retrying = Retrying(
            stop=stop, wait=self._backoff, retry=retry_if_exception_type(TransientError), sleep=self._sleep,
            before_sleep=self._count_retry, reraise=True,
        )  # fmt: skip
        return retrying(attempt)

    def _send(self, path: str, params: dict[str, int]) -> ApiResponse:
        """One request and its complete answer; after a first 401 it is sent again, with the key read anew."""
        for _ in range(REFUSALS):
            answer = self._fresh(path, params)
            if answer.status != httpx.codes.UNAUTHORIZED:
                break
            self._key = read_key(self._settings)
        # A 403 for one job says nothing about the key; a 403 for the list does.
        if answer.status == httpx.codes.UNAUTHORIZED or (answer.status == httpx.codes.FORBIDDEN and path == JOBS):
            message = (
                f"the API refused the key ({answer.status}); put the account's current key into TPMIRROR_API_KEY or "
                "TPMIRROR_API_KEY_FILE, and check that its plan includes API access"
            )
            raise AuthenticationError(message)
        return answer

    def _fresh(self, path: str, params: dict[str, int]) -> ApiResponse:
        """One exchange; another one at once, past caches, after the first answer of the run that looked stored."""
        was_suspected = self._cache.is_suspected
        try:
            return self._exchange(path, params)
        except TransientError:
            if was_suspected or not self._cache.is_suspected:
                raise
            with self._lock:
                self.retries += 1
            return self._exchange(path, params)

    def _exchange(self, path: str, params: dict[str, int]) -> ApiResponse:
        self._pace.wait()
        if self._closing.is_set():
            raise Interrupted
        with self._lock:
            self.requests += 1
        self._deadline.at = time.monotonic() + self._settings.request_timeout
        sent, began = self.number(), datetime.now(UTC)
        past_caches = self._cache.parameters(sent)
        headers = {"authorization": f"Token {self._key.reveal()}"}
        status, started = "error", time.monotonic()
        try:
            with self._client.stream("GET", path, params={**params, **past_caches}, headers=headers) as response:
                body, is_whole = read_body(response, self._deadline.left, self._size.room)
            status = str(response.status_code)
        except (httpx.TimeoutException, httpcore.TimeoutException) as error:
            message = f"no complete answer from {self._settings.api_url} within {self._settings.request_timeout:g} s"
            raise TransientError(message) from error
        except httpx.RemoteProtocolError as error:
            reason = _reason(error).partition(": bytearray")[0]  # the received bytes may repeat the key
            message = f"the answer from {self._settings.api_url} is cut off or damaged: {reason}"
            raise TransientError(message) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            self._check_certificate(error)
            message = f"cannot reach {self._settings.api_url}: {_reason(error)}; check TPMIRROR_API_URL and the network"
            raise TransientError(message) from error
        finally:
            self._control.on_request(status, time.monotonic() - started)
        at = datetime.now(UTC)
        if (at - began).total_seconds() > self._settings.request_timeout:
            # The machine slept, and the monotonic clock of the deadline with it: the content of the answer is out of
            # date.
            message = f"no answer from {self._settings.api_url} in time: the machine slept, or its clock was set"
            raise TransientError(message)
        self._judge(response, body)
        self._judge_freshness(response, began, started, is_marked=bool(past_caches))
        shown = self.owners.answer(body) if self.owners else body
        return ApiResponse(response.status_code, shown, sent, self.number(), at, is_whole)

    def _check_certificate(self, error: Exception) -> None:
        """Raise ApiError if the certificate was rejected: the next try would see the same certificate."""
        refused = tls.rejection(error)
        if refused is not None:
            reason = refused.verify_message.rstrip(".")
            what_to_do = tls.remedy(refused.verify_code, self._settings.ca_file)
            message = f"the certificate of {self._settings.api_url} is not trusted: {reason}; {what_to_do}"
            raise ApiError(message) from error

    def _judge(self, response: httpx.Response, body: bytes) -> None:
        """Raise TransientError for 204, 429, 5xx, and a 200 that is empty or not JSON; let other statuses through."""
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            wait = retry_after(response.headers.get("retry-after"), response.headers.get("date"))
            if wait is not None:
                self._pace.hold(wait)
            message = f"{self._settings.api_url} answers {status}"
            raise TransientError(message, wait=wait)
        # A server and a proxy may both send it; one that names JSON is enough: the body has to be JSON anyhow.
        stated = response.headers.get_list("content-type", split_commas=True)
        kinds = [value.partition(";")[0].strip().lower() for value in stated]
        if status == httpx.codes.OK and "application/json" not in kinds:
            kind = next(filter(None, kinds), "")
            shown = kind if _MEDIA_TYPE.fullmatch(kind) else "no media type" if kind else "no content type"
            message = f"{self._settings.api_url} answers with {shown!r} instead of JSON"
            raise TransientError(message)
        if status == httpx.codes.NO_CONTENT or (status == httpx.codes.OK and not body):
            message = f"{self._settings.api_url} answers with nothing"
            raise TransientError(message)

    def _judge_freshness(self, response: httpx.Response, began: datetime, started: float, *, is_marked: bool) -> None:
        """Raise for an answer that a cache stored, and for one that refuses the parameter against caches.

        The next try is sent with the parameter, or without it for the rest of the run.
        """
        reason = self._cache.reason(response.headers, began, (started, time.monotonic()), is_marked=is_marked)
        if is_marked and response.status_code == httpx.codes.BAD_REQUEST:
            self._cache.refuse()
            message = f"{self._settings.api_url} answers 400 to a parameter that keeps caches out"
            raise TransientError(message)
        if reason:
            self._cache.suspect()
            message = f"{self._settings.api_url} is answered for by a cache: {reason}; check what proxy is in between"
            raise TransientError(message)
        self._control.skew = ahead = skew(response.headers.get("date"), datetime.now(UTC))
        with self._lock:
            self.clock_ahead = farthest(self.clock_ahead, ahead)

    def _backoff(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, TransientError) else None
        return asked if asked is not None else backoff(state.attempt_number, self._settings.retry_base, random.random)

    def _count_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.debug("request failed, trying again", error=str(error), attempt=state.attempt_number)
        with self._lock:
            self.retries += 1

    def _sleep(self, seconds: float) -> None:
        until, left = time.monotonic() + seconds, seconds
        while not self._closing.wait(min(left, NAP)):
            self._control.on_wait()
            left = until - time.monotonic()
            if left <= 0:
                return
        raise Interrupted


def _check_not_found(answer: ApiResponse) -> None:
    """A 404 counts only with the API's own body; a proxy's page proves nothing about a job."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or "detail" not in document:
        message = "a 404 that is not the API's own"
        raise TransientError(message)


def _reason(error: Exception) -> str:
    """The innermost reason, in one line without a URL."""
    text = str(error).strip().splitlines()
    return text[0] if text and "://" not in text[0] else type(error).__name__


def _refuse_redirect(response: httpx.Response) -> None:
    if 300 <= response.status_code < 400:
        target = _origin(response.headers.get("location", ""))
        message = f"the API redirects to {target}; not followed, check TPMIRROR_API_URL"
        raise ApiError(message)


def _origin(location: str) -> str:
    try:
        parts = urlsplit(location)
    except ValueError:
        return "something that is no URL"
    return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another path"
