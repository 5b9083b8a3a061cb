"""The records of a job and of an input video: small, since an account may have hundreds of thousands.

All other fields of a job follow from the seed and the id, and are computed when the job is first served.
Times are whole microseconds since the epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tpmirror.simulator.fixtures import NAMES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Profile:
    """The traits of an account. ``growth``: 1 spreads its past evenly; the larger, the more of it is recent.

    ``haste``: how many times faster jobs are processed and end. ``names``: those of its input videos.
    """

    growth: float = 1
    haste: float = 1
    names: Sequence[str] = NAMES


USUAL: Final = Profile()


@dataclass(slots=True)
class Source:
    """An input video; several jobs may use it. ``born`` is when it was first used."""

    id: int
    born: int
    by_url: bool
    gone: bool = False


@dataclass(slots=True)
class Job:
    """A job's state. ``due`` is when it is expected to end; ``epoch`` grows when events yet to come become void."""

    id: int
    source: Source
    created: int
    due: int
    status: int = 0
    began: int | None = None
    ended: int | None = None
    output: int | None = None
    output_born: int | None = None
    erased: int | None = None
    score: int | None = None
    present: bool = True
    hidden: bool = False
    epoch: int = 0
    past: list[tuple[int, int | None, int]] | None = None

    @property
    def active(self) -> bool:
        """Whether it is in the queue or being processed."""
        return self.status in (0, 1)

    def history(self) -> list[tuple[int, int | None, int]]:
        """Time, old and new status of each change: stored once a test interfered, else derived from the times."""
        if self.past is not None:
            return self.past
        changes: list[tuple[int, int | None, int]] = [(self.created, None, 0)]
        if self.began is not None:
            changes.append((self.began, 0, 1))
        if self.ended is not None:
            changes.append((self.ended, changes[-1][2], self.status))
        return changes


def instant(moment: datetime) -> int:
    """An aware datetime as microseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(instant: int) -> datetime:
    """Microseconds since the epoch as an aware datetime, UTC."""
    return _EPOCH + timedelta(microseconds=instant)
