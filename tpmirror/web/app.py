"""The application: its routes, its guard and its error pages."""

from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Final

import anyio
from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from tpmirror.config import Settings
from tpmirror.db.engine import open_engine
from tpmirror.errors import TpmirrorError, UsageError
from tpmirror.web import downloads, templating
from tpmirror.web.cache import ResultCache
from tpmirror.web.cancellation import CancelOnDisconnect
from tpmirror.web.pages import costs, data, job, jobs, operations, overview, reports, search, sync
from tpmirror.web.security import HEADERS, Guard, check_exposure


class JobId(IntegerConvertor):
    """A job id in a path, at most 19 digits: ``int`` raises ValueError for thousands of them."""

    regex = "[0-9]{1,19}"


register_url_convertor("job_id", JobId())
AT_ONCE: Final = 8
"""Pages made concurrently; with the downloads, fewer than the pool's connections. Further requests wait."""


def _page(path: str, answer: Callable[[Request], Response]) -> Route:
    """A route whose response is made in a worker thread, once the limiter admits the request."""

    async def in_turn(request: Request) -> Response:
        return await anyio.to_thread.run_sync(answer, request, limiter=request.app.state.turns)

    return Route(path, in_turn)


ROUTES: Final[tuple[BaseRoute, ...]] = (
    _page("/", overview.page),
    _page("/live", overview.live),
    _page("/jobs", jobs.page),
    _page("/jobs.csv", jobs.csv),
    _page("/jobs.json", jobs.json),
    _page("/jobs/{job_id:job_id}", job.page),
    _page("/jobs/{job_id:job_id}/live", job.live),
    _page("/search", search.page),
    _page("/costs", costs.page),
    _page("/costs.csv", costs.csv),
    _page("/costs.json", costs.json),
    _page("/statement", reports.statement),
    _page("/report/{name}.csv", reports.csv),
    _page("/report/{name}.json", reports.json),
    _page("/ledger.csv", costs.ledger_csv),
    _page("/ledger.json", costs.ledger_json),
    _page("/operations", operations.page),
    _page("/sync", sync.page),
    _page("/data", data.page),
    _page("/data/{name}.csv", data.csv),
    _page("/data/{name}.json", data.json),
    _page("/data/{name}.parquet", data.parquet),
    _page("/data/{name}", data.entry),
    _page("/sql", data.page),
    Mount("/static", StaticFiles(directory=templating.FOLDER / "static")),
)


def create_app(settings: Settings, extra_routes: Iterable[BaseRoute] = ()) -> Starlette:
    """The dashboard over the mirror of these settings, and ``extra_routes`` beside it.

    The guard protects every route, those of ``extra_routes`` too. Raises UsageError if other machines could see the
    dashboard and no setting allows it, or if its prefix is one of its own paths.
    """
    check_exposure(settings)
    routes = [*ROUTES, *extra_routes]
    check_prefix(settings.http_prefix, routes)
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Guard, settings=settings),
            Middleware(CancelOnDisconnect),
            Middleware(GZipMiddleware, minimum_size=1000),
        ],
        exception_handlers={HTTPException: _refused, TpmirrorError: _unavailable, Exception: _failed},
    )
    app.router.redirect_slashes = False  # redirects name host and scheme, which a proxy may change; see local_path
    app.state.engine = open_engine(settings.database, read_only=True)
    app.state.settings = settings
    app.state.memory = ResultCache()
    app.state.turns = anyio.CapacityLimiter(AT_ONCE)
    app.state.downloads = BoundedSemaphore(downloads.AT_ONCE)
    return app


def check_prefix(prefix: str | None, routes: Iterable[BaseRoute] = ROUTES) -> None:
    """Raise UsageError if the prefix begins a route: ``local_path`` could not tell whether a proxy stripped it."""
    own = {route.path.split("/")[1] for route in routes if isinstance(route, Route | Mount)}
    if prefix is not None and prefix.split("/")[1] in own:
        raise UsageError(
            f"TPMIRROR_HTTP_PREFIX is {prefix!r}, an address of the dashboard itself; choose another path, such as "
            "/tpmirror"
        )


def _refused(request: Request, error: Exception) -> Response:
    """The page for an HTTPException: unknown path, wrong method, invalid parameter, or too many downloads."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    titles = {400: "That does not work", 404: "Not found", 405: "Only for reading", 503: "Busy"}
    title = titles.get(error.status_code, error.detail)
    messages = {404: "There is nothing at this address, or not any more."}
    message = messages.get(error.status_code, error.detail) if error.detail == "Not Found" else error.detail
    return templating.page(request, "error.html", status=error.status_code, title=title, message=message)


def _unavailable(request: Request, error: Exception) -> Response:
    """The mirror cannot be read: no database yet, out of reach, or of another version."""
    return templating.page(request, "error.html", status=503, title="The mirror cannot be read", message=str(error))


def _failed(_request: Request, _error: Exception) -> Response:
    """The answer to an unexpected exception, which the server logs. It bypasses the guard, so it sets the headers."""
    text = "Something went wrong here; see the log of tpmirror.\n"
    return PlainTextResponse(text, 500, {**HEADERS, "Connection": "close"})
