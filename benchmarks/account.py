"""The account that is mirrored: the simulator with answers made beforehand, in a process of its own.

Commands come as lines on stdin, each is answered by a line of JSON on stdout:
``use STATE`` serves a state of the account, ``asked`` returns the requests since then.
"""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

PAGE: Final = 100
IN_FLIGHT: Final = 5
STATES: Final = ("initial", "resigned", "progressed", "changed")
"""In the order in which they come about; ``resigned`` differs in nothing but the queries of its URLs."""


class Account:
    """The process, as the benchmark sees it."""

    def __init__(self, jobs: int, latency: float = 0.0) -> None:
        self._command = [sys.executable, "-m", "benchmarks.account", str(jobs), str(latency)]

    def __enter__(self) -> Self:
        root = Path(__file__).parents[1]
        self._process = subprocess.Popen(
            self._command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url: str = self._answer()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.communicate()

    def use(self, state: str) -> None:
        """Serve a state, made now if this is the first time."""
        self._tell(f"use {state}")

    def asked(self) -> list[str]:
        """What was asked for since ``use``."""
        asked: list[str] = self._tell("asked")
        return asked

    def _tell(self, command: str) -> Any:
        assert self._process.stdin is not None
        print(command, file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def serve(jobs: int, latency: float) -> None:
    """Serve until stdin ends."""
    from tpmirror.simulator.http import Request, Response  # noqa: PLC0415 - only in the account's process
    from tpmirror.simulator.server import Simulator  # noqa: PLC0415 - only in the account's process
    from tpmirror.simulator.world import World  # noqa: PLC0415 - only in the account's process

    world = World(jobs=jobs, in_flight=0, jobs_per_day=0)
    in_flight = [jobs * (2 * number + 1) // (2 * IN_FLIGHT) + 1 for number in range(IN_FLIGHT)]
    for job_id in in_flight:
        world.start(job_id)
    states: dict[str, dict[str, Response]] = {}
    with Simulator(world, token="benchmark", page_cap=PAGE, latency=latency) as simulator:  # noqa: S106 - opens made-up data

        def made(state: str) -> dict[str, Response]:
            if state == "progressed":
                for job_id in in_flight:
                    world.edit(job_id, {"processing_progress": 0.75, "eta_s": 45.5})
            if state == "changed":
                change(world, jobs, set(in_flight))
            headers = {"authorization": "Token benchmark", "host": simulator.url.removeprefix("http://")}
            targets = [f"/api/jobs/?limit={PAGE}&offset={start}" for start in range(0, len(world.listed()) + 1, PAGE)]
            targets += [f"/api/jobs/{job_id}/" for job_id in in_flight]
            return {target: simulator.answer(Request("GET", target, headers)).packed() for target in targets}

        print(json.dumps(simulator.url), flush=True)
        for line in sys.stdin:
            command, _, state = line.strip().partition(" ")
            if command == "use":
                if state not in states:
                    states[state] = made(state)
                simulator.respond = lambda request, ready=states[state]: ready.get(request.target)
                simulator.reset()
                print("true", flush=True)
            else:
                query = "?limit={limit}&offset={offset}"
                asked = [seen.path + (query.format(**seen.query) if seen.query else "") for seen in simulator.requests]
                print(json.dumps(asked), flush=True)


def change(world: Any, jobs: int, spared: set[int]) -> None:
    """1 % of the jobs change, spread over the list: a status, a rating, a deletion. 0.5 % are new."""
    for number, job_id in enumerate(range(1, jobs + 1, 100)):
        if job_id in spared:
            continue
        made = world.job(job_id)["output_video"] is not None
        if number % 3 == 0 or not made:
            world.edit(job_id, {"status": -2, "description": f"change {number}"})
        elif number % 3 == 1:
            world.rate(job_id, 1 + number % 5)
        else:
            world.delete_output(job_id)
    for _ in range(jobs // 200):
        world.finish(world.submit())


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]))
