"""A pass over the list covers every row, however short the pages come."""

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.payloads import page
from tests.support.program import until
from tpmirror.errors import ApiError
from tpmirror.sync.paging import BATCH, STALLS, Segment, affordable_overlap, pages, segments


def following(offset: int, limit: int) -> str:
    return f"https://x/api/jobs/?limit={limit}&offset={offset}"


class List:
    """A list of so many jobs, whose pages come as long as ``chance`` says, but never empty before the end."""

    def __init__(self, count: int, asked: int, cap: int, chance: random.Random) -> None:
        self.count, self.asked, self.cap, self.chance = count, asked, cap, chance
        self.requests = 0

    def fetch(self, offset: int):
        self.requests += 1
        limit = min(self.asked, self.cap)
        served = self.chance.randint(1, limit)
        ids = range(offset, min(offset + served, self.count))
        more = following(offset + len(ids), limit) if offset + len(ids) < self.count else None
        return page(list(map((1).__add__, ids)), self.asked, offset, count=self.count, next=more)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 120),
    asked=st.integers(1, 40),
    cap=st.integers(1, 40),
    overlap=st.integers(0, 5),
    expected=st.integers(0, 150),
    seed=st.integers(0, 2**32),
)
def test_every_row_is_served_when_pages_come_short_at_random(count, asked, cap, overlap, expected, seed):
    shown = List(count, asked, cap, random.Random(seed))
    todo = segments(0, expected, asked, min(overlap, asked - 1))
    with ThreadPoolExecutor(3) as executor:
        arrived = [part for batch in pages(shown.fetch, todo, executor, 3) for part in batch]
    assert {item.id for part in arrived for item in part.listing.items} == set(range(1, count + 1))


@settings(deadline=None)
@given(start=st.integers(0, 500), more=st.integers(0, 3000), size=st.integers(1, 300), data=st.data())
def test_segments_cover_the_list_without_a_gap_and_end_open(start, more, size, data):
    overlap = data.draw(st.integers(0, size - 1))
    parts = segments(start, start + more, size, overlap)
    assert parts[0].offset == start
    assert [part.until is None for part in parts] == [False] * (len(parts) - 1) + [True]
    for before, after in pairwise(parts):
        assert before.until is not None
        assert before.until - after.offset == overlap
    assert start + more - parts[-1].offset <= max(size, 0) or more == 0


def test_quiet_full_pages_cost_one_request_each():
    assert [part.offset for part in segments(0, 300, 100)] == [0, 100, 200]
    assert [part.offset for part in segments(100, 250, 100)] == [100, 200]
    assert segments(0, 0, 100) == [Segment(0, None)]


@settings(deadline=None)
@given(count=st.integers(0, 5000), size=st.integers(1, 200))
def test_an_overlap_costs_at_most_one_request(count, size):
    overlap = affordable_overlap(count, size)
    assert 0 <= overlap <= size // 20
    assert len(segments(0, count, size, overlap)) <= len(segments(0, count, size)) + 1


@pytest.mark.parametrize(
    ("served", "limit", "count", "next_", "last"),
    [
        (5, 10, 5, None, True),
        (0, 10, 0, None, True),
        (10, 10, 10, None, False),
        (5, 10, 6, None, False),
        (5, 10, 5, following(5, 5), False),
        (5, 10, 5, following(10, 10), False),
    ],
)
def test_the_list_ends_only_when_all_three_signs_say_so(served, limit, count, next_, last):
    assert page(list(range(1, served + 1)), limit, 0, count=count, next=next_).is_last is last


@pytest.mark.parametrize(
    ("asked", "link", "size"),
    [
        (100, None, 100),
        (100, following(50, 50), 50),
        (100, following(100, 100), 100),
        (100, "https://elsewhere.example.com/?limit=20", 20),
        (100, following(500, 500), 100),
        (100, following(0, 0), 100),
        (100, "https://x/?limit=-5", 100),
        (100, "https://x/?limit=%D9%A1", 100),
        (100, "https://x/?page=2", 100),
        (100, "http://[", 100),
        (100, "", 100),
    ],
)
def test_the_page_size_in_force_is_what_the_server_says_it_is(asked, link, size):
    assert page([1, 2], asked, 0, next=link).served_limit == size


def test_the_page_size_is_read_from_previous_on_the_last_page():
    assert page([1], 100, 50, previous=following(0, 25)).served_limit == 25


def test_the_rest_of_a_segment_starts_where_its_answer_ended():
    part = Segment(20, 30)
    assert part.rest(page([1, 2, 3], 10, 20, count=99, next=following(23, 10))) == Segment(23, 30)
    assert part.rest(page(list(range(1, 11)), 10, 20, count=99, next=following(30, 10))) is None
    assert Segment(20, None).rest(page(list(range(1, 11)), 10, 20, count=30)) == Segment(30, None)


def test_a_segment_beyond_the_end_of_a_list_that_shrank_is_done():
    assert Segment(20, 30).rest(page([], 10, 20, count=15, next=following(20, 10))) is None


def test_an_api_that_counts_what_it_does_not_serve_ends_the_pass_instead_of_looping():
    part, empty = Segment(20, None), page([], 10, 20, count=99)
    for _ in range(STALLS - 1):
        rest = part.rest(empty)
        assert rest is not None
        part = rest
    assert part.rest(empty) is None
    with pytest.raises(ApiError, match="counts 99 jobs but serves none"):
        Segment(0, None, STALLS - 1).rest(page([], 10, 0, count=99))


def test_what_waits_for_a_slow_caller_is_bounded_and_the_next_pages_are_under_way_meanwhile():
    size, count, asked = 10, 1000, []
    todo = [Segment(offset, offset + size) for offset in range(0, count, size)]

    def fetch(offset):
        asked.append(offset)
        return page(range(offset + 1, offset + size + 1), size, offset, count=count, next=None)

    taken: list[Any] = []
    with ThreadPoolExecutor(4) as executor:
        for arrived in pages(fetch, todo, executor, 4):
            taken.extend(arrived)
            until(lambda: len(asked) >= min(len(todo), len(taken) + 4))
            assert len(asked) <= len(taken) + BATCH
    assert len(taken) == len(asked) == len(todo)
