"""The simulator on a socket: HTTP/1.1 with keep-alive, on the loopback interface only."""

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

from tpmirror.simulator.api import Backend
from tpmirror.simulator.http import Request, Response

HOST: Final = "127.0.0.1"
POLL: Final = 0.02
"""Seconds between two checks of ``serve_forever`` for a shutdown."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class _Handler(BaseHTTPRequestHandler):
    """One connection. Head and body are one write, and Nagle's algorithm is off."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def handle(self) -> None:
        """Serve until either side closes the connection; a client's disconnect is not reported."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        request = Request(self.command, self.path, headers, body)
        try:
            response = self.server.backend.handle(request)
        except Exception as error:  # noqa: BLE001 - a test's mistake is shown to the test, and the server goes on
            response = Response.detail(500, f"in the simulator: {error!r}")
        self._send(response)

    def _send(self, response: Response) -> None:
        self.close_connection = self.close_connection or response.close
        whole = response.wire if response.wire is not None else self._encoded(response)
        for number, piece in enumerate(_pieces(whole, response.drip)):
            if number and response.drip and self.server.closing.wait(response.drip[1]):
                self.close_connection = True
                return
            self.wfile.write(piece)

    def _encoded(self, response: Response) -> bytes:
        status = response.status
        bodiless = status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        headers = {"Date": formatdate(usegmt=True), "Server": "tpmirror-simulator"}
        headers |= {} if bodiless else {"Content-Length": str(len(response.body))}
        headers |= {"Connection": "close"} if self.close_connection else {}
        headers |= response.headers
        head = [f"HTTP/1.1 {status} {self.responses.get(status, ('',))[0]}"]
        head += [f"{name}: {value}" for name, value in headers.items()]
        body = b"" if self.command == "HEAD" else response.body
        return "\r\n".join([*head, "", ""]).encode("latin-1") + body

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is that of http.server
        """Log nothing: ``Simulator.requests`` records every request."""


for _method in METHODS:
    setattr(_Handler, f"do_{_method}", _Handler._serve)  # noqa: SLF001 - http.server finds methods by these names


def _pieces(whole: bytes, drip: tuple[int, float] | None) -> Iterator[bytes]:
    size = drip[0] if drip else max(len(whole), 1)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


class _Server(ThreadingHTTPServer):
    """A thread per connection; the server records open connections, so that ``close`` can end them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, backend: Backend, port: int) -> None:
        self.backend = backend
        self.closing = threading.Event()
        self._open: dict[threading.Thread, socket.socket] = {}
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        """Bind without the inherited lookup of the host's name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection until it ends. One that came while the server closes is not served."""
        thread = threading.current_thread()
        self._open[thread] = request
        try:
            if self.closing.is_set():
                self.shutdown_request(request)
            else:
                super().process_request_thread(request, client_address)
        finally:
            del self._open[thread]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, unless it is a client's disconnect."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """Stop listening, and end all connections."""
        self.closing.set()
        self.server_close()
        for thread, connection in list(self._open.items()):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=2)


@dataclass(eq=False)
class Simulator(Backend):
    """The API over a world, on ``http://127.0.0.1:<port>``; port 0: any that is free.

    It listens from the start. ``with`` serves in a thread; ``serve_forever`` in the foreground. Settings: ``Backend``.
    """

    port: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._server = _Server(self, self.port)
        self.port = self._server.server_port
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The base URL: scheme, host and port."""
        return f"http://{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(POLL,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def serve_forever(self) -> None:
        """Serve until ``shutdown`` is called, or a KeyboardInterrupt goes through; then close all connections."""
        try:
            self._server.serve_forever(POLL)
        finally:
            self.close()

    def shutdown(self) -> None:
        """Let ``serve_forever`` return soon. May be called from any thread, and from a signal handler."""
        threading.Thread(target=self._server.shutdown, daemon=True).start()

    def close(self) -> None:
        """Stop serving, and close all connections."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.close()
