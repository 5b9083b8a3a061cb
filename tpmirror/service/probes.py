"""``/healthz``: does the process work? ``/readyz``: can the mirror be relied on? For supervisors and load balancers."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tpmirror.service.watchdog import Watchdog


def routes(watch: Watchdog, alive: Callable[[], bool]) -> list[Route]:
    """The two routes. ``alive`` says whether the main loop and the scheduler of the service still turn.

    Neither blocks, so both run on the event loop: pages of the dashboard may occupy every thread.
    """

    async def healthz(_request: Request) -> Response:
        healthy = alive()
        return _answer({"alive": healthy}, healthy)

    async def readyz(_request: Request) -> Response:
        ready = watch.is_current and not any(problem.critical for problem in watch.problems)
        # Codes alone: probes ask without a password, and messages of budgets state what was spent.
        codes = [problem.code for problem in watch.problems]
        certified = watch.status.certified_at
        known = {"certified_at": certified.isoformat() if certified else None, "problems": codes}
        return _answer({"ready": ready, **known}, ready)

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


def _answer(body: dict[str, Any], good: bool) -> Response:
    return JSONResponse(body, 200 if good else 503, {"cache-control": "no-store"})
