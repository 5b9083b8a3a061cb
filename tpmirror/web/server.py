"""The HTTP server of the service: uvicorn in a thread, so that the main thread stays free for the watchdog.

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
"""Seconds that a connection may take to send a request's head: longer than a page's interval between live updates."""
STALL: Final = 30.0
"""Seconds after which a client that acknowledges no more data is cut off; PostgreSQL ends a transaction that pauses
for 60."""
CONNECTIONS: Final = 64
"""Open connections; with the backlog and the database's files, below the 256 descriptors that some systems allow."""
BACKLOG: Final = 32
"""Connections accepted in one go, before ``CONNECTIONS`` is checked."""


class Connection(H11Protocol):
    """A client's connection. uvicorn alone has no timeout for the first request, or for the rest of a head."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the idle timeout; above ``CONNECTIONS``, abort the connection that has been idle longest."""
        super().connection_made(transport)
        # asyncio sets TCP_NODELAY only on a socket that names its protocol, which an accepted one does not. Without it,
        # a body that is written after its head waits for the client's delayed acknowledgement: 40 ms on Linux.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        if len(self.connections) > CONNECTIONS:
            ours = [one for one in self.connections if isinstance(one, Connection)]
            waiting = {timer.when(): one for one in ours if (timer := one.timeout_keep_alive_task)}
            longest = waiting[min(waiting)]
            self.connections.discard(longest)
            longest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """As inherited, but part of a head does not cancel the idle timeout; ``handle_events`` does, after a head."""
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
        if sys.platform == "linux":  # other systems have only downloads.MAX_SECONDS
            # Accepted sockets inherit it. Without it, a client that reads nothing holds its descriptor for ever.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * STALL))
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="http", daemon=True)
        self._thread.start()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{listening.getsockname()[1]}"

    def stop(self) -> None:
        """Stop listening; open requests get ``STOP`` seconds. The thread closes the listening socket."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(STOP + 1)
