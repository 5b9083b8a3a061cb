"""What changes between the pages of a full sync: jobs come, go, move or end while a client reads the list."""

from collections.abc import Callable
from random import Random
from typing import Final, TypeAlias

from tpmirror.simulator import oddity
from tpmirror.simulator.lifecycle import DRIFT, chance
from tpmirror.simulator.world import World

Drift: TypeAlias = Callable[[World, int], object]
"""Called with the world and the number of the call, 1, 2, 3..."""


def _listed(world: World, number: int) -> int | None:
    ids = world.order("id")
    rng: Random = chance(world.seed, DRIFT, number)
    return rng.choice(ids) if ids else None


def _insert(world: World, _number: int) -> None:
    world.submit()


def _delete(world: World, number: int) -> None:
    job_id = _listed(world, number)
    if job_id is not None:
        world.delete(job_id)


def _insert_and_delete(world: World, number: int) -> None:
    _insert(world, number)
    _delete(world, number)


def _touch(world: World, number: int) -> None:
    job_id = _listed(world, number)
    if job_id is not None:
        world.touch(job_id)


def _cancel(world: World, _number: int) -> None:
    active = world.listed(active_only=True)
    if active:
        world.cancel(active[0])


def _distort(world: World, number: int) -> None:
    """Distort a job, and restore the one distorted before."""
    for distorted in world.distorted():
        world.distort(distorted)
    job_id = _listed(world, number)
    if job_id is not None:
        rng = chance(world.seed, DRIFT, number)
        world.distort(job_id, oddity.draw(world.job(job_id), rng))


DRIFTS: Final[dict[str, Drift]] = {
    "insert": _insert,
    "delete": _delete,
    "insert+delete": _insert_and_delete,
    "touch": _touch,
    "cancel": _cancel,
    "distort": _distort,
}
"""A new job; any job deleted; both at once, so that the count stays; any row written; the oldest in flight canceled;
any job shows a value of a wrong type or range, lacks a key or has a new one, until the next ``distort``."""


def apply(drift: str | Drift, world: World, number: int) -> None:
    """Apply a drift to the world, for the ``number``-th time."""
    change = drift if callable(drift) else DRIFTS[drift]
    with world.lock:
        change(world, number)
