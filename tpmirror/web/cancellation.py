"""Cancels the database query of a request when its client disconnects.

Python cannot end a thread, and a database runs a query to its end even if no client reads the result. Sixty searches
that a browser started and dropped would hold every thread and connection for minutes.
"""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import anyio
from sqlalchemy import Connection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STEPS: Final = 100_000
"""Instructions of SQLite's virtual machine between two calls of the progress handler: some ten milliseconds."""
AGAIN: Final = 0.2
"""Seconds between two requests to PostgreSQL to cancel: one that arrives between two statements cancels nothing."""
CANCEL_SECONDS: Final = 5.0
"""Timeout of a request to cancel, in seconds."""


class Query:
    """The database query that a request is running. ``cancel`` may be called from any thread."""

    def __init__(self) -> None:
        self.cancelled = False
        self.timed_out = False
        self._lock = threading.Lock()
        self._postgres: Any = None
        self._errors: type[Exception] = Exception

    @contextmanager
    def on(self, conn: Connection, seconds: float) -> Iterator[None]:
        """Let ``cancel`` end the queries on this connection within the block; on SQLite, ``seconds`` end them too.

        PostgreSQL has its own ``statement_timeout``.
        """
        driver: Any = conn.connection.driver_connection
        if conn.dialect.name == "sqlite":
            until = time.monotonic() + seconds
            driver.set_progress_handler(lambda: self._is_over(until), STEPS)
            try:
                yield
            finally:
                driver.set_progress_handler(None, STEPS)
            return
        assert conn.dialect.loaded_dbapi is not None  # noqa: S101 - it is connected
        self._errors = conn.dialect.loaded_dbapi.Error
        self._postgres = driver
        try:
            yield
        finally:
            with self._lock:  # a cancel under way must not hit the connection's next user
                self._postgres = None

    def _is_over(self, until: float) -> bool:
        self.timed_out = time.monotonic() > until
        return self.cancelled or self.timed_out

    def cancel(self) -> None:
        """Ask the database to end the running query."""
        self.cancelled = True
        with self._lock, suppress(self._errors):  # statement_timeout ends a query whose cancel request failed
            if self._postgres is not None:
                self._postgres.cancel_safe(timeout=CANCEL_SECONDS)


class CancelOnDisconnect:
    """ASGI middleware that cancels the request of a client that disconnects, and its ``request.state.query``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application while a task waits for the client's disconnect."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        query, gone = Query(), asyncio.Event()
        scope["state"] = {**scope.get("state", {}), "query": query}

        async def wait_for_end() -> Message:  # no route reads a body
            await gone.wait()
            return {"type": "http.disconnect"}

        with anyio.CancelScope() as answering:
            watching = asyncio.create_task(_watch(receive, gone, answering, query))
            try:
                await self.app(scope, wait_for_end, send)
            finally:
                watching.cancel()


async def _watch(receive: Receive, gone: asyncio.Event, answering: anyio.CancelScope, query: Query) -> None:
    """Wait for the disconnect; then cancel the query again and again until the caller cancels this task."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
    answering.cancel()  # a request that waits for the limiter leaves its queue; anyio waits for a running thread
    while True:
        await anyio.to_thread.run_sync(query.cancel)
        await asyncio.sleep(AGAIN)
