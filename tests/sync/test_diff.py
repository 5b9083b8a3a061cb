"""What follows from a look at a job, given what the mirror knows."""

import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.support.payloads import NOON, encoded, item, job, later, look, model, output, source
from tpmirror.store.changes import RECHECK, LastChange, Observation, StoredState
from tpmirror.sync.diff import QUARANTINE_REFRESH, Shown, changed_models, diff, to_text, upstream_timestamp
from tpmirror.sync.normalize import normalize
from tpmirror.tensorpix.decode import ParseFailure
from tpmirror.tensorpix.reading import OUT_OF_RANGE, TOO_MANY_DIGITS, WRONG_KIND

DEEP = json.loads("[" * 60 + "]" * 60)


def made(shown, known=None, *, models=None, unreadable=(), run_id=5):
    """The plan for one closer look."""
    batch = [read(shown)] if shown else []
    found = {model_id: read(one) for model_id, one in (models or {}).items()}
    return diff(known or StoredState(), batch, found, unreadable, run_id)


def read(observation):
    """A look and its rows."""
    return Shown(observation, normalize(observation.item))


def held(done, job_id=1, **more):
    """What the quarantine holds of a job after a plan, as the next one knows it."""
    return {job_id: {row["field"]: {**row, "id": place, **more} for place, row in enumerate(done.quarantine)}}


def after(first, **kinds):
    """What the mirror knows once it stored the plan of a first look."""
    done = made(first, models={found.id: first for found in first.item.job.ml_models or ()})
    links: dict[int, list] = {}
    for link in done.links:
        links.setdefault(link["job_id"], []).append(link)
    return StoredState(
        jobs=done.jobs,
        input_videos=done.input_videos,
        output_videos=done.output_videos,
        ml_models=done.ml_models,
        links=links,
        newest_users=dict.fromkeys(done.ml_models, first.item.job.id),
        last_changes={entry["job_id"]: LastChange(entry["seq"], entry["observed_at"]) for entry in done.history},
        **{"codes": {"job_statuses": {0, 1, 2, -1, -2}, "ml_tasks": {1}}, **kinds},
    )


def told(done):
    """The changes of a plan, short."""
    return {
        (change["entity"], change["field"]): (change["old_value"], change["new_value"]) for change in done.field_changes
    }


def test_a_first_look_is_rows_and_one_entry_without_a_past():
    done = made(look(status=2, finished="2026-11-01T11:00:00Z", output_video=output()))
    assert (list(done.jobs), list(done.input_videos), list(done.output_videos)) == ([1], [7], [9])
    (entry,) = done.history
    assert (entry["seq"], entry["from_status"], entry["to_status"]) == (1, None, 2)
    assert (entry["not_before"], entry["observed_at"], entry["occurred_at"]) == (None, NOON, later(-60))
    assert entry["sync_run_id"] == 5
    row = done.jobs[1]
    assert (row["first_seen_at"], row["changed_at"], row["presence"]) == (NOON, NOON, "listed")
    assert (done.field_changes, done.inserted, done.updated, done.transitions) == ([], {1}, set(), 0)


def test_a_look_that_shows_the_same_changes_nothing():
    done = made(look(5), after(look()))
    assert not done
    assert (done.inserted, done.updated) == (set(), set())


def test_a_status_change_is_an_entry_and_no_field_change():
    done = made(look(5, status=1), after(look()))
    (entry,) = done.history
    assert (entry["seq"], entry["from_status"], entry["to_status"]) == (2, 0, 1)
    assert (entry["observed_at"], done.transitions, done.updated) == (later(5), 1, {1})
    assert told(done) == {}
    assert done.jobs[1]["changed_at"] == later(5)


@pytest.mark.parametrize(
    ("listed", "active", "presence", "expected"),
    [
        (None, None, "listed", 0),
        (3, None, "listed", 3),
        (3, 4, "listed", 4),
        (4, 3, "listed", 4),
        (3, None, "unlisted", 0),
        (3, 4, "unlisted", 4),
        (9, 9, "listed", 0),
        (9, 3, "listed", 3),
        (-9, -9, "listed", 0),
    ],
)
def test_the_lower_bound_is_the_last_proof_of_the_old_status(listed, active, presence, expected):
    known = after(look())
    known.jobs[1]["presence"] = presence
    known.listed_covered_at = None if listed is None else later(listed)
    known.active_covered_at = None if active is None else later(active)
    (entry,) = made(look(5, status=1), known).history
    assert entry["not_before"] == later(expected)


def test_no_poll_bounds_the_change_of_a_job_that_it_did_not_ask_for():
    known = after(look(), active_covered_at=later(4), unpolled={1})
    known.jobs[1]["presence"] = "unlisted"
    (entry,) = made(look(5, status=1), known).history
    assert entry["not_before"] == NOON


def test_under_a_clock_that_is_wrong_no_other_run_bounds_a_change():
    known = after(look(), listed_covered_at=later(3), active_covered_at=later(3), has_moments=False)
    (entry,) = made(look(5, status=1), known).history
    assert entry["not_before"] == NOON


@pytest.mark.parametrize(("covered", "expected"), [(3, 3), (-3, 5), (None, 5)])
def test_the_entry_before_bounds_no_change_if_its_moment_is_no_proof(covered, expected):
    """Seen under a clock that was ahead: the change may have been before that moment."""
    known = after(look(), listed_covered_at=None if covered is None else later(covered))
    known.last_changes[1] = known.last_changes[1]._replace(is_proof=False)
    (entry,) = made(look(5, status=1), known).history
    assert (entry["seq"], entry["not_before"], entry["observed_at"]) == (2, later(expected), later(5))


def test_an_entry_is_not_dated_before_one_whose_moment_is_no_proof():
    known = after(look())
    known.last_changes[1] = known.last_changes[1]._replace(is_proof=False)
    (entry,) = made(look(-5, status=1), known).history
    assert (entry["not_before"], entry["observed_at"]) == (NOON, NOON)


def test_runs_that_could_not_read_a_job_or_did_not_ask_for_it_prove_nothing_about_it():
    for presence, quarantine in (("listed", {1: {"why": {"id": 3}}}), ("missing", {}), ("gone", {})):
        known = after(look(), listed_covered_at=later(3), active_covered_at=later(3), quarantine=quarantine)
        known.jobs[1]["presence"] = presence
        (entry,) = made(look(5, status=1), known).history
        assert entry["not_before"] == NOON


def shared(job_id, name, sent, received):
    """A finished job made from video 7."""
    shown = look(received, id=job_id, status=2, input_video=source(7, name=name), ml_models=[])
    return replace(shown, sent=sent, received=received)


def looks(*shown, known=None):
    return diff(known or StoredState(), list(map(read, shown)), {}, (), 5)


def test_answers_tell_of_a_shared_video_in_the_order_in_which_they_were_asked_for():
    done = looks(shared(2, "new", 5, 6), shared(10, "old", 3, 4), known=after(shared(1, "old", 1, 2)))
    assert told(done) == {("input_video", "name"): ("old", "new")}
    assert all(row["fingerprint"] for row in done.jobs.values())


def test_an_answer_that_may_be_older_than_another_changes_no_shared_video_and_the_next_look_settles_it():
    first = shared(10, "new", 4, 5)
    late = looks(shared(2, "old", 3, 6), known=after(first, shown=made(first).shown))
    assert (late.input_videos, late.field_changes) == ({}, [])
    assert late.jobs[2]["fingerprint"] == "", "it is looked at again"
    together = looks(shared(2, "old", 3, 6), first)
    assert (together.input_videos[7]["name"], together.field_changes) == ("old", [])
    assert (bool(together.jobs[2]["fingerprint"]), together.jobs[10]["fingerprint"]) == (True, "")
    next_run = looks(shared(2, "new", 1, 2), known=after(first))
    assert (next_run.input_videos, bool(next_run.jobs[2]["fingerprint"])) == ({}, True)


def test_an_answer_that_says_nothing_of_a_column_of_a_shared_video_keeps_no_other_from_stating_it():
    silent = replace(look(4, id=2, input_video=source(7, width="wide", new=1)), sent=3, received=6)
    stating = replace(look(4, id=10, input_video=source(7, width=640, other=2)), sent=3, received=6)
    together = looks(silent, stating)
    assert (together.input_videos[7]["width"], together.input_videos[7]["extra"]) == (640, '{"new": 1, "other": 2}')
    assert (together.jobs[2]["fingerprint"], bool(together.jobs[10]["fingerprint"])) == ("", True)
    other = replace(look(4, id=11, input_video=source(7, width=650)), sent=3, received=6)
    assert looks(silent, stating, other).jobs[11]["fingerprint"] == "", "whichever is older is looked at again"


def test_polls_prove_nothing_about_jobs_that_were_over():
    known = after(look(status=2), active_covered_at=later(3))
    (entry,) = made(look(5, status=1), known).history
    assert entry["not_before"] == NOON


def test_a_clock_that_was_set_back_does_not_turn_the_history_around():
    known = after(look(status=1))
    (entry,) = made(replace(look(status=2), at=later(-3600)), known).history
    assert (entry["not_before"], entry["observed_at"]) == (NOON, NOON)


@pytest.mark.parametrize(
    ("status", "row", "known", "expected"),
    [
        (2, {"finished": 9, "started": 1}, None, 9),
        (-1, {"finished": None, "started": 1}, None, None),
        (0, {"finished": None, "started": 1}, None, 1),
        (1, {"finished": None, "started": 1}, None, None),
        (7, {"finished": 9, "started": 1}, None, None),
        (2, {"finished": 9, "started": 1}, {"finished": None, "started": 1}, 9),
        (2, {"finished": 9, "started": 1}, {"finished": 9, "started": 1}, None),
        (-2, {"finished": None, "started": 1}, {"finished": None, "started": 1}, None),
        (1, {"finished": None, "started": 1}, {"finished": None, "started": 1}, None),
        (1, {"finished": None, "started": 5}, {"finished": None, "started": 1}, 5),
    ],
)
def test_upstream_states_a_moment_only_with_the_change_it_belongs_to(status, row, known, expected):
    def moments(values):
        return values and {name: value and later(value) for name, value in values.items()}

    assert upstream_timestamp(status, moments(row), moments(known)) == (expected and later(expected))


def test_every_changed_column_is_told_from_old_to_new():
    first = look(output_video=output())
    then = look(
        5, description="new", preview=True, cost_usd="1.25", finished="2026-11-01T12:00:00Z", grain=0.5,
        input_video=source(name="b.mp4"), output_video=output(quality_score=5, deleted="2026-11-01T12:00:01.5Z"),
    )  # fmt: skip
    assert told(made(then, after(first))) == {
        ("job", "description"): (None, "new"),
        ("job", "preview"): (None, "true"),
        ("job", "cost_usd"): ("1.5000", "1.2500"),
        ("job", "finished"): (None, "2026-11-01T12:00:00Z"),
        ("job", "grain"): (None, "0.5"),
        ("input_video", "name"): ("clip.mp4", "b.mp4"),
        ("output_video", "quality_score"): (None, "5"),
        ("output_video", "deleted"): (None, "2026-11-01T12:00:01.500000Z"),
    }


def test_volatile_columns_follow_without_a_word():
    done = made(look(5, description="new", eta_s=3.0, processing_progress=0.5), after(look()))
    assert (done.jobs[1]["eta_s"], done.jobs[1]["processing_progress"]) == (3.0, 0.5)
    assert told(done) == {("job", "description"): (None, "new")}


@pytest.mark.parametrize(("status", "samples"), [(0, 0), (1, 1), (7, 0), (2, 0), (-1, 0), (-2, 0)])
def test_a_job_that_only_ticks_is_no_change_and_while_processing_a_sample(status, samples):
    known = after(look(status=status))
    done = made(look(5, status=status, eta_s=3.0), known)
    sample = {"job_id": 1, "observed_at": later(5), "eta_s": 3.0, "processing_progress": 0.0}
    assert (done.updated, done.history, done.field_changes, done.samples) == (set(), [], [], [sample] * samples)
    assert (done.jobs[1]["eta_s"], done.jobs[1]["changed_at"]) == (3.0, NOON)


def test_a_job_written_otherwise_is_no_change_and_no_sample():
    known = after(look(status=1))
    shown = item(status=1)
    done = made(Observation(replace(shown, fingerprint="other"), later(5), sent=3, received=4), known)
    assert (done.updated, done.history, done.field_changes, done.samples) == (set(), [], [], [])
    assert done.jobs[1] == {**known.jobs[1], "fingerprint": "other"}


@pytest.mark.parametrize("kind", ["input_video", "output_video"])
def test_a_video_taken_away_leaves_its_link_with_the_time(kind):
    first = look(output_video=output())
    link = {"input_video": 7, "output_video": 9}[kind]
    known = after(first)
    gone = made(look(5, **{"output_video": output(), kind: None}), known)
    assert (gone.jobs[1][f"{kind}_id"], gone.jobs[1][f"{kind}_detached_at"]) == (link, later(5))
    known.jobs.update(gone.jobs)
    still = made(look(9, **{"output_video": output(), kind: None}, description="new"), known)
    assert still.jobs[1][f"{kind}_detached_at"] == later(5)
    known.jobs.update(still.jobs)
    back = made(look(12, output_video=output()), known)
    assert (back.jobs[1][f"{kind}_id"], back.jobs[1][f"{kind}_detached_at"]) == (link, None)


def test_another_video_replaces_the_link():
    done = made(look(5, input_video=source(8)), after(look()))
    assert (done.jobs[1]["input_video_id"], done.jobs[1]["input_video_detached_at"]) == (8, None)
    assert told(done) == {("job", "input_video_id"): ("7", "8")}


def test_a_weight_stays_as_it_was_when_the_job_was_first_seen_with_the_model():
    first = look(ml_models=[model(44), model(45, cost_weight=0.5)])
    then = look(5, ml_models=[model(45, cost_weight=9.0), model(46, cost_weight=1.5)])
    done = made(then, after(first))
    assert [(link["position"], link["ml_model_id"], link["cost_weight"]) for link in done.links] == [
        (0, 45, 0.5),
        (1, 46, 1.5),
    ]
    assert told(done) == {("job", "ml_models"): ("[44, 45]", "[45, 46]")}


def test_fewer_models_drop_the_links_left_over():
    done = made(look(5, ml_models=[model(44)]), after(look(ml_models=[model(44), model(45)])))
    assert done.dropped_links == [{"job_id_": 1, "position_": 1}]
    assert 1 in done.updated


@pytest.mark.parametrize("silent", [{"ml_models": None}, {}])
def test_an_answer_that_does_not_state_the_models_leaves_the_links_as_they_are(silent):
    first = look(ml_models=[model(44, cost_weight=2.0), model(45)])
    payload = {name: value for name, value in job().items() if name != "ml_models"} | silent
    then = Observation(item(payload), later(5), sent=3, received=4)
    done = made(then, after(first))
    assert (done.links, done.dropped_links, done.field_changes) == ([], [], [])


def test_a_model_shown_by_an_older_job_than_its_newest_user_stays():
    known = after(look(id=8))
    old = look(5, id=3, ml_models=[model(44, name="as it was")])
    assert made(None, known, models={44: old}).ml_models == {}
    new = look(5, id=9, ml_models=[model(44, name="as it is")])
    assert told(made(None, known, models={44: new})) == {("ml_model", "name"): ("model 44", "as it is")}


def test_of_a_batch_the_newest_job_speaks_for_a_model():
    looks = [look(id=3, ml_models=[model(name="c")]), look(id=9, ml_models=[model(name="a")]), look(id=5)]
    batch = list(map(read, looks))
    assert changed_models({}, batch) == {44: batch[1]}
    assert changed_models(after(looks[1]).ml_models, batch) == {}


def test_codes_without_a_label_get_one():
    done = made(look(status=7, output_resolution=4096, ml_models=[]), StoredState(codes={"job_statuses": {0, 1}}))
    assert done.new_labels == {
        "job_statuses": {7: {"code": 7, "name": "unknown (7)", "is_terminal": False}},
        "output_resolutions": {4096: {"code": 4096, "name": "unknown (4096)"}},
    }


def test_what_cannot_be_held_is_noted_once_and_resolved_when_it_can():
    broken = look(start_frame=2**64)
    first = made(broken)
    (note,) = first.quarantine
    assert (note["job_id"], note["field"], note["fault"]) == (1, "job.start_frame", OUT_OF_RANGE)
    assert (note["first_seen_at"], note["resolved_at"], note["accepted_at"]) == (NOON, None, None)
    assert first.jobs[1]["start_frame"] is None
    assert first.jobs[1]["fingerprint"] == RECHECK, "it has to be looked at again"
    known = held(first)
    again = made(look(5, start_frame=2**64), after(broken, quarantine=known))
    assert not again
    much_later = QUARANTINE_REFRESH / timedelta(minutes=1)
    stale = made(look(much_later, start_frame=2**64), after(broken, quarantine=known))
    assert [seen["last_seen_at"] for seen in stale.quarantine_seen] == [later(much_later)]
    mended = made(look(9, start_frame=1), after(broken, quarantine=known))
    assert mended.quarantine_resolved == [{"id_": 0, "resolved_at": later(9)}]


def test_an_item_shown_readable_and_unreadable_at_once_stays_in_quarantine_until_the_next_look():
    broken = ParseFailure(1, "a key stands twice", encoded({"id": 1}))
    known = after(look(), quarantine=held(made(None, unreadable=[(broken, NOON)])))
    both = made(look(5, description="new"), known, unreadable=[(broken, later(5))])
    assert (both.quarantine_resolved, told(both)) == ([], {("job", "description"): (None, "new")})
    alone = made(look(5), known)
    assert [row["id_"] for row in alone.quarantine_resolved] == [0]


def test_a_payload_that_changes_is_the_same_entry():
    first = made(look(start_frame=2**64, eta_s=9.0))
    again = made(look(5, start_frame=2**65, eta_s=8.0), after(look(start_frame=2**64), quarantine=held(first)))
    assert again.quarantine == []
    (seen,) = again.quarantine_seen
    assert (seen["id_"], seen["last_seen_at"], str(2**65) in seen["reason"]) == (0, later(5), True)
    assert str(2**65) in seen["payload"]


@pytest.mark.parametrize(
    ("good", "bad", "column"),
    [
        ({"cost_usd": "1.2500"}, {"cost_usd": "1.25001"}, "cost_usd"),
        ({"finished": "2026-11-01T11:00:00Z"}, {"finished": "1730453400"}, "finished"),
        ({"started": "2026-11-01T11:00:00Z"}, {"started": 1730453400}, "started"),
        ({"end_frame": 5}, {"end_frame": 2**70}, "end_frame"),
        ({"codec": "libx264"}, {"codec": ["libx265"]}, "codec"),
        ({"input_video": source()}, {"input_video": "gone"}, "input_video_id"),
    ],
)
def test_a_value_that_cannot_be_held_never_replaces_a_good_one_and_is_no_change(good, bad, column):
    done = made(look(5, description="new", **bad), after(look(description="old", **good)))
    kept = after(look(**good)).jobs[1][column]
    assert kept is not None
    assert done.jobs[1][column] == kept
    assert done.jobs[1]["description"] == "new", "every other field is taken"
    assert told(done) == {("job", "description"): ("old", "new")}
    assert [row["field"] for row in done.quarantine] == [f"job.{column}"]
    assert done.jobs[1]["input_video_detached_at"] is None


def test_a_job_without_a_readable_status_keeps_its_own_and_takes_every_other_field():
    done = made(look(5, status="finished", description="new"), after(look(status=1)))
    assert (done.jobs[1]["status"], done.history) == (1, [])
    assert done.jobs[1]["description"] == "new"


def test_a_new_job_without_a_readable_status_gets_no_row():
    done = made(look(status="finished"))
    assert (done.jobs, done.input_videos, done.output_videos, done.links, done.inserted) == ({}, {}, {}, [], set())
    assert (done.unplaced, [row["field"] for row in done.quarantine]) == ({1}, ["job.status"])


def test_keys_that_one_endpoint_does_not_show_are_no_change():
    known = after(look(codec="libx264", rank=3, input_video=source(crf=18)))
    fewer = made(look(5, input_video={"id": 7}), known)
    assert (fewer.field_changes, fewer.jobs[1]["codec"]) == ([], "libx264")
    assert (fewer.jobs[1]["extra"], fewer.input_videos) == ('{"rank": 3}', {})
    other = made(look(5, level=4, output_video=output(preview_videos={"middle": 1})), known)
    assert other.jobs[1]["extra"] == '{"level": 4, "rank": 3}'
    previews = after(look(output_video=output(preview_videos={"middle": 1})))
    joined = made(look(5, output_video=output(preview_videos={"last": 2})), previews)
    assert joined.output_videos[9]["extra"] == '{"preview_videos": {"last": 2, "middle": 1}}'


def test_what_an_operator_accepted_lasts_while_its_fault_is_of_the_same_kind():
    accepted = held(made(look(cost_usd="1.25001")), accepted_at=later(1))
    same = made(look(5, cost_usd="1.25002"), after(look(), quarantine=accepted))
    assert [seen["accepted_at"] for seen in same.quarantine_seen] == [later(1)]
    other = made(look(5, cost_usd="much"), after(look(), quarantine=accepted))
    assert [(seen["fault"], seen["accepted_at"]) for seen in other.quarantine_seen] == [(WRONG_KIND, None)]
    mended = made(look(5, cost_usd="1.2500"), after(look(), quarantine=accepted))
    assert [row["id_"] for row in mended.quarantine_resolved] == [0]


def test_a_fault_accepted_in_every_job_is_accepted_as_it_comes():
    everywhere: set[tuple[str | None, str]] = {("job.cost_usd", TOO_MANY_DIGITS), ("ml_model.task", OUT_OF_RANGE)}
    done = made(look(cost_usd="1.25001", ml_models=[model(44, task=2**40)]), StoredState(accepted=everywhere))
    assert [row["accepted_at"] for row in done.quarantine] == [NOON, NOON]
    assert made(look(cost_usd="much"), StoredState(accepted=everywhere)).quarantine[0]["accepted_at"] is None


@pytest.mark.parametrize(
    ("bad", "silent"),
    [
        ({"cost_usd": "1.25001"}, {}),
        ({"input_video": source(width="wide")}, {"input_video": {"id": 7}}),
        ({"ml_models": [model(44, task="denoise")]}, {"ml_models": None}),
        ({"input_video": "gone"}, {}),
        ({"input_video": source(odd=DEEP)}, {}),
        ({"ml_models": [model(44, odd=DEEP)]}, {"ml_models": None}),
    ],
)
def test_an_answer_that_says_nothing_of_a_field_does_not_resolve_its_entry(bad, silent):
    known = after(look(**bad), quarantine=held(made(look(**bad))))
    payload = {name: value for name, value in job(**silent).items() if name in {"id", "status", *silent}}
    done = made(Observation(item(payload), later(5), sent=3, received=4), known)
    assert done.quarantine_resolved == []
    assert [row["field"] for row in done.not_held] == list(known.quarantine[1]), "it is still not held"


def test_an_item_that_cannot_be_read_leaves_what_was_noted_of_its_job_before():
    known = after(look(), quarantine=held(made(look(codec=[]))))
    done = made(None, known, unreadable=[(ParseFailure(1, "not JSON", b"{}"), NOON)])
    assert [(row["field"], row["accepted"]) for row in done.not_held] == [(None, False), ("job.codec", False)]
    assert done.quarantine_resolved == []


def test_unknown_keys_that_could_not_be_held_are_resolved_when_their_object_comes_without_them():
    bad = look(rank=DEEP, input_video=source(odd=DEEP))
    mended = made(look(5), after(bad, quarantine=held(made(bad))))
    assert len(mended.quarantine_resolved) == 2


def test_a_weight_that_could_not_be_held_at_first_is_that_of_the_first_answer_that_shows_it():
    broken = look(ml_models=[model(44, cost_weight="heavy")])
    first = made(broken)
    assert [link["cost_weight"] for link in first.links] == [None]
    known = after(broken, quarantine=held(first))
    assert [link["cost_weight"] for link in made(look(5, ml_models=[model(44, cost_weight=2.0)]), known).links] == [2.0]
    stated = after(look(ml_models=[model(44, cost_weight=None)]))
    assert made(look(5, ml_models=[model(44, cost_weight=2.0)]), stated).links == [], "null was its weight"


def test_unreadable_items_are_quarantined_whole_and_once():
    broken = ParseFailure(None, "not JSON", b'{"u": "https://x/y?secret"}')
    first = made(None, unreadable=[(broken, NOON)])
    (note,) = first.quarantine
    assert (note["job_id"], note["payload"]) == (None, '{"u": "https://x/y"}')
    known = StoredState(quarantine={None: {note["payload"]: {**note, "id": 3}}})
    again = made(None, known, unreadable=[(broken, later(5))])
    assert not again


def test_a_model_that_could_not_be_held_is_resolved_when_its_job_shows_that_it_can():
    broken = look(ml_models=[model(44, max_resolution=2**40), model(45, max_resolution=2**40)])
    first = made(broken, models={44: broken, 45: broken})
    known = held(first)
    assert list(known[1]) == ["ml_model 44.max_resolution", "ml_model 45.max_resolution"]
    both = [model(44, max_resolution=1080), model(45, max_resolution=2**40)]
    mended = made(look(5, ml_models=both), after(broken, quarantine=known))
    assert [entry["id_"] for entry in mended.quarantine_resolved] == [0]
    dropped = made(look(5, ml_models=[model(44, max_resolution=2**40)]), after(broken, quarantine=known))
    assert [entry["id_"] for entry in dropped.quarantine_resolved] == [1]


def test_a_note_that_repeats_does_not_repeat_within_a_batch():
    broken = ParseFailure(4, "wrong", encoded({"id": 4}))
    assert len(made(None, unreadable=[(broken, NOON), (broken, NOON)]).quarantine) == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), ("", ""), (True, "true"), (False, "false"), (3, "3"), (0.5, "0.5"), (NOON, "2026-11-01T12:00:00Z")],
)
def test_values_are_worded_alike_everywhere(value, text):
    assert to_text(value) == text


def test_an_item_is_hashable_by_what_it_shows():
    assert item().fingerprint == item().fingerprint != item(status=1).fingerprint
