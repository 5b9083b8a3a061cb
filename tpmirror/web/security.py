"""Who may see the dashboard, and what a browser may do with it. Wraps the whole application.

* Host: a page on the internet can point its own name at 127.0.0.1 (DNS rebinding) and read what answers there. A
  request by such a name is refused; an address or ``localhost`` cannot be anybody's name.
* Token: bound to anything but loopback, a token is asked for, unless the operator sets TPMIRROR_HTTP_OPEN.
* Headers: nothing but our own files is loaded or called, no frame may hold us, nothing is kept in caches.
"""

import base64
import hmac
import ipaddress
import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tpmirror.config import Settings, is_loopback
from tpmirror.errors import UsageError

PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Answered to anybody by any name: supervisors ask without a password, and learn nothing of the account."""
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
    host, port = settings.http_addr
    if is_loopback(host) or settings.http_token is not None or settings.http_open:
        return
    message = (
        f"TPMIRROR_HTTP_ADDR is {f'{host}:{port}'!r}, which other machines can reach: set TPMIRROR_HTTP_TOKEN to a "
        "password of 16 characters or more, or TPMIRROR_HTTP_OPEN=yes if a firewall or proxy keeps strangers out"
    )
    raise UsageError(message)


class Guard:
    """ASGI middleware that refuses by host and token, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.hosts = frozenset({"localhost", settings.http_addr[0].lower(), *(settings.http_hosts or ())})
        self.token = settings.http_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = None if scope["path"] in PROBES else self._refusal(Headers(scope=scope))
        await (answer or self.app)(scope, receive, guarded)

    def _refusal(self, headers: Headers) -> Response | None:
        host = host_name(headers.get("host", ""))
        if host not in self.hosts and not _is_address(host):
            text = "Unknown Host header; add it to TPMIRROR_HTTP_HOSTS.\n"
            return PlainTextResponse(text, 421)
        if self.token is not None and not _same(given(headers.get("authorization", "")), self.token.reveal()):
            text = "This dashboard asks for a password: TPMIRROR_HTTP_TOKEN, with any user name.\n"
            return PlainTextResponse(text, 401, {"WWW-Authenticate": 'Basic realm="tpmirror", charset="UTF-8"'})
        return None


def host_name(header: str) -> str:
    """A Host header without its port, small letters; brackets of IPv6 removed. Nothing if it is no such thing."""
    found = _HOST.fullmatch(header.lower())
    return (found[1] or found[2] or "") if found else ""


def given(header: str) -> bytes:
    """The token of an Authorization header: after ``Bearer``, or the password of ``Basic``; else nothing."""
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
    return hmac.compare_digest(sent, token.encode("utf-8", "surrogateescape"))  # the bytes that the environment holds
