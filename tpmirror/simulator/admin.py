"""The other side of the simulator: moving its clock and its jobs over HTTP, without a key. For demos and scripts."""

import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.world import World

PREFIX: Final = "/_admin/"

Verb = Callable[[World, dict[str, Any]], object]

_PLAIN: Final = (
    *("start", "finish", "fail", "cancel", "delete", "hide", "restore", "touch"),
    *("delete_output", "delete_input"),
)


def _plain(name: str) -> Verb:
    return lambda world, given: getattr(world, name)(given["id"])


_VERBS: Final[dict[str, Verb]] = {
    **{name: _plain(name) for name in _PLAIN},
    "advance": lambda world, given: world.advance(given["seconds"]),
    "submit": lambda world, given: world.submit(**given),
    "rate": lambda world, given: world.rate(given["id"], given["score"]),
    "correct_cost": lambda world, given: world.correct_cost(given["id"], Decimal(given["cost_usd"])),
    "edit": lambda world, given: world.edit(given["id"], given["fields"]),
    "edit_model": lambda world, given: world.edit_model(given["id"], given["fields"]),
}


def answer(world: World, request: Request, seen: int) -> Response:
    """``GET /_admin/state``, or ``POST /_admin/<verb>`` with what the verb needs as JSON."""
    name = request.path.removeprefix(PREFIX).rstrip("/")
    if name == "state":
        return _state(world, seen)
    verb = _VERBS.get(name)
    if verb is None:
        return Response.json(404, {"error": f"no verb {name!r}", "verbs": sorted(_VERBS)})
    if request.method != "POST":
        return Response.json(405, {"error": f"{name} wants POST"}, {"Allow": "POST"})
    return _act(world, verb, request.body)


def _act(world: World, verb: Verb, body: bytes) -> Response:
    try:
        result = verb(world, dict(json.loads(body or b"{}")))
    except KeyError as error:
        return Response.json(400, {"error": f"missing or unknown: {error}"})
    except (ValueError, TypeError, InvalidOperation) as error:
        return Response.json(400, {"error": str(error)})
    return Response.json(200, {"now": world.now.isoformat(), **({} if result is None else {"id": result})})


def _state(world: World, seen: int) -> Response:
    counts = {str(status): count for status, count in sorted(world.counts().items())}
    listed = len(world.order("id"))
    return Response.json(200, {"now": world.now.isoformat(), "jobs": counts, "listed": listed, "requests": seen})
