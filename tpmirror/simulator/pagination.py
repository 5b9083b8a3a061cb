"""Limit and offset as ``LimitOffsetPagination`` of Django REST framework reads them, invalid values included."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Window:
    """The requested part of the list."""

    limit: int
    offset: int

    def next(self, url: str, count: int) -> str | None:
        """The URL of the page after this one: None at the end of the list, which ``count`` gives."""
        if self.offset + self.limit >= count:
            return None
        return _with(url, limit=self.limit, offset=self.offset + self.limit)

    def previous(self, url: str) -> str | None:
        """The URL of the page before this one: None on the first; without ``offset`` if it reaches the first row."""
        if self.offset <= 0:
            return None
        before = self.offset - self.limit
        return _with(url, limit=self.limit, offset=before if before > 0 else None)


def window(query: Mapping[str, str], default: int, cap: int | None) -> Window:
    """The window of the parameters. No value is refused: a bad limit is the default, one above the cap is the cap.

    The default itself is not capped, and a bad or negative offset is 0.
    """
    limit = _number(query.get("limit"), 1)
    offset = _number(query.get("offset"), 0)
    if limit is None:
        return Window(default, offset or 0)
    return Window(limit if cap is None else min(limit, cap), offset or 0)


def _number(text: str | None, least: int) -> int | None:
    """An integer as Python reads one, blanks and underscores included, unless it is too small."""
    try:
        number = int(text or "")
    except ValueError:
        return None
    return number if number >= least else None


def _with(url: str, **parameters: int | None) -> str:
    """The URL with some parameters replaced, or removed if None; the others are kept, all are sorted."""
    scheme, netloc, path, query, fragment = urlsplit(url)
    known = parse_qs(query, keep_blank_values=True)
    for name, value in parameters.items():
        known.pop(name, None)
        if value is not None:
            known[name] = [str(value)]
    return urlunsplit((scheme, netloc, path, urlencode(sorted(known.items()), doseq=True), fragment))
