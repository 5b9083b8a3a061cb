"""The layout of a table on a terminal: in full, wrapped, with columns left out, or stacked. No value is cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

LONGEST_WORD: Final = 28
"""Longest word, in columns of the terminal, that is never broken: a time must stay whole, a file name may break."""
GAPS: Final = (2, 1)
"""Blanks between two columns: the usual number, and the least where room is short."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How many columns of the terminal a column of the table takes."""

    least: int
    """With its texts broken into lines."""
    most: int
    """With each text in one line."""
    wraps: bool = True
    """Whether widths between the two make sense: numbers under a broken heading need the least or the most."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that are shown, from the first one on, by their widths."""

    widths: list[int]
    gap: int


def extent(heading: str, cells: Sequence[str], *, wraps: bool) -> Extent:
    """The extent of a column. Its heading may always stand in several lines, its values only if it ``wraps``."""
    longest = max(map(cell_len, cells), default=0)
    least = min(max(map(longest_word, cells), default=0), LONGEST_WORD) if wraps else longest
    return Extent(max(longest_word(heading), least), max(cell_len(heading), longest), wraps)


def longest_word(text: str) -> int:
    """The columns of the terminal that the longest word takes."""
    return max(map(cell_len, text.split()), default=0)


def arrange(extents: Sequence[Extent], width: int | None, *, whole: bool = False) -> Layout | None:
    """The layout in ``width`` columns of a terminal, None: without limit. None if the rows have to be stacked.

    Texts wrap first, then columns move together, then the last ones are left out: of a ``whole`` table none, of
    others not more than half.
    """
    fewest = len(extents) if whole else (len(extents) + 1) // 2
    if width is None:
        return Layout([one.most for one in extents], GAPS[0])
    for shown in range(len(extents), fewest - 1, -1):
        for gap in GAPS:
            room = width - gap * (shown - 1)
            if sum(one.least for one in extents[:shown]) <= room:
                return Layout(_widths(extents[:shown], room), gap)
    return None


def _widths(extents: Sequence[Extent], room: int) -> list[int]:
    """The widths of columns that fit: the widest are narrowed until the sum fits the room."""
    widths = [one.most for one in extents]
    while sum(widths) > room:
        width, place = max((widths[place], place) for place, one in enumerate(extents) if widths[place] > one.least)
        widths[place] = width - 1 if extents[place].wraps else extents[place].least
    return widths
