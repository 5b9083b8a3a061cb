"""Money over time: all sums agree at each step of random lives, and a month that is over is what it was."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from tests.support.account import KEY, connected, mirror, tamper
from tests.support.payloads import item, job, model
from tests.support.program import Program
from tpmirror.config import CreditPrice
from tpmirror.db import schema
from tpmirror.db.views import view
from tpmirror.errors import UsageError
from tpmirror.reports.reconcile import disagreements
from tpmirror.reports.statement import EARLIER, earlier, month_of, statement
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World
from tpmirror.store import jobs as store
from tpmirror.store.account import set_price
from tpmirror.store.changes import Observation
from tpmirror.store.prices import stored
from tpmirror.sync.run import changes_of

BEGIN = datetime(2026, 1, 28, 23, 59, 59, tzinfo=UTC)
EXAMPLES = {"sqlite": 25, "postgresql": 6}
NOTHING: dict[str, Any] = {"status": 0, "cost_usd": None, "preview": None, "started": None, "finished": None}
COST = st.one_of(
    st.none(), st.integers(-(10**6), 10**8).map(lambda units: f"{Decimal(units) / 10000:.4f}"), st.just("12.3457")
)
STATES = st.fixed_dictionaries(
    {},
    optional={
        "cost_usd": COST,
        "preview": st.sampled_from([None, True, False]),
        "status": st.sampled_from([0, 1, 2, -1, -2]),
        "started": st.sampled_from([None, "2026-01-31T23:59:59.999999Z", "2025-12-05T10:00:00+02:00"]),
        "finished": st.sampled_from([None, "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z"]),
        "ml_models": st.sampled_from([[], [model(44)], [model(44), model(45, cost_weight=0.3)]]),
    },
)  # fmt: skip
FIRST = st.fixed_dictionaries(dict.fromkeys(range(1, 5), STATES))
PRICES = [None, CreditPrice(Decimal("0.100000"), "EUR"), CreditPrice(Decimal("0.123457"), "USD")]
LATER = st.lists(
    st.tuples(st.integers(1, 40), st.dictionaries(st.integers(1, 4), STATES, min_size=1), st.sampled_from(PRICES)),
    max_size=6,
)
"""Days that pass, what some jobs show then, and what a Credit costs from then on."""
Step = tuple[int, dict[int, dict[str, Any]], CreditPrice | None]


@dataclass
class Books:
    """What the ledger must hold, kept by hand: a charge and corrections by month."""

    shown: dict[int, dict[str, Any]]
    credits: dict[str, Decimal]
    stated: dict[str, Decimal]

    def look(self, job_id: int, state: dict[str, Any], at: datetime) -> None:
        """Book what a job shows."""
        known = self.shown.get(job_id)
        before = (Decimal(0), Decimal(0)) if known is None else charged(known)
        now = {**(known or {}), **state}
        month = f"{at:%Y-%m}"
        if known is None:
            started = now.get("started")
            moment = datetime.fromisoformat(started).astimezone(UTC) if started else at
            month = f"{moment:%Y-%m}"
        after = charged(now)
        self.credits[month] += after[0] - before[0]
        self.stated[month] += after[1] - before[1]
        self.shown[job_id] = now


def charged(shown: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """What a job is charged, and what it states."""
    stated = Decimal(shown.get("cost_usd") or 0)
    return Decimal(0) if shown.get("preview") else stated, stated


def show(conn: Connection, states: dict[int, dict[str, Any]], at: datetime, number: int) -> None:
    """Let the mirror see these jobs, as a run would."""
    looks = [
        Observation(item({**job(id=job_id), **state}), at, sent=number, received=number + 1)
        for job_id, state in states.items()
    ]
    store.apply(conn, changes_of(conn, looks, (), {}, run_id=1))


def statements(conn: Connection, months: list[str], today: date) -> dict[str, Any]:
    """Everything a statement says, by month."""
    return {month: list(statement(conn, month, today).rows) for month in months}


def test_all_sums_agree_at_each_step_and_months_that_are_over_never_change(mirror_url, dialect):
    @settings(max_examples=EXAMPLES[dialect], deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(first=FIRST, later=LATER)
    def check(first: dict[int, dict[str, Any]], later: list[Step]) -> None:
        with connected(mirror_url) as conn:
            transaction = conn.begin()
            live(conn, [(0, first, None), *later])
            transaction.rollback()

    check()


def live(conn: Connection, steps: list[Step]) -> None:
    """Go through a life, and check the books after each step. A first price is known: it would count before it too."""
    set_price(conn, CreditPrice(Decimal("0.333333"), "EUR"), "2000-01")
    run = {"kind": "full", "outcome": "succeeded", "certified": False, "covered": False, "started_at": BEGIN}
    conn.execute(insert(schema.sync_runs).values(id=1, **run))
    books, at, over = Books({}, defaultdict(Decimal), defaultdict(Decimal)), BEGIN, dict[str, Any]()
    for number, (days, states, price) in enumerate(steps):
        at += timedelta(days=days)
        if price is not None:
            set_price(conn, price, f"{at:%Y-%m}")
        whole = {job_id: {**books.shown.get(job_id, NOTHING), **state} for job_id, state in states.items()}
        show(conn, whole, at, 10 * number)
        for job_id, state in whole.items():
            books.look(job_id, state, at)
        assert disagreements(conn) == []
        entries = view("cost_ledger").c
        held: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
        for row in conn.execute(select(entries.month, entries.credits, entries.stated)):
            held[row.month][0] += row.credits
            held[row.month][1] += row.stated
        months = sorted({*held, *books.credits})
        assert {month: held[month] for month in months} == {
            month: [books.credits[month], books.stated[month]] for month in months
        }
        # FOCUS is held against both by disagreements: it bills Credits of the ledger by the price of the month.
        now, prices = statements(conn, months, at.date()), stored(conn)
        for month, lines in now.items():
            assert {line["line"]: line["credits"] for line in lines}["total"] == held[month][0]
        assert {month: (now.get(month), prices.at(month)) for month in over} == over, "a month that is over has changed"
        over = {month: (lines, prices.at(month)) for month, lines in now.items() if month < f"{at:%Y-%m}"}
        *_, closing = statement(conn, months[-1], at.date(), prices).rows
        worth = prices.added([prices.worth(held[month][0], month) for month in months])
        assert {name: closing[name] for name in worth} == worth


def test_a_statement_names_each_correction_of_an_earlier_month(mirror_url, tmp_path, capsys):
    world = World(seed=3, jobs=20, in_flight=0, jobs_per_day=0)
    with Simulator(world, token=KEY) as sim:
        mirror(sim, mirror_url)
        world.correct_cost(3, Decimal("99.5"))
        mirror(sim, mirror_url)
    today = datetime.now(UTC).date()
    with connected(mirror_url) as conn:
        report, corrections = statement(conn, f"{today:%Y-%m}", today), earlier(conn, f"{today:%Y-%m}")
    (one,) = corrections.rows
    assert (one["job_id"], one["charged_in"] < f"{today:%Y-%m}") == (3, True)
    totals = {row["line"]: row["credits"] for row in report.rows}
    assert totals[EARLIER] == one["credits"] != 0
    assert totals["closing"] == totals["opening"] + totals["total"]
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": mirror_url})
    for form in ("table", "csv", "json", "markdown"):
        said = program.call(capsys, "report", "statement", "--month", "this-month", "--format", form)[0]
        assert "99.5" not in said or form == "json"
        assert EARLIER in said
    assert "99.5" not in program.call(capsys, "report", "statement", "--month", "this-month", "--by", "correction")[0]


def test_a_month_is_the_last_one_that_is_over_unless_named():
    today = date(2026, 3, 1)
    assert [month_of(text, today) for text in (None, "last-month", "this-month", "2025-12", "0001-02")] == [
        "2026-02", "2026-02", "2026-03", "2025-12", "0001-02",
    ]  # fmt: skip
    for wrong in ("", "2026", "2026-13", "october", "2026-10-01"):
        with pytest.raises(UsageError, match="--month is"):
            month_of(wrong, today)


def test_sums_that_do_not_agree_are_told_with_exit_status_3(mirrored, tmp_path, capsys):
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": mirrored})
    assert "All sums agree" in program.call(capsys, "report", "reconcile")[0]
    program.call(capsys, "audit")
    tamper(mirrored, "DROP VIEW daily_costs")
    columns = "CAST('2026-01-01' AS date) AS day, 1 AS jobs, CAST(1 AS numeric) AS credits"
    tamper(mirrored, f"CREATE VIEW daily_costs AS SELECT {columns}")
    assert "Do not agree" in program.call(capsys, "report", "reconcile", code=3)[0]
    program.call(capsys, "audit", code=3)
