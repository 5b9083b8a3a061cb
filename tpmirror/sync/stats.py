"""Counts of a run so far, as ``sync_runs`` has them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import Integer

from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.store.changes import Changeset, ShownVideo

COUNT_COLUMNS: Final = tuple(
    column.name
    for column in schema.sync_runs.columns
    if isinstance(column.type, Integer) and column.server_default is not None
)
"""The columns of ``sync_runs`` that count."""


class Reading(NamedTuple):
    """Counts of what a run has read so far."""

    pages: int = 0
    upstream_count: int = 0
    """Jobs that the newest page counts."""
    readable: int = 0
    """Jobs that an answer showed."""
    unread: int = 0
    """Jobs shown by unreadable items alone."""
    where: Mapping[int, str] = {}
    """By job that an answer showed: ``listed`` by a page of the list, or ``unlisted`` by an answer for its id alone."""


@dataclass(slots=True)
class RunStats:
    """Counts of the rows that a run has stored so far."""

    changed: set[int] = field(default_factory=set)
    """Jobs inserted or updated in this run: each counts once."""
    quarantined: set[tuple[int | None, str | None]] = field(default_factory=set)
    """Job and field of each quarantine entry of this run: each counts once."""
    unplaced: set[int] = field(default_factory=set)
    """New jobs that were shown, and got no row for want of a status."""
    shown: dict[int, ShownVideo] = field(default_factory=dict)
    """Input videos in the answers of the run so far."""
    counts: Counter[str] = field(default_factory=Counter)
    """The counts that ``sync_runs`` has columns for."""

    def add(self, changes: Changeset) -> None:
        """Count a changeset that is committed."""
        self.counts += self._news(changes)
        self.changed |= changes.inserted | changes.updated
        self.quarantined |= changes.quarantined
        self.unplaced = (self.unplaced | changes.unplaced) - changes.inserted
        self.shown |= changes.shown

    def recover(self, row: Row, changes: Changeset) -> None:
        """Count a changeset if the row of the run shows that its COMMIT succeeded although the reply was lost.

        Only the columns that this commit writes are compared: counts since the last commit are not in the row either.
        """
        news = self._news(changes)
        counts = self.counts + news
        if news.total() and all(row[name] == counts[name] for name in news):
            self.add(changes)

    @property
    def recorded(self) -> int:
        """Rows written to the history and to ``field_changes``: a new job has a row of the history, too."""
        return self.entries + self.counts["field_changes"]

    @property
    def entries(self) -> int:
        """Rows of the history alone."""
        return self.counts["jobs_inserted"] + self.counts["transitions"]

    def columns(self, reading: Reading, changes: Changeset | None = None) -> dict[str, Any]:
        """The counts as columns of ``sync_runs``, with a changeset that is about to be committed."""
        counts = self.counts + self._news(changes) if changes else self.counts
        changed = counts["jobs_inserted"] + counts["jobs_updated"]
        read = {"pages": reading.pages, "upstream_count": reading.upstream_count}
        unplaced = len((self.unplaced | changes.unplaced) - changes.inserted if changes else self.unplaced)
        unchanged = reading.readable - changed - unplaced
        jobs = {"jobs_seen": reading.readable + reading.unread, "jobs_unchanged": unchanged}
        return {**counts, **read, **jobs}

    def _news(self, changes: Changeset) -> Counter[str]:
        return Counter(
            jobs_inserted=len(changes.inserted),
            jobs_updated=len(changes.updated - self.changed),
            transitions=changes.transitions,
            field_changes=len(changes.field_changes),
            quarantined=len(changes.quarantined - self.quarantined),
        )
