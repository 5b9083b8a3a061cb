"""From payloads to rows: each value that a column can hold, and each that it cannot."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.support.payloads import SECRET, STORAGE, item, model, output, source
from tpmirror.sync.normalize import normalize, normalize_model
from tpmirror.tensorpix.decode import ParsedJob, decode_job

HUGE = 9223372036854776000


def job_row(**fields):
    """The row of a job with these fields, and the notes."""
    rows = normalize(item(**fields))
    return rows.job, rows.notes


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01T09:30:00Z", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("2026-11-01T09:30:00.5Z", datetime(2026, 11, 1, 9, 30, 0, 500000, tzinfo=UTC)),
        ("2026-11-01T09:30:00.123456Z", datetime(2026, 11, 1, 9, 30, 0, 123456, tzinfo=UTC)),
        ("2026-11-01T09:30:00.123456789Z", datetime(2026, 11, 1, 9, 30, 0, 123456, tzinfo=UTC)),
        ("2026-11-01T09:30:00+02:00", datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
        ("2026-11-01T09:30:00+0545", datetime(2026, 11, 1, 3, 45, tzinfo=UTC)),
        ("2026-11-01T00:30:00+02", datetime(2026, 10, 31, 22, 30, tzinfo=UTC)),
        ("2026-11-01 09:30:00Z", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("2026-11-01T09:30Z", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2200-12-31T23:59:59.999999Z", datetime(2200, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
    ],
)
def test_times_are_read_to_the_microsecond_in_utc(text, moment):
    row, notes = job_row(finished=text)
    assert (row["finished"], notes) == (moment, [])
    assert row["finished"].tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01T09:30:00", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_times_that_need_a_guess_are_noted(text, moment):
    row, notes = job_row(finished=text)
    assert row["finished"] == moment
    assert len(notes) == 1


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "yesterday", "2026-11-01", "09:30", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z", "2201-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-01T24:00:00Z", "2026-11-01T09:60:00Z",
        "2026-11-01T09:30:61Z", "2026-11-01T09:30:00+25:00", "2026-11-01T09:30:00z ", "\u0662026-11-01T09:30:00Z",
        "1730453400", "2026-11-01T09:30:00\0Z", "2026-W44-7T09:30:00Z", "2026-11-01T09:30:00,5Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_null_and_noted(text):
    row, notes = job_row(finished=text)
    assert row["finished"] is None
    assert len(notes) == 1
    assert notes[0].startswith("finished: ")


@pytest.mark.parametrize(
    "text",
    ["X-Amz-Signature=s3cret", "at s3://b/k#s3cret", f"{' ' * 30}https://x/y?s3cret", "soon?Expires=9&sig=s3cret"],
)
def test_a_note_repeats_no_secret(text):
    assert "s3cret" not in job_row(finished=text)[1][0]


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("0.1000", "0.1000"), ("1", "1.0000"), ("-3.5", "-3.5000"), ("999999.9999", "999999.9999"),
        ("-999999.9999", "-999999.9999"), ("1E+2", "100.0000"), ("0.10000000", "0.1000"), ("0", "0.0000"),
    ],
)  # fmt: skip
def test_money_has_four_decimals_exactly(text, held):
    row, notes = job_row(cost_usd=text)
    assert (row["cost_usd"], str(row["cost_usd"]), notes) == (Decimal(held), held, [])


@pytest.mark.parametrize(
    "text", ["1000000", "0.00001", "1.23456", "NaN", "Infinity", "-1e9", "1e-99", "1e99", "9" * 60]
)
def test_money_that_would_lose_digits_is_null_and_noted(text):
    row, notes = job_row(cost_usd=text)
    assert row["cost_usd"] is None
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("fields", "column", "held"),
    [
        ({"output_resolution": 2**31 - 1}, "output_resolution", 2**31 - 1),
        ({"output_resolution": -(2**31)}, "output_resolution", -(2**31)),
        ({"output_resolution": 2**31}, "output_resolution", None),
        ({"start_frame": 2**63 - 1}, "start_frame", 2**63 - 1),
        ({"start_frame": HUGE}, "start_frame", None),
        ({"start_frame": -(2**63)}, "start_frame", -(2**63)),
        ({"end_frame": 10**400}, "end_frame", None),
    ],
)
def test_whole_numbers_fit_or_are_null(fields, column, held):
    row, notes = job_row(**fields)
    assert row[column] == held
    assert len(notes) == (held is None)


def test_bitrates_beyond_63_bits_are_null_and_noted_with_their_place():
    rows = normalize(item(output_video=output(bitrate=HUGE), input_video=source(bitrate=HUGE)))
    assert rows.output_video is not None
    assert rows.input_video is not None
    assert (rows.output_video["bitrate"], rows.input_video["bitrate"]) == (None, None)
    assert [note.partition(":")[0] for note in rows.notes] == ["input_video.bitrate", "output_video.bitrate"]


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_reals_that_are_no_numbers_are_null(text):
    found = decode_job(b'{"id": 1, "status": 0, "grain": %s}' % text)
    assert isinstance(found, ParsedJob)
    rows = normalize(found)
    assert (rows.job["grain"], len(rows.notes)) == (None, 1)


def test_text_is_kept_as_it_came_but_for_what_no_database_holds():
    strange = "  =SUM(A1) 家族\u202e\U0001f3ac e\u0301 "
    assert job_row(description=strange) == ({**job_row()[0], "description": strange}, [])
    row, notes = job_row(description="a\0b")
    assert (row["description"], len(notes)) == ("a\u2400b", 1)


def test_characters_are_noted_whether_or_not_the_job_has_unknown_keys():
    assert len(job_row(description="a\0b", container="mov")[1]) == 1


def test_halves_of_surrogate_pairs_are_noted():
    row, notes = job_row(description="a\ud800b")
    assert row["description"] == "a\ufffdb"
    assert len(notes) == 1


def test_empty_text_is_not_null():
    assert job_row(description="", codec="")[0]["codec"] == ""


def test_urls_lose_their_query():
    made = output(file=f"{STORAGE}/9.mp4{SECRET}", preview_videos={"before_video": f"{STORAGE}/b{SECRET}"})
    rows = normalize(item(output_video=made))
    assert rows.output_video is not None
    assert rows.output_video["file"] == f"{STORAGE}/9.mp4"
    assert (rows.output_video["preview_before"], rows.output_video["preview_after"]) == (f"{STORAGE}/b", None)


def test_missing_and_null_are_null():
    rows = normalize(item({"id": 1, "status": 0, "input_video": {"id": 2}, "output_video": None}))
    assert {name for name, value in rows.job.items() if value is not None} == {"id", "status", "input_video_id"}
    assert rows.input_video is not None
    assert {name for name, value in rows.input_video.items() if value is not None} == {"id"}
    assert (rows.output_video, rows.model_ids, rows.notes) == (None, None, [])


def test_unknown_keys_become_extra_of_the_row_they_belong_to():
    rows = normalize(item(container="mov", output_video=output(crf=18, preview_videos={"middle": 1})))
    assert rows.output_video is not None
    assert rows.job["extra"] == '{"container": "mov"}'
    assert rows.output_video["extra"] == '{"crf": 18, "preview_videos": {"middle": 1}}'
    assert normalize(item()).job["extra"] is None


def test_models_keep_their_order_and_weights():
    rows = normalize(item(ml_models=[model(46, cost_weight=1.5), model(44), model(45, cost_weight=None)]))
    assert (rows.model_ids, rows.cost_weights) == ([46, 44, 45], [1.5, 2.0, None])


def test_a_model_is_a_row_with_its_own_extra_and_notes():
    found = item(ml_models=[model(44, task=2**40, description="sharp")])
    row, notes = normalize_model((found.job.ml_models or [])[0], found)
    assert (row["id"], row["task"], row["extra"]) == (44, None, '{"description": "sharp"}')
    assert notes == ["ml_model 44.task: 1099511627776 does not fit 32 bits; stored as null"]


def test_a_status_stays_whatever_it_is():
    assert [job_row(status=code)[0]["status"] for code in (-2, 7, 32767, -32768)] == [-2, 7, 32767, -32768]
