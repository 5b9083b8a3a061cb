"""Cells of CSV files: no text begins a formula, one by one and by the column alike."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tpmirror.export import files
from tpmirror.formatting import csv_cell, escape_formula

FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\tx", "\r=1", "\n", "\0x", " =1", " \t1", "\f=1", "\xa0-1", "\ufeff=1"]
FORMULAS += ["\uff1d1", "\uff0b1", "\uff0d1", "\uff201", " \uff1d1"]
HARMLESS = ["", " ", "a=1", "1-1", "'=1", "name@example.com", "\u05e9=1", "a\n=1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text):
    assert escape_formula(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text):
    assert escape_formula(text) == text


@settings(deadline=None)
@given(
    st.lists(
        st.text(
            st.sampled_from("=+-@ \t\r\n\0\f\v\xa0\ufeff\uff1d\uff0b\uff0d\uff20\u2003'a1")
            | st.characters(codec="utf-8")
        )
    )
)
@example([*FORMULAS, *HARMLESS])
def test_a_column_is_treated_as_its_texts_are(texts):
    column = files.escape_formulas(pa.array([*texts, None], pa.string()))
    assert column.to_pylist() == [*map(escape_formula, texts), None]


def test_values_that_are_no_text_stay_what_they_are():
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    values = (-5, Decimal("-5.1000"), None, True, False, noon, "-5")
    assert [csv_cell(value) for value in values] == [
        -5,
        Decimal("-5.1000"),
        None,
        "true",
        "false",
        "2026-11-01T12:00:00Z",
        "'-5",
    ]
