"""The judge against every small world: all interleavings of a list that moves and a client that looks.

Each job has one life: it appears, it is listed, it leaves. The client asks, several requests at once; an answer shows
any of the jobs that were listed at some instant while it was under way. A count is taken at any instant between two
numbers, p and q, with answers coming in meanwhile or not. What the client makes of it is the package's own
``SeenLog`` and ``judge``.

The same search with one of its assumptions dropped, or with another judge, has to find a wrong certificate: a search
that cannot fail proves nothing.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import NamedTuple, TypeAlias

import pytest

from tpmirror.sync.certify import Count, SeenLog, judge, judge_page

Ids: TypeAlias = int
"""A set of jobs, a bit each."""

ASKED, COUNTED, DONE, WHOLE = range(4)
"""Of a count: between p and its instant; between that and q; after q. Or all was on one page."""
BEFORE, P, DURING, Q, AFTER = range(1, 6)
"""Numbers of requests and answers around a count."""


class Sample(NamedTuple):
    """A count, and the jobs seen before and after it."""

    phase: int
    before: Ids
    after: Ids = 0
    truth: Ids = 0
    """Listed at the instant of the count."""
    counted: int = 0


class Request(NamedTuple):
    """A request under way, and what its answer shows so far. ``after``: the counts complete when it was asked for."""

    after: Ids
    shows: Ids


class State(NamedTuple):
    """The world, what the client knows, and what is under way."""

    listed: Ids
    left: Ids
    seen: Ids = 0
    samples: tuple[Sample, ...] = ()
    earlier: int = 0
    """What a count at an earlier instant was; kept only where a cache is modelled."""
    doubt: bool = False
    flights: tuple[Request, ...] = ()


@dataclass(frozen=True)
class Rules:
    """What may happen."""

    jobs: int = 3
    flights: int = 2
    samples: int = 2
    one_life: bool = True
    """A1: a job that left does not come back."""
    fresh_count: bool = True
    """A2: the count is of an instant between p and q."""
    fresh_rows: bool = True
    """A3: an answer shows only what was listed while it was under way."""
    unreadable: Ids = 0
    """Jobs whose id cannot be read: an answer that shows one leaves a doubt instead."""
    whole: bool = False
    """Whether all may fit one page."""
    crossed: str | None = None
    """What a careless client takes an answer for that was under way together with a count."""


Claim: TypeAlias = Callable[[Sample, State], bool]
"""Whether a client would certify, by this count."""


def members(ids: Ids) -> list[int]:
    return [job for job in range(ids.bit_length()) if ids >> job & 1]


def bits(ids: Iterable[int]) -> Ids:
    return sum(1 << job for job in ids)


@cache
def verdict(before: Ids, after: Ids, seen: Ids, counted: int) -> tuple[int, bool]:
    """What the package says of a count around which these jobs were seen, and how many on both sides."""
    made = SeenLog(())
    made.saw(members(seen & ~before & ~after), DURING, DURING)
    made.saw(members(before), BEFORE - 1, BEFORE)
    made.saw(members(after & ~before), AFTER, AFTER + 1)
    made.saw(members(after), AFTER, AFTER + 1)
    made.counted(Count(counted, P, Q))
    found = judge(made)
    return found.proven, found.holds


def honest(sample: Sample, state: State) -> bool:
    """The package's own verdict."""
    if sample.phase == WHOLE:
        whole = Count(sample.counted, P, Q)
        return judge_page((), members(sample.after), whole, ["an id cannot be read"] * state.doubt).holds
    return not state.doubt and verdict(sample.before, sample.after, state.seen, sample.counted)[1]


def steps(state: State, rules: Rules) -> Iterator[State]:
    """Everything that may happen next, one thing at a time."""
    yield from world_steps(state, rules)
    yield from count_steps(state, rules)
    if state.samples and state.samples[-1].phase == WHOLE:
        return
    if len(state.flights) < rules.flights:
        complete = bits(number for number, sample in enumerate(state.samples) if sample.phase == DONE)
        yield with_flights(state, (*state.flights, Request(complete, 0)))
    for number, request in enumerate(state.flights):
        others = state.flights[:number] + state.flights[number + 1 :]
        servable = state.listed if rules.fresh_rows else state.listed | state.left
        for job in members(servable & ~request.shows):
            yield with_flights(state, (*others, Request(request.after, request.shows | 1 << job)))
        yield told(state, request, others, rules)


def world_steps(state: State, rules: Rules) -> Iterator[State]:
    """A job appears, leaves, or, if it has more than one life, comes back.

    Jobs differ in nothing but their numbers, so they are numbered in the order in which they appear.
    """
    for job in range(rules.jobs):
        bit = 1 << job
        if state.listed & bit:
            yield state._replace(listed=state.listed & ~bit, left=state.left | bit)
        elif not state.left & bit:
            if bit - 1 & ~(state.listed | state.left):
                break
            yield state._replace(listed=state.listed | bit)
        elif not rules.one_life:
            yield state._replace(listed=state.listed | bit, left=state.left & ~bit)


def count_steps(state: State, rules: Rules) -> Iterator[State]:
    """Towards a count, and a step on: it is asked for, taken, complete; later another one."""
    now = state.listed.bit_count()
    older, newest = state.samples[:-1], state.samples[-1] if state.samples else None
    if newest is None and rules.whole:
        readable = state.listed & ~rules.unreadable
        doubt = state.doubt or bool(state.listed & rules.unreadable)
        page = Sample(WHOLE, readable, readable, state.listed, readable.bit_count())
        yield state._replace(samples=(page,), doubt=doubt, flights=())
    if (newest is None or newest.phase == DONE) and len(state.samples) < rules.samples:
        yield state._replace(samples=(*state.samples, Sample(ASKED, state.seen)))
    if newest is not None and newest.phase == ASKED:
        taken = newest._replace(phase=COUNTED, truth=state.listed)
        yield state._replace(samples=(*older, taken._replace(counted=now)))
        if not rules.fresh_count:
            yield state._replace(samples=(*older, taken._replace(counted=state.earlier)))
    if newest is not None and newest.phase == COUNTED:
        yield state._replace(samples=(*older, newest._replace(phase=DONE)))
    if not rules.fresh_count and newest is None and state.earlier != now:
        yield state._replace(earlier=now)


def with_flights(state: State, flights: tuple[Request, ...]) -> State:
    return state._replace(flights=tuple(sorted(flights)))


def told(state: State, request: Request, others: tuple[Request, ...], rules: Rules) -> State:
    """An answer is complete and told; what cannot be read leaves a doubt."""
    shows = request.shows & ~rules.unreadable
    samples = tuple(
        sample._replace(after=sample.after | shows)
        if request.after >> number & 1
        else sample._replace(**{rules.crossed: getattr(sample, rules.crossed) | shows})
        if rules.crossed
        else sample
        for number, sample in enumerate(state.samples)
    )
    doubt = state.doubt or shows != request.shows
    return state._replace(seen=state.seen | shows, samples=samples, doubt=doubt, flights=others)


@dataclass
class Search:
    """What was found in all states that can be reached."""

    states: int = 0
    certificates: int = 0
    moved: int = 0
    """Certificates over a list that is another by now."""
    wrong: State | None = None


def search(rules: Rules, claim: Claim = honest, *, wrong: Claim | None = None) -> Search:
    """Every state that can be reached, up to the first wrong certificate."""
    found, seen = Search(), set[State]()
    waiting = [State(0, 0)]
    seen.update(waiting)
    while waiting:
        state = waiting.pop()
        for sample in state.samples:
            if sample.phase >= DONE and claim(sample, state):
                found.certificates += 1
                found.moved += state.listed != sample.truth
                if (wrong or unproven)(sample, state):
                    found.wrong = state
                    return found
        for after in steps(state, rules):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    found.states = len(seen)
    return found


def unproven(sample: Sample, _state: State) -> bool:
    """Jobs seen on both sides are not exactly those listed at the instant of the count."""
    return sample.before & sample.after != sample.truth


def missed(sample: Sample, state: State) -> bool:
    """A job was listed at the instant of the count, and no answer ever showed it."""
    return bool(sample.truth & ~(sample.before | sample.after | state.seen))


SMALL = Rules(jobs=3, flights=1, samples=1)


@pytest.mark.exhaustive
def test_a_certificate_is_right_in_every_small_world():
    began, states = time.monotonic(), 0
    for rules in (Rules(jobs=3, flights=2, samples=1), Rules(jobs=2, flights=1)):
        found = search(rules)
        assert found.wrong is None, found.wrong
        assert found.moved > 1000, "the client has to certify lists that move, or the search proves nothing"
        states += found.states
    sys.stdout.write(f"{states:,} states of the judge in {time.monotonic() - began:.1f} s\n")
    assert states > 100_000


def test_a_page_that_holds_everything_is_certified_only_if_all_of_it_can_be_read():
    found = search(Rules(jobs=3, flights=1, samples=1, whole=True, unreadable=0b010))
    assert found.wrong is None, found.wrong
    assert found.certificates > 0


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param(Rules(jobs=3, flights=1, samples=1, one_life=False), id="a job may leave and come back"),
        pytest.param(Rules(jobs=3, flights=1, samples=1, fresh_count=False), id="the count may be of an earlier time"),
        pytest.param(Rules(jobs=3, flights=1, samples=1, fresh_rows=False), id="a page may be stale"),
    ],
)
def test_without_any_of_its_assumptions_a_certificate_may_be_wrong(rules):
    assert search(rules, wrong=missed).wrong is not None


def proven(sample: Sample, state: State) -> int:
    return verdict(sample.before, sample.after, state.seen, sample.counted)[0]


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(lambda sample, state: proven(sample, state) <= sample.counted, id="not more than counted"),
        pytest.param(lambda sample, state: state.seen.bit_count() == sample.counted, id="seen at any time"),
        pytest.param(lambda sample, _: sample.after.bit_count() == sample.counted, id="seen after alone"),
        pytest.param(lambda sample, _: sample.before.bit_count() == sample.counted, id="seen before alone"),
        pytest.param(lambda sample, state: sample.counted == state.listed.bit_count(), id="two counts agree"),
        pytest.param(
            lambda sample, state: sample.counted == state.listed.bit_count() == sample.after.bit_count(),
            id="two counts and the rows agree",
        ),
        pytest.param(lambda sample, _: sample.counted > 0 and sample.before == sample.after, id="two passes agree"),
    ],
)
def test_another_judge_certifies_a_list_of_which_it_missed_a_job(claim):
    assert search(SMALL, claim, wrong=missed).wrong is not None


def test_a_judge_that_ignores_doubts_certifies_a_page_of_which_it_missed_a_job():
    rules = Rules(jobs=3, flights=1, samples=1, whole=True, unreadable=0b010)
    careless = search(rules, lambda sample, state: honest(sample, state._replace(doubt=False)), wrong=missed)
    assert careless.wrong is not None


@pytest.mark.parametrize("taken_for", ["before", "after"])
def test_an_answer_that_crossed_the_count_must_not_be_taken_for_one_before_or_after_it(taken_for):
    assert search(Rules(jobs=3, flights=1, samples=1, crossed=taken_for), wrong=missed).wrong is not None


def test_more_seen_on_both_sides_than_counted_breaks_an_assumption_and_proves_nothing():
    """It cannot happen while the assumptions hold, so no search tells ``==`` from ``>=``; a broken one shows."""

    def more(sample: Sample, state: State) -> bool:
        return proven(sample, state) > sample.counted

    assert search(SMALL, more, wrong=lambda *_: True).wrong is None
    assert verdict(0b111, 0b111, 0b111, 2) == (3, False)
    flickering = Rules(jobs=3, flights=1, samples=1, one_life=False)
    assert search(flickering, more, wrong=missed).wrong is not None


@pytest.mark.parametrize("seed", range(300))
def test_of_many_counts_with_pages_in_flight_the_one_that_is_taken_for_a_proof_is_one(seed):
    """The real numbers, in the order in which they come; every answer counts, then shows what is there by then."""
    rng = Random(seed)
    listed, left, truth = set(range(rng.randint(0, 8))), set[int](), dict[int, frozenset[int]]()
    made, flights = SeenLog(rng.sample(sorted(listed), len(listed) // 2)), list[tuple[int, int, set[int]]]()
    for number in range(1, rng.randint(10, 120)):
        if rng.random() < 0.08:
            listed.add(len(listed) + len(left))
        if listed and rng.random() < 0.05:
            left.add(gone := rng.choice(sorted(listed)))
            listed.discard(gone)
        if len(flights) < 3 and rng.random() < 0.5:
            truth[number] = frozenset(listed)
            flights.append((number, len(listed), set(rng.sample(sorted(listed), rng.randint(0, len(listed))))))
        elif flights:
            sent, count, shows = flights.pop(rng.randrange(len(flights)))
            made.saw(shows, sent, number)
            made.counted(Count(count, sent, number))
            found = judge(made)
            if found.holds:
                before, after = made.around(found.count)
                assert before & after == truth[found.count.sent]
                assert not found.absent & truth[found.count.sent]


def test_the_newest_count_that_proves_the_list_is_the_one_told():
    made = SeenLog([1, 2])
    for number, count in ((10, 2), (20, 2), (30, 3)):
        made.counted(Count(count, number, number + 1))
    made.saw([1, 2], 25, 26)
    made.saw([3], 40, 41)
    found = judge(made)
    assert (found.holds, found.count.sent, found.proven, found.newer) == (True, 20, 2, 1)
    assert set(found.present) == {1, 2, 3}
    assert not found.absent


def test_an_empty_answer_proves_nothing_to_one_who_has_seen_jobs():
    made = SeenLog([1])
    made.counted(Count(1, 10, 11))
    made.counted(Count(0, 20, 21))
    assert not judge(made).holds
    made.saw([1], 30, 31)
    assert judge(made).count.sent == 10


def test_a_verdict_names_the_numbers_or_the_first_doubt():
    made = SeenLog([1, 2, 3])
    made.counted(Count(4, 10, 11))
    made.saw([1, 2, 3], 12, 13)
    assert "4 jobs, 3 were" in str(judge(made).reason)
    made.counted(Count(3, 14, 15))
    made.saw([1, 2, 3], 16, 17)
    assert judge(made).reason is None
    assert judge(made, ["first", "second"]).reason == "first"
    assert not judge_page([1], (), Count(0, 1, 2), ["an empty list"]).holds
