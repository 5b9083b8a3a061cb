"""Any wrong value, in any field, at any time: what is held, noted, booked and certified is what the contract says.

``make test-all`` tries a few hundred lives, the same ones each time. ``TPMIRROR_TEST_HELD_EXAMPLES=5000`` tries as many
new ones on SQLite, and a tenth of them on PostgreSQL.
"""

import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, inspect, select, text

from tests.support.account import BOOKKEEPING, KEY
from tests.support.account import settings as client
from tests.support.columns import LINKS, text_of, unlike
from tests.support.odd_account import FIELDS, OBJECTS, OddAccount
from tests.support.odd_mirror import PROGRESS, TABLES, OddMirror, Shown, shown
from tests.support.odd_values import ODD
from tpmirror.db import schema
from tpmirror.db.engine import connected
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import quarantine as stored
from tpmirror.sync import quarantine, session
from tpmirror.sync.full import sync
from tpmirror.sync.ingest import Ingestor
from tpmirror.sync.poll import poll
from tpmirror.sync.quarantine import Selection
from tpmirror.sync.verify import verify

pytestmark = pytest.mark.exhaustive

EXAMPLES: Final = int(os.environ.get("TPMIRROR_TEST_HELD_EXAMPLES", "0"))
MOST_JOBS: Final = 8


@dataclass(frozen=True)
class Happening:
    """Something that happens to an account, or that its operator does."""

    verb: str
    job: int
    where: str
    group: str
    places: list[int]
    spin: int
    scope: str


@dataclass(frozen=True)
class Look:
    """What happens, and how the mirror looks at it then; ``twice``: and at once again."""

    before: list[Happening]
    kind: str
    twice: bool


@dataclass(frozen=True)
class Life:
    """An account, and a client with this page size."""

    jobs: int
    page_size: int
    looks: list[Look]


VERBS: Final = [
    *["spoil"] * 12, "spoil_id", "spoil_id", "spoil_object", "spoil_item", "unknown_key", "mend",
    "mend", "move", "move", "rename", "submit", "accept", "accept", "accept_all", "accept_field", "undo", "undo_all",
    "undo_field",
]  # fmt: skip
happenings = st.builds(
    Happening,
    verb=st.sampled_from(VERBS),
    job=st.integers(0, MOST_JOBS - 1),
    where=st.sampled_from(list(FIELDS)),
    group=st.sampled_from(list(ODD)),
    places=st.one_of(st.just([]), st.just([]), st.lists(st.integers(0, 30), min_size=1, max_size=3)),
    spin=st.integers(0, 999),
    scope=st.sampled_from(["both", "both", "both", "list", "detail"]),
)
looks = st.builds(
    Look,
    before=st.lists(happenings, max_size=8),
    kind=st.sampled_from(["full", "full", "full", "poll", "poll", "retry"]),
    twice=st.sampled_from([False, False, True]),
)
lives = st.builds(
    Life,
    jobs=st.integers(4, MOST_JOBS - 2),
    page_size=st.sampled_from([100, 100, 3]),
    looks=st.lists(looks, min_size=1, max_size=3),
)


@dataclass
class Figures:
    """What a run of lives did."""

    lives: int = 0
    looks: int = 0
    certified: int = 0
    faults: int = 0
    met: Counter[tuple[str, str, str]] = field(default_factory=Counter)


class Player:
    """Plays a life on a real mirror, and compares it with the mirror as it must be after every look."""

    def __init__(self, sim: Simulator, url: str, engine: Engine, life: Life, figures: Figures) -> None:
        self.engine, self.figures = engine, figures
        self.account, self.model = OddAccount(life.jobs), OddMirror()
        sim.respond = self.account.respond
        self.settings = client(sim, url, page_size=life.page_size, concurrency=1, retry_base="0.001", max_attempts=1)

    def play(self, life: Life) -> None:
        """Look as often as the life says."""
        for look in life.looks:
            for happening in look.before:
                self.happen(happening)
            getattr(self, look.kind)()
            self.figures.looks += 1
            if look.twice:
                self.again(look.kind)
        self.figures.lives += 1
        self.figures.met += self.account.met

    def again(self, kind: str) -> None:
        """The same look once more: nothing has happened, and a full sync after a full sync writes nothing."""
        before = self.dump()
        getattr(self, kind)()
        self.figures.looks += 1
        assert kind != "full" or self.dump() == before

    # What happens

    def happen(self, it: Happening) -> None:
        """One thing; to no job if the account has none of that number."""
        ids = list(self.account.jobs)
        job_id = ids[it.job % len(ids)]
        account = self.account
        match it.verb:
            case "spoil":
                account.spoil(job_id, it.where, it.group, it.places, it.spin, it.scope)
            case "spoil_item":
                account.spoil_item(job_id, it.spin, it.scope)
            case "spoil_id" | "unknown_key":
                getattr(account, it.verb)(job_id, it.where, it.spin, it.scope)
            case "spoil_object":
                where = it.where if it.where in OBJECTS else OBJECTS[it.spin % len(OBJECTS)]
                account.spoil_object(job_id, where, it.spin, it.scope)
            case "move":
                account.move(job_id, it.spin)
            case "mend" | "rename":
                getattr(account, it.verb)(it.spin)
            case "submit":
                if len(ids) < MOST_JOBS:
                    account.submit(it.spin)
            case _:
                self.speak(it.verb, it.spin)

    def speak(self, verb: str, spin: int) -> None:
        """The operator accepts entries of the quarantine, or takes that back."""
        word, _, which = verb.partition("_")
        entries = self.entries()
        keys = sorted(entries, key=repr)
        chosen = [keys[spin % len(keys)]] if keys and which != "all" else []
        name = chosen[0][1] if chosen and which == "field" and chosen[0][0] is not None else None
        if which != "all" and (not chosen or (which == "field" and name is None)):
            return
        selection = Selection([] if name else [entries[key]["id"] for key in chosen], name)
        undo = word == "undo"
        done = (quarantine.withdraw if undo else quarantine.accept)(self.engine, selection)
        self.model.accept([] if name else chosen, name, undo=undo)
        if not undo:
            picked = [key for key in keys if not chosen or key in chosen]
            assert isinstance(done, list)
            nameless = {row["id"] for row in done if row["job_id"] is None}
            assert nameless == {entries[key]["id"] for key in picked if key[0] is None}

    # How the mirror looks

    def full(self) -> None:
        """A full sync; then ``verify``; and a second full sync finds nothing to write."""
        self.begin()
        run = sync(self.settings)
        answers = self.see()
        listed = {says.id for says in answers if says.id is not None}
        is_void = any(says.id is None for says in answers)
        self.model.forget_items({says.payload for says in answers if says.id is None})
        if not is_void:
            self.model.prove()
        self.check(run["id"])
        holding = self.model.holding(listed)
        certificate = json.loads(run["certificate"])
        counts = {name: certificate[name] for name in ("unreadable", "incomplete", "accepted")}
        assert counts == vars(holding)
        assert certificate["ids_proven"] is not is_void
        is_certified = not is_void and holding.is_whole
        assert run["certified"] is is_certified, certificate
        assert run["covered"] is (holding.is_whole and (not is_void or self.model.rows["job"].keys() <= listed))
        self.figures.certified += is_certified
        self.verify(answers, is_certified=is_certified)

    def verify(self, answers: list[Shown], *, is_certified: bool) -> None:
        """Nothing differs after a full sync; what is not held is what the certificate says."""
        shown_ids = {says.id for says in answers}
        unlisted = self.model.rows["job"].keys() - shown_ids
        found = verify(self.settings)
        told = {(row["entity"], row["id"], row["field"], row["mirror"], row["upstream"]) for row in found.differences}
        assert told == {("job", job_id, "presence", "listed", "unlisted") for job_id in unlisted}, told
        assert found.needs_attention is not is_certified, (is_certified, found.not_held, self.model.entries)
        entries = self.model.entries
        named = [(row["job_id"], row["field"], row["accepted"]) for row in found.not_held if row["job_id"] is not None]
        assert sorted(named, key=repr) == sorted(
            ((job_id, name, entry.accepted) for (job_id, name), entry in entries.items()
             if job_id is not None and name not in PROGRESS and any(says.id == job_id for says in answers)),
            key=repr,
        )  # fmt: skip

    def poll(self) -> None:
        """A poll: what is in flight is seen."""
        self.begin()
        in_flight = self.model.in_flight()
        run = poll(self.settings)
        seen = {says.id for says in self.see()}
        self.check(run["id"])
        assert in_flight <= seen
        found = in_flight | self.model.in_flight() | self.model.unplaced()
        assert run["covered"] is self.model.holding(found).is_whole
        assert not run["certified"]

    def retry(self) -> None:
        """Another try for what is in quarantine."""
        self.begin()
        quarantine.retry(self.settings)
        self.account.answers = [answer for answer in self.account.answers if answer[0] == "detail"]
        self.see()
        self.check(None)

    def begin(self) -> None:
        """Forget the answers before, and what changed."""
        self.account.answers.clear()
        self.model.changes.clear()

    def see(self) -> list[Shown]:
        """Tell the mirror as it must be what was answered; the newest word about each item."""
        answers: list[Shown] = []
        detail: list[Shown] = []
        for endpoint, items in self.account.answers:
            read = [shown(raw, job_id if endpoint == "detail" else None) for job_id, raw in items]
            if endpoint == "detail":
                detail += [says for says in read if says.id is not None]
            else:
                self.model.see(read)
            answers += read
        self.model.see(detail)
        return answers

    # What it holds

    def dump(self) -> dict[str, list[str]]:
        """Every row of every table but the bookkeeping."""
        with self.engine.connect() as conn:
            tables = set(inspect(conn).get_table_names()) - BOOKKEEPING
            return {name: sorted(repr(tuple(row)) for row in conn.execute(text(f"SELECT * FROM {name}")))
                    for name in sorted(tables)}  # fmt: skip

    def read(self, name: str, **equal: object) -> list[dict[str, Any]]:
        """Rows of a table."""
        table = schema.metadata.tables[name]
        wanted = select(table).order_by(*table.primary_key.columns).filter_by(**equal)
        with self.engine.connect() as conn:
            return [dict(row) for row in conn.execute(wanted).mappings()]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """What a plain SQL user gets."""
        with self.engine.connect() as conn:
            return [tuple(row) for row in conn.execute(text(statement))]

    def entries(self) -> dict[tuple[int | None, str | None], dict[str, Any]]:
        """The open entries of the quarantine."""
        rows = self.read("quarantined_jobs", resolved_at=None)
        found = {(row["job_id"], row["field"] if row["job_id"] is not None else row["payload"]): row for row in rows}
        assert len(found) == len(rows), "one open entry for each job and field"
        return found

    def check(self, run_id: int | None) -> None:
        """Compare all that is held and noted; with a run, what that one recorded."""
        self.check_rows()
        self.check_history()
        self.check_ledger()
        self.check_quarantine()
        if run_id is None:
            run_id = max(row["id"] for row in self.read("sync_runs"))
        self.check_changes(run_id)

    def check_rows(self) -> None:
        model = self.model
        for entity, table in TABLES.items():
            held = {row["id"]: row for row in self.read(table)}
            assert held.keys() == model.rows[entity].keys(), table
            for key, true in model.rows[entity].items():
                assert list(unlike(held[key], true)) == [], f"{table} {key}: {held[key]} is not {true}"
                if entity == "job":
                    away = {name for name, since in LINKS.items() if held[key][since] is not None}
                    assert away == model.detached.get(key, set())
        links = [
            (job_id, position, *link)
            for job_id in sorted(model.links)
            for position, link in enumerate(model.links[job_id])
        ]
        assert [tuple(row.values()) for row in self.read("job_ml_models")] == links

    def check_history(self) -> None:
        steps: dict[int, list[Any]] = {}
        for row in self.read("job_status_history"):
            steps.setdefault(row["job_id"], []).append((row["from_status"], row["to_status"], row["occurred_at"]))
        assert steps == self.model.history

    def check_changes(self, run_id: int) -> None:
        found: Counter[Any] = Counter()
        for change in self.read("field_changes", sync_run_id=run_id):
            name, old, new = change["field"], change["old_value"], change["new_value"]
            if name in LINKS.values():
                old, new = old and "observed", new and "observed"
            elif name == "extra":
                old, new = (text_of(value and json.loads(value)) for value in (old, new))
            found[change["entity"], change["entity_id"], name, old, new] += 1
        assert found == self.model.changes, (found - self.model.changes, self.model.changes - found)

    def check_ledger(self) -> None:
        booked: dict[int, list[int]] = {}
        for job_id, entry, units in self.query(
            "SELECT job_id, entry, CAST(ROUND(stated * 10000) AS bigint) FROM cost_ledger "
            "WHERE entry = 0 OR stated <> 0 ORDER BY job_id, entry"
        ):
            assert (entry == 0) is (job_id not in booked)
            booked.setdefault(job_id, []).append(units)
        costs = {job_id: [int(cost * 10000) for cost in moved] for job_id, moved in self.model.moved.items()}
        assert booked == {
            job_id: [moved[0], *(new - old for old, new in pairwise(moved))] for job_id, moved in costs.items()
        }

    def check_quarantine(self) -> None:
        model, entries = self.model, self.entries()
        held = {key: (row["fault"], row["accepted_at"] is not None) for key, row in entries.items()}
        by_key = {(job, name if job is not None else _redacted(name)): (entry.fault, entry.accepted)
                  for (job, name), entry in model.entries.items()}  # fmt: skip
        assert held == by_key, sorted(held.items() ^ by_key.items(), key=repr)
        assert self.query("SELECT COUNT(*) FROM quarantined_jobs") == [(model.noted,)]
        standing = {(row["field"], row["fault"]) for row in self.read("accepted_faults")}
        assert standing == model.standing
        whole = model.holding()
        with self.engine.connect() as conn:
            assert vars(whole) == {name: getattr(stored.holding(conn), name) for name in vars(whole)}
        assert self.query("SELECT unreadable, incomplete, accepted FROM sync_health") == [tuple(vars(whole).values())]
        assert set(self.query("SELECT entity, entity_id, field FROM held_values")) == model.older()


def _redacted(payload: str | None) -> str:
    """An item as the quarantine has it: without the queries of its URLs."""
    return re.sub(r'\?[^"]*"', '"', payload or "")


def every_cell() -> set[tuple[str, str, str]]:
    """Every field of every object with every oddity; every id; every object, with what may be odd about it."""
    names = {(where, name) for where, columns in FIELDS.items() for name in columns if name != "id"}
    fields = {(*place, group) for place in names for group in ODD}
    ids = {(where, "id", how) for where in FIELDS if where != "preview_videos" for how in ("no id", "otherwise")}
    objects = {(where, "", how) for where in OBJECTS for how in ("null", "no such key", "no object")}
    return fields | ids | objects | {(where, "", "unknown key") for where in FIELDS} | {("item", "", "unreadable")}


MENDED: Final = Look([Happening("mend", 0, "job", "", [], 0, "both")], "full", twice=False)


def sweep(where: str) -> Life:
    """A life in which every field of an object is odd in every way, one after the other; then the object itself."""

    def look(verb: str, group: str, spin: int) -> Look:
        return Look([Happening(verb, 0, where, group, [], spin, "both")], "full", twice=False)

    fields = [look("spoil", group, spin) for spin, group in enumerate(ODD)]
    verbs = ("unknown_key", "spoil_id", "spoil_id", "spoil_object", "spoil_object", "spoil_object", "spoil_item")
    objects = [
        one for verb, spin in zip(verbs, (0, 4, 5, 8, 9, 10, 1), strict=True) for one in (look(verb, "", spin), MENDED)
    ]
    return Life(5, 100, [*fields, MENDED, *objects])


def lives_on(check: Callable[[Life], None], examples: int, first: list[Life]) -> None:
    """Check some lives, then random ones: the same ones each time, or as many new ones as asked for."""

    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],  # a smaller life takes minutes to find
    )  # fmt: skip
    @given(life=lives)
    def run(life: Life) -> None:
        check(life)

    for life in first:
        run = example(life=life)(run)
    (run if EXAMPLES else seed(1)(run))()


@contextmanager
def one_engine(url: str) -> Iterator[Engine]:
    """Every run on one engine: to compile each statement anew for each run takes most of the time."""
    with connected(url) as engine, pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "connected", lambda *_args, **_kwargs: nullcontext(engine))
        # A page without a readable owner makes a run ask whose account it is: those answers are not mirrored.
        patch.setattr(Ingestor, "_vouches", lambda *_: True)
        yield engine


def play(url: str, renew: Callable[[], object], examples: int, first: list[Life]) -> Figures:
    """Play lives, each on a mirror that ``renew`` makes; what they did."""
    figures = Figures()
    with Simulator(World(jobs=0), token=KEY) as sim, one_engine(url) as engine:

        def check(life: Life) -> None:
            engine.dispose()
            renew()
            Player(sim, url, engine, life, figures).play(life)

        lives_on(check, examples, first)
    return figures


def told(figures: Figures, began: float) -> str:
    """What a long run is for."""
    seconds, odd = time.process_time() - began, sum(figures.met.values())
    return (
        f"{figures.lives:,} lives, {figures.looks:,} looks, {figures.certified:,} of them certified full syncs, "
        f"{odd:,} odd values, {seconds:,.0f} s of CPU time"
    )


def test_any_wrong_value_at_any_time_is_held_or_noted_as_the_contract_says(migrated_file, tmp_path, capsys):
    path, began = tmp_path / "mirror.db", time.process_time()
    sweeps = list(map(sweep, FIELDS))
    figures = play(f"sqlite:///{path}", lambda: shutil.copyfile(migrated_file, path), EXAMPLES or 200, sweeps)
    assert every_cell() - figures.met.keys() == set()
    with capsys.disabled():
        if EXAMPLES:
            print(f"\nsqlite: {told(figures, began)}")  # noqa: T201 - the figures are what the long run is for


def test_any_wrong_value_on_postgresql_is_held_or_noted_as_the_contract_says(migrated_postgres, capsys):
    name, began = "held", time.process_time()

    def renew() -> None:
        migrated_postgres.drop(name)
        migrated_postgres.create(name, "migrated")

    renew()
    figures = play(migrated_postgres.url(name), renew, EXAMPLES // 10 or 20, [])
    migrated_postgres.drop(name)
    with capsys.disabled():
        if EXAMPLES:
            print(f"\npostgresql: {told(figures, began)}")  # noqa: T201 - the figures are what the long run is for
