"""Lists that move while they are read: what happens to them, and how often."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Any, Final

from tests.support.account import KEY, mirror
from tests.support.mover import Mover, endless
from tests.support.witness import Witness
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

QUICK: Final[dict[str, Any]] = {"retry_base": "0.001", "vanish_limit": 1000}
"""Settings of a client in a hurry, whom no number of vanished jobs makes ask an operator."""


@dataclass(frozen=True)
class Scenario:
    """How a list is ordered, and what happens to it every so many pages; ``torn``: between its count and its rows."""

    name: str
    ordering: str = "-id"
    verbs: tuple[str, ...] = ()
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
        happen, pages = Mover(witness.world).does(endless(Random(seed), self.verbs)), count(1)

        def move(world: World, _number: int = 0) -> None:
            for _ in self.verbs:
                happen(world, 0)

        def tear(world: World) -> None:
            if next(pages) % self.every == 0:
                move(world)

        if self.torn:
            witness.between = tear
        else:
            witness.sim.drift = move
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
    Scenario("insert at the head", verbs=("submit",)),
    Scenario("delete visited", verbs=("delete_newest",)),
    Scenario("touch reorders", "-updated", ("touch_stalest",)),
    Scenario("static ties", "status"),
    Scenario("ascending, delete read and append", "id", ("delete_oldest", "submit"), every=7),
    Scenario("insert at the head, delete unread", verbs=("submit", "delete_oldest"), every=7),
    Scenario("random order", "random"),
    Scenario("random order, anything moves", "random", ("delete", "submit"), every=11),
    Scenario("heap order, anything moves", "unordered", ("delete", "submit", "finish"), every=11),
    Scenario("newest first, anything moves seldom", verbs=("hide", "submit", "finish"), every=9),
    Scenario("insert between count and rows", verbs=("submit",), torn=True),
    Scenario("swap between count and rows", verbs=("submit", "delete"), torn=True),
    Scenario("swap between count and rows of one page", verbs=("submit", "delete"), torn=True, every=2, jobs=8),
    Scenario("insert between count and rows of one full page", verbs=("submit",), torn=True, every=5, jobs=10),
)
