"""The dashboard of a mirror, served on loopback for a test."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpx
from starlette.routing import BaseRoute

from tpmirror.config import load
from tpmirror.web.app import create_app
from tpmirror.web.server import Server


@contextmanager
def dashboard(database_url: str, routes: Iterable[BaseRoute] = (), **variables: str) -> Iterator[httpx.Client]:
    """A client of the dashboard, which is served beside ``routes`` and with these settings."""
    app = create_app(load({"TPMIRROR_DATABASE_URL": database_url, **variables}), routes)
    server = Server(app, ("127.0.0.1", 0))
    try:
        with httpx.Client(base_url=server.start(), trust_env=False, timeout=30) as client:
            yield client
    finally:
        server.stop()
        app.state.engine.dispose()
