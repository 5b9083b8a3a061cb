"""Old snapshots of the Iceberg tables: which are kept, by a tag, and how the rest goes, files and all.

Only snapshots that an export made are touched, and only files that no other snapshot has. Files of an export that was
killed before its commit are in no snapshot, and the catalog's business (``remove_orphan_files``).
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from pyiceberg.table import Table, Transaction
from pyiceberg.table.refs import SnapshotRefType
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update.snapshot import ExpireSnapshots, ManageSnapshots

OURS: Final = "tpmirror"
"""Property of the snapshots that an export made: the tag of its cut."""
KEPT: Final = 12
"""Cuts to which a reader can go back, of hourly exports half a day: each makes every later commit a little slower."""
_TAG: Final = re.compile(r"run-(\d+)-[0-9a-f]{8}")


def tag(change: Transaction, snapshot: int | None, name: str) -> None:
    """Name the snapshot of a cut."""
    if snapshot is not None and name not in change.table_metadata.refs:
        with ManageSnapshots(change) as refs:
            refs.create_tag(snapshot, name)


def expire(change: Transaction) -> list[Snapshot]:
    """Once twice as many cuts are tagged as are kept, give up the older ones; the snapshots that go with them."""
    metadata = change.table_metadata
    tags = {name: ref for name, ref in metadata.refs.items() if ref.snapshot_ref_type == SnapshotRefType.TAG}
    ours = {name: int(found[1]) for name in tags if (found := _TAG.fullmatch(name))}
    if len(ours) < 2 * KEPT:
        return []
    times = {snapshot.snapshot_id: snapshot.timestamp_ms for snapshot in metadata.snapshots}
    by_age = sorted(ours, key=lambda name: (times.get(tags[name].snapshot_id, 0), ours[name]))
    with ManageSnapshots(change) as refs:
        for name in by_age[:-KEPT]:
            refs.remove_tag(name)
    held = {ref.snapshot_id for ref in change.table_metadata.refs.values()}
    expired = [one for one in metadata.snapshots if one.snapshot_id not in held and _is_ours(one)]
    if expired:
        with ExpireSnapshots(change) as old:
            old.by_ids([one.snapshot_id for one in expired])
    return expired


def remove(table: Table, expired: Iterable[Snapshot]) -> None:
    """Remove the files that only expired snapshots had; pyiceberg leaves them."""
    gone = list(expired)
    if not gone:
        return
    old, new = _manifests(table, gone), _manifests(table, table.snapshots())
    only_old = [manifest for path, manifest in old.items() if path not in new]
    files = {entry.data_file.file_path for one in only_old for entry in one.fetch_manifest_entry(table.io)}
    if files:
        files -= {entry.data_file.file_path for one in new.values() for entry in one.fetch_manifest_entry(table.io)}
    for path in [*files, *(old.keys() - new.keys()), *(one.manifest_list for one in gone)]:
        with suppress(OSError):  # it is gone: another export, or the catalog itself, was there before
            table.io.delete(path)


def _manifests(table: Table, of: Iterable[Snapshot]) -> dict[str, Any]:
    """By path, each once."""
    return {manifest.manifest_path: manifest for one in of for manifest in one.manifests(table.io)}


def _is_ours(snapshot: Snapshot) -> bool:
    return snapshot.summary is not None and OURS in snapshot.summary.additional_properties
