"""The mirror as Apache Iceberg tables, in any catalog that pyiceberg knows: REST, SQL, Glue, Hive.

A table for each table and view, but for the views that depend on the clock: the same mark of the mirror has to mean the
same rows. Partitioned relations have their month as a column, by whose values the table is partitioned. A touched month
whose rows are others than before is replaced, in one snapshot; neither merge nor upsert, which take minutes for what
this takes a second. Where few jobs of a month are touched, its other rows come from the table itself.

Each table is committed by itself, with all that belongs to it: rows, mark, and a tag that is the same in all tables of
an export. Killed between two tables, the next export goes on from each table's own mark. ``sync_runs`` goes last, so
that its newest tag marks a consistent cut through all of them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count, groupby
from operator import itemgetter
from typing import Any, Final

import pyarrow as pa
from pyarrow import compute
from pyiceberg import exceptions
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.io.pyarrow import _dataframe_to_data_files
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.snapshots import Operation
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import (
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)
from requests.exceptions import RequestException
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tpmirror import __version__
from tpmirror.db import schema as mirror_schema
from tpmirror.db.engine import reading
from tpmirror.errors import LeaseHeld, TpmirrorError, UsageError
from tpmirror.export import datasets, snapshots, watermark
from tpmirror.export.datasets import Dataset, Month
from tpmirror.export.files import arrow_schema
from tpmirror.export.snapshots import OURS
from tpmirror.export.watermark import Touched
from tpmirror.export.writer import CHUNK, LAYOUT, Outcome, Progress, unhurried

LEFT_OUT: Final = frozenset({"active_jobs", "sync_health"})
"""Views that depend on the clock."""
LAST: Final = "sync_runs"
PATCHED: Final = 4
"""Where more than one in so many rows of a month may be another, the month is read anew."""
IDS: Final = 500
"""Jobs or videos of one query."""
STATE: Final = "tpmirror.state"
"""Property of a table: the mark it was written at, and what it holds of each month, as JSON."""
PUBLIC: Final = "tpmirror.public"
PROPERTIES: Final = {
    "format-version": "2",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "10",
    # A commit that another one overtook was made from an older mirror: it must fail, not be put on top.
    "commit.retry.num-retries": "0",
}
_COUNTED: Final = (mirror_schema.input_videos, mirror_schema.output_videos, mirror_schema.sync_runs)
"""Tables whose rows the watermark wants counted by month, as of the mark."""
_SIMPLE: Final[Mapping[pa.DataType, IcebergType]] = {
    pa.bool_(): BooleanType(),
    pa.date32(): DateType(),
    pa.int16(): IntegerType(),
    pa.int32(): IntegerType(),
    pa.int64(): LongType(),
    pa.float64(): DoubleType(),
    pa.string(): StringType(),
    pa.timestamp("us", "UTC"): TimestamptzType(),
}


Months = dict[Month, list[Any]]
"""By month, how many rows it has, and a digest of them."""


@dataclass(frozen=True, slots=True)
class State:
    """What a table's own property says of the rows that are there."""

    mark: dict[str, Any]
    counts: dict[str, dict[Month, int]]
    months: Months


@dataclass(frozen=True, slots=True)
class _Cut:
    """A state of the mirror, about to be written."""

    conn: Connection
    mark: dict[str, Any]
    counts: dict[str, dict[Month, int]]
    is_public: bool
    progress: Progress

    @property
    def tag(self) -> str:
        """Its name in every table."""
        return _name_of(self.mark)


def export(
    engine: Engine, destination: str, progress: Progress, *, public: bool = False, dry_run: bool = False
) -> Outcome:
    """Bring the tables of ``iceberg:NAMESPACE@CATALOG`` up to date, or make them; ``public``: without personal data.

    ``dry_run``: only find out which months of which tables would be written. Raises UsageError for a catalog, a
    namespace or tables that cannot be used, LeaseHeld if another export was faster, TpmirrorError for all else.
    """
    found = re.fullmatch(r"iceberg:([\w.-]+)@([\w-]+)", destination)
    if found is None:
        raise UsageError(f"{destination!r} names no tables; give iceberg:NAMESPACE@CATALOG")
    relations = [one for one in datasets.relations(public=public) if one.name not in LEFT_OUT]
    relations.sort(key=lambda one: one.name == LAST)
    # Inside: what the catalog's own database says must not be taken for the mirror's.
    with reading(engine) as conn, _saying(destination):
        unhurried(conn)
        catalog, namespace = _catalog(destination, found[2]), tuple(found[1].split("."))
        # As JSON gives it back: what is compared with it comes from there.
        mark = json.loads(json.dumps(watermark.take(conn)))
        cut = _Cut(conn, mark, {table.name: datasets.count(conn, table) for table in _COUNTED}, public, progress)
        if not dry_run:
            catalog.create_namespace_if_not_exists(namespace)
        targets = [_Target(cut, catalog, (*namespace, one.name), one) for one in relations]
        touched = _touched(cut, [target.state for target in targets])
        done = Outcome({"layout": LAYOUT, "tpmirror": __version__, "format": "iceberg", "public": public, "mark": mark})
        for target in targets:
            target.bring_up(touched, dry_run=dry_run)
            done.written += [f"{target.relation.name} {month or '-'}" for month in target.changed]
        done.manifest |= {"tag": cut.tag, "relations": {target.relation.name: target.shown for target in targets}}
        return done


def _touched(cut: _Cut, states: Iterable[State | None]) -> dict[str, dict[str, Touched]]:
    """By the name of each cut that tables were left at, what was touched since; without one that says nothing."""
    marks = {_name_of(state.mark): state for state in states if state is not None}
    return {
        name: watermark.touched(cut.conn, state.mark, cut.mark, state.counts)
        for name, state in marks.items()
        if watermark.continues(cut.conn, state.mark, cut.mark)
    }


def _name_of(mark: Mapping[str, Any]) -> str:
    """The last run that was over, and a digest of all else."""
    digest = sha256(json.dumps(mark, sort_keys=True).encode()).hexdigest()
    return f"run-{mark['sync_runs'][0]}-{digest[:8]}"


class _Target:
    """A table, and what an export does with it."""

    def __init__(self, cut: _Cut, catalog: Catalog, name: tuple[str, ...], relation: Dataset) -> None:
        self._cut, self._catalog, self._name, self.relation = cut, catalog, name, relation
        self._arrow = _arrow(relation)
        self._schema = _schema(self._arrow)
        self._table = self._load()
        self.state = None if self._table is None else _state(self._table, self._schema)
        if self.state is not None and self.state.mark["mirror"] not in {None, cut.mark["mirror"]}:
            raise UsageError("the destination holds the export of another mirror; give another one for this mirror")
        self.changed: list[Month] = []
        """The months that were replaced, or would be."""
        self._months: Months = {}

    @property
    def shown(self) -> dict[str, Any]:
        """What it holds, for the manifest."""
        months = [
            {"month": month, "rows": rows, "sha256": digest}
            for month, (rows, digest) in sorted(self._months.items(), key=lambda item: item[0] or "")
        ]
        columns = {column.name: str(column.field_type) for column in self._schema.fields}
        rows = sum(month["rows"] for month in months)
        kind, key = self.relation.kind, self.relation.partitioned_by
        return {"kind": kind, "partitioned_by": key, "rows": rows, "columns": columns, "months": months}

    def bring_up(self, touched: Mapping[str, Mapping[str, Touched]], *, dry_run: bool) -> None:
        """Replace the months whose rows are others than those in the table; nothing for the mark that it has."""
        state = self.state
        if state is not None and state.mark == self._cut.mark:
            self._months = state.months
            return
        known = state.months if state is not None else {}
        wanted = touched.get(_name_of(state.mark), {}).get(self.relation.name) if state is not None else None
        self._months = {} if wanted is None else {month: known[month] for month in known.keys() - wanted.months}
        if dry_run:
            list(self._read(known, wanted))
            self.changed += known.keys() - self._months.keys()
        else:
            self._write(known, wanted)

    def _load(self) -> Table | None:
        try:
            table = self._catalog.load_table(self._name)
        except (exceptions.NoSuchTableError, exceptions.NoSuchNamespaceError):
            return None
        shown = ".".join(self._name)
        if PUBLIC not in table.properties:
            raise UsageError(f"the table {shown} is not of tpmirror; give another namespace")
        if (table.properties[PUBLIC] == "true") != self._cut.is_public:
            kind, use = ("with", "without") if self._cut.is_public else ("without", "with")
            raise UsageError(f"{shown!r} holds an export {kind} personal data; export {use} --public, or elsewhere")
        return table

    def _create(self) -> Table:
        key = self.relation.partitioned_by
        partition = [PartitionField(len(self._schema.fields), 1000, IdentityTransform(), key)] if key else []
        properties = {**PROPERTIES, PUBLIC: str(self._cut.is_public).lower()}
        return self._catalog.create_table(
            self._name, self._schema, partition_spec=PartitionSpec(*partition), properties=properties
        )

    def _write(self, known: Months, wanted: Touched | None) -> None:
        """One transaction: columns, rows, mark and tag; and what is too old."""
        table = self._table or self._create()
        with table.transaction() as change:
            _bring_up_schema(change, self._schema)
            self._replace(table, change, known, wanted)
            snapshot = change.table_metadata.current_snapshot_id
            counts = {name: [[month, rows] for month, rows in by.items()] for name, by in self._cut.counts.items()}
            months = [[month, held] for month, held in self._months.items()]
            state = {"snapshot": snapshot, "mark": self._cut.mark, "counts": counts, "months": months}
            change.set_properties({STATE: json.dumps(state), "comment": self.relation.table.comment or ""})
            snapshots.tag(change, snapshot, self._cut.tag)
            expired = snapshots.expire(change)
        snapshots.remove(table, expired)

    def _replace(self, table: Table, change: Transaction, known: Months, wanted: Touched | None) -> None:
        """A snapshot with the months that are others than before, if there are any."""
        snapshot, numbers = change.update_snapshot({OURS: self._cut.tag}).overwrite(), count()
        for rows in self._read(known, wanted):
            for file in _dataframe_to_data_files(change.table_metadata, rows, table.io, snapshot.commit_uuid, numbers):
                snapshot.append_data_file(file)
        self.changed += known.keys() - self._months.keys()
        is_new = table.current_snapshot() is None
        if self.changed and not is_new:
            for task in table.scan().plan_files():
                if self.state is None or _month(task.file) in self.changed:
                    snapshot.delete_data_file(task.file)
        if self.changed or is_new or self.state is None:
            snapshot.commit()

    def _read(self, known: Months, wanted: Touched | None) -> Iterator[pa.Table]:
        """The rows of months that are others than those known, month by month; notes what all of them hold."""
        total = 0
        for month, rows in self._touched_months(known, wanted):
            total += rows.num_rows
            self._cut.progress(self.relation.name, total)
            self._months[month] = [rows.num_rows, _digest(rows)]
            if known.get(month) != self._months[month]:
                self.changed.append(month)
                yield rows

    def _touched_months(self, known: Months, wanted: Touched | None) -> Iterator[tuple[Month, pa.Table]]:
        """Each month that may be another, with its rows as they are now; None: every month may."""
        anew = None if wanted is None else set(wanted.months)
        if wanted is not None and anew is not None:
            few = {month for month in anew - wanted.whole if len(wanted.ids) * PATCHED <= known.get(month, [0])[0]}
            for month, rows in self._patched(few, wanted.ids, known):
                anew.remove(month)
                yield month, rows
        if anew == set():
            return
        with closing(datasets.rows(self._cut.conn, self.relation, anew, CHUNK)) as found:
            for month, parts in groupby(found, key=itemgetter(0)):
                yield month, self._arrow_table(month, (rows for _, rows in parts))

    def _patched(self, months: set[Month], ids: set[int], known: Months) -> Iterator[tuple[Month, pa.Table]]:
        """Months whose rows come from the table, but for those of some jobs or videos, which come from the mirror."""
        new, key, every = dict[Month, list[Any]](), self.relation.key, sorted(ids) if months else []
        for at in range(0, len(every), IDS):
            with closing(datasets.rows(self._cut.conn, self.relation, months, CHUNK, every[at : at + IDS])) as found:
                for month, rows in found:
                    new.setdefault(month, []).append(rows)
        for month in sorted(months, key=lambda month: month or ""):
            if (there := self._there(month, known)) is not None:
                others = there.filter(compute.invert(compute.is_in(there[key], pa.array(every, pa.int64()))))
                rows = pa.concat_tables([others, self._arrow_table(month, new.get(month, []))])
                # A stable sort: the rows of one job or video stay in the order in which the database gave them.
                yield month, rows.take(compute.sort_indices(rows, [(key, "ascending")]))

    def _there(self, month: Month, known: Months) -> pa.Table | None:
        """A month's rows in the table; None if they are not those that were written."""
        if self._table is None:
            return None
        key = self.relation.partitioned_by
        rows = self._table.scan(f"{key} IS NULL" if month is None else f"{key} = '{month}'").to_arrow()
        rows = rows.select(self._arrow.names).cast(self._arrow)
        return rows if [rows.num_rows, _digest(rows)] == known[month] else None

    def _arrow_table(self, month: Month, parts: Iterable[Any]) -> pa.Table:
        more = [month] if self.relation.partitioned_by else []
        return pa.Table.from_batches([_batch(rows, self._arrow, more) for rows in parts], self._arrow)


def _state(table: Table, wanted: Schema) -> State | None:
    """What the table says of its rows; None where that is worthless: other columns, a rollback, another's commit."""
    try:
        found = json.loads(table.properties[STATE])
        of, mark, counts, months = (found[name] for name in ("snapshot", "mark", "counts", "months"))
        state = State(mark, {name: dict(pairs) for name, pairs in counts.items()}, dict(months))
    except (KeyError, ValueError, TypeError):
        return None
    current = now = table.current_snapshot()
    while now is not None and now.snapshot_id != of and now.summary and now.summary.operation == Operation.REPLACE:
        now = table.snapshot_by_id(now.parent_snapshot_id or 0)  # compaction: other files with the same rows
    if now is None or now.snapshot_id != of or not _same(table.schema(), wanted):
        return None
    return state if now is current or _is_plain(table) else None


def _is_plain(table: Table) -> bool:
    """Whether each file is of one month, and nothing is deleted row by row: then a month's files can be replaced."""
    spec = table.spec().spec_id
    return all(task.file.spec_id == spec and not task.delete_files for task in table.scan().plan_files())


def _month(file: DataFile) -> Month:
    return file.partition[0] if len(file.partition) else None


def _arrow(relation: Dataset) -> pa.Schema:
    """The columns, and the month at the end; Iceberg has no 16-bit integers, and its columns may all be null.

    A column that is added later has to be, and one that is required cannot be taken back.
    """
    fields = [
        pa.field(one.name, pa.int32() if one.type == pa.int16() else one.type, True, one.metadata)
        for one in arrow_schema(relation.columns)
    ]
    if key := relation.partitioned_by:
        fields.append(pa.field(key, pa.string(), True, {"comment": "month (UTC) by which the table is partitioned"}))
    return pa.schema(fields)


def _schema(arrow: pa.Schema) -> Schema:
    """The same as Iceberg has it, each column with what it means."""
    return Schema(
        *(
            NestedField(number, one.name, _type(one.type), required=False, doc=one.metadata[b"comment"].decode())
            for number, one in enumerate(arrow, 1)
        )
    )


def _type(type_: pa.DataType) -> IcebergType:
    if pa.types.is_decimal(type_):
        return DecimalType(type_.precision, type_.scale)
    return _SIMPLE[type_]


def _described(schema: Schema) -> list[tuple[Any, ...]]:
    return [(one.name, str(one.field_type), one.doc or "") for one in schema.fields]


def _same(one: Schema, other: Schema) -> bool:
    """Whether two schemas have the same columns, whatever their numbers."""
    return sorted(_described(one)) == sorted(_described(other))


def _bring_up_schema(change: Transaction, wanted: Schema) -> None:
    """Remove the columns that are no more or of another type, and add those that are new; the rows follow."""
    now = change.table_metadata.schema()
    if _same(now, wanted):
        return
    types = {one.name: str(one.field_type) for one in wanted.fields}
    gone = [one.name for one in now.fields if types.get(one.name) != str(one.field_type)]
    with change.update_schema(allow_incompatible_changes=True) as columns:
        for name in gone:
            columns.delete_column(name)
    with change.update_schema() as columns:
        columns.union_by_name(wanted)


def _batch(rows: Sequence[Sequence[Any]], arrow: pa.Schema, more: Sequence[Any]) -> pa.RecordBatch:
    values = zip(*((*row, *more) for row in rows), strict=True)
    arrays = [pa.array(column, one.type) for column, one in zip(values, arrow, strict=True)]
    return pa.record_batch(arrays, schema=arrow)


def _digest(rows: pa.Table) -> str:
    """Of all values; the same rows, in the same order, give the same, however they were read."""
    found = sha256()
    for batch in rows.combine_chunks().to_batches():
        found.update(batch.serialize())
    return found.hexdigest()


_OVERTAKEN: Final = (
    exceptions.CommitFailedException,
    exceptions.TableAlreadyExistsError,
    exceptions.ValidationException,
)


def _catalog(destination: str, name: str) -> Catalog:
    """The catalog of that name in pyiceberg's configuration."""
    try:
        return load_catalog(name)
    except (ValueError, ImportError, exceptions.NotInstalledError) as error:
        message = f"{destination!r} names no catalog that can be used ({type(error).__name__})"
        raise UsageError(f"{message}; set PYICEBERG_CATALOG__NAME__URI, or name it in .pyiceberg.yaml") from error


@contextmanager
def _saying(destination: str) -> Iterator[None]:
    """Say in one line why a catalog or its store cannot be used; never what a library says, which may hold a secret."""
    try:
        yield
    except _OVERTAKEN as error:
        raise LeaseHeld(
            "another export wrote there at the same time; nothing of this one counts, run it again"
        ) from error
    except (exceptions.UnauthorizedError, exceptions.ForbiddenError, exceptions.OAuthError) as error:
        message = f"the catalog of {destination!r} refused the credentials"
        raise UsageError(f"{message}; set those of pyiceberg's configuration, PYICEBERG_CATALOG__NAME__...") from error
    except (RequestException, SQLAlchemyError, OSError, exceptions.RESTError) as error:
        if "iceberg_" not in (getattr(error, "statement", None) or "iceberg_"):
            raise  # a query of the mirror, whose engine says what is wrong
        message = f"cannot export to {destination!r}: {type(error).__name__}"
        raise TpmirrorError(f"{message}; see that the catalog and its store answer, and what they allow") from error
