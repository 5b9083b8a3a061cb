"""A page of the list without decoding its items: the envelope's values, and each item's own bytes.

One bad item never spoils its page: whatever lies between two commas is an item, readable or not. The envelope itself
has to be unambiguous, or the page is refused.
"""

import json
import re
from itertools import pairwise
from typing import Any, Final

import msgspec

from tpmirror.errors import TransientError
from tpmirror.tensorpix.models import Envelope

MOST_JOBS: Final = 10_000_000
"""A count beyond this is refused: a full sync would begin by laying out that many offsets."""
MOST_ITEMS: Final = 10_000
"""Most items of a page, more than TPMIRROR_PAGE_SIZE can ask for; else millions of two-byte items would fit in."""
TAIL: Final = 1000
"""Bytes after the items where a page that is too large may break off; with more, its jobs are not the cause."""

_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
"""A mark of structure or a string. A string without end matches to the end of the text: a quote in it would begin
another search."""
_KEY: Final = b'"results"'
_LIST: Final = re.compile(_KEY + rb"\s*:\s*\[")


def unwrap(body: bytes) -> Envelope:
    """The envelope of a page, its items undecoded.

    Raises TransientError if the body is not the list's JSON: half an answer and a proxy's error page look like this.
    """
    try:
        found = _unwrap(body)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        message = f"the answer is not a page of jobs: {error}"
        raise TransientError(message) from error
    if len(found.results) > MOST_ITEMS:
        message = f"the answer is not a page of jobs: it has {len(found.results)} of them"
        raise TransientError(message)
    return _plausible(found)


def unwrap_beginning(body: bytes, most: int) -> tuple[Envelope, list[bytes]]:
    """Of a page that breaks off among its items, or right after: the envelope, and each item that begins in it.

    Stops after ``most`` items and one more. Raises ValueError or TransientError if no page of jobs begins like this.
    """
    cuts, end = _cuts(body, most)
    if not cuts or (end is not None and len(body) - end > TAIL):
        message = "it has no list of results" if not cuts else "its list of results ends long before it does"
        raise ValueError(message)
    envelope = msgspec.convert({**_check_keys(body[: cuts[0]] + b"]}"), "results": []}, Envelope)
    return _plausible(envelope), [
        *(body[start : stop - 1] for start, stop in pairwise(cuts)),
        body[cuts[-1] : end and end - 1],
    ]


def _plausible(page: Envelope) -> Envelope:
    if not 0 <= page.count <= MOST_JOBS:
        message = f"the answer is not a page of jobs: it counts {page.count:.15g} of them"
        raise TransientError(message)
    return page


def _unwrap(body: bytes) -> Envelope:
    try:
        found = _ENVELOPE.decode(body)
        _check_keys(_around(body, found.results))
    except (ValueError, RecursionError):
        return _unwrap_leniently(body)
    return found


def _around(body: bytes, results: list[msgspec.Raw]) -> bytes:
    """The page without its items; empty, so no JSON, where their place cannot be found that simply."""
    opening = _LIST.search(body)
    if opening is None or body.count(_KEY) != 1:
        return b""
    end = opening.end()
    for item in results:
        while end < len(body) and body[end] in b" \t\r\n,":
            end += 1
        end += len(item)
    return body[: opening.end()] + body[end:]


def _unwrap_leniently(body: bytes) -> Envelope:
    """For pages that a strict parser refuses as a whole: NaN, half a surrogate pair, an item nested too deep."""
    before, items, after = _split(body)
    page = _check_keys(before + after)
    return msgspec.convert({**page, "results": [msgspec.Raw(item) for item in items]}, Envelope)


def _split(body: bytes) -> tuple[bytes, list[bytes], bytes]:
    """The text before the items, each item, the text after. Raises ValueError if there is no list of results."""
    cuts, end = _cuts(body)
    if end is None:
        message = "it has no list of results"
        raise ValueError(message)
    return _cut(body, [*cuts, end])


def _cuts(body: bytes, most: int | None = None) -> tuple[list[int], int | None]:
    """Where each item begins, and where their list ends; None if the body ends before, or after ``most`` items.

    Counts brackets and skips strings, without recursion, so that no content of an item misleads or overflows it.
    """
    depth, key, cuts = 0, b"", list[int]()
    for token in TOKEN.finditer(body):
        mark = token[0]
        if mark in b"[{":
            depth += 1
            if depth == 2 and mark == b"[" and key == _KEY and not cuts:
                cuts.append(token.end())
        elif mark in b"]}":
            if depth == 2 and cuts and mark == b"]":
                return cuts, token.start() + 1
            depth -= 1
        elif mark == b"," and depth == 2 and cuts:
            cuts.append(token.end())
            if most is not None and len(cuts) > most:
                break
        elif depth == 1:
            key = mark
    return cuts, None


def _cut(body: bytes, cuts: list[int]) -> tuple[bytes, list[bytes], bytes]:
    """Cut after each of these places, less the comma or bracket that stands there."""
    items = [body[start : end - 1].strip() for start, end in pairwise(cuts)]
    return body[: cuts[0]], [] if items == [b""] else items, body[cuts[-1] - 1 :]


def _check_keys(page: bytes) -> dict[str, Any]:
    """The envelope, less its items, as an object. Raises ValueError if it is none, or has a key twice.

    Either value of a key that stands twice may be meant. Items left in it show that other text was taken for the items:
    their key may be written with an escape.
    """
    last: list[tuple[str, Any]] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        last[:] = pairs  # objects end from the inside out: the last one is the envelope
        return dict(pairs)

    found = json.loads(page.decode(), object_pairs_hook=note)
    if not isinstance(found, dict) or len(found) != len(last) or found.get("results"):
        message = f"it is a {type(found).__name__}" if not isinstance(found, dict) else "a key stands in it twice"
        raise ValueError(message)
    return found
