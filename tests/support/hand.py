"""Verbs by name for whoever draws the life of an account: each happens to a job that a number picks, or to none."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from tpmirror.simulator.drift import Drift
from tpmirror.simulator.world import World

KEPT: Final = 2
"""Jobs that stay listed: an empty list proves nothing to a mirror that knows better, and marks nothing."""


class Hand:
    """Lets things happen to an account. Whatever cannot happen now does not."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.away: set[int] = set()
        self.deleted: set[int] = set()

    def __call__(self, verb: str, number: int) -> None:
        """``verb`` happens, to the job that ``number`` picks."""
        getattr(self, verb)(number)

    def does(self, happenings: list[tuple[str, int]]) -> Drift:
        """One of these after the other, each time that something is to happen."""
        pending = list(happenings)

        def happen(_world: World, _number: int) -> None:
            if pending:
                self(*pending.pop(0))

        return happen

    def _pick(self, number: int, ids: list[int], do: Callable[[int], object]) -> int | None:
        if not ids:
            return None
        do(ids[number % len(ids)])
        return ids[number % len(ids)]

    def _active(self) -> list[int]:
        return self.world.listed(active_only=True)

    def _expendable(self) -> list[int]:
        listed = self.world.listed()
        return listed if len(listed) > KEPT else []

    def submit(self, _number: int) -> None:
        self.world.submit()

    def start(self, number: int) -> None:
        self._pick(number, self._active() or self.world.listed(), self.world.start)

    def finish(self, number: int) -> None:
        self._pick(number, self._active(), self.world.finish)

    def fail(self, number: int) -> None:
        self._pick(number, self._active(), self.world.fail)

    def cancel(self, number: int) -> None:
        self._pick(number, self._active(), self.world.cancel)

    def delete(self, number: int) -> None:
        job_id = self._pick(number, self._expendable(), self.world.delete)
        self._leave(job_id)
        self.deleted |= {job_id} if job_id else set()

    def hide(self, number: int) -> None:
        """Not of a job that was deleted once: one that is gone is not asked for again until it is listed."""
        self._leave(self._pick(number, sorted({*self._expendable()} - self.deleted), self.world.hide))

    def _leave(self, job_id: int | None) -> None:
        self.away |= {job_id} if job_id else set()

    def restore(self, number: int) -> None:
        job_id = self._pick(number, sorted(self.away), self.world.restore)
        self.away.discard(job_id or 0)

    def delete_hidden(self, number: int) -> None:
        self._pick(number, sorted(self.away - self.deleted), self.world.delete)

    def touch(self, number: int) -> None:
        self._pick(number, self.world.listed(), self.world.touch)

    def rate(self, number: int) -> None:
        finished = [job_id for job_id in self.world.listed() if self.world.status(job_id) == 2]
        self._pick(number, finished, lambda job_id: self.world.rate(job_id, number % 5 + 1))

    def correct_cost(self, number: int) -> None:
        self._pick(number, self.world.listed(), lambda job_id: self.world.correct_cost(job_id, Decimal(number) / 100))

    def advance(self, number: int) -> None:
        self.world.advance(number)


VERBS: Final = [name for name in vars(Hand) if not name.startswith("_") and name != "does"]
WHILE_READ: Final = [name for name in VERBS if name not in {"restore", "delete_hidden"}]
"""Whatever may happen between two pages: a job that leaves does not come back within a run, or no proof holds."""
