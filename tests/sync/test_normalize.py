"""From payloads to rows: each value that a column can hold, and each that it cannot."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import pytest
from msgspec.inspect import StructType, type_info
from sqlalchemy import BigInteger, Float, Integer, SmallInteger

from tests.support.payloads import SECRET, STORAGE, item, job, model, output, source
from tpmirror.db import schema
from tpmirror.sync.normalize import normalize
from tpmirror.tensorpix.decode import ParsedJob, decode_job
from tpmirror.tensorpix.models import LARGEST, InputVideo, Job, MlModel, OutputVideo
from tpmirror.tensorpix.reading import MISSING, NOT_A_TIME, OUT_OF_RANGE, TOO_MANY_DIGITS, WRONG_KIND

HUGE = 9223372036854776000


def job_row(**fields):
    """The row of a job with these fields, and what could not be held: field and kind of fault."""
    rows = normalize(item(**fields))
    return rows.job, {name: fault.kind for name, fault in rows.faults.items()}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01T09:30:00Z", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("2026-11-01T09:30:00.5Z", datetime(2026, 11, 1, 9, 30, 0, 500000, tzinfo=UTC)),
        ("2026-11-01T09:30:00.123456Z", datetime(2026, 11, 1, 9, 30, 0, 123456, tzinfo=UTC)),
        ("2026-11-01T09:30:00.123456789Z", datetime(2026, 11, 1, 9, 30, 0, 123457, tzinfo=UTC)),
        ("2026-11-01T09:30:00+02:00", datetime(2026, 11, 1, 7, 30, tzinfo=UTC)),
        ("2026-11-01T09:30:00+0545", datetime(2026, 11, 1, 3, 45, tzinfo=UTC)),
        ("2026-11-01T00:30:00+02", datetime(2026, 10, 31, 22, 30, tzinfo=UTC)),
        ("2026-11-01 09:30:00Z", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("2026-11-01t09:30:00z", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("2026-11-01T09:30Z", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2200-12-31T23:59:59.999999Z", datetime(2200, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
    ],
)
def test_times_are_read_to_the_microsecond_in_utc(text, moment):
    for strange in ({}, {"strange": 1}):  # an unknown key makes the item be read field by field
        row, faults = job_row(finished=text, **strange)
        assert (row["finished"], faults) == (moment, {})
        assert row["finished"].tzinfo is UTC


@pytest.mark.parametrize(
    ("wire", "table"),
    [
        (Job, schema.jobs), (InputVideo, schema.input_videos), (OutputVideo, schema.output_videos),
        (MlModel, schema.ml_models),
    ],
)  # fmt: skip
def test_the_wire_format_lets_through_the_numbers_that_the_columns_hold(wire, table):
    bits = {SmallInteger: 16, Integer: 32, BigInteger: 64}
    kinds: dict[str, tuple[Any, ...]] = {
        field.name: getattr(field.type, "types", (field.type,)) for field in cast("StructType", type_info(wire)).fields
    }
    for column in table.columns:
        path = column.info.get("api", "id")
        if path in kinds and path != "id" and isinstance(column.type, Integer | Float):
            limit = LARGEST if isinstance(column.type, Float) else 2 ** (bits[type(column.type)] - 1)
            most = limit if isinstance(column.type, Float) else limit - 1
            assert [(kind.ge, kind.le) for kind in kinds[path] if hasattr(kind, "ge")] == [(-limit, most)], path


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01T09:30:00", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_times_without_a_zone_are_utc_and_leap_seconds_end_their_minute(text, moment):
    row, faults = job_row(finished=text)
    assert (row["finished"], faults) == (moment, {})


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
def test_what_is_no_time_is_left_out_with_a_fault(text):
    row, faults = job_row(finished=text)
    assert "finished" not in row
    assert faults.keys() == {"job.finished"}
    assert set(faults.values()) <= {NOT_A_TIME, OUT_OF_RANGE}


@pytest.mark.parametrize(
    "text",
    ["X-Amz-Signature=s3cret", "at s3://b/k#s3cret", f"{' ' * 30}https://x/y?s3cret", "soon?Expires=9&sig=s3cret"],
)
def test_a_reason_repeats_no_secret(text):
    assert "s3cret" not in normalize(item(finished=text)).faults["job.finished"].reason


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("0.1000", "0.1000"), ("1", "1.0000"), ("-3.5", "-3.5000"), ("999999.9999", "999999.9999"),
        ("-999999.9999", "-999999.9999"), ("1E+2", "100.0000"), ("0.10000000", "0.1000"), ("0", "0.0000"),
    ],
)  # fmt: skip
def test_money_has_four_decimals_exactly(text, held):
    row, faults = job_row(cost_usd=text)
    assert (row["cost_usd"], str(row["cost_usd"]), faults) == (Decimal(held), held, {})


@pytest.mark.parametrize(
    ("number", "held"),
    [(1.25, "1.2500"), (0.1 + 0.2, "0.3000"), (3, "3.0000"), ("1.250000005", "1.2500"), (-0.5, "-0.5000")],
)
def test_money_may_be_a_number_near_one_with_four_decimals(number, held):
    row, faults = job_row(cost_usd=number)
    assert (str(row["cost_usd"]), faults) == (held, {})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1000000", OUT_OF_RANGE), ("999999.99999999999", OUT_OF_RANGE), ("-1e9", OUT_OF_RANGE), ("1e99", OUT_OF_RANGE),
        ("1e1000000", OUT_OF_RANGE), ("1e99999999999999999999", OUT_OF_RANGE), ("9" * 60, OUT_OF_RANGE),
        ("1e-99999999999999999999", OUT_OF_RANGE),
        ("0.00001", TOO_MANY_DIGITS), ("1.23456", TOO_MANY_DIGITS),
        ("1.25001", TOO_MANY_DIGITS), ("1.2500000051", TOO_MANY_DIGITS),
        ("NaN", WRONG_KIND), ("Infinity", WRONG_KIND), ("1_000", WRONG_KIND),
        (" 1.25", WRONG_KIND), ("+1", WRONG_KIND), ("1.", WRONG_KIND), ("", WRONG_KIND), ("0x10", WRONG_KIND),
        (True, WRONG_KIND), ([], WRONG_KIND), ({}, WRONG_KIND),
    ],
)  # fmt: skip
def test_money_that_would_lose_digits_is_left_out_with_a_fault(text, kind):
    row, faults = job_row(cost_usd=text)
    assert "cost_usd" not in row
    assert faults == {"job.cost_usd": kind}


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
def test_whole_numbers_fit_or_are_left_out(fields, column, held):
    row, faults = job_row(**fields)
    assert row.get(column) == held
    assert faults == ({f"job.{column}": OUT_OF_RANGE} if held is None else {})


def test_bitrates_beyond_63_bits_are_left_out_and_named_with_their_place():
    rows = normalize(item(output_video=output(bitrate=HUGE), input_video=source(bitrate=HUGE)))
    assert rows.output_video is not None
    assert rows.input_video is not None
    assert {"bitrate"}.isdisjoint({*rows.output_video, *rows.input_video})
    assert list(rows.faults) == ["input_video.bitrate", "output_video.bitrate"]


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_reals_that_are_no_numbers_are_left_out(text):
    found = decode_job(b'{"id": 1, "status": 0, "grain": %s}' % text)
    assert isinstance(found, ParsedJob)
    rows = normalize(found)
    assert ("grain" in rows.job, list(rows.faults)) == (False, ["job.grain"])


def test_text_is_kept_as_it_came_but_for_what_no_database_holds():
    strange = "  =SUM(A1) 家族\u202e\U0001f3ac e\u0301 "
    assert job_row(description=strange) == ({**job_row()[0], "description": strange}, {})


@pytest.mark.parametrize(("text", "held"), [("a\0b", "a\u2400b"), ("a\ud800b", "a\ufffdb")])
@pytest.mark.parametrize("more", [{}, {"container": "mov"}])
def test_characters_that_no_database_holds_are_held_as_their_stand_ins(text, held, more):
    row, faults = job_row(description=text, **more)
    assert (row["description"], faults) == (held, {})


def test_empty_text_is_not_null():
    assert job_row(description="", codec="")[0]["codec"] == ""


def test_urls_lose_their_query():
    made = output(file=f"{STORAGE}/9.mp4{SECRET}", preview_videos={"before_video": f"{STORAGE}/b{SECRET}"})
    rows = normalize(item(output_video=made))
    assert rows.output_video is not None
    assert rows.output_video["file"] == f"{STORAGE}/9.mp4"
    assert (rows.output_video["preview_before"], "preview_after" in rows.output_video) == (f"{STORAGE}/b", False)


def test_null_is_a_value_and_a_missing_key_says_nothing():
    rows = normalize(item({"id": 1, "status": 0, "codec": None, "input_video": {"id": 2}, "output_video": None}))
    assert rows.job == {"id": 1, "status": 0, "codec": None, "input_video_id": 2, "output_video_id": None}
    assert rows.input_video == {"id": 2}
    assert (rows.output_video, rows.model_ids, rows.faults) == (None, None, {})


def test_unknown_keys_become_extra_of_the_row_they_belong_to():
    rows = normalize(item(container="mov", output_video=output(crf=18, preview_videos={"middle": 1})))
    assert rows.output_video is not None
    assert rows.job["extra"] == '{"container": "mov"}'
    assert rows.output_video["extra"] == '{"crf": 18, "preview_videos": {"middle": 1}}'
    assert "extra" not in normalize(item()).job


def test_models_keep_their_order_and_weights():
    rows = normalize(item(ml_models=[model(46, cost_weight=1.5), model(44), model(45, cost_weight=None)]))
    assert rows.model_ids == [46, 44, 45]
    assert [row["cost_weight"] for row in rows.models] == [1.5, 2.0, None]


def test_a_model_is_a_row_with_its_own_extra_and_faults():
    rows = normalize(item(ml_models=[model(44, task=2**40, description="sharp")]))
    (row,) = rows.models
    assert (row["id"], "task" in row, row["extra"]) == (44, False, '{"description": "sharp"}')
    assert [(name, fault.kind, fault.reason) for name, fault in rows.faults.items()] == [
        ("ml_model 44.task", OUT_OF_RANGE, "1099511627776 does not fit 32 bits")
    ]


LAX: list[tuple[dict[str, object], str, object]] = [
    ({"stabilization_smoothing": 10.0}, "stabilization_smoothing", 10),
    ({"stabilization_smoothing": "10"}, "stabilization_smoothing", 10),
    ({"stabilization_smoothing": "1e1"}, "stabilization_smoothing", 10),
    ({"grain": "0.5"}, "grain", 0.5),
    ({"grain": 1}, "grain", 1.0),
    ({"codec": 264}, "codec", "264"),
    ({"codec": 2.5}, "codec", "2.5"),
    ({"comparison": 0}, "comparison", False),
    ({"comparison": 1}, "comparison", True),
    ({"status": "2"}, "status", 2),
    ({"id": "7"}, "id", 7),
    ({"id": 7.0}, "id", 7),
    ({"started": "2026-11-01T09:30:00", "grain": "1"}, "started", datetime(2026, 11, 1, 9, 30, tzinfo=UTC)),
    ({"cost_usd": 1.25, "grain": "1"}, "cost_usd", Decimal("1.2500")),
]


@pytest.mark.parametrize(("fields", "column", "held"), LAX)
def test_what_is_meant_without_doubt_is_held_without_a_word(fields, column, held):
    row, faults = job_row(**fields)
    assert (row[column], type(row[column]), faults) == (held, type(held), {})


ODD: list[tuple[dict[str, object], str]] = [
    ({"stabilization_smoothing": 10.5}, WRONG_KIND),
    ({"stabilization_smoothing": 1e300}, OUT_OF_RANGE),
    ({"stabilization_smoothing": "1e999"}, OUT_OF_RANGE),
    ({"stabilization_smoothing": "ten"}, WRONG_KIND),
    ({"stabilization_smoothing": " 10"}, WRONG_KIND),
    ({"stabilization_smoothing": "010"}, WRONG_KIND),
    ({"stabilization_smoothing": True}, WRONG_KIND),
    ({"stabilization_smoothing": "null"}, WRONG_KIND),
    ({"grain": "a lot"}, WRONG_KIND),
    ({"grain": "nan"}, WRONG_KIND),
    ({"grain": "1e999"}, OUT_OF_RANGE),
    ({"grain": 1e16}, OUT_OF_RANGE),
    ({"grain": [0.5]}, WRONG_KIND),
    ({"codec": True}, WRONG_KIND),
    ({"codec": ["libx264"]}, WRONG_KIND),
    ({"codec": {"name": "libx264"}}, WRONG_KIND),
    ({"comparison": "true"}, WRONG_KIND),
    ({"comparison": "1"}, WRONG_KIND),
    ({"comparison": 2}, WRONG_KIND),
    ({"finished": 1730453400}, NOT_A_TIME),
    ({"finished": "1730453400"}, NOT_A_TIME),
    ({"status": "finished"}, WRONG_KIND),
    ({"status": 2.5}, WRONG_KIND),
    ({"status": 2**15}, OUT_OF_RANGE),
    ({"status": None}, MISSING),
    ({"start_frame": 2.0**60}, OUT_OF_RANGE),
]


@pytest.mark.parametrize(("fields", "kind"), ODD)
def test_a_value_of_another_kind_costs_its_field_and_no_other(fields, kind):
    row, faults = job_row(**fields)
    (name,) = fields
    assert faults == {f"job.{name}": kind}
    assert row == {other: value for other, value in job_row()[0].items() if other != name}


def test_every_field_of_every_object_is_read_by_itself():
    for part, sample in (("input_video", source()), ("output_video", output()), ("ml_models", model())):
        for name in [name for name in sample if name not in {"id", "preview_videos"}]:
            broken = {**sample, name: {"no": "such kind"}}
            rows = normalize(item({**job(), part: [broken] if part == "ml_models" else broken}))
            entity = "ml_model 44" if part == "ml_models" else part
            assert {key: fault.kind for key, fault in rows.faults.items()} == {f"{entity}.{name}": WRONG_KIND}
            found = rows.models[0] if part == "ml_models" else getattr(rows, part)
            good = normalize(item({**job(), part: [sample] if part == "ml_models" else sample}))
            whole = good.models[0] if part == "ml_models" else getattr(good, part)
            assert found == {other: value for other, value in whole.items() if other != name}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"input_video": "a video"}, ["job.input_video_id"]),
        ({"input_video": {"name": "no id"}}, ["job.input_video_id"]),
        ({"input_video": {"id": 0}}, ["job.input_video_id"]),
        ({"output_video": []}, ["job.output_video_id"]),
        ({"ml_models": {"id": 44}}, ["job.ml_models"]),
        ({"ml_models": [{"name": "no id"}]}, ["job.ml_models"]),
        ({"ml_models": ["Real ESRGAN"]}, ["job.ml_models"]),
        (
            {"output_video": {"id": 9, "preview_videos": 3}},
            ["output_video.preview_before", "output_video.preview_after"],
        ),
        (
            {"output_video": {"id": 9, "preview_videos": {"after_video": 3.5, "before_video": []}}},
            ["output_video.preview_before"],
        ),
    ],
)
def test_an_object_that_cannot_be_read_is_named_by_the_columns_it_is_for(fields, named):
    rows = normalize(item(**fields))
    assert list(rows.faults) == named
    assert not set(rows.job) & {name.partition(".")[2] for name in named}


def test_a_model_that_can_be_read_is_held_beside_one_that_cannot():
    rows = normalize(item(ml_models=[model(44), {"id": "x"}]))
    assert ([row["id"] for row in rows.models], rows.model_ids, list(rows.faults)) == ([44], None, ["job.ml_models"])


def test_unknown_keys_nested_too_deep_are_a_fault_of_extra_alone():
    deep: object = 1
    for _ in range(60):
        deep = [deep]
    rows = normalize(item(odd=deep))
    assert (list(rows.faults), rows.job) == (["job.extra"], normalize(item()).job)


def test_a_status_stays_whatever_it_is():
    assert [job_row(status=code)[0]["status"] for code in (-2, 7, 32767, -32768)] == [-2, 7, 32767, -32768]
