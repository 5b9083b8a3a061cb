"""Delivers events to the sinks: at least once, in order, one at a time per sink, by whichever replica claims the sink.

Every sink has a thread of its own: a sink that does not answer delays no other sink.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine

from tpmirror.db import revision
from tpmirror.db.engine import clock, read, retry_transient, write
from tpmirror.errors import MirrorError, UsageError
from tpmirror.log import logger
from tpmirror.service.webhooks import Keys, Outcome, Webhooks
from tpmirror.store import events
from tpmirror.store.events import Claim, Event

T = TypeVar("T")

EVERY: Final = 0.5
"""Seconds between two checks whether an event is due for a sink."""
BATCH: Final = 100
"""Events read per query."""
LADDER: Final = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0)
"""Seconds to wait after each failed attempt, as Standard Webhooks proposes; the attempt after the last is final."""
GONE: Final = 410
"""HTTP 410: the sink wants no more events, and is disabled."""
PASSING: Final = frozenset({408, 409, 425, 429})
"""Client errors (4xx) that may pass: request timeout, conflict, too early, too many requests."""
REFUSALS: Final = 2
"""Attempts of an event that a sink refuses; the whole ladder would hold up the events after it for more than a day."""

log: Final = logger(__name__)


def delay_after(attempts: int, status: int | None) -> float | None:
    """Seconds to wait after ``attempts`` failed attempts of an event, the last with ``status``; None: give it up.

    A refusal (4xx) concerns the event. No answer, a redirect and 5xx concern the sink, which may recover.
    """
    refused = status is not None and 400 <= status < 500 and status not in PASSING
    tries = REFUSALS if refused else len(LADDER) + 1
    return LADDER[attempts - 1] if attempts < tries else None


class Delivery:
    """Serves the sinks. For each sink, a thread of its own calls ``turn`` repeatedly."""

    def __init__(self, engine: Engine, webhooks: Webhooks, on_delivery: Callable[[str, str], None]) -> None:
        """``on_delivery`` is called with the sink and an attempt's result: delivered, failed, dead or disabled."""
        self._engine = engine
        self._webhooks = webhooks
        self._on_delivery = on_delivery
        self._is_current = False
        self._stopping = threading.Event()
        self._at_work: set[str] = set()
        self._complaints: dict[str, str] = {}

    def turn(self, sink: str) -> None:
        """Send the events that are due to a sink, unless another replica holds its claim."""
        self._at_work.add(sink)
        try:
            if not self._stopping.is_set() and self._is_due(sink):
                self._serve(sink, self._webhooks.read_keys())
            self._complaints.pop(sink, None)
        except (MirrorError, UsageError) as error:
            if self._complaints.get(sink) != str(error):  # a repeated error is logged once, not twice a second
                log.error("events cannot be sent", sink=sink, error=str(error))  # noqa: TRY400 - one line, no traceback
            self._complaints[sink] = str(error)
        finally:
            self._at_work.discard(sink)

    def stop(self) -> None:
        """Begin no further request."""
        self._stopping.set()

    @property
    def busy(self) -> bool:
        """Whether a request may be under way."""
        return bool(self._at_work)

    def _is_due(self, sink: str) -> bool:
        if not self._is_current:
            self._is_current = revision.is_current(self._engine)
        return self._is_current and read(self._engine, lambda conn: events.is_due(conn, sink, clock(conn)))

    def _serve(self, sink: str, keys: Keys) -> None:
        """Deliver until nothing is left, a try fails, or another process has taken over."""

        def take(conn: Connection) -> tuple[Claim | None, list[Event]]:
            events.enroll(conn, sink)
            held = events.claim(conn, sink, clock(conn))
            return held, [] if held is None else events.after(conn, held.entry, BATCH)

        held, batch = self._write(take)
        while held is not None:
            for event in batch:
                outcome = self._webhooks.send(sink, event.id, event.body, keys[sink])
                if outcome.error is not None:
                    self._on_failure(held, outcome)
                    return
                keep = not self._stopping.is_set() and event is not batch[-1]
                held = self._write(partial(self._advance, held=held, keep=keep))
                self._on_delivery(sink, "delivered")
                if held is None:
                    break
            if self._stopping.is_set() or len(batch) < BATCH:
                return
            held, batch = self._write(take)

    @staticmethod
    def _advance(conn: Connection, *, held: Claim, keep: bool) -> Claim | None:
        return events.advance(conn, held, clock(conn), keep=keep)

    def _on_failure(self, held: Claim, outcome: Outcome) -> None:
        error, attempts = str(outcome.error), held.attempts + 1
        delay = delay_after(attempts, outcome.status)

        def work(conn: Connection) -> str:
            now = clock(conn)
            if outcome.status == GONE:
                events.disable(conn, held, error, now)
                return "disabled"
            if delay is None:
                events.give_up(conn, held, error, now)
                return "dead"
            events.fail(conn, held, error, now + timedelta(seconds=delay))
            return "failed"

        became = self._write(work)
        self._on_delivery(held.sink, became)
        entry = held.entry + 1
        log.warning("event not delivered", sink=held.sink, entry=entry, attempts=attempts, error=error, outcome=became)

    def _write(self, work: Callable[[Connection], T]) -> T:
        return retry_transient(lambda: write(self._engine, work))


def rewind(engine: Engine, sink: str, entry: int) -> int:
    """Send the events after ``entry`` again; returns how many. Raises UsageError for an entry that is not there yet."""

    def work(conn: Connection) -> int:
        newest = events.head(conn)
        if entry > newest:
            raise UsageError(f"the mirror has no entry {entry} yet; the newest one is {newest}")
        events.enroll(conn, sink)
        events.rewind(conn, sink, entry)
        return newest - entry

    return retry_transient(lambda: write(engine, work))


def redeliver(engine: Engine, webhooks: Webhooks, sink: str) -> Iterator[tuple[int, str | None]]:
    """Resume a sink and send its dead events again, in order; yields each entry and its error, None if delivered.

    The service may send newer events meanwhile: the dead ones are late in any case. Stops after the first failure.
    """
    keys = webhooks.read_keys()[sink]
    write(engine, lambda conn: events.resume(conn, sink))
    for row in read(engine, lambda conn: events.dead(conn, sink)):
        entry = row["entry"]
        event = read(engine, partial(events.one, entry=entry))
        if event is not None:
            outcome = webhooks.send(sink, event.id, event.body, keys)
            if outcome.error is None:
                write(engine, partial(_mark, sink=sink, entry=entry))
            yield entry, outcome.error
            if outcome.error is not None:
                return


def _mark(conn: Connection, *, sink: str, entry: int) -> None:
    events.mark_redelivered(conn, sink, entry, clock(conn))
