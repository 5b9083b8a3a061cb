"""Holds a mirror against its account: what it says was so, and at rest it says everything.

A judge knows the account itself and the notes of what it answered, nothing else. Recorders hand it their notes: the
witness beside a simulator, and the network of a simulated machine.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from tests.support.answers import (
    TABLES,
    Answer,
    Entity,
    answers_of,
    counts,
    general,
    is_active,
    parts_of,
    texts_of,
)
from tests.support.columns import LINKS, VOLATILE, models_of, rows_of, text_of, unlike
from tests.support.notes import BY_ID, DETAIL, LIST, Ids, Note
from tpmirror.db.types import Row
from tpmirror.simulator.world import World
from tpmirror.tensorpix.caching import PARAMETER

_NOWHERE: Final[Row] = {"presence": None}

Reader: TypeAlias = Callable[..., list[Row]]
"""Rows of a table with these values, typed: ``rows("jobs", id=7)``."""

Memory: TypeAlias = tuple[Any, ...]

IN_FLIGHT: Final = 16
"""Answers before another one of which a client with requests in flight may not have known when it asked for that."""
DAY: Final = timedelta(days=1)
LATENCY: Final = timedelta(seconds=1)
"""What an answer shows was so when it was made; the mirror says it was so when it arrived."""


class Judge:
    """Judges one mirror, run by run.

    ``exact``: account, notes and mirror share one clock. ``lies``: answers by id may be lies, so that a job which is
    hidden may be held as gone: it is not asked for again before the list shows it.
    ``vanish_limit``: jobs that may be marked gone within a day without an operator, None for any number.
    ``archives``: whether only the history of ended jobs answers for those not listed, which shows nothing to mirror.
    """

    def __init__(
        self, world: World, *, exact: bool = False, lies: bool = False, vanish_limit: int | None = None
    ) -> None:
        self.world = world
        self.exact = exact
        self.lies = lies
        self.vanish_limit = vanish_limit
        self.archives = False
        self.counts: Counter[str] = Counter()
        self._shown: dict[int, list[int]] = {}
        """By job, the statuses that answers showed and the history has to hold."""
        self._stored: list[Row] = []
        self._entries: dict[int, list[Row]] = {}
        self._texts: dict[tuple[Entity, str], set[str | None]] = {}
        """By entity and column, every value that an answer showed and a column can hold."""
        self._faults: set[tuple[int, str]] = set()
        """Job and field of every value that an answer showed and no column can hold."""
        self._rows: dict[Entity, Row] = {}
        self._closed = 0
        """The last run of those that were over, with all before it."""
        self._pending: dict[tuple[int, str], str] = {}
        """By job and field, the kind of fault that no later answer can have lifted."""
        self._accepted: dict[int, str] = {}
        """By entry of the quarantine, the kind of fault that an operator accepted."""
        self._accepted_everywhere: set[tuple[str, str]] = set()
        self._confirmed: set[int] = set()

    def memory(self) -> Memory:
        """What it knows of the mirror, to be remembered when its database goes back to where it is now."""
        shown, entries = ({job_id: [*found] for job_id, found in each.items()} for each in (self._shown, self._entries))
        of_mirror = (shown, [*self._stored], entries, {**self._rows}, self._closed, {**self._pending})
        return (*of_mirror, {**self._accepted}, {*self._accepted_everywhere})

    def remember(self, memory: Memory) -> None:
        """The mirror is again what it was."""
        self._shown, self._stored, self._entries, self._rows, self._closed, self._pending = memory[:6]
        self._accepted, self._accepted_everywhere = memory[6:]

    def learn(self, answers: Iterable[Answer]) -> None:
        """Remember what an answer says, whether or not it arrived."""
        for answer in answers:
            for entity, texts in answer.texts.items():
                for column, text in texts.items():
                    self._texts.setdefault((entity, column), set()).add(text)
            self._faults |= {(answer.job_id, name) for name in answer.faults}
        self.counts["unheld"] = len(self._faults)

    def accept(self, entries: Iterable[Row], *, everywhere: bool = False) -> None:
        """Remember which entries of the quarantine an operator accepted; ``everywhere``: in every job."""
        for entry in entries:
            self._accepted[entry["id"]] = entry["fault"]
            if everywhere:
                self._accepted_everywhere.add((general(entry["field"]), entry["fault"]))

    def confirm(self, ids: Iterable[int]) -> None:
        """Remember which jobs an operator let go."""
        self._confirmed |= {*ids}

    def withdraw(self) -> None:
        """Nothing is accepted any more."""
        self._accepted.clear()
        self._accepted_everywhere.clear()

    def see(self, notes: Iterable[Note], *, strict: bool) -> None:
        """Remember what a run was shown; unless ``strict``, only of jobs that showed one status in all its answers."""
        shown: dict[int, list[int]] = {}
        for note in notes:
            for job_id, status in ({} if note.is_sample or note.at is None else note.shown).items():
                if status is not None:
                    shown.setdefault(job_id, []).append(status)
        for job_id, statuses in shown.items():
            if strict or len(set(statuses)) == 1:
                self._shown.setdefault(job_id, []).extend(statuses)

    def verdict(
        self, rows: Reader, run: Row | None, notes: Sequence[Note], *, honest_clock: bool = True, strict: bool = False
    ) -> Iterator[str]:
        """Everything that is wrong after a run, in words; None: the run failed, and only what is stored is judged.

        ``strict``: nobody else wrote meanwhile, and the answers came one after the other.
        """
        jobs, entries = {row["id"]: row for row in rows("jobs")}, rows("quarantined_jobs", resolved_at=None)
        self._remember(notes, jobs, sure=strict and run is not None)
        if run:
            yield from self._run(rows, run, notes, jobs, honest_clock)
            yield from self._held(run, notes, jobs, entries, strict=strict)
            yield from self._named(rows, notes, jobs) if strict else ()
            yield from _shown_again(notes, jobs) if strict else ()
        yield from _twice(entries)
        yield from self._stated(rows, jobs)
        yield from self._history(rows, jobs, honest_clock)
        if run:
            yield from self._complete()
        noted = {row["job_id"] for row in rows("quarantined_jobs")} - {None}
        for job_id in jobs.keys() | self._entries.keys() | noted:
            if self._truth(job_id) is None:
                yield f"job {job_id} of another account is mirrored"

    def _run(
        self, rows: Reader, run: Row, notes: Sequence[Note], jobs: dict[int, Row], honest_clock: bool
    ) -> Iterator[str]:
        self.counts.update(runs=1, certified=run["certified"])
        if run["certified"]:
            old = {job_id for job_id, row in jobs.items() if row["first_seen_at"] < run["started_at"]}
            accepted = [row for row in rows("quarantined_jobs", resolved_at=None) if row["accepted_at"] is not None]
            without = {row["job_id"] for row in accepted} - jobs.keys()
            claim = {**json.loads(run["certificate"]), "without a row": without}
            yield from self._certificate(claim, notes, jobs, old if honest_clock else set())
        yield from self._gone(rows, run, notes)
        if honest_clock:
            yield from self._limited(run, jobs)
        for left in rows("sync_runs", outcome="running"):
            if left["id"] <= run["id"]:
                yield f"run {left['id']} is left running after run {run['id']}"

    # What a certificate claims

    def _certificate(
        self, claim: dict[str, Any], notes: Sequence[Note], jobs: dict[int, Row], old: set[int]
    ) -> Iterator[str]:
        """Everything listed at the instant of the count is mirrored and listed; what else is listed came later."""
        place, page = self._count(claim, notes)
        if page is None:
            yield f"nothing was counted at {claim['counted_at']}"
            return
        if claim["count"] != len(page.counted):
            yield f"counted {len(page.counted)}, not {claim['count']}"
        known = {*old, *(_known(place, notes, jobs) if page.known is None else page.known)}
        instants = {page.counted}
        if claim["method"] == "single page":
            # One page proves itself: it is the list at the instant of its rows, or at that of its count.
            instants.add(page.sliced)
            known |= page.shown.keys()
        yield from min((list(_against(instant, claim, known, jobs)) for instant in instants), key=len)

    def _count(self, claim: dict[str, Any], notes: Sequence[Note]) -> tuple[int, Note | None]:
        """The answer that a certificate counts by, and its place among all."""
        at = datetime.fromisoformat(claim["counted_at"])
        found: tuple[int, Note | None] = (0, None)
        for place, note in enumerate(notes):
            then = note.at is not None and (note.at == at if self.exact else note.at <= at)
            asked = {name: value for name, value in note.query.items() if name != PARAMETER}
            if then and note.path == LIST and urlencode(asked) == claim["counted_by"]:
                found = place, note
        return found

    def _gone(self, rows: Reader, run: Row, notes: Iterable[Note]) -> Iterator[str]:
        """Whatever a run marked gone was denied by id in it, and was not there."""
        # The last answer decides: where ended jobs live in a history, that of the history.
        denied = {int(job[1]): note for note in notes if note.status == 404 and (job := BY_ID.fullmatch(note.path))}
        for change in rows("field_changes", field="presence", new_value="gone", sync_run_id=run["id"]):
            self.counts["gone"] += 1
            note = denied.get(change["entity_id"])
            if note is None:
                yield f"job {change['entity_id']} is marked gone without being asked for"
            elif note.found:
                yield f"job {change['entity_id']} is marked gone while it was there"

    def _limited(self, run: Row, jobs: dict[int, Row]) -> Iterator[str]:
        """No more jobs went within a day than may go without an operator."""
        gone = {job_id: row["gone_at"] for job_id, row in jobs.items() if row["gone_at"] is not None}
        went = [job_id for job_id, at in gone.items() if run["started_at"] - at < DAY and job_id not in self._confirmed]
        if self.vanish_limit is not None and len(went) > self.vanish_limit:
            yield f"within a day, jobs {went} went without an operator's word"

    # What is held

    def _held(
        self, run: Row, notes: Sequence[Note], jobs: dict[int, Row], entries: list[Row], *, strict: bool
    ) -> Iterator[str]:
        """A certificate or a cover says that all is held or accepted: by the answers, and by the mirror's own word."""
        claims = [name for name in ("certified", "covered") if run[name]]
        scope = {job_id for job_id, row in jobs.items() if row["presence"] == "listed"}
        if run["kind"] == "poll":
            before = {number for (kind, number), row in self._rows.items() if kind == "job" and is_active(row)}
            after = {job_id for job_id, row in jobs.items() if is_active(row)}
            scope &= before | after if strict else before & after
        if run["certified"]:  # jobs without a row
            scope |= {job_id for note in notes for job_id in note.shown if not note.is_sample} - jobs.keys()
        unheld = self._pending | (_unheld(notes) if not strict else {})
        for (job_id, name), fault in unheld.items() if claims else ():
            if job_id in scope and counts(name) and not self._is_accepted(job_id, name, fault, entries):
                yield f"{claims}, and {name} of job {job_id} is not held: {fault}"
        for entry in entries if claims and strict else ():
            waits = entry["accepted_at"] is None and counts(str(entry["field"]))
            if waits and entry["job_id"] in scope:
                yield f"{claims}, and an entry waits: {entry['field']} of job {entry['job_id']}"

    def _remember(self, notes: Iterable[Note], jobs: dict[int, Row], *, sure: bool) -> None:
        """Keep what could not be held; an answer that need not have been mirrored lifts faults, and adds none."""
        for place in [place for place in self._pending if jobs.get(place[0], _NOWHERE)["presence"] == "gone"]:
            del self._pending[place]  # nothing is left to mirror
        for note in notes:
            for answer in () if note.is_sample else note.answers:
                is_sure = sure and answer.job_id in note.shown
                for job_id, name in [place for place in self._pending if place[0] == answer.job_id]:
                    if answer.states(name) and answer.faults.get(name) != self._pending[job_id, name]:
                        del self._pending[job_id, name]
                if is_sure:
                    self._pending |= {(answer.job_id, name): fault for name, fault in answer.faults.items()}

    def _is_accepted(self, job_id: int, name: str, fault: str, entries: Iterable[Row]) -> bool:
        if (general(name), fault) in self._accepted_everywhere:
            return True
        mine = [entry["id"] for entry in entries if (entry["job_id"], entry["field"]) == (job_id, name)]
        return any(self._accepted.get(entry) == fault for entry in mine)

    def _named(self, rows: Reader, notes: Iterable[Note], jobs: dict[int, Row]) -> Iterator[str]:
        """The view ``held_values`` has what the last answers showed and no column holds, less what is gone."""
        named = {(row["entity"], row["entity_id"], row["field"]) for row in rows("held_values")}
        last = {answer.job_id: (note, answer) for note in notes for answer in (() if note.is_sample else note.answers)}
        for job_id, (note, answer) in last.items():
            if job_id in note.shown and jobs.get(job_id, _NOWHERE)["presence"] not in {None, "gone"}:
                yield from (f"held_values lacks {place}" for place in {*answer.places.values()} - named)

    def _stated(self, rows: Reader, jobs: dict[int, Row]) -> Iterator[str]:
        """Whatever a column took, and whatever is recorded as a change, an answer showed and a column can hold."""
        for entity, table in TABLES.items():
            for row in jobs.values() if entity == "job" else rows(table):
                before = self._rows.get((entity, row["id"]))
                if row != before:
                    self._rows[entity, row["id"]] = row
                    yield from self._shown_once((entity, row["id"]), row, before)
        while run := rows("sync_runs", id=self._closed + 1):
            for change in rows("field_changes", sync_run_id=run[0]["id"]):
                yield from self._recorded(change)
            if run[0]["outcome"] == "running":
                break  # its changes are judged again with those that follow
            self._closed += 1

    def _shown_once(self, entity: Entity, row: Row, before: Row | None) -> Iterator[str]:
        old, new = texts_of(entity[0], before) if before else {}, texts_of(entity[0], row)
        yield from (f"{entity} lost {part}" for part in old.keys() - new.keys())
        for column, text in new.items():
            is_new = text != old.get(column)
            if is_new and text not in self._texts.get((entity, column), ()):
                yield f"{entity} has {column} {text!r}, which no answer showed"

    def _recorded(self, change: Row) -> Iterator[str]:
        entity, column = (change["entity"], change["entity_id"]), change["field"]
        if column == "extra":
            parts = parts_of(json.loads(change["new_value"] or "{}"))
            wrong = [part for part in parts if part[1] not in self._texts.get((entity, part[0]), ())]
        elif column == "presence" or column in LINKS.values():
            wrong = []
        else:
            shown = self._texts.get((entity, column), set())
            held_nothing = change["old_value"] in {None, "[]"}  # until a good value came, or the job's models
            wrong = [change[name] for name in ("old_value", "new_value")[held_nothing:] if change[name] not in shown]
        yield from (f"a change of {column} of {entity} that no answer showed: {text!r}" for text in wrong)

    # What the history claims

    def _history(self, rows: Reader, jobs: dict[int, Row], honest_clock: bool) -> Iterator[str]:
        stored = sorted(rows("job_status_history"), key=lambda entry: entry["entry"])
        old, new = stored[: len(self._stored)], stored[len(self._stored) :]
        if old != self._stored:
            yield "the history is no longer what it was"
        if [entry["entry"] for entry in new] != list(range(len(old) + 1, len(stored) + 1)):
            yield f"the entries of the history have gaps: {[entry['entry'] for entry in new]}"
        self._stored = stored
        self.counts["transitions"] += sum(entry["from_status"] is not None for entry in new)
        for entry in new:
            before = self._entries.setdefault(entry["job_id"], [])
            yield from link(before, entry)
            before.append(entry)
            yield from self._true(before, honest_clock)
        for job_id, row in jobs.items():
            last = self._entries.get(job_id, [{"to_status": None}])[-1]["to_status"]
            if row["status"] != last:
                yield f"job {job_id} is {row['status']}, its history ends with {last}"

    def _true(self, entries: list[Row], honest_clock: bool) -> Iterator[str]:
        """The newest entry says nothing that was not so."""
        job_id, entry = entries[0]["job_id"], entries[-1]
        if (truth := self._truth(job_id)) is None:
            return
        held = [entry["to_status"] for entry in entries]
        if text_of(entry["to_status"]) not in self._texts.get((("job", job_id), "status"), ()):
            yield f"job {job_id} is {entry['to_status']} in the history, which no answer showed"
        if not is_within(held, [status for _, _, status in truth]):
            yield f"job {job_id} went {[status for _, _, status in truth]}, its history says {held}"
        elif self.exact and honest_clock and entry["not_before"] is not None:
            changed = max(at for at, _, status in truth if status == held[-1] and at <= entry["observed_at"])
            if changed + LATENCY < entry["not_before"]:
                yield f"job {job_id} changed at {changed}, its history says not before {entry['not_before']}"

    def _truth(self, job_id: int) -> list[tuple[datetime, int | None, int]] | None:
        """What became of a job; None if it is none of this account."""
        try:
            return self.world.history(job_id)
        except KeyError:
            return None

    def _complete(self) -> Iterator[str]:
        """What was shown to runs that succeeded is in the history, in that order."""
        for job_id, statuses in self._shown.items():
            shown = [status for status, _ in groupby(statuses)]
            held = [entry["to_status"] for entry in self._entries.get(job_id, [])]
            if not is_within(shown, held):
                yield f"job {job_id} showed {shown}, its history says {held}"
            self._shown[job_id] = shown

    # What a mirror holds at rest

    def differences(self, rows: Reader, listed: Ids) -> Iterator[str]:
        """Where mirror and account differ, when nothing moves any more."""
        held = {name: {row["id"]: row for row in rows(name)} for name in ("jobs", "input_videos", "output_videos")}
        models: dict[int, list[int]] = {}
        for row in rows("job_ml_models"):
            models.setdefault(row["job_id"], []).append(row["ml_model_id"])
        for answer in answers_of(map(self.world.job, sorted(listed - held["jobs"].keys()))):
            if answer.status is not None:  # else a job without a row
                yield f"job {answer.job_id} is not mirrored"
        for job_id, row in held["jobs"].items():
            where = "listed" if job_id in listed else "unlisted" if self.world.found(job_id) else "gone"
            if row["presence"] != where and not (self.lies and (row["presence"], where) == ("gone", "unlisted")):
                yield f"job {job_id} is {where}, the mirror says {row['presence']}"
            if "gone" not in (where, row["presence"]) and not (self.archives and where == "unlisted"):
                shown = self.world.job(job_id)
                for table, true in rows_of(shown).items():
                    yield from _differing(f"{table} {true['id']}", held[table].get(true["id"]), true)
                if (true_models := models_of(shown)) is not None and models.get(job_id, []) != true_models:
                    yield f"job {job_id} has other models than the mirror says: {models.get(job_id)}"

    def unsettled(self, rows: Reader, run: Row, listed: Ids) -> Iterator[str]:
        """What is wrong after a run at rest: it is certified if all is held, the quarantine names the rest, no more."""
        entries = [row for row in rows("quarantined_jobs", resolved_at=None) if row["job_id"] in listed]
        shown = {answer.job_id: answer for answer in answers_of(map(self.world.job, sorted(listed)))}
        unheld = {(job_id, name): fault for job_id, answer in shown.items() for name, fault in answer.faults.items()}
        noted = {(row["job_id"], row["field"]): row["fault"] for row in entries}
        yield from (f"the quarantine lacks {place}: {fault}" for place, fault in unheld.items() if place not in noted)
        for (job_id, name), fault in noted.items():
            says_nothing = (job_id, name) in self._faults and not shown[job_id].states(str(name))
            if fault != unheld.get((job_id, name)) and not says_nothing:
                yield f"the quarantine has {name} of job {job_id}: {fault}"
        waiting = [row for row in entries if row["accepted_at"] is None and counts(str(row["field"]))]
        if run["certified"] != (not waiting):
            yield f"certified: {run['certified']}, and {len(waiting)} entries wait: {run['certificate']}"


def _unheld(notes: Iterable[Note]) -> dict[tuple[int, str], str]:
    """What all answers that may have been mirrored show, and no column holds."""
    shown: dict[int, list[tuple[bool, Answer]]] = {}
    for note in notes:
        for answer in () if note.is_sample else note.answers:
            shown.setdefault(answer.job_id, []).append((answer.job_id in note.shown, answer))
    return {
        (job_id, name): fault
        for job_id, found in shown.items()
        for name, fault in found[0][1].faults.items()
        if any(arrived for arrived, _ in found) and all(answer.faults.get(name) == fault for _, answer in found)
    }


def _shown_again(notes: Iterable[Note], jobs: dict[int, Row]) -> Iterator[str]:
    """A job that was shown after it was denied, if it was, is not gone."""
    is_shown = dict[int, bool]()
    for note in notes:
        job = DETAIL.fullmatch(note.path)
        is_shown |= {int(job[1]): False} if job and note.status == 404 else {}
        is_shown |= {} if note.is_sample else dict.fromkeys(note.shown, True)
    for job_id in [job_id for job_id, shown in is_shown.items() if shown]:
        if jobs.get(job_id, _NOWHERE)["presence"] == "gone":
            yield f"job {job_id} was shown, and is held as gone"


def _twice(entries: Iterable[Row]) -> Iterator[str]:
    """Open entries of which one would do."""
    times = Counter((row["job_id"], row["field"]) for row in entries if row["job_id"] is not None)
    yield from (f"the quarantine has {number} open entries of {place}" for place, number in times.items() if number > 1)


def _known(place: int, notes: Sequence[Note], jobs: Collection[int]) -> set[int]:
    """What a client with requests in flight knew for sure before an answer: by the notes before, or by no note."""
    first = max(0, place - IN_FLIGHT)
    later = {job_id for note in notes[first:] for job_id in note.shown}
    return {job_id for note in notes[:first] for job_id in note.shown} | (set(jobs) - later)


def _against(instant: Ids, claim: dict[str, Any], known: set[int], jobs: dict[int, Row]) -> Iterator[str]:
    """What a mirror that claims to be complete at an instant lacks, and has too much of what was known before."""
    held = {job_id for job_id, row in jobs.items() if row["presence"] == "listed"}
    missing = instant - held - claim["without a row"]
    if claim["count"] != len(instant):
        yield f"certified with {claim['count']} jobs where {len(instant)} were listed"
    yield from (f"job {job_id} was listed at the count, and is not mirrored as listed" for job_id in missing)
    yield from (f"job {job_id} was not listed at the count, and is held as such" for job_id in (held - instant) & known)


def _differing(where: str, held: Row | None, true: Row) -> Iterator[str]:
    """Where a row differs from what the account shows; a link to a video that was taken away stays."""
    if held is None:
        yield f"{where} is not mirrored"
        return
    for name in unlike(held, true):
        stays = name in LINKS and true[name] is None and held[LINKS[name]] is not None
        if name == "extra":  # an unknown key that is not shown any more stays
            kept = dict(parts_of(json.loads(held[name] or "{}")))
            stays = bool(kept) and dict(parts_of(true[name] or {})).items() <= kept.items()
        if name not in VOLATILE and not stays:
            yield f"{where} has {name} {true[name]!r}, the mirror says {held[name]!r}"


def link(before: Sequence[Row], entry: Row) -> Iterator[str]:
    """An entry of the history after those before: no gap, no step on the spot, bounds in order."""
    if not before:
        sound = (entry["seq"], entry["from_status"], entry["not_before"]) == (1, None, None)
    else:
        last = before[-1]
        sound = (
            entry["seq"] == last["seq"] + 1
            and entry["from_status"] == last["to_status"] != entry["to_status"]
            and entry["not_before"] is not None
            and last["observed_at"] <= entry["not_before"] <= entry["observed_at"]
        )
    if not sound:
        yield f"the history of job {entry['job_id']} does not hold together: {before[-1:]} then {entry}"


def is_within(part: Sequence[object], whole: Iterable[object]) -> bool:
    """Whether ``part`` is a subsequence of ``whole``."""
    rest = iter(whole)
    return all(any(one == other for other in rest) for one in part)
