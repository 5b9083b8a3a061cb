"""A receiver of events on loopback: verifies each one by the library of Standard Webhooks, and answers as told."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook


@dataclass(frozen=True, slots=True)
class Received:
    """A genuine event that came."""

    at: float
    """When, in seconds since 1970."""
    id: str
    event: dict[str, Any]
    status: int | None
    """What was answered; None: nothing."""
    headers: dict[str, str]

    @property
    def entry(self) -> int:
        """Its place in the history."""
        return int(self.event["data"]["entry"])


class Receiver:
    """Use as a context manager. ``answer`` says with which status to answer an event, None for no answer at all."""

    def __init__(self, secret: str, answer: Callable[[dict[str, Any]], int | None] = lambda _event: 204) -> None:
        self.secret = secret
        self.answer = answer
        self.received: list[Received] = []
        self.paths: list[str] = []
        self.sent_to: dict[str, str] = {}
        """Headers that each answer has besides."""
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = outer._receive(body, {name.lower(): value for name, value in self.headers.items()}, self.path)
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in outer.sent_to.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                """A client that was killed hung up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """With secrets in it."""
        return f"http://user:hush-hush@127.0.0.1:{self._server.server_port}/hook?token=hush-hush"

    @property
    def delivered(self) -> list[int]:
        """The entries that were taken, as they came."""
        return [one.entry for one in self.received if one.status is not None and 200 <= one.status < 300]

    def _receive(self, body: bytes, headers: dict[str, str], path: str) -> int | None:
        at = time.time()
        event = Webhook(self.secret).verify(body, headers)  # raises unless it is genuine: then nothing is answered
        status = self.answer(event)
        with self._lock:
            self.paths.append(path)
            self.received.append(Received(at, headers["webhook-id"], event, status, headers))
        return status

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
