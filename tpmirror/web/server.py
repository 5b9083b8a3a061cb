"""The HTTP server of the service: uvicorn in a thread, so that the main thread stays free to watch."""

import socket
import threading
from contextlib import closing
from typing import Any, Final

import uvicorn

from tpmirror.errors import UsageError

STOP: Final = 2.0
"""Seconds that open requests get to end."""


class Server:
    """An application on an address; ``start`` returns when the port is taken, ``stop`` when it is free again."""

    def __init__(self, app: Any, address: tuple[str, int]) -> None:
        self._address = address
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=int(STOP),
        )
        self._server = uvicorn.Server(config)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Listen; the URL. Raises UsageError if the address cannot be used."""
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            message = f"TPMIRROR_HTTP_ADDR is {host}:{port}, where nothing can listen: {error.strerror}"
            raise UsageError(message) from error
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)
        self._thread.start()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self._socket.getsockname()[1]}"

    def stop(self) -> None:
        """Stop listening; requests under way get a moment."""
        self._server.should_exit = True
        if self._thread is not None and self._socket is not None:
            self._thread.join(STOP + 1)
            closing(self._socket).__exit__()
