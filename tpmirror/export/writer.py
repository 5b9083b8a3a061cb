"""The mirror as files: every table and view, in one snapshot, only what changed since the last export into the folder.

An export is built in a folder of its own inside the target and moved into place when it is whole, file by file, each in
one step; the manifest goes last. Killed at any moment it leaves whole files, each once, and the next export completes
the rest: it goes by the manifest, and by what is really there.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import file_digest
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, text

from tpmirror import __version__
from tpmirror.db.engine import reading
from tpmirror.errors import LeaseHeld, TpmirrorError, UsageError
from tpmirror.export import datasets, watermark
from tpmirror.export.datasets import Dataset, Month
from tpmirror.export.files import FORMATS, ExportFile, arrow_schema, open_private
from tpmirror.export.watermark import Touched

MANIFEST: Final = "manifest.json"
STAGING: Final = ".tpmirror-staging"
LAYOUT: Final = 1
"""Raised when the files of an older export cannot stay beside new ones."""
NULL_MONTH: Final = "__HIVE_DEFAULT_PARTITION__"
CHUNK: Final = 8192
"""Rows converted from Python to Arrow in one step."""

Progress = Callable[[str, int], None]
"""Called with the relation and how many of its rows are read."""


@dataclass(slots=True)
class Outcome:
    """What an export did."""

    manifest: dict[str, Any]
    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def export(engine: Engine, folder: Path, format_: str, progress: Progress, *, public: bool = False) -> Outcome:
    """Bring the export in ``folder`` up to date with the mirror, or begin one; ``public``: without personal data.

    Raises UsageError for a folder that holds something else, or that has no place, LeaseHeld if another export is
    writing into it, TpmirrorError if it cannot be written.
    """
    with _saying(folder), _locked(folder):
        old = _manifest(folder, format_, public=public)
        stage = Stage(folder / STAGING, format_, progress, is_public=public)
        try:
            with reading(engine) as conn:
                new = staged(conn, stage, old, whole=is_whole(old, lambda path: _size(folder / path)))
        except BaseException:
            if old or {path.name for path in folder.iterdir()} <= {STAGING}:
                stage.remove()  # otherwise it alone marks the files beside it as an unfinished export
            raise
        # A failure from here on leaves the staged files, as a kill does.
        done = Outcome(old) if new is None else _commit(folder, old, new)
        stage.remove()
        return done


def staged(conn: Connection, stage: "Stage", old: dict[str, Any], *, whole: bool) -> dict[str, Any] | None:
    """The new manifest, its new files staged; None if nothing has changed. ``whole``: all old files are there."""
    unhurried(conn)
    mark = watermark.take(conn)
    if old and old["mark"]["mirror"] not in {None, mark["mirror"]}:
        raise UsageError("the destination holds the export of another mirror; give another one for this mirror")
    if whole and old["mark"] == mark:
        return None
    stage.clear()
    touched = None
    if whole and watermark.continues(conn, old["mark"], mark):
        touched = watermark.touched(conn, old["mark"], mark, _counts(old))
    parts = {relation.name: _part(conn, stage, relation, old, touched) for relation in stage.relations}
    about = {"layout": LAYOUT, "tpmirror": __version__, "format": stage.format, "public": stage.is_public}
    return {**about, "mark": mark, "relations": parts}


def unhurried(conn: Connection) -> None:
    """Let a snapshot be read for as long as it takes: to sort a large view takes longer than the mirror's own work."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET LOCAL statement_timeout = 0"))
        conn.execute(text("SET LOCAL idle_in_transaction_session_timeout = '10min'"))


def _part(
    conn: Connection, stage: "Stage", relation: Dataset, old: dict[str, Any], touched: Mapping[str, Touched] | None
) -> dict[str, Any]:
    """A relation's part of the manifest; new files are staged, files of untouched months are kept."""
    part = None if touched is None else touched.get(relation.name)
    months = None if part is None else part.months
    files = [] if months == set() else list(stage.files(conn, relation, months))
    if months is not None:
        files += [file for file in old["relations"][relation.name]["files"] if file["month"] not in months]
    return {
        "kind": relation.kind,
        "partitioned_by": relation.partitioned_by,
        "rows": sum(file["rows"] for file in files),
        "columns": {field.name: str(field.type) for field in arrow_schema(relation.columns)},
        "files": sorted(files, key=itemgetter("path")),
    }


@dataclass(frozen=True, slots=True)
class Stage:
    """The folder in which an export is built."""

    folder: Path
    format: str
    progress: Progress
    is_public: bool
    name: str = "data"
    """How its files are called, but for the format."""

    @property
    def relations(self) -> list[Dataset]:
        """What is exported."""
        return datasets.relations(public=self.is_public)

    def clear(self) -> None:
        """Create the folder, in place of one that a killed export left."""
        with _saying(self.folder):
            self.remove()
            self.folder.mkdir(mode=0o700)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def files(self, conn: Connection, relation: Dataset, months: set[Month] | None) -> Iterator[dict[str, Any]]:
        """Write the rows of a relation, a file per month or one in all; the manifest's entry of each file."""
        with closing(datasets.rows(conn, relation, months, CHUNK)) as found:
            if relation.partitioned_by is None:
                yield self.file(relation, None, relation.name, found)
                return
            for month, rows in groupby(found, key=itemgetter(0)):
                place = f"{relation.name}/{relation.partitioned_by}={month or NULL_MONTH}"
                yield self.file(relation, month, place, rows)

    def file(self, relation: Dataset, month: Month, place: str, found: Iterable[Any]) -> dict[str, Any]:
        """Write one file."""
        path = f"{place}/{self.name}.{self.format}"
        with _saying(self.folder):
            _make_folder(self.folder / place)
            with ExportFile(self.folder / path, self.format, arrow_schema(relation.columns)) as file:
                for _, rows in found:
                    file.add(rows)
                    self.progress(relation.name, file.rows)
            return {"path": path, "month": month, "rows": file.rows, **_contents(self.folder / path)}


def _commit(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> Outcome:
    """Move new files into place, remove those that the new manifest lacks, and write the manifest last."""
    done = Outcome(new)
    wanted = {file["path"]: file for part in new["relations"].values() for file in part["files"]}
    for path, file in sorted(wanted.items()):
        staged, target = folder / STAGING / path, folder / path
        if staged.exists() and not (target.exists() and _contents(target).items() <= file.items()):
            _make_folder(target.parent)
            staged.replace(target)
            done.written.append(path)
    for path in sorted(_ours(folder, old, new) - wanted.keys()):
        (folder / path).unlink()
        if not any((folder / path).parent.iterdir()):
            (folder / path).parent.rmdir()
        done.removed.append(path)
    staged = folder / STAGING / MANIFEST
    with open_private(staged, "w", "utf-8") as file:
        json.dump(new, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    staged.replace(folder / MANIFEST)
    return done


def _make_folder(folder: Path) -> None:
    """Create a folder, and its missing parents, readable by their owner alone."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700)


def _ours(folder: Path, *manifests: dict[str, Any]) -> set[str]:
    """Files of exports in the folder, also of one that was killed before it wrote its manifest."""
    old, new = manifests
    formats = {old["format"], new["format"]} if old else FORMATS  # a killed export may have used another format
    names = {name for known in manifests if known for name in known["relations"]}
    found = (path for name in names for format_ in formats for path in (folder / name).glob(f"**/data*.{format_}"))
    return {str(path.relative_to(folder)) for path in found}


def _manifest(folder: Path, format_: str, *, public: bool) -> dict[str, Any]:
    """The manifest of the folder; empty for a new one, or after an export that was killed."""
    there = {path.name for path in folder.iterdir()}
    if MANIFEST not in there:
        if there and STAGING not in there:
            raise UsageError(
                f"{str(folder)!r} is not empty and holds no export of tpmirror; give a new or empty folder"
            )
        return {}
    return checked((folder / MANIFEST).read_bytes(), str(folder), format_, public=public)


def checked(manifest: bytes, where: str, format_: str, *, public: bool) -> dict[str, Any]:
    """What a manifest holds. Raises UsageError if it is none, or of an export that this one cannot continue."""
    try:
        found: dict[str, Any] = json.loads(manifest)
        held = found["format"], found["mark"]["mirror"], found["layout"]
        _counts(found), is_whole(found, lambda _path: None)  # raises for a damaged manifest before any write
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{where + '/' + MANIFEST!r} is not the manifest of an export; give a new or empty folder"
        raise UsageError(message) from error
    if held[0] != format_:
        raise UsageError(f"{where!r} holds an export as {held[0]}; use --format {held[0]}, or another folder")
    if (with_persons := not found.get("public", False)) == public:
        kind, use = ("with", "without") if with_persons else ("without", "with")
        raise UsageError(f"{where!r} holds an export {kind} personal data; export {use} --public, or elsewhere")
    return found


def is_whole(manifest: dict[str, Any], size_of: Callable[[str], int | None]) -> bool:
    """Whether all files that a manifest names are there, as far as their sizes show; None: no such file."""
    if not manifest or manifest["layout"] != LAYOUT:
        return False
    named = {file["path"]: file["bytes"] for part in manifest["relations"].values() for file in part["files"]}
    return all(size_of(path) == size for path, size in named.items())


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _counts(manifest: dict[str, Any]) -> dict[str, dict[Month, int]]:
    return {
        name: {file["month"]: file["rows"] for file in part["files"]} for name, part in manifest["relations"].items()
    }


def _contents(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": file_digest(file, "sha256").hexdigest()}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: one export at a time. The system releases it when the process ends, even by a kill."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{str(folder)!r} is a file; give a folder")
    if not folder.absolute().parent.exists():
        raise UsageError(f"there is no folder {str(folder.parent)!r} for the export; create it, or correct the path")
    folder.mkdir(mode=0o700, exist_ok=True)  # 0700: the export holds personal data
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise LeaseHeld(f"another export is writing into {str(folder)!r}; try again when it is done") from error
    finally:
        os.close(handle)


@contextmanager
def _saying(folder: Path) -> Iterator[None]:
    """Say which folder could not be written, and why, in one line."""
    try:
        yield
    except OSError as error:
        where = folder.parent if folder.name == STAGING else folder
        reason = error.strerror or error
        message = f"cannot export to {str(where)!r}: {reason}; free some space or repair it, or give another folder"
        raise TpmirrorError(message) from error
