"""Layouts of tables, as figures."""

import pytest

from tpmirror.cli.layout import Extent, Layout, arrange, extent

NUMBER = Extent(5, 5, wraps=False)
TEXT = Extent(6, 30)


def test_a_column_takes_what_its_longest_value_takes():
    assert extent("job", ["5031", "7"], wraps=False) == Extent(4, 4, wraps=False)
    assert extent("status changes", ["1"], wraps=False) == Extent(7, 14, wraps=False)
    assert extent("name", ["two words", "日本語"], wraps=True) == Extent(6, 9)


def test_a_word_may_be_broken_only_if_it_is_longer_than_a_time():
    assert extent("name", ["x" * 90], wraps=True) == Extent(28, 90)
    assert extent("after", ["2026-11-30T12:50:15.876154Z"], wraps=True) == Extent(27, 27)


@pytest.mark.parametrize(
    ("width", "widths", "gap"),
    [
        (None, [5, 30, 5], 2),
        (44, [5, 30, 5], 2),
        (43, [5, 29, 5], 2),
        (20, [5, 6, 5], 2),
        (18, [5, 6, 5], 1),
        (17, [5, 10], 2),
        (12, [5, 6], 1),
    ],
)
def test_texts_wrap_then_columns_move_together_then_the_last_ones_go(width, widths, gap):
    assert arrange([NUMBER, TEXT, NUMBER], width) == Layout(widths, gap)


def test_what_would_lose_more_than_half_or_may_lose_nothing_is_stacked():
    assert arrange([NUMBER, TEXT, NUMBER], 11) is None
    assert arrange([NUMBER, TEXT, NUMBER], 17, whole=True) is None
