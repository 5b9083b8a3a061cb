"""The HTTP server of the service: uvicorn in a thread, so that the main thread stays free to watch.

It shares the process's file descriptors with the mirroring, so no client may hold many of them, or one for long.
"""

import asyncio
import socket
import sys
import threading
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tpmirror.errors import UsageError

STOP: Final = 2.0
"""Seconds that open requests get to end."""
IDLE: Final = 10
"""Seconds that a connection may take to send a whole head: longer than a page waits before it fetches its live part."""
STALL: Final = 30.0
"""Seconds without room for more of an answer after which its client is cut off; PostgreSQL ends a transaction that
pauses for 60."""
CONNECTIONS: Final = 64
"""Open at once; with what is in the backlog, and the database's files, fewer than the 256 that some systems allow."""
BACKLOG: Final = 32
"""Connections taken in one go, before the limit on them is checked."""


class Connection(H11Protocol):
    """A client's connection. uvicorn would wait for ever for a first request, or for the rest of a head."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request; where there is no room, in the place of the client that has waited longest."""
        super().connection_made(transport)
        # asyncio does so only where a socket names its protocol, which one that was accepted here does not. Without, an
        # answer's body, written after its head, waits for the client's delayed acknowledgement: 40 ms on Linux.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        if len(self.connections) > CONNECTIONS:
            ours = [one for one in self.connections if isinstance(one, Connection)]
            waiting = {timer.when(): one for one in ours if (timer := one.timeout_keep_alive_task)}
            longest = waiting[min(waiting)]
            self.connections.discard(longest)
            longest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """As inherited, but a part of a head does not stop the clock; ``handle_events`` stops it after a whole one."""
        self.conn.receive_data(data)
        self.handle_events()


class Server:
    """An application on an address; ``start`` returns when the port is taken, ``stop`` when it is free again."""

    def __init__(self, app: Any, address: tuple[str, int]) -> None:
        self._address = address
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=Connection,
            ws="none",
            backlog=BACKLOG,
            timeout_keep_alive=IDLE,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=int(STOP),
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Listen; the URL. Raises UsageError if the address cannot be used."""
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            message = f"TPMIRROR_HTTP_ADDR is {host}:{port}, where nothing can listen: {error.strerror}"
            raise UsageError(message) from error
        if sys.platform == "linux":  # elsewhere only files have a time to end: downloads.MAX_SECONDS
            # Connections inherit it. Without, a client that reads nothing holds its descriptor for as long as it likes.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * STALL))
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="http", daemon=True)
        self._thread.start()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{listening.getsockname()[1]}"

    def stop(self) -> None:
        """Stop listening; requests under way get a moment. The thread closes what it listens on."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP + 1)
