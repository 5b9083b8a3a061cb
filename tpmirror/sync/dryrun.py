"""A run that writes nothing: what would be written is kept as plans, to be shown."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Engine

from tpmirror.db.engine import read, reading
from tpmirror.db.lease import Lease
from tpmirror.db.types import Row
from tpmirror.store.changes import Changeset, Observation
from tpmirror.sync.account import Scope
from tpmirror.sync.run import Run
from tpmirror.tensorpix.decode import ParseFailure


class DryRun(Run):
    """Plans each job once. With ``everything``, also jobs whose fingerprint shows no change."""

    def __init__(self, engine: Engine, api_url: str, *, everything: bool) -> None:
        super().__init__(engine, Lease(0), 0, read(engine, lambda conn: Scope(conn, api_url)))
        self.changesets: list[Changeset] = []
        self._everything = everything
        self._compared = set[int]()

    def fingerprints(self, ids: Collection[int]) -> dict[int, str]:
        """With ``everything``, each job counts as changed."""
        return {} if self._everything else super().fingerprints(ids)

    def _needs_renewal(self) -> bool:
        """Never: there is no lease."""
        return False

    def commit(
        self, observations: Sequence[Observation], unreadable: Sequence[tuple[ParseFailure, datetime]]
    ) -> Changeset:
        """Compute a changeset, and keep it."""
        news = [look for look in observations if look.item.id not in self._compared]
        with reading(self.engine) as conn:
            changes = self.diff(conn, news, unreadable)
        self._compared.update(look.item.id for look in news)  # not before: if the connection was lost, it plans again
        self.changesets.append(changes)
        return changes

    def changes(self) -> list[Row]:
        """What differs, a row each: entity, id, field, value in the mirror, value upstream.

        Nothing is written, so what jobs share differs again in each batch; it is listed once.
        """
        found: dict[tuple[str, int, str], Row] = {}
        for changes in self.changesets:
            rows = [_difference("job", job_id, "(the job)", None, "listed") for job_id in sorted(changes.inserted)]
            rows += [
                _difference("job", row["job_id"], "status", row["from_status"], row["to_status"])
                for row in changes.history
                if row["from_status"] is not None
            ]
            for row in changes.field_changes:
                key = row["entity"], row["entity_id"], row["field"]
                rows.append(_difference(*key, row["old_value"], row["new_value"]))
            found.update({(row["entity"], row["id"], row["field"]): row for row in rows})
        return list(found.values())


def _difference(entity: str, entity_id: int, name: str, mirror: object, upstream: object) -> Row:
    return {"entity": entity, "id": entity_id, "field": name, "mirror": mirror, "upstream": upstream}
