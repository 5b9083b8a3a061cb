"""Pages that no API should send, from bytes to rows: nothing crashes, nothing sound is lost, nothing secret is kept.

``make test`` tries a few hundred, the same ones each time. ``TPMIRROR_TEST_FUZZ_SECONDS=3600`` goes on with new ones
for so long.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy import select

from tests.support.account import environ
from tests.support.payloads import contents
from tests.support.strategies import CANARY, SOUND, Sent, pages, scanned
from tpmirror.config import load
from tpmirror.db import schema
from tpmirror.db.engine import connected, reading
from tpmirror.errors import TransientError
from tpmirror.sync.ingest import Ingestor
from tpmirror.sync.run import opened
from tpmirror.sync.session import quiet
from tpmirror.tensorpix.client import Api
from tpmirror.tensorpix.decode import ParsedJob, decode_job, decode_listing
from tpmirror.tensorpix.page import Page

pytestmark = pytest.mark.exhaustive

SECONDS: Final = float(os.environ.get("TPMIRROR_TEST_FUZZ_SECONDS", "0"))
EXAMPLES: Final = {"sqlite": 200, "postgresql": 60}
QUERY: Final = re.compile(rb'[a-z][a-z0-9+.-]*:[^"]*[?#]|ignature', re.IGNORECASE)
"""What an item may lose on its way into quarantine, whole or maimed."""


def fuzz(check: Callable[[Sent], None], examples: int) -> int:
    """Check pages: the same ones each time, then new ones while there is time; how many."""
    ends, checked = time.monotonic() + SECONDS, 0

    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # the mirror remembers what it was shown before: no smaller page tells the same story
    )  # fmt: skip
    @given(sent=pages())
    def run(sent: Sent) -> None:
        nonlocal checked
        checked += 1
        check(sent)

    for number in count():
        seed(number)(run)()
        if time.monotonic() >= ends:
            return checked
    return checked


class Mirror:
    """A mirror under a run that goes on for ever, and what was shown to it last."""

    def __init__(self, api: Api, run: Any) -> None:
        self.api, self.run = api, run

    def show(self, sent: Sent) -> list[ParsedJob] | None:
        """Mirror a page as a full sync would; its readable items, or None if it is no page."""
        try:
            listing = decode_listing(sent.body)
        except TransientError:
            return None
        # Nothing is remembered from page to page but what the database holds.
        ingestor = Ingestor(self.api, self.run.engine, self.run.scope, self.run, quiet)
        ingestor.pages([Page(listing, 100, 0, self.api.number(), self.api.number(), datetime.now(UTC))])
        return contents(listing)[0]

    def rows(self, name: str) -> dict[int, dict[str, Any]]:
        """Every row of a table, typed: what cannot be read back is no mirror."""
        with reading(self.run.engine) as conn:
            return {row["id"]: dict(row) for row in conn.execute(select(schema.metadata.tables[name])).mappings()}

    def leaks(self) -> list[str]:
        """Rows, in any table, that hold what must not be kept."""
        with reading(self.run.engine) as conn:
            found = [repr(row) for table in schema.metadata.sorted_tables for row in conn.execute(select(table))]
        return [row for row in found if f"ig={CANARY}" in row or f"ignature={CANARY}" in row]


@contextmanager
def mirror(url: str) -> Iterator[Mirror]:
    with connected(url) as engine, Api(load(environ("http://127.0.0.1:9"))) as api:
        sound = b",".join(b'{"id":%d,"status":2}' % number for number in SOUND)
        first = b'{"count":4,"results":[%s]}' % sound
        # Whatever owner a page shows, the account vouches for it.
        with (
            patch.object(Ingestor, "_vouches", return_value=True),
            opened(engine, "full", api, datetime.now(UTC)) as run,
        ):
            made = Mirror(api, run)
            made.show(Sent(first, {}, [], whole=True))
            yield made


def test_no_page_crashes_the_mirror_or_takes_a_sound_job_along(dialect, mirror_url, capsys):
    with mirror(mirror_url) as mirrored:

        def check(sent: Sent) -> None:
            items = mirrored.show(sent)
            jobs = mirrored.rows("jobs")
            for name in ("input_videos", "output_videos", "ml_models"):
                mirrored.rows(name)
            assert mirrored.leaks() == []
            if not sent.whole or items is None:
                return
            readable = {item.job.id for item in items}
            assert all(jobs[number]["description"] == sent.sound[number] for number in readable & set(SOUND))
            if all(map(scanned, sent.items)):  # a quote or bracket too many may take the next item along
                assert readable >= set(SOUND)
                for raw in sent.items:
                    check_item(mirrored, raw, readable)

        checked = fuzz(check, EXAMPLES[dialect])
    with capsys.disabled():
        if SECONDS:
            print(f"\n{dialect}: {checked:,} pages, no findings")  # noqa: T201 - the figure is what the long run is for


def check_item(mirrored: Mirror, raw: bytes, readable: set[int]) -> None:
    """An item is mirrored to the last column, or lies in quarantine as it came."""
    found = decode_job(raw)
    entries = mirrored.rows("quarantined_jobs").values()
    if isinstance(found, ParsedJob):
        assert found.job.id in readable
        assert found.job.id in mirrored.rows("jobs") or any(row["job_id"] == found.job.id for row in entries)
        return
    mine = [row["payload"].encode() for row in entries if row["job_id"] == found.id]
    assert mine
    if found.id is None and not QUERY.search(raw):
        assert scanned(raw) in map(scanned, mine)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_page_shown_twice_changes_nothing(mirror_url):
    with mirror(mirror_url) as mirrored:

        def check(sent: Sent) -> None:
            items = mirrored.show(sent)
            ids = [item.job.id for item in items or ()]
            if len(set(ids)) < len(sent.items):
                return  # one job, shown in two ways: each look settles it anew
            before = {name: mirrored.rows(name) for name in ("jobs", "quarantined_jobs", "field_changes")}
            mirrored.show(sent)
            assert {name: mirrored.rows(name) for name in before} == before

        fuzz(check, 100)
