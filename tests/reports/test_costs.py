"""Money: shares lose no unit, the ledger tells what the account charged and corrected, FOCUS keeps its rules."""

import json
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.support.account import connected, rows
from tpmirror.db import schema, views
from tpmirror.reports.costs import ledger

UNIT = Decimal("0.0001")
MONEY = st.integers(-(10**10) + 1, 10**10 - 1).map(lambda units: units * UNIT)
WEIGHT = st.one_of(st.none(), st.just(0.0), st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0]), st.floats(-1, 1e7))
SEEN = datetime.fromisoformat("2026-11-01T12:00:00+00:00")
STAMPS = {"first_seen_at": SEEN, "changed_at": SEEN}


def read(database_url: str, view: str) -> list[dict[str, Any]]:
    """The rows of a view, typed."""
    with connected(database_url) as conn:
        return [dict(row) for row in conn.execute(select(views.view(view))).mappings()]


def fill(conn: Any, jobs: list[tuple[Decimal | None, bool, list[float | None]]]) -> None:
    """Jobs with these costs, previews and weights of their models."""
    most = max((len(weights) for _, _, weights in jobs), default=0)
    models = [{"id": number, "name": f"model {number}", **STAMPS} for number in range(most)]
    made = [
        {
            "id": job_id,
            "status": 2,
            "presence": "listed",
            "fingerprint": "",
            "cost_usd": cost,
            "preview": preview,
            **STAMPS,
        }
        for job_id, (cost, preview, _) in enumerate(jobs, 1)
    ]
    links = [
        {"job_id": job_id, "position": place, "ml_model_id": place, "cost_weight": weight}
        for job_id, (_, _, weights) in enumerate(jobs, 1)
        for place, weight in enumerate(weights)
    ]
    for table, values in ((schema.ml_models, models), (schema.jobs, made), (schema.job_ml_models, links)):
        if values:
            conn.execute(table.insert(), values)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(jobs=st.lists(st.tuples(MONEY, st.booleans(), st.lists(WEIGHT, max_size=5)), min_size=1, max_size=8))
def test_the_shares_of_a_job_sum_to_its_charge_and_none_is_off_by_a_unit(mirror_url, jobs):
    with connected(mirror_url) as conn:
        transaction = conn.begin()
        fill(conn, jobs)
        found = defaultdict(list)
        for row in conn.execute(select(views.view("job_model_costs"))).mappings():
            found[row["job_id"]].append(dict(row))
        transaction.rollback()
    for job_id, (cost, preview, weights) in enumerate(jobs, 1):
        counted = Decimal(0) if preview else cost or Decimal(0)
        assert sum(row["credits"] for row in found[job_id]) == counted
        useful = {place: weight for place, weight in enumerate(weights) if weight and 1e-6 <= weight <= 1e6}
        assert {row["position"] for row in found[job_id]} == set(useful or [None])
        whole = sum(map(Fraction, useful.values()))
        for row in found[job_id] if useful else []:
            fair = Fraction(counted) * Fraction(useful[row["position"]]) / whole
            # A unit for the remainder, and a hundred-millionth of the cost for the weight's own rounding.
            assert abs(Fraction(row["credits"]) - fair) <= Fraction(UNIT) + abs(Fraction(counted)) / 10**7


def test_the_ledger_tells_first_charges_and_corrections(lived_mirror, dialect):
    charges = json.loads((Path(lived_mirror["sqlite"].removeprefix("sqlite:///")).parent / "charges.json").read_text())
    ledger = read(lived_mirror[dialect], "cost_ledger")
    first = {row["job_id"]: row for row in ledger if row["kind"] == "charge"}
    stated = {int(job_id): Decimal(cost).quantize(UNIT) for job_id, cost in charges.items()}
    assert {job_id: row["stated"] for job_id, row in first.items()} == stated
    assert {job_id: row["credits"] for job_id, row in first.items()} == {
        job_id: Decimal(0) if first[job_id]["preview"] else cost for job_id, cost in stated.items()
    }
    balance: dict[int, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in ledger:
        balance[row["job_id"]][0] += row["credits"]
        balance[row["job_id"]][1] += row["stated"]
    for job in rows(lived_mirror[dialect], "jobs"):
        cost = job["cost_usd"] or Decimal(0)
        assert balance[job["id"]] == [Decimal(0) if job["preview"] else cost, cost]
    flips = {row["job_id"] for row in ledger if row["kind"] == "correction" and row["stated"] == 0}
    assert flips, "a flip of preview is a correction that moves what is charged alone"
    assert {row["kind"] for row in ledger} == {"charge", "correction"}


TEXT, MONEY_, AMOUNT, TIME = "text", "money", "amount", "time"
FOCUS = {
    "BilledCost": (AMOUNT, None),
    "BillingAccountId": (TEXT, None),
    "BillingCurrency": (TEXT, {"XXX"}),
    "BillingPeriodStart": (TIME, None),
    "BillingPeriodEnd": (TIME, None),
    "ChargeCategory": (TEXT, {"Usage", "Purchase", "Tax", "Credit", "Adjustment"}),
    "ChargeClass": (TEXT, {"Correction", None}),
    "ChargeDescription": (TEXT, None),
    "ChargeFrequency": (TEXT, {"One-Time", "Recurring", "Usage-Based"}),
    "ChargePeriodStart": (TIME, None),
    "ChargePeriodEnd": (TIME, None),
    "ContractedCost": (AMOUNT, None),
    "EffectiveCost": (AMOUNT, None),
    "InvoiceIssuerName": (TEXT, None),
    "ListCost": (AMOUNT, None),
    "PricingCategory": (TEXT, {"Standard", "Dynamic", "Committed", "Other"}),
    "ProviderName": (TEXT, None),
    "PublisherName": (TEXT, None),
    "ServiceCategory": (TEXT, {"Media"}),
    "ServiceName": (TEXT, None),
    "ServiceSubcategory": (TEXT, {"Content Creation"}),
}
"""FOCUS 1.2, by hand: the validator on the package index knows 1.0 at most, and takes ResourceId for ResourceID.

By column that is mandatory and not null, or of a closed list: its kind, and the values that it may have.
"""
NULLABLE = {"BillingAccountName": TEXT, "PricingQuantity": MONEY_, "PricingUnit": TEXT}
"""Mandatory too, but null where there is nothing to say."""


def test_focus_costs_keep_the_rules_of_the_specification(lived_mirror, dialect):
    kinds = {column.name: column.kind for column in views.view_columns("focus_costs")}
    assert {name: kinds.get(name) for name in (*FOCUS, *NULLABLE)} == {
        **{name: kind for name, (kind, _) in FOCUS.items()},
        **NULLABLE,
    }
    found = read(lived_mirror[dialect], "focus_costs")
    assert {row["ChargeClass"] for row in found} == {None, "Correction"}
    for row in found:
        wrong = [n for n, (_, some) in FOCUS.items() if (row[n] is None if some is None else row[n] not in some)]
        assert wrong == []
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        assert row["BillingPeriodStart"].day == row["BillingPeriodEnd"].day == 1
        assert row["ContractedCost"] == row["EffectiveCost"] == row["BilledCost"]
        if row["ChargeClass"] is None:
            assert row["PricingUnit"] == "Credits"
            assert row["PricingQuantity"] * row["ContractedUnitPrice"] == row["ContractedCost"]
            assert row["PricingQuantity"] * row["ListUnitPrice"] == row["ListCost"]
        else:
            assert row["PricingQuantity"] is row["PricingUnit"] is row["ConsumedQuantity"] is None


def test_views_of_an_empty_mirror_are_empty_but_for_its_health(mirror_url):
    for view in views.sources("sqlite"):
        assert len(read(mirror_url, view)) == (1 if view == "sync_health" else 0), view
    ((health,),) = (read(mirror_url, "sync_health"),)
    assert (health["certified_at"], health["last_run_id"], health["jobs"]) == (None, None, 0)


def test_the_ledger_by_month_holds_every_entry_and_no_fraction_more(lived_mirror, dialect):
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in read(lived_mirror[dialect], "cost_ledger"):
        sums[entry["month"], entry["kind"]] += entry["credits"] or 0
    with connected(lived_mirror[dialect]) as conn:
        months = ledger(conn).rows
    assert [row["month"] for row in months] == sorted({month for month, _ in sums}, reverse=True)
    for row in months:
        assert (row["charge"], row["correction"]) == tuple(
            sums[row["month"], kind] for kind in ("charge", "correction")
        )
        assert row["total"] == row["charge"] + row["correction"]
