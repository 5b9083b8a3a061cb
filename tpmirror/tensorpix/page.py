"""A page of the list: as asked for, as served, and the limit and offset that its links state."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from tpmirror.tensorpix.decode import Listing


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and the numbers of its request and of its arrival."""

    listing: Listing
    limit: int
    offset: int
    sent: int
    received: int
    at: datetime

    @property
    def end(self) -> int:
        """The offset after the last item served."""
        return self.offset + len(self.listing)

    @property
    def is_last(self) -> bool:
        """Whether no page follows: takes all three signs, because each alone is wrong on a list that moves."""
        return len(self.listing) < self.served_limit and self.listing.next is None and self.end >= self.listing.count

    @property
    def served_limit(self) -> int:
        """The page size in force: what ``next`` states, else what was asked for. The server may cap it silently."""
        limit = _number_in(self.listing.next or self.listing.previous, "limit")
        return limit if limit is not None and 0 < limit <= self.limit else self.limit

    @property
    def stated_offset(self) -> int | None:
        """Where the page begins by its own links; None if they do not state it, or state an impossible one."""
        for link, step in ((self.listing.next, -1), (self.listing.previous, 1)):
            offset, limit = _number_in(link, "offset"), _number_in(link, "limit")
            if offset is not None and limit is not None and offset + step * limit >= 0 and offset != self.end:
                return offset + step * limit
        return None


def _number_in(url: str | None, name: str) -> int | None:
    """A number in the query of ``next`` or ``previous``; None if it is not there, or that is no URL."""
    try:
        value = parse_qs(urlsplit(url or "").query).get(name, [""])[0]
    except ValueError:
        return None
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def ids_of(page: Page) -> list[int]:
    """Every id on a page that can be read, also of items that otherwise cannot."""
    return [item.id for item in page.listing.items if item.id is not None]


def ascends(page: Page) -> bool:
    """Whether the list seems to start with its oldest jobs, so that new jobs appear at its end."""
    ids = ids_of(page)
    return len(ids) > 1 and ids == sorted(ids)
