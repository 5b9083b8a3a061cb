"""Search: from every page to a job, by its number or a text in its names; straight to it where one alone is found."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tpmirror.store import queries
from tpmirror.store.queries import JobFilter
from tpmirror.web import templating


def page(request: Request) -> Response:
    """``/search``; ``q`` is a job's number, with or without ``#``, or a text. Leads to the job, or to ``/jobs``."""
    templating.check_parameters(request, "q")
    text = templating.query_text(request, "q")
    number = text.removeprefix("#")
    with templating.snapshot(request) as conn:
        if number.isascii() and number.isdigit() and len(number) <= 18 and queries.job(conn, int(number)) is not None:
            found = [int(number)]  # a job's own number takes precedence over names that contain it
        else:
            found = queries.job_ids(conn, JobFilter(text=text).conditions, 2) if text else []
    query = f"?{urlencode({'q': text})}" if text else ""
    target = f"/jobs/{found[0]}" if len(found) == 1 else f"/jobs{query}"
    return RedirectResponse(f"{templating.prefix(request)}{target}", 303)
