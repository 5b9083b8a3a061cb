"""A sink that writes nothing: it keeps the changesets that a run would write, to be shown."""

from collections.abc import Collection, Iterator, Sequence

from sqlalchemy import Connection, Engine

from tpmirror.db.engine import read
from tpmirror.db.types import Row
from tpmirror.store import jobs, quarantine
from tpmirror.store.changes import Changeset, Observation, ShownVideo
from tpmirror.store.quarantine import VOLATILE
from tpmirror.sync.ingest import Failures
from tpmirror.sync.run import changes_of
from tpmirror.sync.stats import Reading


class DryRun:
    """Compares each job once. With ``everything``, also jobs whose fingerprint says that nothing changed."""

    def __init__(self, engine: Engine, *, everything: bool) -> None:
        self._engine, self._everything = engine, everything
        self._changesets: list[Changeset] = []
        self._compared = set[int]()
        self._shown: dict[int, ShownVideo] = {}

    def fingerprints(self, ids: Collection[int]) -> dict[int, str]:
        """By job, the fingerprint of its last payload; empty with ``everything``, so that each job is compared."""

        def find(conn: Connection) -> dict[int, str]:
            found = jobs.fingerprints(conn, ids)
            return {job_id: found[job_id] for job_id in found.keys() - quarantine.quarantined_ids(conn)}

        return {} if self._everything else read(self._engine, find)

    def store(self, observations: Sequence[Observation], failures: Failures, _reading: Reading) -> None:
        """Compute the changeset of a batch, and keep it."""
        new = [observation for observation in observations if observation.item.id not in self._compared]
        if new or failures:
            changes = read(self._engine, lambda conn: changes_of(conn, new, failures, self._shown, run_id=0))
            self._changesets.append(changes)
            self._shown |= changes.shown
        self._compared.update(observation.item.id for observation in new)

    def differences(self) -> list[Row]:
        """The differences, a row each: entity, id, field, value in the mirror, value upstream.

        Nothing is written, so a row that jobs share differs again in each batch; its difference is listed once.
        """
        rows = [row for changes in self._changesets for row in _differences(changes)]
        return list({(row["entity"], row["id"], row["field"]): row for row in rows}.values())

    def not_held(self) -> list[Row]:
        """The values that cannot be held as the API shows them, a row each; progress and ETA are left out."""
        rows = [row for changes in self._changesets for row in changes.not_held if row["field"] not in VOLATILE]
        return list({(row["job_id"], row["field"], row["reason"]): row for row in rows}.values())


def _differences(changes: Changeset) -> Iterator[Row]:
    for job_id in sorted(changes.inserted):
        yield difference("job", job_id, "(the job)", None, "listed")
    for row in changes.history:
        if row["from_status"] is not None:
            yield difference("job", row["job_id"], "status", row["from_status"], row["to_status"])
    for row in changes.field_changes:
        yield difference(row["entity"], row["entity_id"], row["field"], row["old_value"], row["new_value"])


def difference(entity: str, entity_id: int | None, name: str, mirror: object, upstream: object) -> Row:
    """A difference as ``verify`` shows it."""
    return {"entity": entity, "id": entity_id, "field": name, "mirror": mirror, "upstream": upstream}
