"""A request as it came in, and a response as it goes out."""

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

WORTH_PACKING = 200
"""Bytes from which Django's GZipMiddleware compresses."""


class Seen(NamedTuple):
    """The record of a request."""

    method: str
    path: str
    query: dict[str, str]
    status: int


@dataclass(frozen=True, slots=True)
class Request:
    """A request. ``target`` is path and query as they came; names of ``headers`` are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path alone."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The parameters; of those given twice the last, as Django has it."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def url(self) -> str:
        """The absolute URL, as the ``Host`` header has it."""
        return f"http://{self.headers.get('host', 'localhost')}{self.target}"

    @property
    def takes_gzip(self) -> bool:
        """Whether the client accepts gzip, by the rule of Django."""
        return bool(re.search(r"\bgzip\b", self.headers.get("accept-encoding", "")))


@dataclass(frozen=True, slots=True)
class Response:
    """A response. ``Content-Length`` and ``Date`` are added when it is sent.

    ``close``: the connection is closed afterwards. ``drip``: the size in bytes of the pieces in which it is sent, and
    the seconds between them. ``wire``: the bytes to send in place of status, headers and body; see ``raw``.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    close: bool = False
    drip: tuple[int, float] | None = None
    wire: bytes | None = None

    @classmethod
    def raw(cls, wire: bytes, *, close: bool = False, drip: tuple[int, float] | None = None) -> "Response":
        """Exactly these bytes on the wire, head included. Its status is recorded as 0."""
        return cls(status=0, close=close, drip=drip, wire=wire)

    @classmethod
    def json(cls, status: int, document: Any, headers: Mapping[str, str] | None = None) -> "Response":
        """A JSON document, in the compact form."""
        body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        return cls(status, {"Content-Type": "application/json", **(headers or {})}, body)

    @classmethod
    def detail(cls, status: int, text: str, headers: Mapping[str, str] | None = None) -> "Response":
        """An error as Django REST framework words it."""
        return cls.json(status, {"detail": text}, headers)

    def packed(self) -> "Response":
        """The response, compressed from ``WORTH_PACKING`` bytes on. Level 1 compresses a page within milliseconds."""
        if len(self.body) < WORTH_PACKING or self.wire is not None:
            return self
        headers = {**self.headers, "Content-Encoding": "gzip", "Vary": "Accept, Accept-Encoding"}
        return replace(self, headers=headers, body=gzip.compress(self.body, 1, mtime=0))
