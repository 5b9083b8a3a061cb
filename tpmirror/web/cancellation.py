"""A client that goes away takes its query with it.

Python cannot end a thread, and a database goes on with a query whether or not somebody reads its result. Sixty searches
that a browser started and dropped would keep every thread and connection for minutes.
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
"""Instructions of SQLite's virtual machine between two looks at whether to go on: some ten milliseconds."""
AGAIN: Final = 0.2
"""Seconds between two requests to PostgreSQL to cancel: one that arrives between two statements cancels nothing."""
CANCEL_SECONDS: Final = 5.0
"""Seconds that such a request may take."""


class Query:
    """What a request has under way in the database. ``cancel`` may be called from any thread."""

    def __init__(self) -> None:
        self.cancelled = False
        self.timed_out = False
        self._lock = threading.Lock()
        self._postgres: Any = None
        self._errors: type[Exception] = Exception

    @contextmanager
    def on(self, conn: Connection, seconds: float) -> Iterator[None]:
        """Let ``cancel`` end what runs on this connection meanwhile; on SQLite, the time too.

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
        """Ask the database to end what runs."""
        self.cancelled = True
        with self._lock, suppress(self._errors):  # a server that is away runs nothing; statement_timeout does the rest
            if self._postgres is not None:
                self._postgres.cancel_safe(timeout=CANCEL_SECONDS)


class CancelOnDisconnect:
    """ASGI middleware: when a client goes, its request is cancelled, and so is what ``request.state.query`` runs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and watch the connection meanwhile."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        query, gone = Query(), asyncio.Event()
        scope["state"] = {**scope.get("state", {}), "query": query}

        async def wait_for_end() -> Message:  # nothing here reads a body
            await gone.wait()
            return {"type": "http.disconnect"}

        with anyio.CancelScope() as answering:
            watching = asyncio.create_task(_watch(receive, gone, answering, query))
            try:
                await self.app(scope, wait_for_end, send)
            finally:
                watching.cancel()


async def _watch(receive: Receive, gone: asyncio.Event, answering: anyio.CancelScope, query: Query) -> None:
    """Wait until the client is gone; then cancel until this task is ended itself."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
    answering.cancel()  # whoever waits for a turn leaves the queue; a thread at work is waited for
    while True:
        await anyio.to_thread.run_sync(query.cancel)
        await asyncio.sleep(AGAIN)
