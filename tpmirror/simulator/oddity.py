"""Values that the API should not send, laid over a job: wrong types, wrong ranges, missing and new keys."""

import json
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys from the job down to one key of an object in it."""

ABSENT: Final = object()
"""Marks a key to remove."""
RESPELT: Final = object()
"""Marks a value to encode otherwise, such as 7 as "7", when it is served: a stored status would become false."""
FIXED: Final = {"id", "status"}
"""Keys that get ``UNREADABLE`` values only: any other value would be a false statement about the account."""
UNREADABLE: Final[tuple[Any, ...]] = (
    "odd",
    "",
    True,
    [],
    [7],
    {},
    {"odd": 7},
    0.5,
    2**63,
    9223372036854776000,
    "10e99",
    -(2**70),
)
"""Values that no parser reads as an id or a status."""
VALUES: Final[tuple[Any, ...]] = (
    *UNREADABLE, None, False, 0, 1, 7, 1.0, 2**15, 2**31, 1e16, 0.30000000000000004, 123456.78901, "7", "1.0", "1e2",
    "-0.5", "007", "0.12345", "1234567.0000", 1790000000, "1790000000", "yesterday", "2026-02-30T00:00:00Z",
    "1969-12-31T00:00:00Z", "10000-01-01T00:00:00Z", "2026-11-01T10:00:00", "2016-12-31T23:59:60Z", "a\0b",
)  # fmt: skip
"""Values for all other keys; some are valid for some of them."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """A key of a job, and the value to send for it; ABSENT: no such key; RESPELT: its own value, encoded otherwise."""

    path: Path
    value: Any


def draw(document: dict[str, Any], rng: Random) -> Oddity:
    """A random oddity of any key but the job's id: removed, another value, encoded otherwise; or a new key."""
    parent, found = rng.choice(list(objects(document)))
    how = rng.choice(("lost", "new", "respelt", "odd", "odd", "odd"))
    if how == "new":
        return Oddity((*parent, f"new_{rng.randrange(3)}"), rng.randrange(3))
    key = rng.choice([key for key in found if parent or key != "id"])
    if how == "lost":
        return Oddity((*parent, key), ABSENT)
    if how == "respelt":
        return Oddity((*parent, key), RESPELT)
    return Oddity((*parent, key), rng.choice(UNREADABLE if key in FIXED else VALUES))


def objects(value: Any, path: Path = ()) -> list[tuple[Path, dict[str, Any]]]:
    """Every object of a document that is not empty, with its path."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    own = [(path, value)] if isinstance(value, dict) and value else []
    return own + [found for key, part in inner for found in objects(part, (*path, key))]


def respelt(value: Any) -> Any:
    """The value in another JSON type or spelling, if it has one."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return float(value) if value % 2 and abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return repr(value)
    return value.removesuffix("Z") if isinstance(value, str) else value


def overlaid(encoded: bytes, oddities: tuple[Oddity, ...]) -> bytes:
    """An encoded job with these oddities; one whose object is missing has no effect."""
    document = json.loads(encoded)
    for oddity in oddities:
        lay_over(document, oddity)
    return json.dumps(document, separators=(",", ":")).encode()


def lay_over(document: Any, oddity: Oddity) -> None:
    """Apply an oddity to a document in place, if the object of its key exists."""
    *way, key = oddity.path
    for step in way:
        inside = step in document if isinstance(document, dict) else _has(document, step)
        if not inside:
            return
        document = document[step]
    if not isinstance(document, dict):
        return
    if oddity.value is ABSENT:
        document.pop(key, None)
    elif oddity.value is not RESPELT:
        document[key] = oddity.value
    elif key in document:
        document[key] = respelt(document[key])


def _has(value: Any, place: str | int) -> bool:
    return isinstance(value, list) and isinstance(place, int) and place < len(value)
