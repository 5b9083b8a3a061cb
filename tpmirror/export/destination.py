"""Where an export goes: a folder, an object store or an Iceberg catalog, told apart by how its name begins."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import Engine

from tpmirror import config
from tpmirror.errors import UsageError

ICEBERG: Final = "iceberg:"
STORES: Final = ("s3://", "gs://", "az://")


def check(destination: str) -> None:
    """Raise UsageError for a destination of a kind that there is not, or that may hold a secret, which is not shown."""
    try:
        config.destination(destination)
    except ValueError as error:
        shown = "a value that may hold a secret" if re.search(r"[?@#]", destination) else repr(destination)
        raise UsageError(f"DEST is {shown}; it accepts {error}") from None


def export(
    engine: Engine, destination: str, format_: str, progress: Any, *, public: bool = False, dry_run: bool = False
) -> Any:
    """Bring the export at ``destination`` up to date with the mirror, as ``writer.export`` does for a folder.

    ``dry_run``: write nothing; for a catalog only. Raises UsageError for a destination that cannot be used, or whose
    extra is not installed.
    """
    work = load(destination, format_)
    if destination.startswith(ICEBERG):
        return work(engine, destination, progress, public=public, dry_run=dry_run)
    if dry_run:
        raise UsageError("--dry-run is for Iceberg tables; leave it out, or give iceberg:NAMESPACE@CATALOG")
    return work(engine, destination, progress, public=public)


def load(destination: str, format_: str) -> Callable[..., Any]:
    """The function that exports there, called with engine, destination and progress; raises as ``export`` does."""
    check(destination)
    if destination.startswith(ICEBERG):
        if format_ != "parquet":
            raise UsageError(f"Iceberg tables hold Parquet, not {format_}; leave out --format")
        with _extra("iceberg"):
            from tpmirror.export import iceberg  # noqa: PLC0415 - an extra

            return iceberg.export
    with _extra("export"):
        if destination.startswith(STORES):
            from tpmirror.export import objectstore  # noqa: PLC0415 - an extra

            return partial(objectstore.export, format_=format_)
        from tpmirror.export import writer  # noqa: PLC0415 - an extra

        def into_folder(engine: Engine, destination: str, progress: Any, *, public: bool) -> Any:
            folder = unquote(urlsplit(destination).path) if destination.startswith("file://") else destination
            return writer.export(engine, Path(folder), format_, progress, public=public)

        return into_folder


@contextmanager
def _extra(name: str) -> Iterator[None]:
    """For the imports that an extra of the package brings. Raises UsageError if it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith("tpmirror"):
            raise  # no extra brings what this package itself lacks
        needed = f"export needs {error.name}; install tpmirror with its {name} extra"
        raise UsageError(f"{needed}: pip install 'tpmirror[{name}]'") from error
