"""Moves an account: verbs by name, each of which happens to a job that a number picks, or to none.

Numbers and verbs come from the caller: a seeded Random, or the examples of a property.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import cycle
from random import Random
from typing import Any, Final

from tpmirror.simulator import oddity
from tpmirror.simulator.drift import Drift
from tpmirror.simulator.world import World

KEPT: Final = 2
"""Jobs that stay listed: an empty list proves nothing to a mirror that knows better, and marks nothing."""
NUMBERS: Final = 5000
HUGE: Final = 9223372036854776000
"""The documentation's own largest bitrate: more than 63 bits hold."""


class Mover:
    """Lets things happen to an account. Whatever cannot happen now does not.

    A job whose video was edited keeps it: an edit laid over a video that is not there would be no video at all.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.away: set[int] = set()
        self.deleted: set[int] = set()
        self.edited: set[int] = set()
        self.covered: set[int] = set()

    def __call__(self, verb: str, number: int) -> None:
        """``verb`` happens, to the job that ``number`` picks."""
        getattr(self, verb)(number)

    def does(self, happenings: Iterable[tuple[str, int]]) -> Drift:
        """One of these after the other, each time that something is to happen."""
        pending = iter(happenings)

        def happen(_world: World, _number: int = 0) -> None:
            for verb, number in pending:
                self(verb, number)
                break

        return happen

    def _pick(self, number: int, ids: Sequence[int], do: Callable[[int], object]) -> int | None:
        if not ids:
            return None
        do(ids[number % len(ids)])
        return ids[number % len(ids)]

    def _active(self) -> list[int]:
        return self.world.listed(active_only=True)

    def _expendable(self) -> list[int]:
        listed = self.world.listed()
        return listed if len(listed) > KEPT else []

    def _with(self, wanted: Callable[[dict[str, Any]], object]) -> list[int]:
        """Listed jobs of which it is true what is shown of them."""
        return [job_id for job_id in self.world.listed() if wanted(self.world.undistorted(job_id))]

    def _finished(self) -> list[int]:
        return self._with(lambda job: job["status"] == 2 and job["output_video"] is not None)

    # What users and the service do

    def advance(self, number: int) -> None:
        self.world.advance(number)

    def advance_a_little(self, number: int) -> None:
        """No more than shows as progress of jobs in flight."""
        self.world.advance(30 + number % 30)

    def submit(self, _number: int) -> None:
        self.world.submit()

    def submit_by_choice(self, _number: int) -> None:
        self.world.submit(description="a new one", ml_models=[44, 34], start_frame=0)

    def submit_with_a_known_input(self, number: int) -> None:
        def submit(job_id: int) -> None:
            self.world.submit(input_video=self.world.undistorted(job_id)["input_video"]["id"], preview=True)

        self._pick(number, self._with(lambda job: job["input_video"]), submit)

    def start(self, number: int) -> None:
        self._pick(number, self._active() or self.world.listed(), self.world.start)

    def start_again(self, number: int) -> None:
        ended = self._with(lambda job: job["status"] == 2 and job["id"] not in self.edited)
        self._pick(number, ended, self.world.start)

    def finish(self, number: int) -> None:
        self._pick(number, self._active(), self.world.finish)

    def fail(self, number: int) -> None:
        self._pick(number, self._active(), self.world.fail)

    def cancel(self, number: int) -> None:
        self._pick(number, self._active(), self.world.cancel)

    def rate(self, number: int) -> None:
        score = number % 6 or None
        self._pick(number, self._finished(), lambda job_id: self.world.rate(job_id, score))

    def correct_cost(self, number: int) -> None:
        """From -100 to the most that the API states."""
        cost = Decimal(number * 1_999_993 - 10**6) / 10_000
        self._pick(number, self.world.listed(), lambda job_id: self.world.correct_cost(job_id, cost))

    def delete_output(self, number: int) -> None:
        self._pick(number, self._finished(), self.world.delete_output)

    def delete_input(self, number: int) -> None:
        def source(job: dict[str, Any]) -> int | None:
            return job["input_video"] and job["input_video"]["id"]

        used = {None, *(source(self.world.undistorted(job_id)) for job_id in self.edited if self.world.found(job_id))}
        self._pick(number, self._with(lambda job: source(job) not in used), self.world.delete_input)

    def touch(self, number: int) -> None:
        """The row is written, though nothing shows it."""
        self._pick(number, self.world.listed(), self.world.touch)

    def touch_stalest(self, number: int) -> None:
        """One of those written longest ago becomes the first."""
        self._pick(number, self.world.order("-updated")[-30:], self.world.touch)

    # What takes jobs off the list

    def delete(self, number: int) -> None:
        self._delete(number, self._expendable())

    def delete_newest(self, number: int) -> None:
        self._delete(number, self._expendable()[-10:])

    def delete_oldest(self, number: int) -> None:
        self._delete(number, self._expendable()[:10])

    def _delete(self, number: int, some: list[int]) -> None:
        job_id = self._pick(number, some, self.world.delete)
        self.away |= {job_id} if job_id else set()
        self.deleted |= {job_id} if job_id else set()

    def delete_hidden(self, number: int) -> None:
        self._pick(number, sorted(self.away - self.deleted), self.world.delete)

    def hide(self, number: int) -> None:
        """Not of a job that was deleted once: one that is gone is not asked for again until it is listed."""
        job_id = self._pick(number, sorted({*self._expendable()} - self.deleted), self.world.hide)
        self.away |= {job_id} if job_id else set()

    def restore(self, number: int) -> None:
        job_id = self._pick(number, sorted(self.away), self.world.restore)
        self.away.discard(job_id or 0)

    # What the API should not send, and does

    def _edit(self, number: int, ids: list[int], fields: dict[str, Any]) -> None:
        job_id = self._pick(number, ids, lambda job_id: self.world.edit(job_id, fields))
        self.edited |= {job_id} if job_id else set()

    def send_unknown_keys(self, number: int) -> None:
        report = {"url": "https://storage.example.com/a", "n": [1, None]}
        fields = {"container": "mov", "report": report, "output_video": {"crf": number % 52}}
        self._edit(number, self._finished(), fields)

    def send_an_unknown_status(self, number: int) -> None:
        self._edit(number, self.world.listed(), {"status": 7})

    def send_a_new_task(self, _number: int) -> None:
        self.world.edit_model(44, {"task": 16})

    def change_a_weight(self, number: int) -> None:
        self.world.edit_model(34, {"cost_weight": number / NUMBERS})

    def send_a_huge_bitrate(self, number: int) -> None:
        self._edit(number, self._finished(), {"output_video": {"bitrate": HUGE}})

    def send_nul(self, number: int) -> None:
        self._edit(number, self._finished(), {"output_video": {"name": "a\0b.mp4"}})

    def send_year_10000(self, number: int) -> None:
        self._edit(number, self._finished(), {"finished": "10000-01-01T00:00:00Z"})

    def cover_a_video(self, number: int) -> None:
        finished = self._finished()
        self._edit(number, finished, {"output_video": None})
        self.covered |= {*finished} - {*self._finished()}

    def show_it_again(self, number: int) -> None:
        self._edit(number, sorted(self.covered), {"output_video": {}})
        self.covered -= {*self._finished()}

    def distort(self, number: int) -> None:
        """A job shows one oddity more: any key of any object, but for its own id."""

        def show(job_id: int) -> None:
            drawn = oddity.draw(self.world.undistorted(job_id), Random(number))
            self.world.distort(job_id, *self.world.distorted().get(job_id, ()), drawn)

        self._pick(number, self.world.listed(), show)

    def mend(self, number: int) -> None:
        """A job shows no oddity any more."""
        self._pick(number, sorted(self.world.distorted()), self.world.distort)


ODD: Final = ("distort", "mend")
"""What the API shows and no column holds, and its end."""
LEAVING: Final = ("hide", "delete", "restore", "delete_newest", "delete_oldest", "delete_hidden")
"""What takes jobs off the list, and back."""
LIFE: Final = tuple(name for name in vars(Mover) if not name.startswith("_") and name not in {*LEAVING, *ODD, "does"})
"""Whatever else can happen between two looks at an account."""
VERBS: Final = (
    "submit", "start", "finish", "fail", "cancel", "delete", "hide", "restore", "delete_hidden", "touch", "rate",
    "correct_cost", "advance",
)  # fmt: skip
"""What happens to an account that is read at the same time, as its own history has it."""
WHILE_READ: Final = tuple(verb for verb in VERBS if verb not in {"restore", "delete_hidden"})
"""Whatever may happen between two pages: a job that leaves does not come back within a run, or no proof holds."""


def drawn(rng: Random, verbs: Sequence[str]) -> list[tuple[str, int]]:
    """Each verb once, in any order, with the number that picks its job."""
    return [(verb, rng.randrange(NUMBERS)) for verb in rng.sample(verbs, len(verbs))]


def endless(rng: Random, verbs: Sequence[str]) -> Iterable[tuple[str, int]]:
    """These verbs over and over."""
    return ((verb, rng.randrange(NUMBERS)) for verb in cycle(verbs))
