"""Seeded bugs: for each, a small scenario in which the mirror says what is not so, and its judge notices.

Each scenario is played twice, with the package as it is and with the bug: only the second may show anything wrong.
"""

import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from itertools import count
from math import inf
from pathlib import Path
from typing import Any, Final, TypeAlias
from unittest.mock import patch

import pytest
from sqlalchemy import Engine, event, func, insert, select, text, update

from tests.support.account import KEY, dump, mirror, pages, postdate, query, rows, settings, tamper
from tests.support.clocks import clocks
from tests.support.drifts import QUICK
from tests.support.notes import LIST
from tests.support.payloads import contents
from tests.support.program import until
from tests.support.simulation import Universe, Violation
from tests.support.simulation.lab import Lab
from tests.support.witness import Witness
from tpmirror.config import Settings, VanishLimit
from tpmirror.db import engine, lease, schema
from tpmirror.db.engine import connected, reading
from tpmirror.db.types import Row
from tpmirror.errors import LeaseLost, TpmirrorError
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.oddity import ABSENT, Oddity
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import history, jobs, runs
from tpmirror.store import quarantine as store_quarantine
from tpmirror.store.audit import audit
from tpmirror.store.changes import LastChange, Observation
from tpmirror.store.health import problems_of_mirror
from tpmirror.store.presence import DENIED, PresenceResult
from tpmirror.store.quarantine import Holding
from tpmirror.store.status import read_status
from tpmirror.sync import absence, certify, diff, full, ingest, presence, quarantine, run
from tpmirror.sync import poll as poll_module
from tpmirror.sync.absence import Questions
from tpmirror.sync.account import Scope
from tpmirror.sync.certify import SeenLog, Verdict, judge, judge_page
from tpmirror.sync.ingest import Ingestor
from tpmirror.sync.normalize import Rows
from tpmirror.sync.normalize import normalize as honest_normalize
from tpmirror.sync.poll import poll
from tpmirror.sync.session import Session
from tpmirror.tensorpix import caching, client, decode
from tpmirror.tensorpix.client import Api
from tpmirror.tensorpix.decode import ParsedJob
from tpmirror.tensorpix.page import Page, ids_of

pytestmark = pytest.mark.exhaustive

Play: TypeAlias = Callable[[str], list[str]]
"""A scenario on a database: what is wrong afterwards."""
Mutate: TypeAlias = Callable[[pytest.MonkeyPatch], None]

SIZE: Final = 10


@contextmanager
def account(jobs: int = 30, *, in_flight: int = 0, **options: Any) -> Iterator[Witness]:
    world = World(seed=6, jobs=jobs, in_flight=in_flight, jobs_per_day=0)
    with Simulator(world, token=KEY, **{"page_cap": SIZE, **options}) as sim:
        yield Witness(sim)


def look(witness: Witness, url: str, *, certify: bool = True, **options: Any) -> list[str]:
    """One sync, and what is wrong after it; a run that breaks down is wrong too."""
    try:
        run = mirror(witness.sim, url, certify=certify, **{**QUICK, "page_size": SIZE, **options})
    except Exception as error:  # noqa: BLE001 - a bug shows as it likes
        return [f"the run failed: {error!r}"]
    return witness.verdict(url, run)


# What happens


def a_quiet_list(url: str) -> list[str]:
    with account() as witness:
        return look(witness, url) + witness.differences(url)


def a_row_pushed_off_the_last_page(url: str) -> list[str]:
    """A job comes between the count and the rows of the last page, which says that nothing follows."""
    with account(20, ordering="id") as witness:

        def tear(world: World) -> None:
            if len(world.listed()) == 20 and len(witness.served) == 1:
                world.submit()

        witness.between = tear
        return look(witness, url, certify=False) + witness.differences(url)


def a_swap_behind_the_reader(url: str) -> list[str]:
    """Of an ascending list, after the count: a job that was read goes, another comes. One slips onto a read page."""
    with account(ordering="id", every=1) as witness:

        def swap(world: World, _number: int) -> None:
            if witness.served[-1].is_sample and len(world.ids()) == 30 and 1 in world.ids():
                world.delete(1)
                world.submit()

        wrong = look(witness, url)
        witness.sim.drift = swap
        return wrong + look(witness, url, concurrency=1) + witness.differences(url)


def a_server_that_caps_pages(url: str) -> list[str]:
    with account() as witness:
        return look(witness, url, certify=False, page_size=100) + witness.differences(url)


def a_job_that_leaves_the_list(url: str) -> list[str]:
    with account() as witness:
        first = look(witness, url)
        witness.world.hide(7)
        return first + look(witness, url) + witness.differences(url)


def an_api_that_denies_every_job(url: str) -> list[str]:
    """By id, while it lists them: a key or a server gone bad. One job did leave the list."""
    denial = Response.detail(404, "Not found.")
    with account() as witness:
        wrong = look(witness, url)
        witness.world.hide(7)
        witness.distort = lambda request, answer: answer if request.path == LIST else denial
        return wrong + look(witness, url)


def jobs_that_end_and_live_in_the_history(url: str) -> list[str]:
    """Alone: the answer by id is a 404 from then on."""
    with account(in_flight=2) as witness:
        witness.sim.active_only = witness.sim.archive = True
        wrong = look(witness, url)
        witness.world.finish(witness.world.listed(active_only=True)[0])
        run = mirror(witness.sim, url, **QUICK, page_size=SIZE)
    return wrong + [f"{run['jobs_gone']} ended jobs are marked gone"] * (run["jobs_gone"] > 0)


def many_jobs_vanish(url: str) -> list[str]:
    with account() as witness:
        wrong = look(witness, url)
        for job_id in witness.world.listed()[:12]:
            witness.world.delete(job_id)
        wrong += look(witness, url, vanish_limit=5)
    gone = query(url, "SELECT COUNT(*) FROM jobs WHERE presence = 'gone'")[0][0]
    return wrong + [f"{gone} jobs are marked gone at once"] * (gone > 5)


def a_server_that_fails_after_a_few_denials(url: str) -> list[str]:
    """Of forty jobs that vanished: by id it denies four in each run, then answers for listed ones alone."""
    denied = list[str]()

    def fail(request: Request, answer: Response) -> Response:
        denied.extend([request.path] if answer.status == 404 and request.path not in denied else [])
        return Response.detail(500, "later") if request.path in denied[4:] else answer

    with account(60, page_cap=100) as witness:
        wrong = look(witness, url)
        for job_id in witness.world.listed()[:40]:
            witness.world.delete(job_id)
        witness.sim.history, witness.distort = False, fail
        for _ in range(3):
            denied.clear()
            wrong += look(witness, url, vanish_limit=5, max_attempts=1)
    gone = query(url, "SELECT COUNT(*) FROM jobs WHERE presence = 'gone'")[0][0]
    return wrong + [f"{gone} jobs are marked gone, and nobody was asked"] * (gone > 0)


def a_few_jobs_vanish_in_each_run(url: str) -> list[str]:
    with account() as witness:
        wrong = look(witness, url)
        for some in (range(1, 5), range(5, 9)):
            for job_id in some:
                witness.world.delete(job_id)
            wrong += look(witness, url, vanish_limit=5)
    gone = query(url, "SELECT COUNT(*) FROM jobs WHERE presence = 'gone'")[0][0]
    return wrong + [f"{gone} jobs are marked gone in a day"] * (gone > 5)


def all_jobs_of_a_list_of_active_ones_end(url: str) -> list[str]:
    with account(8, in_flight=3, active_only=True) as witness:
        wrong = look(witness, url)
        for job_id in witness.world.listed(active_only=True):
            witness.world.finish(job_id)
        wrong += look(witness, url)
    certified = query(url, "SELECT COUNT(*) FROM sync_runs WHERE certified")[0][0]
    return wrong + ["an empty list of active jobs is not certified"] * (certified < 2)


def a_list_that_comes_up_empty(url: str) -> list[str]:
    """One of its jobs is in flight, and says so by its id."""
    with account(8, in_flight=1) as witness:
        wrong = look(witness, url)
        nothing: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
        witness.distort = lambda request, answer: Response.json(200, nothing) if request.path == LIST else answer
        run = mirror(witness.sim, url, **QUICK, page_size=SIZE)
    return wrong + ["an empty list is certified"] * run["certified"]


def a_page_that_contradicts_itself(url: str) -> list[str]:
    """It shows a job twice, the second time with another status; not at the end of the list, beyond its count."""

    def repeat(request: Request, answer: Response) -> Response:
        page = json.loads(answer.body)
        if request.path != LIST or request.query.get("offset") != str(SIZE):
            return answer
        return Response.json(200, {**page, "results": [*page["results"], {**page["results"][0], "status": -1}]})

    with account(3 * SIZE) as witness:
        witness.distort = repeat
        wrong = look(witness, url)
    certified = query(url, "SELECT COUNT(*) FROM sync_runs WHERE certified")[0][0]
    return wrong + ["a page that contradicts itself is certified"] * certified


def a_full_page_that_lost_its_last_row(url: str) -> list[str]:
    """A job comes between the count and the rows of the only page, and pushes the oldest off its end."""
    with account(SIZE) as witness:
        witness.between = lambda world: None if witness.served else world.submit()
        return look(witness, url) + look(witness, url) + witness.differences(url)


def an_answer_overtaken_by_a_newer_one(url: str) -> list[str]:
    """Two neighbouring pages in flight share a job. It starts between them, and the older one arrives last."""
    world = World(seed=6, jobs=60, in_flight=0, jobs_per_day=0)
    shared = world.submit()
    for _ in range(19):
        world.submit()
    counted, served = threading.Event(), threading.Event()
    with Simulator(world, token=KEY, page_cap=20) as sim:
        witness = Witness(sim)
        watch = witness.respond
        wrong = look(witness, url, page_size=20)

        def respond(request: Request) -> Response:
            offset = request.query.get("offset") if counted.is_set() else None
            if request.query.get("limit") == "1":
                counted.set()
            if offset == "19" and served.wait(20) and world.status(shared) == 0:
                world.start(shared)
            answer = watch(request)
            if offset == "0":
                served.set()
                until(lambda: query(url, f"SELECT status FROM jobs WHERE id = {shared}") == [(1,)])
            return answer

        sim.respond = respond
        return wrong + look(witness, url, page_size=20, concurrency=2)


def nothing_happens(url: str) -> list[str]:
    with account() as witness:
        wrong = look(witness, url)
        before = dump(url)
        witness.world.advance(1)
        wrong += look(witness, url)
    return wrong if dump(url) == before else [*wrong, "the mirror changed, the account did not"]


def a_rating(url: str) -> list[str]:
    with account() as witness:
        wrong = look(witness, url)
        witness.world.rate(next(job_id for job_id in witness.world.listed() if witness.world.status(job_id) == 2), 3)
        return wrong + look(witness, url)


def another_account_answers_in_mid_walk(url: str) -> list[str]:
    stranger = World(seed=9, jobs=25, owner=("other@example.com", 1), jobs_per_day=0)
    for job_id in stranger.ids():
        stranger.edit(job_id, {"id": job_id + 10**6})
    with account() as witness:
        wrong = look(witness, url)
        witness.world.submit()

        def switch(_world: World, _number: int) -> None:
            witness.sim.world = stranger

        witness.sim.drift, witness.sim.every = switch, 2
        with suppress(TpmirrorError):
            mirror(witness.sim, url, **QUICK, page_size=SIZE)
    foreign = query(url, f"SELECT COUNT(*) FROM jobs WHERE id > {10**6}")[0][0]
    return wrong + [f"{foreign} jobs of another account are mirrored"] * (foreign > 0)


def another_account_that_shares_a_job(url: str) -> list[str]:
    """On the one page that it lists, besides its own."""
    stranger = World(seed=9, jobs=25, owner=("other@example.com", 1), jobs_per_day=0)
    for job_id in stranger.ids():
        stranger.edit(job_id, {"id": job_id + 10**6})
    with account(page_cap=None) as witness:
        wrong, ours = look(witness, url, page_size=100), witness.world.job(30)
        foreign: dict[str, Any] = {"count": 26, "next": None, "previous": None}
        foreign["results"] = [*map(stranger.job, stranger.ids()), ours]
        denial = Response.detail(404, "Not found.")
        witness.sim.respond = lambda request: Response.json(200, foreign) if request.path == LIST else denial
        with suppress(TpmirrorError):
            mirror(witness.sim, url, **QUICK)
    held = query(url, f"SELECT COUNT(*) FROM jobs WHERE id > {10**6}")[0][0]
    return wrong + [f"{held} jobs of another account are mirrored"] * (held > 0)


def a_wrong_owner_that_is_shown_once(url: str) -> list[str]:
    with account(8) as witness:
        wrong = look(witness, url)
        show(witness, 2, input_video__owner="other@example.com")
        wrong += look(witness, url)
    owners = query(url, "SELECT value FROM mirror_scope WHERE value = 'other@example.com'")
    return wrong + ["a wrong owner is one of this account from now on"] * len(owners)


def a_run_that_is_killed(url: str) -> list[str]:
    """In mid-sync; the next one starts at once."""
    with Lab() as lab:
        lab.sync(url, doom=60)
        run = lab.sync(url)
        wrong = [f"the next run failed: {run.error!r}"] if run.error else []
    left = query(url, "SELECT COUNT(*) FROM sync_runs WHERE outcome = 'running'")[0][0]
    return wrong + [f"{left} runs are left running"] * (left > 0)


def a_writer_that_slept(url: str) -> list[str]:
    """With an answer in its hands, for longer than its lease; meanwhile another one took over."""
    with Lab() as lab:
        lab.sync(url)
        sleeper = lab.start(url, host="studio-1")
        lab.start(url, host="studio-2", after=600)

        def sleep() -> None:
            if lab.machine.process is sleeper and lab.machine.monotonic() < 600:
                lab.machine.sleep(1000)
                lab.happen()

        lab.network.happen = sleep
        lab.happen()
        lab.machine.run()
        return lab.disk.wrong + ["the sleeper went on"] * (sleeper.error is None)


def killed_anywhere(url: str) -> list[str]:
    """At every touch, a few at a time; afterwards every job has its history."""
    with Lab() as lab:
        for doom in range(1, 130):
            lab.happen()
            lab.sync(url, doom=doom)
        run = lab.sync(url)
    bare = query(url, "SELECT COUNT(*) FROM jobs WHERE id NOT IN (SELECT job_id FROM job_status_history)")[0][0]
    with connected(url) as engine, reading(engine) as conn:
        found = [finding["finding"] for finding in audit(conn).findings]
    return [f"{bare} jobs have no history"] * (bare > 0) + found + [f"it failed: {run.error}"] * bool(run.error)


def struck_anywhere(url: str) -> list[str]:
    """At a few touches the database or the network fails once: no run does."""
    with Lab() as lab:
        runs = []
        for touch in range(1, 60, 3):
            lab.happen()
            runs.append(lab.sync(url, strike=touch))
    return [f"a run failed: {run.error}" for run in runs if run.error]


def a_busy_server(url: str) -> list[str]:
    """It asks to be left alone for five minutes."""
    with Lab() as lab:
        lab.backend.throttle(1, retry_after=300)
        run = lab.sync(url)
        waited = lab.machine.monotonic()
    return [f"asked again after {waited:.0f} s, not 300"] * (waited < 300) + [str(run.error)] * bool(run.error)


def rows_in_order(url: str) -> list[str]:
    """Two writers that lock rows in different orders would lock one another out."""
    wrong = list[str]()

    def watch(_conn: Any, _cursor: Any, statement: str, rows: Any, _context: Any, many: bool) -> None:
        if many and statement.startswith(("INSERT INTO jobs", "INSERT INTO input_videos", "INSERT INTO output_videos")):
            ids = [row[0] for row in rows]
            wrong.extend([f"rows in the order {ids}"] if ids != sorted(ids) else [])

    event.listen(Engine, "before_cursor_execute", watch)
    try:
        return a_quiet_list(url) + wrong
    finally:
        event.remove(Engine, "before_cursor_execute", watch)


def a_job_that_comes_back(url: str) -> list[str]:
    with account() as witness:
        wrong = look(witness, url)
        witness.world.hide(7)
        wrong += look(witness, url)
        witness.world.restore(7)
        return wrong + look(witness, url) + witness.differences(url)


def a_new_job_that_a_stale_sync_marked_gone(url: str) -> list[str]:
    """Its list and its answer by id were those of a moment before; a poll sees the job at work, and its cost."""
    with account() as witness:
        wrong = look(witness, url)
        new = witness.world.submit()
        wrong += look(witness, url)
        witness.world.delete(new)
        wrong += look(witness, url)
        witness.world.restore(new)
        witness.world.start(new)
        poll(settings(witness.sim, url))
        held = rows(url, "jobs", id=new)[0]
    return wrong + [f"job {new} is at work, the mirror says {held['presence']}"] * (held["presence"] != "listed")


class AnHourAgo(datetime):
    """A clock that was set back."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) - timedelta(hours=1)


def a_clock_that_is_set_back(url: str) -> list[str]:
    """Between two looks; meanwhile a job ends."""
    with account(in_flight=1) as witness:
        wrong = look(witness, url)
        witness.world.finish(witness.world.listed(active_only=True)[0])
        with patch.object(client, "datetime", AnHourAgo):
            return wrong + look(witness, url, certify=False)


# What the API shows and no column holds


@contextmanager
def odd_account(url: str, **options: Any) -> Iterator[tuple[Witness, Callable[[], list[str]]]]:
    """An account, mirrored as it is; a sync of it, by a client that asks one by one, tells what is wrong."""
    with account(8, **options) as witness:
        witness.strict = True
        sync = partial(look, witness, url, concurrency=1)
        assert sync() == []
        yield witness, sync


def show(witness: Witness, job_id: int, **fields: Any) -> None:
    """Let a job show these values, and no others that are odd; of its videos by ``input_video__name``."""
    shown = [Oddity(tuple(name.split("__")), value) for name, value in fields.items()]
    witness.world.distort(job_id, *shown)


def values_that_no_column_holds(url: str) -> list[str]:
    """Each of another kind or range, in mid-life; then all is mended."""
    with odd_account(url) as (witness, sync):
        show(witness, 2, cost_usd="a lot", started=1790000000, input_video__width="wide", ml_models=[7])
        show(witness, 3, status="done", input_video=[], grain=1e16, description={})
        wrong = sync()
        for job_id in (2, 3):
            show(witness, job_id)
        return wrong + sync() + witness.differences(url)


def one_fault_after_another(url: str) -> list[str]:
    """Of one field; the first is accepted. Meanwhile another field of the job changes."""
    with odd_account(url) as (witness, sync):
        show(witness, 2, finished="yesterday")
        wrong = sync()
        with connected(url) as opened:
            quarantine.accept(opened, quarantine.Selection())
        witness.judge.accept(rows(url, "quarantined_jobs", resolved_at=None))
        show(witness, 2, finished="yesterday", description="another")
        wrong += sync() + (["accepted, and not certified"] if not rows(url, "sync_runs")[-1]["certified"] else [])
        show(witness, 2, finished=[])
        return wrong + sync()


def keys_that_come_and_go(url: str) -> list[str]:
    """As where the list and the answers by id do not show the same."""
    with odd_account(url) as (witness, sync):
        show(witness, 2, finished=ABSENT, codec=ABSENT, input_video=ABSENT, only_listed=1)
        wrong = sync()
        show(witness, 2, cost_usd=ABSENT, ml_models=None, only_by_id=2)
        return wrong + sync()


def a_fault_of_which_the_next_answer_says_nothing(url: str) -> list[str]:
    with odd_account(url) as (witness, sync):
        show(witness, 2, finished="yesterday")
        wrong = sync()
        show(witness, 2, finished=ABSENT)
        return wrong + sync()


def a_new_job_without_a_status(url: str) -> list[str]:
    with odd_account(url) as (witness, sync):
        show(witness, witness.world.submit(), status=ABSENT)
        return sync()


def a_progress_that_is_no_number(url: str) -> list[str]:
    with odd_account(url, in_flight=1) as (witness, sync):
        show(witness, 8, processing_progress="half", eta_s=[])
        return sync() + witness.unsettled(url, rows(url, "sync_runs")[-1])


def a_poll_of_what_no_column_holds(url: str) -> list[str]:
    with odd_account(url, in_flight=1) as (witness, _):
        show(witness, 8, started="yesterday")
        return witness.verdict(url, poll(settings(witness.sim, url, concurrency=1)))


def a_certificate_of_version_0_1(url: str) -> list[str]:
    """It proves ids, and says nothing of what is held."""
    with odd_account(url):
        tamper(url, 'UPDATE sync_runs SET certificate = \'{"method": "single page", "counted_at": "2026-11-01"}\'')
    with connected(url) as opened, reading(opened) as conn:
        return ["a certificate that says nothing of what is held makes it fresh"] * bool(
            runs.last(conn, runs.CERTIFIED)
        )


def a_clock_a_year_ahead(url: str) -> list[str]:
    """During one sync, which is certified; then it is set right."""
    with account(8) as witness:
        wrong = look(witness, url)
    postdate(url, 365)
    with connected(url) as opened, reading(opened) as conn:
        problems = problems_of_mirror(read_status(conn), Settings(), datetime.now(UTC))
    return wrong + ["a proof of next year makes the mirror fresh"] * (not problems)


def a_clock_that_was_ahead(url: str) -> list[str]:
    """In the run before the one that sees a job end."""
    with account(8, in_flight=1) as witness:
        wrong = look(witness, url)
        postdate(url, 1)
        (job_id,) = witness.world.listed(active_only=True)
        witness.world.finish(job_id)
        ended = datetime.now(UTC)
        wrong += look(witness, url)
    entry = rows(url, "job_status_history", job_id=job_id)[-1]
    return wrong + [f"it ended at {ended}, the history says not before {entry['not_before']}"] * (
        entry["not_before"] > ended
    )


def a_clock_that_was_ahead_of_the_apis(url: str) -> list[str]:
    """In the run before the one that sees a job end, an hour later."""
    with account(8, in_flight=1) as witness:
        mirror(witness.sim, url)
        with clocks(witness.sim, ahead=400):
            mirror(witness.sim, url)
        (job_id,) = witness.world.listed(active_only=True)
        witness.world.finish(job_id)
        ended = datetime.now(UTC)
        with clocks(witness.sim, later=3600):
            mirror(witness.sim, url)
    entry = rows(url, "job_status_history", job_id=job_id)[-1]
    is_wrong = ended < entry["not_before"] < entry["observed_at"]
    return [f"it ended at {ended}, the history says not before {entry['not_before']}"] * is_wrong


def a_change_after_the_first_answer(url: str) -> list[str]:
    """A job starts between two pages of a sync that both show it."""
    with account(in_flight=1) as witness:
        wrong = look(witness, url)
        (job_id,) = witness.world.listed(active_only=True)
        before = len(witness.served)

        def end(world: World) -> None:
            if len(witness.served) == before + 1 and world.status(job_id) != 2:
                world.finish(job_id)

        witness.between = end
        wrong += look(witness, url, concurrency=1)
    entry = rows(url, "job_status_history", job_id=job_id)[-1]
    began = rows(url, "sync_runs")[-1]["started_at"]
    return wrong + ["the history forgot a sighting of the same run"] * (entry["not_before"] <= began)


def a_mirror_that_went_back_in_time(url: str) -> list[str]:
    """While a writer waits for its first page; another one, of its number and epoch, is done before it goes on."""
    with account(8) as witness:
        wrong, before, waiting = look(witness, url), rows(url, "writer_lease")[0], iter([True])

        def respond(request: Request) -> Response:
            if next(waiting, False):
                tamper(url, "DELETE FROM sync_runs WHERE outcome = 'running'")
                with connected(url) as opened:
                    engine.write(opened, lambda conn: conn.execute(update(schema.writer_lease).values(before)))
                mirror(witness.sim, url, **QUICK, page_size=SIZE)
            return witness.respond(request)

        witness.sim.respond = respond
        try:
            mirror(witness.sim, url, **QUICK, page_size=SIZE)
        except LeaseLost:
            return wrong
    return [*wrong, "a writer from before the mirror went back went on"]


def rows_that_the_database_lost(url: str) -> list[str]:
    """In mid-sync, as by a crash that forgot what was committed; the list shows those jobs no more in this run."""
    with account() as witness:

        def lose(_world: World) -> None:
            if len(witness.served) == 3:
                with connected(url) as opened, opened.connect() as conn:
                    for (name,) in conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                        conn.execute(text(f"DROP TRIGGER {name}"))
                    conn.commit()
                tamper(url, "DELETE FROM job_status_history WHERE entry <= 5")

        witness.between = lose
        run = mirror(witness.sim, url, **QUICK, page_size=SIZE, concurrency=1)
    return ["certified, and rows of the run are lost"] * bool(run["certified"])


def a_cache_that_serves_old_pages(url: str) -> list[str]:
    """It says how old they are. Between two syncs a job ends."""
    kept: dict[str, Response] = {}
    with account(in_flight=1) as witness:

        def store(request: Request, answer: Response) -> Response:
            old = kept.setdefault(request.target, answer)
            return answer if old is answer else replace(old, headers={**old.headers, "Age": "60"})

        witness.sim.respond = lambda request: store(request, witness.sim.answer(request))
        mirror(witness.sim, url, **QUICK, page_size=SIZE)
        witness.world.finish(witness.world.listed(active_only=True)[0])
        run = mirror(witness.sim, url, **QUICK, page_size=SIZE)
        return witness.differences(url) + ["not certified"] * (not run["certified"])


def a_count_that_is_one_too_high(url: str) -> list[str]:
    """For ever; the list itself does not move."""
    with account() as witness:
        pages(lambda page, _: page.update(count=page["count"] + 1), witness.sim)
        run = mirror(witness.sim, url, **QUICK, page_size=SIZE)
    reason = json.loads(run["certificate"])["reason"]
    return [] if "counts 31 jobs, 30 were shown" in reason else [f"not certified for {reason}"]


def days(seed: int) -> Play:
    """Days with everything that can go wrong, until something is."""

    def some_days(_url: str) -> list[str]:
        with tempfile.TemporaryDirectory() as folder, Universe(seed, Path(folder)) as universe:
            try:
                universe.live(4)
            except Violation as found:
                return [str(found)]
        return []

    some_days.__name__ = f"days_of_seed_{seed}"
    return some_days


# Bugs


def lose_a_row_per_page(patch: pytest.MonkeyPatch) -> None:
    honest = Ingestor.pages

    def lossy(self: Ingestor, arrived: Sequence[Page]) -> None:
        honest(self, [replace(page, listing=replace(page.listing, items=page.listing.items[:-1])) for page in arrived])

    patch.setattr(Ingestor, "pages", lossy)


def stop_where_next_is_null(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Page, "is_last", property(lambda self: self.listing.next is None))


def step_by_what_was_asked_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Page, "end", property(lambda self: self.offset + self.limit))


def take_absence_for_deletion(patch: pytest.MonkeyPatch) -> None:
    def resolve_presence(
        _opened: Any, absent: set[int] | None, _present: object
    ) -> tuple[dict[int, PresenceResult], str | None]:
        return {job_id: PresenceResult("gone", DENIED, datetime.now(UTC)) for job_id in absent or ()}, None

    patch.setattr(full, "resolve_presence", resolve_presence)


def trust_two_counts_that_agree(patch: pytest.MonkeyPatch) -> None:
    def trusting(seen: SeenLog, void_reasons: Iterable[str] = ()) -> Verdict:
        verdict = judge(seen, void_reasons)
        agreed = len({count.jobs for count in seen._counts}) == 1
        return replace(verdict, holds=True, reason=None) if agreed else verdict

    patch.setattr(full, "judge", trusting)


def let_older_answers_win(patch: pytest.MonkeyPatch) -> None:
    honest = Ingestor.pages

    def forgetful(self: Ingestor, arrived: Sequence[Page]) -> None:
        seen = dict(self.answered)
        self.answered.clear()
        honest(self, arrived)
        self.answered = {**seen, **self.answered}

    patch.setattr(Ingestor, "pages", forgetful)


def keep_repeated_jobs(patch: pytest.MonkeyPatch) -> None:
    def pages(self: Ingestor, arrived: Sequence[Page]) -> None:
        for page in arrived:
            shown = contents(page.listing)[0]
            self._store([Observation(item, page.at, page.sent, page.received) for item in shown])

    patch.setattr(Ingestor, "pages", pages)


def fingerprint_whole_urls(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(decode, "cut_queries", bytes)


def ignore_doubts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(full, "judge", lambda seen, _void_reasons=(): judge(seen))
    patch.setattr(full, "judge_page", lambda listed, ids, count, _void_reasons=(): judge_page(listed, ids, count))


def ask_no_canary(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(presence, "probe_answers", lambda *_asked: True)


def ask_no_history(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Api, "in_history", lambda _self, _job_id: False)


def know_no_limit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(VanishLimit, "of", lambda _self, _listed: 10**6)


def count_denials_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(absence, "counted", lambda questions, answers: questions.marked + len(answers.denied(questions)))


def count_each_run_alone(patch: pytest.MonkeyPatch) -> None:
    honest = Questions.of
    patch.setattr(Questions, "of", lambda *asked: replace(honest(*asked), marked=0))


def believe_any_empty_list(patch: pytest.MonkeyPatch) -> None:
    for module in (absence, presence):
        patch.setattr(module, "doubt_of", lambda _questions, _answers: None)


def believe_no_empty_list(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(presence, "doubt_of", lambda questions, _answers: "nothing is listed" if questions.listed else None)


def admit_all_pages_after_the_first(patch: pytest.MonkeyPatch) -> None:
    honest, admitted = Ingestor._check_account, set[Ingestor]()

    def careless(self: Ingestor, *page: Any) -> None:
        if self not in admitted:
            admitted.add(self)
            honest(self, *page)

    patch.setattr(Ingestor, "_check_account", careless)


def take_one_shared_job_for_a_proof(patch: pytest.MonkeyPatch) -> None:
    honest = Ingestor._is_proven

    def careless(self: Ingestor, page: Page, *asked: Any) -> bool:
        return bool(self.sink.fingerprints(set(ids_of(page)))) or honest(self, page, *asked)

    patch.setattr(Ingestor, "_is_proven", careless)


def learn_whatever_owner_is_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ingest, "news_of", lambda claims, _known, _held: {claim.owner for claim in claims})


def record_a_status_that_did_not_change(patch: pytest.MonkeyPatch) -> None:
    honest = diff.Differ.status

    def talkative(self: Any, look: Observation, row: Row, known: Row | None) -> None:
        honest(self, look, row, known)
        if known is not None and known["status"] == row["status"]:
            told = {"job_id": row["id"], "from_status": row["status"], "to_status": row["status"]}
            times = {"not_before": look.at, "observed_at": look.at, "occurred_at": None}
            self.changes.history.append({**told, **times, "seq": 2, "sync_run_id": self.run_id})

    patch.setattr(diff.Differ, "status", talkative)


def accept_fewer_than_counted(patch: pytest.MonkeyPatch) -> None:
    def lenient(seen: SeenLog, void_reasons: Iterable[str] = ()) -> Verdict:
        verdict = judge(seen, void_reasons)
        fewer = verdict.proven < verdict.count.jobs
        return replace(verdict, holds=True, reason=None) if fewer else verdict

    patch.setattr(full, "judge", lenient)


def trust_any_page_that_holds_as_many_as_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(full.ListReader, "fits_a_page", lambda self: len(self.first.listing) == self.first.listing.count)
    patch.setattr(Page, "is_last", property(lambda self: self.end >= self.listing.count))


def take_a_full_page_for_the_last(patch: pytest.MonkeyPatch) -> None:
    def is_last(self: Page) -> bool:
        full = len(self.listing) <= self.served_limit  # where it has to be less
        return full and self.listing.next is None and self.end >= self.listing.count

    patch.setattr(Page, "is_last", property(is_last))


def ignore_retry_after(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(client, "retry_after", lambda *_: None)


def ask_only_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Api, "_retry", lambda _self, attempt: attempt())


def try_no_transaction_again(patch: pytest.MonkeyPatch) -> None:
    for module in (engine, run):
        patch.setattr(module, "retry_transient", lambda work: work())


def store_history_afterwards(patch: pytest.MonkeyPatch) -> None:
    """In a transaction of its own."""
    honest, append = run.Run.commit, jobs._append

    def commit(self: Any, *batch: Any) -> Any:
        later: list[Row] = []
        patch.setattr(jobs, "_append", lambda _conn, rows: later.extend(rows))
        made = honest(self, *batch)
        engine.write(self.engine, lambda conn: append(conn, later))
        return made

    patch.setattr(run.Run, "commit", commit)


def write_in_any_order(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(jobs, "sorted", lambda keys: sorted(keys, key=lambda key: key % 7), raising=False)


def leave_dead_runs_running(patch: pytest.MonkeyPatch) -> None:
    def careless(conn: Any, kind: str, holder: str, started_at: datetime, api: Any) -> Any:
        table, scope = schema.sync_runs, Scope(conn, api.origin, api.owners)
        held = lease.acquire(conn, holder)
        row = insert(table).values(kind=kind, outcome="running", certified=False, started_at=started_at, covered=False)
        run_id = conn.execute(row.returning(table.c.id)).scalar_one()
        return run.Begun(held, run_id, started_at, history.heads(conn), scope)

    patch.setattr(run, "_open", careless)


def wait_for_the_dead(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lease, "is_dead", lambda _holder: False)


def overlook_who_comes_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run, "returned", lambda _away, _where: {})


def wait_for_a_full_sync_to_take_gone_back(patch: pytest.MonkeyPatch) -> None:
    honest = poll_module.refresh

    def forgetful(opened: Session, *asked: Any) -> Any:
        found = honest(opened, *asked)
        opened.ingestor._where.clear()
        return found

    patch.setattr(poll_module, "refresh", forgetful)


def check_no_lease(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lease.Lease, "check", lambda _lease, _conn: None)


def claim_to_have_seen_it_just_now(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(diff.Differ, "last_seen", lambda _self, _known, _changed, at: at)


def turn_back_with_the_clock(patch: pytest.MonkeyPatch) -> None:
    honest = diff.Differ.status

    def naive(self: Any, look: Observation, row: Row, known: Row | None) -> None:
        honest(self, look, row, known)
        if known is not None and known["status"] != row["status"]:
            last = self.changes.history[-1]
            last["observed_at"] = look.at
            last["not_before"] = min(last["not_before"], look.at)

    patch.setattr(diff.Differ, "status", naive)


def reading_otherwise(patch: pytest.MonkeyPatch, alter: Callable[[ParsedJob, Rows], None]) -> None:
    """Let something happen to the rows of each answer."""

    def normalize(item: ParsedJob) -> Rows:
        found = honest_normalize(item)
        alter(item, found)
        return found

    patch.setattr(run, "normalize", normalize)


def hold_null_instead(patch: pytest.MonkeyPatch) -> None:
    def alter(_item: ParsedJob, found: Rows) -> None:
        found.job |= {
            name.removeprefix("job."): None for name in found.faults if name in {"job.cost_usd", "job.started"}
        }

    reading_otherwise(patch, alter)


def take_missing_keys_for_null(patch: pytest.MonkeyPatch) -> None:
    def alter(_item: ParsedJob, found: Rows) -> None:
        missing = {"finished", "codec", "cost_usd"} - {name.removeprefix("job.") for name in found.faults}
        found.job = {**dict.fromkeys(missing), **found.job}

    reading_otherwise(patch, alter)


def drop_links_where_models_are_null(patch: pytest.MonkeyPatch) -> None:
    def alter(item: ParsedJob, found: Rows) -> None:
        if item.job.ml_models is None:
            found.model_ids = []

    reading_otherwise(patch, alter)


def record_what_is_not_held(patch: pytest.MonkeyPatch) -> None:
    honest = diff.Differ.faults

    def talkative(self: Any, job_id: int, found: Rows, observation: Observation) -> None:
        honest(self, job_id, found, observation)
        for name, fault in found.faults.items():
            self.change("job", job_id, name.removeprefix("job."), None, fault.reason, observation.at)

    patch.setattr(diff.Differ, "faults", talkative)


def noting_otherwise(patch: pytest.MonkeyPatch, alter: Callable[[dict[Any, Row], str, str, str], None]) -> None:
    """Let something happen to the entries of a job before one is noted: of a field, a kind of fault, a payload."""
    honest = diff.Differ.quarantine

    def note(self: Any, job_id: int, name: str, kind: str, reason: str, payload: str, at: datetime) -> None:
        alter(self.known.quarantine.setdefault(job_id, {}), name, kind, payload)
        honest(self, job_id, name, kind, reason, payload, at)

    patch.setattr(diff.Differ, "quarantine", note)


def open_an_entry_for_each_payload(patch: pytest.MonkeyPatch) -> None:
    def alter(entries: dict[Any, Row], name: str, _kind: str, payload: str) -> None:
        if name in entries and entries[name]["payload"] != payload:
            del entries[name]

    noting_otherwise(patch, alter)


def accept_whatever_the_kind(patch: pytest.MonkeyPatch) -> None:
    def alter(entries: dict[Any, Row], name: str, kind: str, _payload: str) -> None:
        if name in entries:
            entries[name] = {**entries[name], "fault": kind}

    noting_otherwise(patch, alter)


def certify_what_is_incomplete(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Holding, "is_whole", property(lambda self: self.unreadable <= self.accepted))


def certify_what_is_unreadable(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Holding, "is_whole", property(lambda self: self.incomplete <= self.accepted))


def note_no_job_without_a_row(patch: pytest.MonkeyPatch) -> None:
    honest = diff.Differ.faults

    def careless(self: Any, job_id: int, found: Rows, observation: Observation) -> None:
        if job_id in self.known.jobs or "status" in found.job:
            honest(self, job_id, found, observation)

    patch.setattr(diff.Differ, "faults", careless)


def resolve_what_is_not_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(diff, "says_nothing_of", lambda _rows, _name: False)


def overwrite_unknown_keys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(diff, "joined", lambda _known, row: row)


def hold_back_for_progress(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(store_quarantine, "VOLATILE", frozenset())
    patch.setattr(store_quarantine, "_COUNTS", store_quarantine._IS_OPEN)


def cover_what_is_not_held(patch: pytest.MonkeyPatch) -> None:
    honest = run._judgement
    patch.setattr(run, "_judgement", lambda found, held: {**honest(found, held), "covered": found.covered})


def trust_old_certificates(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(runs, "CERTIFIED", schema.sync_runs.c.certified)


def trust_a_proof_of_any_date(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(runs, "AHEAD", timedelta(days=10_000))


def take_a_moment_to_come_for_just_now(patch: pytest.MonkeyPatch) -> None:
    def last_seen(self: Any, _known: Row, sightings: tuple[LastChange, Any], at: datetime) -> datetime:
        changed_at = sightings[0].at
        return min(max(self.known.listed_covered_at or changed_at, changed_at), at)

    patch.setattr(
        runs,
        "covered_since",
        lambda conn, _kind: conn.execute(
            select(func.max(schema.sync_runs.c.started_at)).where(schema.sync_runs.c.covered)
        ).scalar(),
    )
    patch.setattr(diff.Differ, "last_seen", last_seen)


def trust_any_clock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(runs, "SKEW", inf)


def trust_the_epoch_alone(patch: pytest.MonkeyPatch) -> None:
    mine = property(lambda self: schema.writer_lease.c.epoch == self.epoch)
    patch.setattr(lease.Lease, "_mine", mine)


def read_nothing_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run.RunResult, "without", lambda self, _lost: self)


def believe_a_cache(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(caching.CacheGuard, "reason", lambda *_, **__: None)


def forget_what_this_run_saw(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        ingest, "Observation", lambda item, at, sent, received, _shown_at: Observation(item, at, sent, received)
    )


def blame_a_list_that_moved(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(certify, "_wrong_count", lambda *_: None)


MUTANTS: Final[list[tuple[Mutate, Play]]] = [
    (lose_a_row_per_page, a_quiet_list),
    (stop_where_next_is_null, a_row_pushed_off_the_last_page),
    (step_by_what_was_asked_for, a_server_that_caps_pages),
    (take_absence_for_deletion, a_job_that_leaves_the_list),
    (trust_two_counts_that_agree, a_swap_behind_the_reader),
    (let_older_answers_win, an_answer_overtaken_by_a_newer_one),
    (keep_repeated_jobs, a_page_that_contradicts_itself),
    (fingerprint_whole_urls, nothing_happens),
    (ignore_doubts, a_page_that_contradicts_itself),
    (believe_any_empty_list, a_list_that_comes_up_empty),
    (believe_no_empty_list, all_jobs_of_a_list_of_active_ones_end),
    (count_denials_alone, a_server_that_fails_after_a_few_denials),
    (count_each_run_alone, a_few_jobs_vanish_in_each_run),
    (ask_no_canary, an_api_that_denies_every_job),
    (ask_no_history, jobs_that_end_and_live_in_the_history),
    (know_no_limit, many_jobs_vanish),
    (admit_all_pages_after_the_first, another_account_answers_in_mid_walk),
    (take_one_shared_job_for_a_proof, another_account_that_shares_a_job),
    (learn_whatever_owner_is_shown, a_wrong_owner_that_is_shown_once),
    (record_a_status_that_did_not_change, a_rating),
    (accept_fewer_than_counted, a_swap_behind_the_reader),
    (trust_any_page_that_holds_as_many_as_counted, a_full_page_that_lost_its_last_row),
    (take_a_full_page_for_the_last, a_row_pushed_off_the_last_page),
    (ignore_retry_after, a_busy_server),
    (ask_only_once, a_busy_server),
    (try_no_transaction_again, struck_anywhere),
    (store_history_afterwards, killed_anywhere),
    (write_in_any_order, rows_in_order),
    (leave_dead_runs_running, a_run_that_is_killed),
    (wait_for_the_dead, a_run_that_is_killed),
    (overlook_who_comes_back, a_job_that_comes_back),
    (wait_for_a_full_sync_to_take_gone_back, a_new_job_that_a_stale_sync_marked_gone),
    (check_no_lease, a_writer_that_slept),
    (claim_to_have_seen_it_just_now, days(3)),
    (turn_back_with_the_clock, a_clock_that_is_set_back),
    (hold_null_instead, values_that_no_column_holds),
    (record_what_is_not_held, values_that_no_column_holds),
    (certify_what_is_incomplete, values_that_no_column_holds),
    (take_missing_keys_for_null, keys_that_come_and_go),
    (drop_links_where_models_are_null, keys_that_come_and_go),
    (overwrite_unknown_keys, keys_that_come_and_go),
    (open_an_entry_for_each_payload, one_fault_after_another),
    (accept_whatever_the_kind, one_fault_after_another),
    (resolve_what_is_not_shown, a_fault_of_which_the_next_answer_says_nothing),
    (certify_what_is_unreadable, a_new_job_without_a_status),
    (note_no_job_without_a_row, a_new_job_without_a_status),
    (hold_back_for_progress, a_progress_that_is_no_number),
    (cover_what_is_not_held, a_poll_of_what_no_column_holds),
    (trust_old_certificates, a_certificate_of_version_0_1),
    (trust_a_proof_of_any_date, a_clock_a_year_ahead),
    (blame_a_list_that_moved, a_count_that_is_one_too_high),
    (forget_what_this_run_saw, a_change_after_the_first_answer),
    (trust_the_epoch_alone, a_mirror_that_went_back_in_time),
    (read_nothing_back, rows_that_the_database_lost),
    (believe_a_cache, a_cache_that_serves_old_pages),
    (take_a_moment_to_come_for_just_now, a_clock_that_was_ahead),
    (trust_any_clock, a_clock_that_was_ahead_of_the_apis),
]


@pytest.fixture
def urls(migrated_file: Path, tmp_path: Path) -> Iterator[str]:
    """Mirrors that hold nothing yet, as many as wanted."""
    return (f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / f'{number}.db')}" for number in count(1))


@pytest.fixture(scope="module")
def played() -> set[Play]:
    """The scenarios in which nothing is wrong without a bug: several bugs share one."""
    return set()


@pytest.mark.parametrize(("mutate", "play"), MUTANTS, ids=lambda part: part.__name__)
def test_a_seeded_bug_shows_and_nothing_else_does(mutate, play, urls, played, monkeypatch):
    if play not in played:
        assert play(next(urls)) == []
        played.add(play)
    mutate(monkeypatch)
    assert play(next(urls)) != []
