"""Sends an event to a sink as a signed webhook (Standard Webhooks), and to allowed addresses only.

``_GuardedBackend`` checks the addresses as it connects to one of them: after an earlier check, DNS could answer with
others. Redirects are not followed and proxy variables are ignored: both would bypass the check.
"""

import base64
import binascii
import hmac
import re
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from secrets import token_hex
from typing import Final, Self
from urllib.parse import urlsplit

import httpcore
import httpx

from tpmirror import __version__
from tpmirror.config import Settings, is_loopback
from tpmirror.credentials import FILE_LIMIT, Secret, read_text
from tpmirror.db.types import Row
from tpmirror.errors import UsageError
from tpmirror.formatting import to_json_line
from tpmirror.store.events import SCHEMA_VERSION
from tpmirror.tensorpix import tls
from tpmirror.tensorpix.control import Control
from tpmirror.tensorpix.transport import Backend, Deadline

URLS: Final = "TPMIRROR_WEBHOOK_URLS"
SECRETS: Final = "TPMIRROR_WEBHOOK_SECRET_FILE"
ALLOW: Final = "TPMIRROR_WEBHOOK_ALLOW"
TIMEOUT: Final = 15.0
"""Seconds for one request, from the DNS lookup to the end of the response."""
IDLE: Final = 3.0
"""Seconds that an idle connection is kept: Node's HTTP server closes it after five, and a request would be lost."""
ANSWER_LIMIT: Final = 2**16
"""Bytes of a response body that are read and discarded, so that its connection can be reused."""
_NAT64: Final = IPv6Network("64:ff9b::/96")

Network = IPv4Network | IPv6Network
Keys = Mapping[str, Sequence[bytes]]
"""The signing keys of each sink: two while one is being replaced."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one request."""

    status: int | None
    """HTTP status; None without a response."""
    error: str | None
    """Why the sink did not accept the event; None if it did."""


class Webhooks:
    """The sinks of the settings, checked by the constructor. Thread-safe; a context manager closes the connections."""

    def __init__(self, settings: Settings) -> None:
        """Raises UsageError for a URL that is neither https nor http on loopback, and for a sink without a secret."""
        self._settings = settings
        self._urls = settings.webhook_urls or {}
        for name, url in self._urls.items():
            _check(name, url)
        self.read_keys()
        self._deadline = Deadline(Control())
        any_tls = any(url.reveal().startswith("https:") for url in self._urls.values())
        context = tls.trust(settings.ca_file) if any_tls else httpx.create_ssl_context(verify=False, trust_env=False)
        transport = httpx.HTTPTransport(verify=context, trust_env=False)
        # httpx takes no network backend for its pool; the upper bound on its version guards this private attribute.
        transport._pool = httpcore.ConnectionPool(  # noqa: SLF001
            ssl_context=context,
            max_connections=None,
            keepalive_expiry=IDLE,
            network_backend=_GuardedBackend(self._deadline, settings.webhook_allow or ()),
        )
        self._client = httpx.Client(transport=transport, trust_env=False, timeout=TIMEOUT, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def sinks(self) -> Collection[str]:
        """The names of the sinks."""
        return self._urls.keys()

    def shown(self, sink: str) -> str | None:
        """A sink's URL without user, password, query and fragment, which may be secret; None for an unknown sink."""
        return displayed(self._urls[sink]) if sink in self._urls else None

    def read_keys(self) -> Keys:
        """The signing keys, reread from their file. Raises UsageError unless each sink has one."""
        return read_keys(self._settings)

    def send(self, sink: str, event_id: str, body: Row, keys: Sequence[bytes]) -> Outcome:
        """Send an event, signed with each of the keys. Never raises: a failed request is an Outcome too."""
        content = to_json_line(body).encode()
        self._deadline.at = time.monotonic() + TIMEOUT
        try:
            with self._client.stream(
                "POST", self._urls[sink].reveal(), content=content, headers=headers(event_id, content, keys)
            ) as response:
                _drain(response)
                return _judge(response.status_code)
        except (httpx.HTTPError, OSError) as error:
            return Outcome(None, _reason(error))


def test_event() -> tuple[str, Row]:
    """Id and body of an event of type ``test``, with a new id in each call."""
    body = {"type": "test", "timestamp": datetime.now(UTC), "schema_version": SCHEMA_VERSION, "data": {}}
    return f"tps_{token_hex(16)}", body


def headers(event_id: str, content: bytes, keys: Sequence[bytes], now: float | None = None) -> dict[str, str]:
    """The headers of a webhook: its id, the time in whole seconds, a signature by each key over both and the body."""
    at = str(int(time.time() if now is None else now))
    signed = f"{event_id}.{at}.".encode() + content
    signatures = (base64.b64encode(hmac.digest(key, signed, sha256)).decode() for key in keys)
    return {
        "content-type": "application/json",
        "user-agent": f"tpmirror/{__version__}",
        "webhook-id": event_id,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def displayed(url: Secret) -> str:
    """A sink's URL without user, password, query and fragment, which may be secret."""
    parts = urlsplit(url.reveal())
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def read_keys(settings: Settings) -> dict[str, list[bytes]]:
    """The signing keys of the sinks, from the file of their secrets. Raises UsageError unless each sink has one or two.

    Lines of unknown sinks are not used; blank lines and those that begin with # are skipped.
    """
    sinks = settings.webhook_urls or {}
    path = settings.webhook_secret_file
    if path is None:
        raise UsageError(f"{URLS} is set; set {SECRETS} to a file with a line NAME whsec_... for each sink")
    where = f"{SECRETS} ({str(path)!r})"
    text = read_text(SECRETS, path)
    if len(text.encode()) >= FILE_LIMIT:
        raise UsageError(f"{where} is too long: less than {FILE_LIMIT} bytes are expected")
    found: dict[str, list[bytes]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            name, _, secret = line.strip().partition(" ")
            key = _key_of(secret.strip())
            if key is None:
                message = f"{where}, line {number}: NAME whsec_ and 24 to 64 bytes in base64 are expected"
                raise UsageError(message)
            found.setdefault(name, []).append(key)
    for name in sinks:
        if not 1 <= len(found.get(name, ())) <= 2:
            raise UsageError(f"{where} has to hold one secret of the sink {name}, or two while one is being replaced")
    return found


def _key_of(secret: str) -> bytes | None:
    """The key in a secret; None unless the secret is ``whsec_`` and 24 to 64 bytes in base64."""
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if secret.startswith("whsec_") and 24 <= len(key) <= 64 else None


def _check(name: str, url: Secret) -> None:
    """Raise UsageError unless a URL is https, or http on loopback; the message shows nothing of the URL."""
    try:
        parts = urlsplit(url.reveal())
        host, port = parts.hostname or "", parts.port
        httpx.URL(url.reveal())
    except (ValueError, httpx.InvalidURL):
        host, port = "", None
    known = re.fullmatch(r"[a-z0-9_.:-]+", host) and port != 0
    if not known or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host))):
        raise UsageError(f"{URLS}: the sink {name} has no URL for events: https://, or http:// on loopback, is needed")


class _GuardedBackend(Backend):
    """Connects to public addresses, to those that the settings allow, and to loopback if the URL names it."""

    def __init__(self, deadline: Deadline, allowed: Sequence[Network]) -> None:
        super().__init__(deadline)
        self._allowed = allowed

    def resolve(self, host: str, port: int) -> list[str]:
        """The allowed addresses of a host. Raises httpcore.ConnectError if it has none."""
        found = super().resolve(host, port)
        good = [address for address in found if is_loopback(host) or self._may_reach(address)]
        if not good:
            raise httpcore.ConnectError(f"{found[0]} is no public address; name it in {ALLOW} if it is meant")
        return good

    def _may_reach(self, address: str) -> bool:
        ip = embedded(ip_address(address.partition("%")[0]))
        return (ip.is_global and not ip.is_multicast) or any(
            ip in network for network in self._allowed if network.version == ip.version
        )


def embedded(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address to which a NAT64, IPv4-mapped, 6to4 or Teredo address leads; any other address unchanged."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


def _drain(response: httpx.Response) -> None:
    """Read and discard the body, up to ``ANSWER_LIMIT``: httpx reuses a connection only after its response ended."""
    received = 0
    try:
        for chunk in response.iter_raw():
            received += len(chunk)
            if received > ANSWER_LIMIT:
                return
    except httpx.HTTPError:
        return  # the status alone decides whether the sink accepted the event


def _judge(status: int) -> Outcome:
    if 200 <= status < 300:
        return Outcome(status, None)
    return Outcome(status, f"HTTP {status}" + (", a redirect, which is not followed" if 300 <= status < 400 else ""))


def _reason(error: httpx.HTTPError | OSError) -> str:
    """Why a request got no response, without its URL, which may hold secrets."""
    refused = tls.rejection(error)
    if refused is not None:
        return f"its certificate is not trusted: {refused.verify_message}"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {TIMEOUT:.0f} s"
    if isinstance(error, httpx.ConnectError | OSError):
        return f"cannot be reached: {getattr(error, 'strerror', None) or error}"
    return f"no answer: {type(error).__name__}"
