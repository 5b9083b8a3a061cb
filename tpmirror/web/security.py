"""Who may see the dashboard, and what a browser may do with it. Wraps the whole application.

* Host: a site can point its own name at 127.0.0.1 (DNS rebinding) and read the dashboard. The guard refuses a request
  by an unknown name; IP addresses and ``localhost`` pass, since no site can have them as its name.
* Token: a dashboard that other machines can reach, directly or through a proxy, asks for a token, unless the operator
  sets TPMIRROR_HTTP_OPEN. Wrong tokens are counted, logged and throttled; the right one always passes.
* Other sites: a page of another site may link to a page of the dashboard, and neither embed nor fetch it.
* Headers: pages load and call only this origin, no site may frame them, and no cache may store them.
"""

import base64
import hmac
import ipaddress
import math
import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tpmirror.config import Settings, is_loopback
from tpmirror.errors import UsageError
from tpmirror.log import logger
from tpmirror.web.logins import FailedLogins

log: Final = logger(__name__)

PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Answered without token and host check: supervisors have no password, and the answers hold no account data."""
FILES: Final = (".csv", ".json", ".parquet")
"""File extensions of downloads."""
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers in which proxies name the original client or host."""
_HOST: Final = re.compile(r"(?:\[([^]]*)\]|([^:]*))(?::[0-9]*)?")
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def check_exposure(settings: Settings) -> None:
    """Raise UsageError if other machines could see the dashboard and no setting allows it."""
    way = way_in(settings)
    if way is None or settings.http_token is not None or settings.http_open:
        return
    message = (
        f"{way}: set TPMIRROR_HTTP_TOKEN to a password of 16 characters or more, or TPMIRROR_HTTP_OPEN=yes if a "
        "firewall or proxy keeps strangers out"
    )
    raise UsageError(message)


def way_in(settings: Settings) -> str | None:
    """The setting that lets other machines reach the dashboard, in words; None if no setting does."""
    host, port = settings.http_addr
    if not is_loopback(host):
        return f"TPMIRROR_HTTP_ADDR is {f'{host}:{port}'!r}, which other machines can reach"
    if names := [name for name in settings.http_hosts or () if not is_loopback(name)]:
        return f"TPMIRROR_HTTP_HOSTS is {','.join(names)!r}, by which other machines call it through a proxy"
    if settings.http_prefix is not None:
        return f"TPMIRROR_HTTP_PREFIX is {settings.http_prefix!r}, which other machines reach through a proxy"
    return None


def local_path(path: str, prefix: str) -> str:
    """The dashboard's own path: without trailing slash and without the prefix, which only some proxies strip."""
    own = path.removeprefix(prefix) if f"{path}/".startswith(f"{prefix}/") else path
    return own.rstrip("/") or "/"


class Guard:
    """ASGI middleware that refuses by host, site and token, and puts the headers on every answer.

    The application gets the prefix as ``root_path`` and in ``path``, whether or not the proxy stripped it.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.hosts = frozenset({"localhost", settings.http_addr[0].lower(), *(settings.http_hosts or ())})
        self.token = settings.http_token
        self.prefix = settings.http_prefix or ""
        self.is_private = self.token is None and not settings.http_open
        self.failed = FailedLogins()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refused request; pass any other on to the application."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        path = local_path(scope["path"], self.prefix)
        answer = None if path in PROBES else self._refusal(scope, path, Headers(scope=scope))
        inner = {**scope, "root_path": self.prefix, "path": self.prefix + path}
        await (answer or self.app)(inner, receive, guarded)

    def _refusal(self, scope: Scope, path: str, headers: Headers) -> Response | None:
        host = host_name(headers.get("host", ""))
        if host not in self.hosts and not _is_address(host):
            text = "Unknown Host header; add it to TPMIRROR_HTTP_HOSTS.\n"
            return PlainTextResponse(text, 421)
        if self.is_private and is_forwarded(host, headers):
            text = "This came through a proxy: set TPMIRROR_HTTP_TOKEN, or TPMIRROR_HTTP_OPEN=yes.\n"
            return PlainTextResponse(text, 403)
        if is_foreign(path, headers):
            return PlainTextResponse("A page of another site asked for this; open the dashboard itself.\n", 403)
        sent = headers.get("authorization", "")
        if self.token is None or _same(given(sent), self.token.reveal()):
            return None
        return self._wrong(scope) if sent else _unauthorized()

    def _wrong(self, scope: Scope) -> Response:
        """Count a wrong password, and answer immediately: a delayed answer would occupy a connection."""
        failure = self.failed.add((scope.get("client") or ("unknown", 0))[0])
        if failure.is_logged:
            log.warning(
                "a wrong password for the dashboard",
                client=failure.client,
                this_minute=failure.of_client,
                of_all_clients=failure.overall,
            )
        if failure.retry_after is None:
            return _unauthorized()
        seconds = str(math.ceil(failure.retry_after))
        text = f"Too many wrong passwords; try again in {seconds} seconds.\n"
        return PlainTextResponse(text, 429, {"Retry-After": seconds})


def _unauthorized() -> Response:
    text = "This dashboard asks for a password: TPMIRROR_HTTP_TOKEN, with any user name.\n"
    return PlainTextResponse(text, 401, {"WWW-Authenticate": 'Basic realm="tpmirror", charset="UTF-8"'})


def is_forwarded(host: str, headers: Headers) -> bool:
    """Whether a request to a server on loopback came through a proxy, by its Host or a header that proxies add."""
    return not is_loopback(host) or any(name in headers for name in _FORWARDED)


def is_foreign(path: str, headers: Headers) -> bool:
    """Whether a page of another site sent the request, by Sec-Fetch-Site, which old browsers do not send.

    A link that a user follows to a page passes: one address in one tab. Images, scripts, frames, downloads and
    prefetched pages do not: a page can request any number of them unseen by its user.
    """
    if headers.get("sec-fetch-site", "none") in {"same-origin", "none"}:
        return False
    navigates = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not navigates or "sec-purpose" in headers or path.endswith(FILES)


def host_name(header: str) -> str:
    """A Host header in lower case, without its port and the brackets of IPv6; empty if it is malformed."""
    found = _HOST.fullmatch(header.lower())
    return (found[1] or found[2] or "") if found else ""


def given(header: str) -> bytes:
    """The token of an Authorization header: after ``Bearer``, or the password of ``Basic``; else empty."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip().encode("latin-1")
    try:
        pair = base64.b64decode(value, validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        return b""
    return pair.partition(b":")[2]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _same(sent: bytes, token: str) -> bool:
    return hmac.compare_digest(sent, token.encode("utf-8", "surrogateescape"))  # as the environment's bytes
