"""Rows of the views, and a memory for what takes long.

Sums over the whole history are kept for as long as the mirror's content is the same. The two append-only tables show
that: whatever changes, but progress and ETA, leaves a row in one of them.
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
    """Results by what was asked for and the state of the mirror in which they hold; the oldest are forgotten."""

    def __init__(self) -> None:
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, key: Hashable, work: Callable[[], T]) -> T:
        """What ``work`` gave for this key, or gives now."""
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
    """The result of ``work``, which depends on ``key`` and the mirror's content alone."""
    memory: ResultCache = request.app.state.memory
    return memory.recall((key, history.heads(conn)), work)
