"""What a run has done so far, as ``sync_runs`` counts it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Integer

from tpmirror.db import schema
from tpmirror.db.types import Row
from tpmirror.store.changes import Changeset

COUNT_COLUMNS: Final = tuple(
    column.name
    for column in schema.sync_runs.columns
    if isinstance(column.type, Integer) and column.server_default is not None
)
"""The columns of ``sync_runs`` that count."""


@dataclass(slots=True)
class RunStats:
    """What the run has done so far."""

    answered: dict[int, int] = field(default_factory=dict)
    """By readable job that an answer showed, the number at which the answer that is mirrored was complete."""
    unread: set[int] = field(default_factory=set)
    """Jobs shown in a way that cannot be read."""
    changed: set[int] = field(default_factory=set)
    """Jobs inserted or updated in this run: each counts once."""
    quarantined: set[tuple[int | None, str]] = field(default_factory=set)
    """Payloads quarantined in this run: each counts once."""
    shown: dict[int, int] = field(default_factory=dict)
    """By input video, the number at which the answer was complete that showed it last."""
    counts: Counter[str] = field(default_factory=Counter)
    """The counts that ``sync_runs`` has columns for."""

    def add(self, changes: Changeset) -> None:
        """Count a changeset that is committed."""
        self.counts += self._news(changes)
        self.changed |= changes.inserted | changes.updated
        self.quarantined |= changes.quarantined
        self.shown |= changes.shown

    def recover(self, row: Row, changes: Changeset) -> None:
        """Count a changeset if the row of the run shows that its COMMIT succeeded although the reply was lost."""
        if any(row[name] != self.counts[name] for name in self._news(changes)):
            self.add(changes)

    def columns(self, changes: Changeset | None = None) -> dict[str, int]:
        """As columns of ``sync_runs``, with a changeset that is about to be committed."""
        counts = self.counts + self._news(changes) if changes else self.counts
        changed = counts["jobs_inserted"] + counts["jobs_updated"]
        return {
            **counts,
            "jobs_seen": len(self.answered) + len(self.unread - self.answered.keys()),
            "jobs_unchanged": len(self.answered) - changed,
        }

    def _news(self, changes: Changeset) -> Counter[str]:
        return Counter(
            jobs_inserted=len(changes.inserted),
            jobs_updated=len(changes.updated - self.changed),
            transitions=changes.transitions,
            field_changes=len(changes.field_changes),
            quarantined=len(changes.quarantined - self.quarantined),
        )
