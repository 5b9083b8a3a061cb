"""HTTP below the client: one origin, one deadline per request, bounded bodies.

httpx bounds each read, not the request: a server that drips a byte a second would hold it for ever, in the headers too.
Here every read gets what is left of the request's own time. And httpx takes half a gzip stream for a whole one; here a
body counts only if its stream ended, and memory stays bounded whatever it claims to unpack to.
"""

import codecs
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import httpcore
import httpx

from tpmirror.errors import ApiError, Interrupted, TransientError
from tpmirror.tensorpix import tls
from tpmirror.tensorpix.control import Control

_ROOM: Final = 64 * 2**10
"""Bytes that a job may have on average: real jobs have about 2,600."""
_LEAST_ROOM, _MOST_ROOM = 4 * 2**20, 32 * 2**20


def room_for(jobs: int) -> int:
    """Bytes that are read of one answer, unpacked, in a run with pages of so many jobs. Several may be under way.

    Constant for each answer of the run, or whether a large job can be read would depend on its neighbours.
    """
    return min(max(jobs * _ROOM, _LEAST_ROOM), _MOST_ROOM)


CONNECT: Final = 8.0
"""Seconds for connecting, and for the handshake after it: neither can be stopped half-way."""
SLICE: Final = 0.5
"""Seconds after which a read checks whether the run is to stop."""


class Deadline(threading.local):
    """When the current thread's request has to be over, on the monotonic clock, or at once if the run is to stop."""

    at: float = float("inf")

    def __init__(self, control: Control) -> None:
        self._control = control

    def left(self, timeout: float | None = None) -> float:
        """Seconds left, or ``timeout`` if that is less. A waiting thread calls it repeatedly.

        Raises httpcore.ReadTimeout when none are left, Interrupted when the run is to stop.
        """
        if self._control.stop.is_set():
            raise Interrupted
        self._control.on_wait()
        left = self.at - time.monotonic()
        if left <= 0:
            message = "the request's time is over"
            raise httpcore.ReadTimeout(message)
        return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes end with the request's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            left = self._deadline.left(timeout)
            try:
                return self._stream.read(max_bytes, min(left, SLICE))
            except httpcore.ReadTimeout:
                if left <= SLICE:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, min(self._deadline.left(timeout), CONNECT))
        return _Stream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class Backend(httpcore.SyncBackend):
    """Opens connections whose use ends with the request's deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline

    def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host, each once. Raises OSError if it has none."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first of the addresses that takes one."""
        # All addresses of a host share one time limit: if none answers, each would otherwise take the whole limit.
        addresses = self.resolve(host, port)
        ends = time.monotonic() + CONNECT
        while True:
            left = min(self._deadline.left(timeout), (ends - time.monotonic()) / len(addresses))
            try:
                stream = super().connect_tcp(addresses.pop(0), port, max(left, 0.1), local_address, socket_options)
                return _Stream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not addresses:
                    raise


class PinnedTransport(httpx.HTTPTransport):
    """Sends GET requests to one origin and nothing anywhere else: the last line of defence for the key."""

    def __init__(self, origin: str, connections: int, deadline: Deadline, ca_file: Path | None = None) -> None:
        self._origin = httpx.URL(origin)
        # Plain http goes to loopback only and needs no certificates, which take longer to load than a page to fetch.
        is_used = self._origin.scheme == "https" or ca_file is not None  # a wrong CA file is refused even if unused
        context = tls.trust(ca_file) if is_used else httpx.create_ssl_context(verify=False, trust_env=False)
        super().__init__(verify=context, trust_env=False)
        # httpx builds its pool without a seam for the backend; the upper bound on its version guards this attribute.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30,
            network_backend=Backend(deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a GET to the origin; refuse any other request."""
        url, origin = request.url, self._origin
        if (
            request.method != "GET"
            or url.userinfo
            or (url.scheme, url.host, url.port) != (origin.scheme, origin.host, origin.port)
        ):
            message = f"refused to send a {request.method} request outside {origin}"
            raise ApiError(message)
        return super().handle_request(request)


def read_body(response: httpx.Response, left: Callable[[], float], room: int) -> tuple[bytes, bool]:
    """The body, unpacked, without a byte order mark, and whether that is all of it: else its first ``room`` bytes.

    Raises TransientError if it is cut off, or in a Content-Encoding that the request did not ask for.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", ""}:
        message = f"the answer is packed as {encoding[:20]!r}, which was not asked for"
        raise TransientError(message)
    stream = _GzipStream() if "gzip" in encoding else None
    parts: list[bytes] = []
    size = received = 0
    for chunk in response.iter_raw():
        left()
        received += len(chunk)
        part = stream.unpack(chunk, room - size) if stream else chunk
        size += len(part)
        parts.append(part)
        if max(size, received) > room:
            return b"".join(parts)[:room].removeprefix(codecs.BOM_UTF8), False
    if stream and received and not stream.is_whole:
        message = "the answer's gzip stream is cut off"
        raise TransientError(message)
    return b"".join(parts).removeprefix(codecs.BOM_UTF8), True


class _GzipStream:
    """A gzip stream that is unpacked as it arrives: one member, or several one after the other (RFC 1952, 2.2).

    Bytes after a member that begin no other are not read, as with gzip(1): some servers pad what they send.
    """

    def __init__(self) -> None:
        self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._after = b""
        """The first bytes after an ended member: as many as decide whether another one begins."""

    @property
    def is_whole(self) -> bool:
        """Whether every member that has begun has ended."""
        return self._member.eof and not (self._after and _MEMBER.startswith(self._after))

    def unpack(self, packed: bytes, room: int) -> bytes:
        """Unpack the next bytes: at most one byte more than ``room``, so that no decompression bomb fills the memory.

        Raises TransientError for data that is no gzip.
        """
        parts: list[bytes] = []
        while packed and room >= 0:
            if self._member.eof:
                packed, self._after = self._after + packed, b""
                if not packed.startswith(_MEMBER):
                    self._after = packed[: len(_MEMBER)]
                    break
                self._member = zlib.decompressobj(16 + zlib.MAX_WBITS)
            parts.append(_decompress(self._member, packed, room + 1))
            room -= len(parts[-1])
            packed = self._member.unused_data
        return b"".join(parts)


_MEMBER: Final = b"\x1f\x8b"
"""The first bytes of each member of a gzip stream."""


def _decompress(member: Any, packed: bytes, most: int) -> bytes:
    try:
        unpacked: bytes = member.decompress(packed, most)
    except zlib.error as error:
        message = "the answer's gzip stream is damaged"
        raise TransientError(message) from error
    return unpacked
