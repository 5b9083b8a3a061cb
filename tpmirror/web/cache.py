"""Rows of the views, and a cache for the results of slow queries.

A cached result is valid until one of the two append-only tables grows: every change of the mirror, except of progress
and ETA, appends a row to one of them.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request

from tpmirror.db.types import Row
from tpmirror.store import history

T = TypeVar("T")

KEPT: Final = 200
"""Results kept per application."""


def rows(conn: Connection, wanted: Any) -> list[Row]:
    """All rows of a SELECT, as plain dictionaries."""
    return [dict(row) for row in conn.execute(wanted).mappings()]


class ResultCache:
    """LRU cache of results, by query and by the state of the mirror in which they are valid. Thread-safe."""

    def __init__(self) -> None:
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, key: Hashable, work: Callable[[], T]) -> T:
        """The cached result of this key, else the result of ``work``, which is then cached."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                found: T = self._results[key]
                return found
        result = work()
        with self._lock:
            self._results[key] = result
            while len(self._results) > KEPT:
                self._results.popitem(last=False)
        return result


def remembered(request: Request, conn: Connection, key: Hashable, work: Callable[[], T]) -> T:
    """The cached result of ``work``, which may depend on ``key`` and the mirror's content alone."""
    memory: ResultCache = request.app.state.memory
    return memory.recall((key, history.heads(conn)), work)
