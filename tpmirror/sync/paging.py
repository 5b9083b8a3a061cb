"""A pass over the list: the offsets to ask for, several at once, until every row of the list was served.

The list may move between two requests and pages may come shorter than asked for, now or later. So a pass is a set of
segments; each is asked for again from where its answer ended until it is covered, and the last one until the list ends.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from math import ceil
from typing import Final

from tpmirror.errors import ApiError
from tpmirror.tensorpix.page import Page

STALLS: Final = 3
"""Empty pages in a row, inside the list by its own count, after which a segment is over."""


BATCH: Final = 10
"""Pages that may be under way or wait for the caller: about a thousand jobs a batch, beyond which little is gained."""
MOMENT: Final = 0.05
"""Seconds for which a page that has arrived waits for others. No request waits meanwhile."""
BEYOND: Final = 1000
"""Rows past twice the count at which a list is taken to have no end."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows from ``offset`` up to ``until``; None for the last segment, which goes on to the end of the list."""

    offset: int
    until: int | None
    stalls: int = 0

    def rest(self, page: Page) -> "Segment | None":
        """The part of the segment that is left after a page of it; None if nothing is left.

        If the API keeps serving empty pages where it counts jobs, its count is too high: nothing is left, and the
        verdict states the wrong count. Raises ApiError if it serves no jobs at all, or jobs far beyond the end: a count
        may be stale, but a server that ignores the offset serves jobs for ever.
        """
        if page.offset > 2 * page.listing.count + BEYOND:
            message = f"the API counts {page.listing.count} jobs but still serves some from {page.offset} on"
            raise ApiError(message)
        if page.is_last or (self.until is not None and page.end >= self.until):
            return None
        if len(page.listing) == 0:
            if self.offset >= page.listing.count and self.until is not None:
                return None  # the list shrank; this segment lies beyond its end
            if self.stalls + 1 < STALLS:
                return Segment(self.offset, self.until, self.stalls + 1)
            if self.offset == 0:
                message = f"the API counts {page.listing.count} jobs but serves none"
                raise ApiError(message)
            return None
        return Segment(page.end, self.until)


def segments(start: int, count: int, page_size: int, overlap: int = 0) -> list[Segment]:
    """The segments of a pass over ``count`` rows from ``start`` on; neighbours share ``overlap`` rows."""
    step = page_size - overlap
    offsets = list(range(start, max(count - overlap, start + 1), step))
    whole = [Segment(offset, offset + page_size) for offset in offsets[:-1]]
    return [*whole, Segment(offsets[-1], None)]


def affordable_overlap(count: int, page_size: int) -> int:
    """The largest overlap, up to 5 %, that costs at most one request more than the pages of the list.

    With it the proof survives a deletion between two neighbouring pages; without it the proof is just as right.
    """
    return next(
        (m for m in range(page_size // 20, 0, -1) if _requests(count, page_size, m) <= ceil(count / page_size) + 1), 0
    )


def _requests(count: int, page_size: int, overlap: int) -> int:
    """Requests of a quiet pass. A full last page needs one more: only a short page shows the end."""
    last = segments(0, count, page_size, overlap)[-1].offset
    return len(segments(0, count, page_size, overlap)) + (count - last >= page_size)


def pages(
    fetch: Callable[[int], Page], todo: list[Segment], executor: Executor, in_flight: int
) -> Iterator[list[Page]]:
    """Fetch the segments, ``in_flight`` at a time, and hand out the pages as they arrive, in any order.

    While the caller is busy with some pages the next are under way; never more than ``BATCH`` wait for it, or twice
    ``in_flight``. Pages that arrive within ``MOMENT`` come as one batch, which costs the caller less than each page.
    """
    flight = _Flight(fetch, todo, executor, max(BATCH, 2 * in_flight))
    try:
        while flight.launch():
            wait(flight.running, return_when=FIRST_COMPLETED)
            done, _ = wait(flight.running, MOMENT)
            arrived = flight.land(done)
            flight.launch()
            yield arrived
    finally:
        for future in flight.running:
            future.cancel()


class _Flight:
    """The requests of a pass: those to be made, and those under way."""

    def __init__(self, fetch: Callable[[int], Page], todo: list[Segment], executor: Executor, most: int) -> None:
        self.running: dict[Future[Page], Segment] = {}
        self._waiting = deque(todo)
        self._fetch, self._executor, self._most = fetch, executor, most

    def launch(self) -> bool:
        """Submit as many requests as may be under way; returns whether any are."""
        while self._waiting and len(self.running) < self._most:
            segment = self._waiting.popleft()
            self.running[self._executor.submit(self._fetch, segment.offset)] = segment
        return bool(self.running)

    def land(self, done: Iterable[Future[Page]]) -> list[Page]:
        """The pages of requests that are done, in order; the rest of their segments is asked for next."""
        arrived = []
        for future in sorted(done, key=lambda future: self.running[future].offset):
            segment = self.running.pop(future)
            page = future.result()
            rest = segment.rest(page)
            if rest is not None:
                self._waiting.appendleft(rest)
            arrived.append(page)
        return arrived
