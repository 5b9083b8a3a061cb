"""Lists that move while they are read: what happens to them, and how often."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeAlias

from tests.support.account import KEY, mirror
from tests.support.witness import Witness
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

Happening: TypeAlias = Callable[[World, Random], object]

QUICK: Final[dict[str, Any]] = {"retry_base": "0.001", "vanish_limit": 1000}
"""Settings of a client in a hurry, whom no number of vanished jobs makes ask an operator."""


def insert(world: World, _rng: Random) -> None:
    world.submit()


def delete_first(world: World, rng: Random) -> None:
    """One of the first that a reader came by."""
    _delete(world, world.order("-id")[:10], rng)


def delete_last(world: World, rng: Random) -> None:
    """One of the last that a reader will come by."""
    _delete(world, world.order("-id")[-10:], rng)


def delete_any(world: World, rng: Random) -> None:
    _delete(world, world.order("id"), rng)


def hide_any(world: World, rng: Random) -> None:
    world.hide(rng.choice(world.order("id")))


def delete_oldest(world: World, rng: Random) -> None:
    _delete(world, world.order("id")[:10], rng)


def touch_last(world: World, rng: Random) -> None:
    """One of those written longest ago becomes the first."""
    world.touch(rng.choice(world.order("-updated")[-30:]))


def finish(world: World, rng: Random) -> None:
    active = world.listed(active_only=True)
    if active:
        world.finish(rng.choice(active))


def _delete(world: World, some: Iterable[int], rng: Random) -> None:
    world.delete(rng.choice(list(some)))


@dataclass(frozen=True)
class Scenario:
    """How a list is ordered, and what happens to it every so many pages; ``torn``: between its count and its rows."""

    name: str
    ordering: str = "-id"
    happenings: tuple[Happening, ...] = ()
    every: int = 4
    torn: bool = False
    jobs: int = 37

    @contextmanager
    def account(self, seed: int, page_cap: int = 10) -> Iterator[Witness]:
        """The account, served and watched; nothing happens yet."""
        world = World(seed, self.jobs, in_flight=3, jobs_per_day=0)
        with Simulator(world, token=KEY, page_cap=page_cap, ordering=self.ordering, every=self.every) as sim:
            yield Witness(sim)

    @contextmanager
    def moving(self, witness: Witness, seed: int) -> Iterator[None]:
        """Let it happen."""
        rng, pages = Random(seed), 0

        def happen(world: World, _number: int = 0) -> None:
            for happening in self.happenings:
                happening(world, rng)

        def tear(world: World) -> None:
            nonlocal pages
            pages += 1
            if pages % self.every == 0:
                happen(world)

        if self.torn:
            witness.between = tear
        else:
            witness.sim.drift = happen
        yield
        witness.between = witness.sim.drift = None

    def play(self, database_url: str, seed: int, **options: Any) -> tuple[list[str], list[bool]]:
        """Two syncs while the list moves and one when it stands still: what is wrong, and which were certified."""
        wrong, certified = list[str](), list[bool]()
        with self.account(seed) as witness:
            for number in range(2):
                with self.moving(witness, seed + number):
                    run = mirror(witness.sim, database_url, **{**QUICK, "page_size": 10, **options})
                wrong += witness.verdict(database_url, run)
                certified.append(run["certified"])
            witness.sim.ordering = "-id"
            run = mirror(witness.sim, database_url, **{**QUICK, "page_size": 10, **options})
            wrong += witness.verdict(database_url, run) + witness.differences(database_url)
        return wrong if run["certified"] else [*wrong, "a quiet list is not certified"], certified


SCENARIOS: Final = (
    Scenario("insert at the head", happenings=(insert,)),
    Scenario("delete visited", happenings=(delete_first,)),
    Scenario("touch reorders", "-updated", (touch_last,)),
    Scenario("static ties", "status"),
    Scenario("ascending, delete read and append", "id", (delete_oldest, insert), every=7),
    Scenario("insert at the head, delete unread", happenings=(insert, delete_last), every=7),
    Scenario("random order", "random"),
    Scenario("random order, anything moves", "random", (delete_any, insert), every=11),
    Scenario("heap order, anything moves", "unordered", (delete_any, insert, finish), every=11),
    Scenario("newest first, anything moves seldom", happenings=(hide_any, insert, finish), every=9),
    Scenario("insert between count and rows", happenings=(insert,), torn=True),
    Scenario("swap between count and rows", happenings=(insert, delete_any), torn=True),
    Scenario("swap between count and rows of one page", happenings=(insert, delete_any), torn=True, every=2, jobs=8),
    Scenario("insert between count and rows of one full page", happenings=(insert,), torn=True, every=5, jobs=10),
)
