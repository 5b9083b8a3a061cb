"""A batch of answers, the stored state of its jobs, and the changeset that follows from both: plain data."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from tpmirror.db.types import Row

if TYPE_CHECKING:  # a command that only reads the mirror loads nothing of the API's client
    from tpmirror.tensorpix.decode import ParsedJob

RECHECK: Final = ""
"""Fingerprint of a job that has to be compared again, whatever its next payload is."""
AWAY: Final = frozenset({"missing", "gone"})
"""Presence of jobs that do not show the present state of what they share with others."""


class Observation(msgspec.Struct, frozen=True):
    """One job as one answer showed it: when the answer was complete, and the numbers of its request and its end."""

    item: "ParsedJob"
    at: datetime
    sent: int
    received: int
    shown_at: datetime | None = None
    """When an answer of the same run showed the job last before this one, as the mirror holds it."""


class ShownVideo(NamedTuple):
    """An input video in the answers of a run so far."""

    received: int
    """The number at which the answer was complete that showed it last."""
    silent: frozenset[str]
    """Its columns of which no answer stated anything that can be held."""


class LastChange(NamedTuple):
    """The newest entry of a job's history."""

    seq: int
    at: datetime
    is_proof: bool = True
    """Whether the status was seen at that moment. False where the clock of its run was wrong, and where the moment is
    that of the entry before, because the clock had been set back."""


@dataclass(slots=True)
class StoredState:
    """What the mirror holds of the jobs in a batch that need comparison."""

    jobs: dict[int, Row] = field(default_factory=dict)
    input_videos: dict[int, Row] = field(default_factory=dict)
    output_videos: dict[int, Row] = field(default_factory=dict)
    ml_models: dict[int, Row] = field(default_factory=dict)
    links: dict[int, list[Row]] = field(default_factory=dict)
    """Rows of ``job_ml_models`` by job, in order of position."""
    newest_users: dict[int, int] = field(default_factory=dict)
    """The newest job besides the batch that uses a model: the mirror takes the model's fields from the newest."""
    last_changes: dict[int, LastChange] = field(default_factory=dict)
    """Each job's last status change."""
    quarantine: dict[int | None, dict[str | None, Row]] = field(default_factory=dict)
    """Entries not resolved, by job and field; under None, by payload, those without a readable id."""
    accepted: set[tuple[str | None, str]] = field(default_factory=set)
    """Fields and kinds of fault that an operator accepted in every job."""
    shown: Mapping[int, ShownVideo] = field(default_factory=dict)
    """Input videos in the answers of this run."""
    codes: dict[str, set[int]] = field(default_factory=dict)
    """Codes that have a label, by label table."""
    listed_covered_at: datetime | None = None
    """Start of the last run under a right clock that saw every listed job."""
    active_covered_at: datetime | None = None
    """Start of the last run under a right clock that saw every job in flight."""
    unpolled: Collection[int] = ()
    """Jobs in flight by their status that polls did not ask for."""
    has_moments: bool = True
    """Whether moments of observations bound changes. False where this run's clock disagrees with the API's, because
    those of other runs cannot be compared with its own; and where the database went back in time since."""


@dataclass(slots=True)
class Changeset:
    """Rows to write, together or not at all."""

    jobs: dict[int, Row] = field(default_factory=dict)
    input_videos: dict[int, Row] = field(default_factory=dict)
    output_videos: dict[int, Row] = field(default_factory=dict)
    ml_models: dict[int, Row] = field(default_factory=dict)
    links: list[Row] = field(default_factory=list)
    dropped_links: list[Row] = field(default_factory=list)
    models_left: dict[int, int] = field(default_factory=dict)
    """By model, the newest job that showed it until now."""
    videos_left: set[int] = field(default_factory=set)
    """Input videos that a job showed until now."""
    away: set[int] = field(default_factory=set)
    """Jobs held as gone or missing that an answer showed."""
    history: list[Row] = field(default_factory=list)
    field_changes: list[Row] = field(default_factory=list)
    samples: list[Row] = field(default_factory=list)
    quarantine: list[Row] = field(default_factory=list)
    quarantine_seen: list[Row] = field(default_factory=list)
    quarantine_resolved: list[Row] = field(default_factory=list)
    new_labels: dict[str, dict[int, Row]] = field(default_factory=dict)
    shown: dict[int, ShownVideo] = field(default_factory=dict)
    """Input videos of the batch, as in ``StoredState``."""
    inserted: set[int] = field(default_factory=set)
    updated: set[int] = field(default_factory=set)
    not_held: list[Row] = field(default_factory=list)
    """Fields not held, for people: ``job_id``, ``field``, ``reason``, and whether an operator ``accepted`` it."""
    unplaced: set[int] = field(default_factory=set)
    """New jobs without a readable status: they get no row."""
    quarantined: set[tuple[int | None, str | None]] = field(default_factory=set)
    """Faults by job and field: None for a whole item; the payload in the place of the field where no id can be read."""

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return any(
            (self.jobs, self.input_videos, self.output_videos, self.ml_models, self.samples, self.links,
             self.quarantine, self.quarantine_seen, self.quarantine_resolved, self.new_labels)
        )  # fmt: skip

    @property
    def transitions(self) -> int:
        """Status changes, first sightings not counted."""
        return sum(row["from_status"] is not None for row in self.history)
