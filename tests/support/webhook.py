"""A receiver of webhooks on loopback: remembers what was posted, and may refuse it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self


class Webhook:
    """Use as a context manager."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.status = 200
        self.asked = 0
        self.open = threading.Event()
        """Answers wait until it is set."""
        self.open.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.asked += 1
                outer.open.wait(90)
                if outer.status == 200:
                    outer.posts.append(json.loads(body))
                self.send_response(outer.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        """As an HTTP client wants it."""
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    @property
    def url(self) -> str:
        """As apprise wants it, with a secret in it, and the patience of a busy machine."""
        return f"json://user:hush-hush@127.0.0.1:{self._server.server_port}/hook?cto=60&rto=90"

    def titles(self) -> list[str]:
        """What was told, in short."""
        return [post["title"].removeprefix("tpmirror: ") for post in self.posts]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
