"""Holds a client up in the middle of its requests, while a test does something else."""

import threading

from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.server import Simulator


class Gate:
    """Holds the requests of one client up, from the ``after``-th on, until it is opened."""

    def __init__(self, sim: Simulator, after: int = 0) -> None:
        self.reached, self._go_on, self._open = threading.Event(), threading.Event(), False
        sim.reset()
        self._sim, self._after = sim, after
        sim.respond = self._hold

    def _hold(self, _: Request) -> Response | None:
        if not self._open and self._sim.count_requests() >= self._after:
            self.reached.set()
            assert self._go_on.wait(60)
        return None

    def let_others_pass(self) -> None:
        """Hold up those only that are held up already."""
        self._open = True

    def open(self) -> None:
        """Let all pass, those that are held up included."""
        self._open = True
        self._go_on.set()
