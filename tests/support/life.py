"""What can happen to an account between two looks at it, drawn from a seed."""

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from tpmirror.simulator.world import World

HUGE = 9223372036854776000
"""The documentation's own largest bitrate: more than 63 bits hold."""


class Life:
    """Lets things happen, one verb at a time. Each method is one kind of event; ``seed`` decides to whom it happens.

    A job whose video was edited keeps it: an edit laid over a video that is not there would be no video at all.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.rng = Random(seed)
        self.edited: set[int] = set()
        self.hidden: set[int] = set()

    def events(self) -> list[Callable[[], object]]:
        """Every kind of event, in an order of the seed's choice."""
        kinds = [value for name, value in vars(Life).items() if not name.startswith("_") and name != "events"]
        self.rng.shuffle(kinds)
        return [kind.__get__(self) for kind in kinds]

    def _pick(self, wanted: Callable[[dict[str, Any]], bool] = bool) -> int:
        shown = [self.world.job(job_id) for job_id in self.world.ids()]
        return int(self.rng.choice([job["id"] for job in shown if wanted(job)]))

    def _active(self) -> int:
        """A job in flight; one is submitted if there is none."""
        active = self.world.listed(active_only=True)
        return self.rng.choice(active) if active else self.world.submit()

    def _finished(self) -> int:
        return self._pick(lambda job: job["status"] == 2 and job["output_video"] is not None)

    def _edit(self, job_id: int, fields: dict[str, Any]) -> None:
        self.edited.add(job_id)
        self.world.edit(job_id, fields)

    def advance(self) -> None:
        self.world.advance(self.rng.randrange(60, 4000))

    def advance_a_little(self) -> None:
        self._active()
        self.world.advance(30)

    def submit(self) -> None:
        self.world.submit(description="a new one", ml_models=[44, 34], start_frame=0)

    def submit_with_a_known_input(self) -> None:
        shown = self.world.job(self._pick(lambda job: job["input_video"] is not None))
        self.world.submit(input_video=shown["input_video"]["id"], preview=True)

    def cancel(self) -> None:
        self.world.cancel(self._active())

    def fail(self) -> None:
        self.world.fail(self._active())

    def finish(self) -> None:
        self.world.finish(self._active())

    def rate(self) -> None:
        self.world.rate(self._finished(), self.rng.choice([1, 5, None]))

    def delete_output(self) -> None:
        self.world.delete_output(self._finished())

    def delete_input(self) -> None:
        used = {self._input(job_id) for job_id in self.edited}
        self.world.delete_input(self._pick(lambda job: self._input(job["id"]) not in {None, *used}))

    def _input(self, job_id: int) -> int | None:
        shown = self.world.job(job_id)["input_video"]
        return shown and int(shown["id"])

    def correct_cost(self) -> None:
        cost = Decimal(self.rng.randrange(-(10**6), 10**10 - 1)) / 10000
        self.world.correct_cost(self._pick(), cost)

    def process_again(self) -> None:
        self.world.start(self._pick(lambda job: job["status"] == 2 and job["id"] not in self.edited))

    def send_unknown_keys(self) -> None:
        job_id = self._finished()
        report = {"url": "https://storage.example.com/a", "n": [1, None]}
        self._edit(job_id, {"container": "mov", "report": report, "output_video": {"crf": self.rng.randrange(52)}})

    def send_an_unknown_status(self) -> None:
        self._edit(self._pick(), {"status": 7})

    def send_a_new_task(self) -> None:
        self.world.edit_model(44, {"task": 16})

    def change_a_weight(self) -> None:
        self.world.edit_model(34, {"cost_weight": self.rng.random()})

    def send_a_huge_bitrate(self) -> None:
        self._edit(self._finished(), {"output_video": {"bitrate": HUGE}})

    def send_nul(self) -> None:
        self._edit(self._finished(), {"output_video": {"name": "a\0b.mp4"}})

    def send_year_10000(self) -> None:
        self._edit(self._finished(), {"finished": "10000-01-01T00:00:00Z"})

    def hide_a_video(self) -> None:
        job_id = self._finished()
        self.hidden.add(job_id)
        self._edit(job_id, {"output_video": None})

    def show_it_again(self) -> None:
        if not self.hidden:
            self.hide_a_video()
        self._edit(self.hidden.pop(), {"output_video": {}})

    def write_without_a_trace(self) -> None:
        self.world.touch(self._pick())
