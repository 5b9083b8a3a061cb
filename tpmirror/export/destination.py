"""Where an export goes: a folder, an object store or an Iceberg catalog, told apart by how its name begins."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import Engine

from tpmirror.errors import UsageError

ICEBERG: Final = "iceberg:"
STORES: Final = ("s3://", "gs://", "az://")


def check(destination: str) -> None:
    """Raise UsageError for a destination of a kind that there is not, or that holds a secret."""
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", destination)
    if scheme is None:
        return
    parts = urlsplit(destination)
    if "@" in parts.netloc or parts.query or parts.fragment:
        message = "the URL of an export has no user and no query, which may hold a secret"
        raise UsageError(f"{message}; give the credentials by the store's own variables")
    if not destination.startswith((*STORES, "file:///")):
        kinds = "s3://, gs://, az://, file:/// or iceberg:NAMESPACE@CATALOG"
        raise UsageError(f"{scheme[0]!r} is no destination of an export; give a folder, {kinds}")


def export(engine: Engine, destination: str, format_: str, progress: Any, *, public: bool = False) -> Any:
    """Bring the export at ``destination`` up to date with the mirror, as ``writer.export`` does for a folder.

    Raises UsageError for a destination that cannot be used, or whose extra is not installed.
    """
    check(destination)
    with _extra("export"):
        if destination.startswith(STORES):
            from tpmirror.export import objectstore  # noqa: PLC0415 - an extra

            return objectstore.export(engine, destination, format_, progress, public=public)
        from tpmirror.export import writer  # noqa: PLC0415 - an extra

        folder = unquote(urlsplit(destination).path) if destination.startswith("file://") else destination
        return writer.export(engine, Path(folder), format_, progress, public=public)


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
