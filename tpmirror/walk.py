"""A pass over the list: which offsets to ask for, several at once, until every row there is was served.

The list may move between two requests and pages may come shorter than asked for, now or later. So a pass is a set of
segments; each is asked for again from where its answer ended until it is covered, and the last one until the list ends.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from math import ceil
from typing import Final

from tpmirror.api import Page
from tpmirror.errors import ApiError

STALLS: Final = 3
"""Empty pages in a row, inside the list by its own count, that a segment stands before the pass fails."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows from ``offset`` up to ``until``; None for the last segment, which goes on to the end of the list."""

    offset: int
    until: int | None
    stalls: int = 0

    def rest(self, page: Page) -> "Segment | None":
        """What of the segment is left after a page of it; None if nothing.

        Raises ApiError when the API keeps serving nothing where it says there is something.
        """
        if page.is_last or (self.until is not None and page.end >= self.until):
            return None
        if len(page.listing) == 0:
            if self.offset >= page.listing.count and self.until is not None:
                return None  # the list shrank; this segment lies beyond its end
            if self.stalls + 1 >= STALLS:
                message = f"the API counts {page.listing.count} jobs but serves none from {self.offset} on"
                raise ApiError(message)
            return Segment(self.offset, self.until, self.stalls + 1)
        return Segment(page.end, self.until)


def segments(start: int, count: int, page_size: int, overlap: int = 0) -> list[Segment]:
    """The segments of a pass over ``count`` rows from ``start`` on; neighbours share ``overlap`` rows."""
    step = page_size - overlap
    offsets = list(range(start, max(count - overlap, start + 1), step))
    whole = [Segment(offset, offset + page_size) for offset in offsets[:-1]]
    return [*whole, Segment(offsets[-1], None)]


def affordable_overlap(count: int, page_size: int) -> int:
    """The largest overlap, up to 5 %, that costs at most one request more than the pages of the list.

    It saves the proof from a deletion between two neighbouring pages; it is not needed for the proof to be right.
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

    While the caller is busy with some pages the next are under way, so a slow caller gets them in larger batches; but
    never more than twice ``in_flight`` wait for it.
    """
    waiting = deque(todo)
    running: dict[Future[Page], Segment] = {}
    try:
        while waiting or running:
            while waiting and len(running) < 2 * in_flight:
                segment = waiting.popleft()
                running[executor.submit(fetch, segment.offset)] = segment
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            arrived = []
            for future in sorted(done, key=lambda future: running[future].offset):
                segment = running.pop(future)
                page = future.result()
                rest = segment.rest(page)
                if rest is not None:
                    waiting.appendleft(rest)
                arrived.append(page)
            yield arrived
    finally:
        for future in running:
            future.cancel()
