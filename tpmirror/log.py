"""The log of the service: one line per event on stderr, for people on a terminal, as JSON elsewhere.

A module that logs takes ``logger(__name__)``; it is silent until ``configure`` has been called, so a library
call or a plain ``tpmirror sync`` logs nothing. A run binds its number, and every line that it logs carries the number.
"""

import logging
import re
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Final, TextIO

import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars

OURS: Final = "tpmirror"
_SECRETS: Final = (
    (re.compile(r"(?i)\b(token|bearer)\s++[\x21-\x7e]{6,}"), r"\1 ***"),
    (re.compile(r"(://[^/\s:@]*+):[^/\s@]++@"), r"\1:***@"),
    (re.compile(r"(https?://[^\s?]++)(?:\?[^\s'\")]++)?"), lambda url: url[1] if url[0] == url[1] else f"{url[1]}?***"),
)
"""Secrets in log lines, also in a library's, and their replacements: keys in headers, passwords and queries in URLs. A
URL without a query matches too, so that none of its parts is scanned again: each pattern takes linear time."""

logging.getLogger(OURS).addHandler(logging.NullHandler())


def logger(name: str) -> Any:
    """A structured logger: ``logger(__name__).info("full sync finished", jobs=3)``."""
    return structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Every line inside carries these values, such as the number of the run."""
    with bound_contextvars(**values):
        yield


def configure(form: str | None, level: str, stream: TextIO | None = None) -> None:
    """Send the log of this process to ``stream`` (stderr): ``console`` or ``json``, by terminal if ``form`` is None."""
    target = stream or sys.stderr
    pretty = form == "console" or (form is None and target.isatty())
    if pretty:
        shown: Any = structlog.dev.ConsoleRenderer(
            colors=target.isatty(),
            pad_event_to=0,
            sort_keys=False,
            timestamp_key="at",
            exception_formatter=structlog.dev.plain_traceback,
        )
    else:
        shown = structlog.processors.JSONRenderer(ensure_ascii=False)
    # Tracebacks as plain text: the pretty ones show local variables, and with them secrets.
    last: list[Any] = [structlog.processors.format_exc_info, *([_shorten] if pretty else [])]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_shared()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, conceal, _order, shown],
        )
    )
    # Other libraries log from WARNING on: httpcore's debug lines would show the key, urllib3's the address of an alert.
    logging.basicConfig(level=max(logging.WARNING, logging.getLevelName(level.upper())), handlers=[handler], force=True)
    logging.getLogger(OURS).setLevel(level.upper())
    # The service logs APScheduler's misfires from its events; APScheduler's own lines would log them twice.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def conceal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of every text of an event."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = concealed(value)
    return event


def concealed(text: str) -> str:
    """A text without keys, passwords and query strings."""
    for pattern, shown in _SECRETS:
        text = pattern.sub(shown, text)
    return text


def _order(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put the fields that lines have in common first."""
    first = [name for name in ("at", "level", "event", "run", "kind") if name in event]
    return {name: event[name] for name in [*first, *(name for name in event if name not in first)]}


def _shorten(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut the timestamp to its time of day, for people on a terminal."""
    return {**event, "at": event["at"][11:19]} if "at" in event else event


def _shared() -> list[Any]:
    return [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
