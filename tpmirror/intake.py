"""From answers to batches: whose they are is checked, repeated jobs are resolved, what voids a proof is noted."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, wait
from datetime import datetime
from typing import TypeAlias

from tpmirror import store
from tpmirror.api import Api, Page
from tpmirror.batch import Look
from tpmirror.database import read
from tpmirror.decode import Item, Unreadable
from tpmirror.run import Run

Progress: TypeAlias = Callable[[int, int], None]
"""Told after each batch: rows read so far, rows to read as far as known."""


class Intake:
    """Everything that comes in from the API during a run passes here."""

    def __init__(self, api: Api, run: Run, progress: Progress) -> None:
        self.api = api
        self.run = run
        self.doubts: list[str] = []
        """What voids any proof of this run."""
        self.passes_ahead = 1
        """How often the whole list is going to be read, as far as known: what the progress is measured by."""
        self._progress = progress
        self._read = 0
        self.listed: set[int] = set()
        """Every readable job that a page of this run showed."""
        self._answered: dict[int, int] = {}
        """By job, the number at which the answer that is mirrored was complete.

        Only an answer asked for after that may overwrite it: of two that were under way together nobody can tell which
        is the newer one, and a guess would be a status change that never was. The next look settles it.
        """

    def has_seen(self, job_id: int, since: int = 0) -> bool:
        """Whether an answer of this run showed the job, one that was complete after the number ``since``."""
        return self._answered.get(job_id, 0) > since

    def seen(self) -> set[int]:
        """Every readable job that an answer of this run showed."""
        return set(self._answered)

    def pages(self, arrived: Sequence[Page]) -> None:
        """Mirror some pages. An answer overwrites another only if it was asked for after the other was complete.

        Raises ScopeError before anything of a page of another account is written.
        """
        looks: dict[int, Look] = {}
        unreadable: list[tuple[Unreadable, datetime]] = []
        for page in sorted(arrived, key=lambda page: page.sent):
            self.admit(page)
            self._note(page)
            for item in page.listing.items:
                job_id = item.job.id
                self.listed.add(job_id)
                if self._answered.get(job_id, -1) > page.sent:
                    continue
                if job_id in looks and looks[job_id].item.fingerprint != item.fingerprint:
                    # Both were shown, one after the other: each is history.
                    self.run.store(list(looks.values()))
                    looks.clear()
                self._answered[job_id] = page.received
                looks[job_id] = Look(item, page.at)
            unreadable += [(item, page.at) for item in page.listing.unreadable]
        self.run.store(list(looks.values()), unreadable)
        self._read += sum(len(page.listing) for page in arrived)
        self._progress(self._read, self.passes_ahead * max((page.listing.count for page in arrived), default=0))

    def job(self, job_id: int) -> bool:
        """Ask for a job by id and mirror the answer; False if the API says that there is none."""
        found, answer = self.api.job(job_id)
        if isinstance(found, Unreadable):
            self.run.store([], [(found, answer.at)])
        elif found is not None:
            self._answered[job_id] = answer.received
            self.run.store([Look(found, answer.at)])
        return found is not None

    def jobs(self, ids: Sequence[int], executor: Executor) -> None:
        """Ask for jobs by id, several at once, and mirror the answers together; those denied stay as they are.

        Raises the first ApiError, after the others are mirrored.
        """
        waiting = [executor.submit(self.api.job, job_id) for job_id in ids]
        wait(waiting)
        found = [future.result() for future in waiting if future.exception() is None]
        self._answered.update({item.job.id: answer.received for item, answer in found if isinstance(item, Item)})
        looks = [Look(item, answer.at) for item, answer in found if isinstance(item, Item)]
        self.run.store(looks, [(item, answer.at) for item, answer in found if isinstance(item, Unreadable)])
        for future in waiting:
            future.result()

    def admit(self, page: Page) -> None:
        """Let a page of this account pass. Raises ScopeError for one of another account."""
        self.run.scope.admit(
            page.listing.items, list(ids_of(page)), self._known, lambda job_id: self.api.job(job_id)[0] is not None
        )

    def _known(self, ids: list[int]) -> list[int]:
        return read(self.run.engine, lambda conn: list(store.briefs(conn, ids)) if ids else store.newest_listed(conn))

    def _note(self, page: Page) -> None:
        listing, counts = page.listing, self.run.tally.counts
        counts["pages"] += 1
        counts["upstream_count"] = listing.count
        self.doubts += [
            f"an item's id cannot be read: {item.reason}" for item in listing.unreadable if item.job_id is None
        ]
        shown = {item.job.id: item.fingerprint for item in listing.items}
        if any(shown[item.job.id] != item.fingerprint for item in listing.items):
            self.doubts.append("a page shows a job twice, differently")


def ids_of(page: Page) -> Iterable[int]:
    """Every id on a page that can be read, also of items that otherwise cannot."""
    yield from (item.job.id for item in page.listing.items)
    yield from (item.job_id for item in page.listing.unreadable if item.job_id is not None)


def ascends(page: Page) -> bool:
    """Whether the list seems to start with its oldest jobs, so that news appears at its end."""
    ids = list(ids_of(page))
    return len(ids) > 1 and ids == sorted(ids)
