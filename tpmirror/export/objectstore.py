"""The mirror as files in an object store: S3, Google Cloud Storage, Azure Blob Storage, and what speaks like them.

A store neither moves a file nor locks a folder, so no file is ever overwritten: an export writes its files under names
of its own, and the manifest names the files that count. The manifest goes last, and only over the one that the export
began with (compare-and-swap): of two exports at once one wins, whole. Killed at any moment, an export leaves the old
manifest and every file that it names.

A file's name begins with the generation of the manifest that it was written for. Once there is a manifest of that
generation, no later one can name a file of it anew: files of that age that the manifest does not name are removed, and
neither a clock nor a lock has to tell them from those of an export under way.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import obstore
from obstore import exceptions
from obstore.store import from_url
from sqlalchemy import Engine

from tpmirror.db.engine import reading
from tpmirror.errors import LeaseHeld, TpmirrorError, UsageError
from tpmirror.export import datasets
from tpmirror.export.files import FORMATS
from tpmirror.export.writer import MANIFEST, STAGING, Outcome, Progress, Stage, checked, is_whole, staged

SCHEMES: Final = ("s3", "gs", "az")
CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
"""The variables by which each store is usually opened; the library knows more."""
ENDPOINTS: Final = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
RETRIES: Final = {"max_retries": 6, "retry_timeout": timedelta(seconds=60)}
CLIENT: Final = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(minutes=5), "allow_http": True}
"""``allow_http``: an endpoint with http:// is one that the user named."""
PARALLEL: Final = 8
"""Files sent at once."""
_SENT: Final = re.compile(
    rf"(?:{'|'.join(one.name for one in datasets.relations())})/(?:[a-z_]+=[\w-]+/)?"
    rf"data-(\d+)-[0-9a-f]{{8}}\.(?:{'|'.join(FORMATS)})"
)
"""A file that an export wrote, with its generation."""

Sizes = Mapping[str, int]
"""By path, the bytes of every file below the prefix."""


def export(engine: Engine, url: str, progress: Progress, *, public: bool = False, format_: str = "parquet") -> Outcome:
    """Bring the export below a URL up to date with the mirror, or begin one; ``public``: without personal data.

    Raises UsageError for a URL, credentials or a place that cannot be used, LeaseHeld if another export was faster,
    TpmirrorError if the store does not answer.
    """
    with _saying(url):
        store = open_store(url)
        old, version = _manifest(store, url, format_, public=public)
        there = _sizes(store)
    if not old and (strange := next((path for path in there if _SENT.fullmatch(path) is None), None)):
        raise UsageError(f"{url!r} holds {strange!r} and no export of tpmirror; give a new or empty prefix")
    generation = old.get("generation", 0) + 1
    with TemporaryDirectory(prefix="tpmirror-export-") as folder:
        name = f"data-{generation:06}-{token_hex(4)}"
        stage = Stage(Path(folder) / STAGING, format_, progress, is_public=public, name=name)
        with reading(engine) as conn:
            new = staged(conn, stage, old, whole=is_whole(old, there.get))
        with _saying(url):
            if new is None:
                done = Outcome(old)
            else:
                _take_over(new, old, there)
                done = _commit(store, stage, {**new, "generation": generation}, version)
            done.removed = _sweep(store, done.manifest, old, there)
            return done


def open_store(url: str) -> Any:
    """The store, and the prefix in it, of a URL. Raises UsageError for one that cannot be used."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.netloc:
        raise UsageError(
            f"{url!r} names no bucket; give s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX"
        )
    for variable in ENDPOINTS if parts.scheme == "s3" else ():
        # The library panics at an endpoint that is no URL.
        if (endpoint := os.environ.get(variable)) and re.fullmatch(r"https?://[^\s/@]+/?", endpoint) is None:
            raise UsageError(
                f"{variable} is no endpoint; it accepts a URL without user, such as https://s3.example.com"
            )
    config = {"region": "us-east-1"} if parts.scheme == "s3" and not _region() else {}
    return from_url(url.rstrip("/"), config=config or None, client_options=CLIENT, retry_config=RETRIES)  # type: ignore[call-overload,unused-ignore]


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _manifest(store: Any, url: str, format_: str, *, public: bool) -> tuple[dict[str, Any], Any]:
    """What the place holds, and the version of the manifest that says so; empty for a new one."""
    try:
        found = obstore.get(store, MANIFEST)
    except FileNotFoundError as error:
        if _code(error) not in _MISSING:
            return {}, "create"
        raise
    version = {kind: value for kind in ("e_tag", "version") if (value := found.meta[kind])}
    return checked(bytes(found.bytes()), url, format_, public=public), version


def _sizes(store: Any) -> Sizes:
    return {one["path"]: one["size"] for some in obstore.list(store) for one in some}


def _take_over(new: dict[str, Any], old: dict[str, Any], there: Sizes) -> None:
    """Name the old file wherever the new one would hold the same."""
    parts = old["relations"] if old else {}
    known = {
        (name, file["month"], file["sha256"]): file
        for name, part in parts.items()
        for file in part["files"]
        if there.get(file["path"]) == file["bytes"]
    }
    for name, part in new["relations"].items():
        files = (known.get((name, file["month"], file["sha256"]), file) for file in part["files"])
        part["files"] = sorted(files, key=itemgetter("path"))


def _commit(store: Any, stage: Stage, new: dict[str, Any], version: Any) -> Outcome:
    """Send what is new, then the manifest, if it still is of this version."""
    named = [file["path"] for part in new["relations"].values() for file in part["files"]]
    done = Outcome(new, written=[path for path in sorted(named) if f"/{stage.name}." in path])
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(lambda path: obstore.put(store, path, stage.folder / path), done.written))
    body = json.dumps(new, indent=1).encode()
    try:
        obstore.put(store, MANIFEST, body, mode=version)
    except (exceptions.AlreadyExistsError, exceptions.PreconditionError) as error:
        if bytes(obstore.get(store, MANIFEST).bytes()) == body:
            return done  # it was written, the reply was lost, and the library tried again
        with suppress(exceptions.BaseError):
            _remove(store, done.written)
        raise LeaseHeld(
            "another export wrote there at the same time; nothing of this one counts, run it again"
        ) from error
    return done


def _sweep(store: Any, manifest: dict[str, Any], old: dict[str, Any], there: Sizes) -> list[str]:
    """Remove the files that no manifest can name any more, those of killed exports too."""
    named = {file["path"] for part in manifest["relations"].values() for file in part["files"]}
    before = {file["path"] for part in old["relations"].values() for file in part["files"]} if old else set()
    generation = manifest.get("generation", 0)
    sent = {path for path in there if (found := _SENT.fullmatch(path)) and int(found[1]) <= generation}
    dead = sorted((sent | before & there.keys()) - named)
    _remove(store, dead)
    return dead


def _remove(store: Any, paths: list[str]) -> None:
    if paths:
        with suppress(FileNotFoundError):  # another export has swept
            obstore.delete(store, paths)


_MISSING: Final = frozenset({"NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist"})
_REFUSED: Final = re.compile(r"status code: (?:401|403)\b")
_REASONS: Final = (r"<Code>(\w{1,60})</Code>", r"(The specified bucket does not exist)", r"status code: (\d{3})")
_NO_CREDENTIALS: Final = ("169.254.169.254", "metadata.google.internal")
"""Where the libraries ask for credentials when no variable gives any: a machine of the cloud answers there."""


def _code(error: BaseException) -> str:
    """What the store said, in a word, or what kept it from saying anything; never a URL, a header or a key."""
    line = str(error)
    for pattern in _REASONS:
        if found := re.search(pattern, line):
            return found[1]
    return "no connection" if "HTTP error" in line else type(error).__name__


@contextmanager
def _saying(url: str) -> Iterator[None]:
    """Say in one line why the store cannot be used, and by whom that can be changed."""
    try:
        yield
    except (exceptions.BaseError, FileNotFoundError) as error:
        raise _explained(url, error) from error


def _explained(url: str, error: Exception) -> TpmirrorError:
    parts, code, line = urlsplit(url), _code(error), str(error)
    variables = CREDENTIALS[parts.scheme]
    if code in _MISSING:
        return UsageError(f"there is no bucket {parts.netloc!r} for the export; create it, or correct the URL")
    if any(address in line for address in _NO_CREDENTIALS) or "Account must be specified" in line:
        return UsageError(f"no credentials for {url!r}; set {variables}")
    if isinstance(error, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError) or _REFUSED.search(line):
        message = f"the store refused the credentials for {url!r}: {code}"
        return UsageError(f"{message}; set {variables} to some that may list, read, write and delete there")
    return TpmirrorError(f"cannot export to {url!r}: {code}; see that the store answers, and its endpoint's variable")
