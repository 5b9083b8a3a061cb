"""The judge against every small world: all interleavings of a list that moves and a client that looks.

Each job has one life: it appears, it is listed, it leaves. The client asks, several requests at once; an answer shows
any of the jobs that were listed at some instant while it was under way. The count is taken at any instant between two
numbers, p and q. What the client makes of it is the package's own ``Sightings`` and ``judge``.

The same search with one of its assumptions dropped, or with another judge, has to find a wrong certificate: a search
that cannot fail proves nothing.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, TypeAlias

import pytest

from tpmirror.certify import Sightings, judge

Ids: TypeAlias = int
"""A set of jobs, a bit each."""

LOOKING, ASKED, COUNTED, AGAIN, WHOLE = range(5)
"""Before p; between p and the count; between the count and q; after q. Or all was on one page."""
Q = 10


class Request(NamedTuple):
    """A request under way, and what its answer shows so far. ``fresh``: asked after the newest count."""

    fresh: bool
    shows: Ids


class State(NamedTuple):
    """The world, what the client knows, and what is under way."""

    phase: int
    listed: Ids
    left: Ids
    before: Ids = 0
    after: Ids = 0
    truth: Ids = 0
    """Listed at the instant of the count."""
    counted: int = 0
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
    told_in_time: bool = True
    """No answer is told between p and q."""
    unreadable: Ids = 0
    """Jobs whose id cannot be read: an answer that shows one leaves a doubt instead."""
    whole: bool = False
    """Whether all may fit one page."""
    memory: type[Sightings] = Sightings


Claim: TypeAlias = Callable[[State], bool]
"""Whether a client would certify."""


def members(ids: Ids) -> list[int]:
    return [job for job in range(ids.bit_length()) if ids >> job & 1]


def bits(ids: Iterable[int]) -> Ids:
    return sum(1 << job for job in ids)


def sightings(memory: type[Sightings], phase: int, before: Ids, after: Ids) -> Sightings:
    """The client's memory, in this state."""
    made = memory(members(before))
    if phase != LOOKING:
        made.sample(Q)
        made.saw(members(after), Q + 1)
    return made


def read_back(made: Sightings, jobs: int) -> tuple[Ids, Ids]:
    return bits(job for job in range(jobs) if made.saw_before([job])), bits(made.present())


@cache
def tell(rules: Rules, phase: int, before: Ids, after: Ids, request: Request) -> tuple[Ids, Ids]:
    """An answer is complete and told."""
    made = sightings(rules.memory, phase, before, after)
    made.saw(members(request.shows), Q + 1 if request.fresh else Q - 1)
    return read_back(made, rules.jobs)


@cache
def take(rules: Rules, before: Ids, after: Ids) -> tuple[Ids, Ids]:
    """The count is complete, the first or another."""
    made = sightings(rules.memory, AGAIN if after else LOOKING, before, after)
    made.sample(Q + 2)
    return read_back(made, rules.jobs)


@cache
def certified(before: Ids, after: Ids, count: int, *, doubt: bool) -> bool:
    proven = sightings(Sightings, AGAIN, before, after).proven
    return judge(proven, count, ["an item's id cannot be read"] * doubt).certified


def honest(state: State) -> bool:
    """The package's own verdict."""
    return certified(state.before, state.after, state.counted, doubt=state.doubt)


def steps(state: State, rules: Rules) -> Iterator[State]:
    """Everything that may happen next, one thing at a time."""
    yield from world_steps(state, rules)
    yield from count_steps(state, rules)
    if state.phase == WHOLE:
        return
    if len(state.flights) < rules.flights:
        yield with_flights(state, (*state.flights, Request(state.phase == AGAIN, 0)))
    for number, request in enumerate(state.flights):
        others = state.flights[:number] + state.flights[number + 1 :]
        servable = state.listed if rules.fresh_rows else state.listed | state.left
        for job in members(servable & ~request.shows):
            yield with_flights(state, (*others, Request(request.fresh, request.shows | 1 << job)))
        if state.phase in (LOOKING, AGAIN) or not rules.told_in_time:
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
    """Towards the count, and a step on: it is asked for, taken, complete; later asked for again."""
    now = state.listed.bit_count()
    if state.phase == LOOKING and rules.whole:
        readable = state.listed & ~rules.unreadable
        doubt = state.doubt or bool(state.listed & rules.unreadable)
        seen = state._replace(before=readable, after=readable, truth=state.listed, counted=readable.bit_count())
        yield seen._replace(phase=WHOLE, doubt=doubt, flights=())
    if state.phase == LOOKING or (state.phase == AGAIN and rules.samples > 1):
        stale = tuple(sorted(Request(False, request.shows) for request in state.flights))
        yield state._replace(phase=ASKED, flights=stale, truth=0, counted=0)
    if state.phase == ASKED:
        yield state._replace(phase=COUNTED, truth=state.listed, counted=now)
        if not rules.fresh_count:
            yield state._replace(phase=COUNTED, truth=state.listed, counted=state.earlier)
    if state.phase == COUNTED:
        before, after = take(rules, state.before, state.after)
        yield state._replace(phase=AGAIN, before=before, after=after)
    if not rules.fresh_count and state.phase == LOOKING and state.earlier != now:
        yield state._replace(earlier=now)


def with_flights(state: State, flights: tuple[Request, ...]) -> State:
    return state._replace(flights=tuple(sorted(flights)))


def told(state: State, request: Request, others: tuple[Request, ...], rules: Rules) -> State:
    """An answer is complete and told; what cannot be read leaves a doubt."""
    phase = LOOKING if state.phase in (ASKED, COUNTED) else state.phase
    readable = Request(request.fresh, request.shows & ~rules.unreadable)
    before, after = tell(rules, phase, state.before, state.after, readable)
    doubt = state.doubt or readable != request
    return state._replace(before=before, after=after, doubt=doubt, flights=others)


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
    waiting = [State(LOOKING, 0, 0)]
    seen.update(waiting)
    while waiting:
        state = waiting.pop()
        if state.phase in (AGAIN, WHOLE) and claim(state):
            found.certificates += 1
            found.moved += state.listed != state.truth
            if (wrong or unproven)(state):
                found.wrong = state
                break
        for after in steps(state, rules):
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    found.states = len(seen)
    return found


def unproven(state: State) -> bool:
    """Jobs seen on both sides are not exactly those listed at the instant of the count."""
    return state.before & state.after != state.truth


def missed(state: State) -> bool:
    """A job was listed at the instant of the count, and no answer ever showed it."""
    return bool(state.truth & ~(state.before | state.after))


SMALL = Rules(jobs=3, flights=1)


def test_a_certificate_is_right_in_every_small_world():
    began, states = time.monotonic(), 0
    for rules in (Rules(jobs=3, flights=2, samples=1), Rules(jobs=3, flights=1), Rules(jobs=4, flights=1, samples=1)):
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
        pytest.param(Rules(jobs=3, flights=1, one_life=False), id="a job may leave and come back"),
        pytest.param(Rules(jobs=3, flights=1, fresh_count=False), id="the count may be of an earlier instant"),
        pytest.param(Rules(jobs=3, flights=1, fresh_rows=False), id="a page may be stale"),
        pytest.param(Rules(jobs=3, flights=1, told_in_time=False), id="answers may be told during the count"),
    ],
)
def test_without_any_of_its_assumptions_a_certificate_may_be_wrong(rules):
    assert search(rules, wrong=missed).wrong is not None


def proven(state: State) -> int:
    return (state.before & state.after).bit_count()


@pytest.mark.parametrize(
    "claim",
    [
        pytest.param(lambda state: proven(state) <= state.counted, id="not more than counted"),
        pytest.param(
            lambda state: (state.before | state.after).bit_count() == state.counted, id="seen before or after"
        ),
        pytest.param(lambda state: state.after.bit_count() == state.counted, id="seen after alone"),
        pytest.param(lambda state: state.before.bit_count() == state.counted, id="seen before alone"),
        pytest.param(lambda state: state.counted == state.listed.bit_count(), id="two counts agree"),
        pytest.param(
            lambda state: state.counted == state.listed.bit_count() == state.after.bit_count(),
            id="two counts and the rows agree",
        ),
        pytest.param(lambda state: state.counted > 0 and state.before == state.after, id="two passes agree"),
    ],
)
def test_another_judge_certifies_a_list_of_which_it_missed_a_job(claim):
    assert search(SMALL, claim, wrong=missed).wrong is not None


def test_a_judge_that_ignores_doubts_certifies_a_page_of_which_it_missed_a_job():
    rules = Rules(jobs=3, flights=1, samples=1, whole=True, unreadable=0b010)
    assert search(rules, lambda state: honest(state._replace(doubt=False)), wrong=missed).wrong is not None


class Credulous(Sightings):
    """Takes an answer for one after the count although it was asked for before."""

    def saw(self, ids: Iterable[int], sent: int) -> None:
        super().saw(ids, sent if self._sampled is None else max(sent, self._sampled + 1))


class Forgetful(Sightings):
    """Takes another count and leaves what was seen after the one before where it is."""

    def sample(self, q: int) -> None:
        after = set(self.present())
        super().sample(q)
        self.saw(after, q + 1)


@pytest.mark.parametrize("memory", [Credulous, Forgetful])
def test_another_memory_certifies_a_list_of_which_it_missed_a_job(memory):
    assert search(Rules(jobs=3, flights=1, memory=memory), wrong=missed).wrong is not None


def test_more_seen_on_both_sides_than_counted_breaks_an_assumption_and_proves_nothing():
    """It cannot happen while the assumptions hold, so no search tells ``==`` from ``>=``; a broken one shows."""
    found = search(SMALL, lambda state: proven(state) > state.counted, wrong=lambda _: True)
    assert found.wrong is None
    assert not judge(3, 2).certified
    flickering = Rules(jobs=3, flights=1, one_life=False)
    assert search(flickering, lambda state: proven(state) > state.counted, wrong=missed).wrong is not None


def test_a_verdict_names_the_numbers_or_the_first_doubt():
    assert judge(3, 3).reason is None
    assert "4 jobs, 3 were" in str(judge(3, 4).reason)
    assert judge(3, 3, ["first", "second"]).reason == "first"
    assert not judge(0, 0, ["an empty list"]).certified
