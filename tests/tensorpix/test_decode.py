"""From bytes to payloads: what is readable, what is not, and what counts as a change."""

import contextlib
import json
import time
import tracemalloc
from typing import Any

import pytest

from tests.support.payloads import SECRET, STORAGE, contents, encoded, envelope, item, job, model, output, source
from tpmirror.errors import ApiError, TransientError
from tpmirror.tensorpix.decode import ParsedJob, ParseFailure, RawJob, decode_beginning, decode_job, decode_listing
from tpmirror.tensorpix.redaction import (
    clean,
    cut_queries,
    redact,
    strip_query,
    strip_secrets,
    strip_text,
    strip_urls,
    unsigned,
)


def test_a_page_is_its_items_in_order():
    page = decode_listing(envelope([job(3), job(1), job(2)], count=57, next="https://x/?limit=3&offset=3"))
    assert [item.id for item in page.items] == [3, 1, 2]
    assert (page.count, page.next, page.previous, len(page)) == (57, "https://x/?limit=3&offset=3", None, 3)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"42",
        b"<html>502 Bad Gateway</html>",
        b'{"detail": "x"}',
        b'{"count": 1}',
        b'{"count": 1, "results": null}',
        b'{"count": 1, "results": {}}',
        b'{"count": "1", "results": []}',
        b'{"count": true, "results": []}',
        b'{"count": 1.5, "results": []}',
        b'{"count": -1, "results": []}',
        b'{"count": %s, "results": []}' % (b"9" * 400),
        b'{"count": 1, "results": [%s0]}' % (b"0," * 10_000),
        b'{"count": 1, "results": ["' + b'\\"' * 100_000,
        b'{"count": NaN, "results": []}',
        b'{"count": 1, "results": [], "next": 5}',
        b'{"count": 1, "results": [{"id": 1, "sta',
        envelope([job(1)])[:-1],
        b"\xff\xfe{}",
        b'{"count": 1, "results": []} trailing',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_page_is_tried_again(body):
    with pytest.raises(TransientError):
        decode_listing(body)


@pytest.mark.parametrize(
    ("bad", "faults"),
    [
        ({"id": 2, "status": "2"}, []),
        ({"id": 2, "status": None}, []),
        ({"id": 2, "status": True}, ["job.status"]),
        ({"id": 2}, []),
        ({**job(2), "preview": 1}, []),
        ({**job(2), "grain": "0.5"}, []),
        ({**job(2), "description": 5}, []),
        ({**job(2), "grain": "much", "codec": []}, ["job.codec", "job.grain"]),
        ({**job(2), "cost_usd": []}, ["job.cost_usd"]),
        ({**job(2), "input_video": 7}, ["job.input_video"]),
        ({**job(2), "input_video": {"name": "no id"}}, ["job.input_video"]),
        ({**job(2), "output_video": []}, ["job.output_video"]),
        ({**job(2), "ml_models": {}}, ["job.ml_models"]),
        ({**job(2), "ml_models": [44]}, ["job.ml_models"]),
        ({**job(2), "ml_models": [{"id": None}]}, ["job.ml_models"]),
        ({**job(2), "ml_models": "ab"}, ["job.ml_models"]),
        ({**job(2), "ml_models": True}, ["job.ml_models"]),
        ({**job(2), "ml_models": [{"id": 44}] * 1001}, ["job.ml_models"]),
    ],
)
def test_a_wrong_shape_costs_its_field_and_neither_its_item_nor_its_page(bad, faults):
    items, unreadable = contents(decode_listing(envelope([job(1), bad, job(3)])))
    assert ([item.id for item in items], unreadable) == ([1, 2, 3], [])
    assert sorted(f"{fault.entity}.{fault.path}" for fault in items[1].faults) == faults
    for fault in items[1].faults:
        assert fault.reason
        assert not getattr(items[1].job, fault.path)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id":3,"status":0,"id":2}',
        b'{"id":4,"status":0,"\\u0069d":3}',
        b'{"id": 3, "status": 0, "input_video": {"id": 1}, "input_video": null, "\\u0069\\u0064": 3}',
        b'{"id":3,"status":0,"id":2,"new":1}',
        b'{"id":3,"status":0,"id":2,"codec":"\xff"}',
        b'{"id":3,"status":0,"id":2,"eta_s":NaN}',
        b'{"id":3,"status":0,"id":2,"start_frame":%s}' % (b"9" * 5000),
        b'{"id":"3","status":0,"id":2}',
        b'{"id":3,"status":0,"ml_models":[%s],"id":2}' % b",".join([b'{"id":44}'] * 3),
    ],
)
def test_an_id_that_stands_twice_is_none(raw):
    """Not even the last one: two jobs would be counted as one that was seen."""
    (found,) = contents(decode_listing(b'{"count":1,"results":[%s]}' % raw))[1]
    assert found.id is decode_job(raw).id is None
    assert found.reason


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id": 3, "status": 0, "input_video": {"id": 3}, "codec": "id"}',
        b'{"status":0,"new":{"id":1,"id":2},"\\u0069d":3}',
        b'{"id":3,"status":0,"status":1}',
    ],
)
def test_an_id_may_stand_in_what_belongs_to_the_item_too(raw):
    assert decode_job(raw).id == 3


UNPARSED = [
    b' {"status": 00, "input_video": {"id": 8}, "\\u0069d":7}\n',
    rb'{"id": 7, "codec": "\x41 \" \"id\": 8, {", "status": 0}',
    b'{"id": 7, "status": 0, "new": %s}' % (b"[" * 9999 + b"]" * 9999),
    b'{"id": 7, "status": 0, "id": 7}',
]


@pytest.mark.parametrize("raw", UNPARSED)
def test_what_no_parser_reads_is_of_the_job_asked_for_if_it_states_its_id_alone(raw):
    found = decode_job(raw, 7)
    assert isinstance(found, ParseFailure)
    assert (found.id, bytes(found.raw), len(found.reason) < 200) == (7, raw, True)
    assert decode_job(raw).id is None
    assert decode_job(raw, 8).id is None


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id": 7, "status": 0, "id": 8}',
        b'{"id": 7, "status": 00, "\\u0069\\u0064" : 8}',
        b'{"id": "7", "status": 00}',
        b'{"id": 7.0, "status": 00}',
        b'{"id": 77, "status": 00}',
        b'{"status": 00, "codec": "id", "input_video": {"id": 7}}',
        b'{"id": 7, "status": 0, "codec": "cut off',
        b'{"id": 7, "status": 00',
        b'["id": 7]',
        b'[{"id": 7, "status": 00}]',
        b'<h1>{"id": 7}</h1>',
        b'{"id": 7, "status": 00}</h1>',
        b"",
    ],
)
def test_what_states_another_id_or_none_is_of_no_job(raw):
    assert decode_job(raw, 7).id is None


@pytest.mark.parametrize("number", [2, "2", 2.0, "2.0", 2**63 - 1, str(2**63 - 1)])
def test_an_id_is_a_whole_number_however_it_is_written(number):
    assert decode_job(encoded({**job(), "id": number})).id in {2, 2**63 - 1}


@pytest.mark.parametrize(
    "number",
    [None, "", "x", " 2", "02", "2.5", "2" * 60, 2.5, 1e17, True, 0, "0", -1, 2**63, str(2**63), [2], {"id": 2}],
)
def test_an_id_that_is_none_is_not_guessed(number):
    found = decode_job(encoded({**job(), "id": number}))
    assert isinstance(found, ParseFailure)
    assert found.id is None


@pytest.mark.parametrize(
    "raw", [b"null", b"5", b'"text"', b"[]", b"[[1]]", b"{}", b"{", b"\xff", b'{"id":1,"id":' + b"["]
)
def test_an_item_that_is_no_object_is_unreadable(raw):
    assert isinstance(decode_job(raw), ParseFailure)


def test_reasons_repeat_no_urls():
    found = decode_job(encoded({**job(), "input_video": {"id": f"{STORAGE}{SECRET}"}, "codec": [f"{STORAGE}{SECRET}"]}))
    assert isinstance(found, ParsedJob)
    assert [fault.path for fault in found.faults] == ["input_video", "codec"]
    assert "Signature" not in str(found.faults)


def test_only_id_and_status_are_needed():
    found = decode_job(b'{"id": 9007199254740993, "status": -2}')
    assert isinstance(found, ParsedJob)
    assert (found.job.id, found.job.status, found.input_video, found.extra) == (9007199254740993, -2, None, {})


def test_money_is_read_digit_by_digit():
    assert str(item(cost_usd="0.1000").job.cost_usd) == "0.1000"
    assert str(item({"id": 1, "status": 0, "cost_usd": 0.1}).job.cost_usd) == "0.1"


def test_unknown_keys_are_kept_without_their_own_secrets_and_none_takes_the_place_of_another():
    signed: dict[str, Any] = {f"{STORAGE}?X-Amz-Signature={secret}": secret for secret in "abc"}
    numbered = {STORAGE: "a", f"{STORAGE} (2)": "b", f"{STORAGE} (3)": "c"}
    others = {"take#1": 1, "take#2": 2}
    found = item(job(**signed, **others, nested={**signed, **others}, input_video={"id": 7, **signed}))
    assert found.extra["job"] == {**numbered, **others, "nested": {**numbered, **others}}
    assert found.extra["input_video"] == numbered
    assert strip_urls({**signed, f"{STORAGE} (2)": "d"}) == {**numbered, f"{STORAGE} (2) (2)": "d"}


def test_unknown_keys_are_kept_by_where_they_stood_and_without_secrets():
    made = output(crf=18, preview_videos={"before_video": None, "middle": f"{STORAGE}{SECRET}"})
    found = item(
        container="mov", links=[f"{STORAGE}{SECRET}"], input_video=source(rotation=90), output_video=made,
        ml_models=[model(44, description="sharp")],
    )  # fmt: skip
    assert found.extra == {
        "job": {"container": "mov", "links": [STORAGE]},
        "input_video": {"rotation": 90},
        "output_video": {"crf": 18, "preview_videos": {"middle": STORAGE}},
        "ml_model 44": {"description": "sharp"},
    }


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id": 1, "status": 0, "status": 2}',
        b'{"id": 1, "status": 0, "input_video": {"id": 7, "n\\u0061me": "a", "name": "b"}}',
        b'{"id": 1, "status": 0, "novel": [{"a": 1.50, "a": 1.5}]}',
    ],
)
def test_an_item_with_a_key_twice_means_nothing_whichever_of_the_two_a_parser_keeps(raw):
    assert decode_job(raw) == ParseFailure(1, "a key stands twice in one object", raw)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_lacks_are_read_and_judged_later(text):
    page = decode_listing(b'{"count": 1, "results": [{"id": 1, "status": 0, "eta_s": %s}]}' % text.encode())
    assert [item.job.id for item in contents(page)[0]] == [1]


def test_halves_of_surrogate_pairs_spoil_neither_page_nor_item():
    page = decode_listing(
        b'{"count": 2, "results": [{"id": 1, "status": 0, "codec": "a\\ud800b"}, {"id": 2, "status": 0}]}'
    )
    assert [(item.job.id, clean(item.job.codec or "")) for item in contents(page)[0]] == [(1, "a\ufffdb"), (2, "")]


ODD_ITEMS = {
    "a byte that is no UTF-8": (b'{"id": 2, "status": 0, "codec": "\xff"}', []),
    "half a surrogate pair in bytes": (b'{"id": 2, "status": 0, "codec": "\xed\xa0\x80"}', []),
    "a control character": (b'{"id": 2, "status": 0, "codec": "a\x01b"}', []),
    "an integer of 5,000 digits": (b'{"id": 2, "status": 0, "start_frame": %s}' % (b"9" * 5000), ["start_frame"]),
    "a real number that no double holds": (b'{"id": 2, "status": 0, "grain": 1e999}', ["grain"]),
    "a value nested too deep": (b'{"id": 2, "status": 0, "new": %s}' % (b"[" * 60 + b"]" * 60), ["extra"]),
    "a value of a column nested too deep": (
        b'{"id": 2, "status": 0, "codec": %s}' % (b"[" * 90 + b"]" * 90),
        ["codec"],
    ),
}


@pytest.mark.parametrize("what", ODD_ITEMS)
def test_an_item_that_only_a_patient_parser_reads_is_read(what):
    odd, faults = ODD_ITEMS[what]
    page = b'{"next": null, "results": [{"id": 1, "status": 0}, %s , {"id": 3, "status": 0}], "count": 3}' % odd
    items, unreadable = contents(decode_listing(page))
    assert ([item.id for item in items], unreadable) == ([1, 2, 3], [])
    assert [fault.path for fault in items[1].faults] == faults
    redact(items[1].raw).encode("ascii")


BAD_ITEMS = {
    "an id of 5,000 digits": (b'{"id": %s, "status": 0}' % (b"9" * 5000), None),
    "nesting that no parser stands": (b'{"id": 2, "status": 0, "new": %s}' % (b"[" * 9999 + b"]" * 9999), None),
    "an escape that is none": (b'{"id": 2, "status": 0, "codec": "\\x41"}', None),
    "a number that is none": (b'{"id": 2, "status": 00}', None),
    "nothing between two commas": (b"", None),
}


@pytest.mark.parametrize("what", BAD_ITEMS)
def test_an_item_that_no_parser_reads_leaves_the_others_readable(what):
    bad, job_id = BAD_ITEMS[what]
    page = b'{"next": null, "results": [{"id": 1, "status": 0}, %s , {"id": 3, "status": 0}], "count": 3}' % bad
    items, (broken,) = contents(decode_listing(page))
    assert [item.id for item in items] == [1, 3]
    assert (broken.id, bytes(broken.raw), len(broken.reason) < 200) == (job_id, bad, True)
    redact(broken.raw).encode("ascii")


def test_a_page_that_only_a_patient_parser_reads_keeps_its_items_byte_by_byte():
    odd = [b'{"id": 1, "status": 0, "grain": 1.50, "eta_s": NaN}', b'{"id": 2, "id": 2, "status": 0}']
    page = b'{"a": [[1], {"results": [2]}], "results": [%s], "count": 2, "b": "]}"}' % b" , ".join(odd)
    assert [bytes(item.raw) for item in decode_listing(page).items] == odd


@pytest.mark.parametrize(
    "body",
    [
        b'{"count": 1, "count": 2, "results": [%s]}',
        b'{"count": 1, "results": [%s], "count": 1}',
        b'{"count": 1, "results": [], "results": [%s]}',
        b'{"count": 1, "results": [%s], "results": [%s]}',
        b'{"count": 1, "results": [%s, NaN], "count": 1}',
        b'{"count": 1, "results": [%s], "count": 5, "x": [%s]}',
        b'{"count": 1, "results": [ %s ,%s\n], "count": 5, "x": [%s]}',
        b'{"count":1,"r\\u0065sults":[{"id":1, "results": [0]}],"count":5,"":[{"":[0]}]}',
    ],
)
def test_an_envelope_with_a_key_twice_is_no_page(body):
    for one in (b'{"id": 1, "status": 0}', b"1"):
        with pytest.raises(TransientError, match=r"twice|not a page"):
            decode_listing(body.replace(b"%s", one))


@pytest.mark.parametrize(
    "page",
    [
        b'{"count": 1, "results": [1%s], "x": "%s"}' % (b"0" * 400_000, b"0" * 800_000),
        b'{"results":["%s' % (b"\\" * 10**6),
    ],
)
def test_a_page_is_taken_apart_in_time_in_proportion(page):
    with contextlib.suppress(TransientError):
        assert len(decode_listing(page)) == 1


def test_items_that_look_like_their_envelope_confuse_nobody():
    odd = [b'{"id": 1, "status": 0, "results": [{"count": 1}], "count": 2}', b"1", b'"results"', b"[]"]
    page = b'{"count": 1, "more": {"results": []}, "results": [%s], "next": "1"}' % b",".join(odd)
    found = decode_listing(page)
    items, unreadable = contents(found)
    assert ([item.id for item in items], len(unreadable), found.count) == ([1], 3, 1)


@pytest.mark.parametrize(
    "raw", [b'{"u": "https://x/y?secret\\q"}', b'{"u": "https://x/y?secret\xff"}', b'["a\x00b", "s3://b/k?secret\x01"]']
)
def test_a_payload_that_is_no_json_loses_its_secrets_all_the_same(raw):
    shown = redact(raw)
    assert shown.isascii()
    assert "secret" not in shown
    assert "\0" not in shown


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("see https://x/y?X-Amz-Date=1&X-Amz-Signature=s3cret now", "see https://x/y now"),
        ("https://x/y?page=2&sig=s3cret#top", "https://x/y?page=2"),
        ("a=b&Signature=s3cret", "a=b"),
        ("take X-Goog-Signature=s3cret and Key-Pair-Id=s3cret", "take  and "),
        ("https://x/y?title=my clip&Expires=s3cret&Signature=s3cret", "https://x/y?title=my clip"),
        ("https://x/y?sv=1&amp;sig=s3cret#token=s3cret;sig=s3cret(sig=s3cret", "https://x/y?sv=1&amp"),
        ("https://x/y?title=my clip&Policy=s3cret&token=s3cret", "https://x/y?title=my clip"),
    ],
)
def test_signatures_of_urls_are_taken_out_of_any_text(text, kept):
    assert unsigned(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "design=5, cost = 3, why? because", "Policy=HDR10 export", "token=1.mp4", "C:\\clips\\take#2.mp4",
        "D:/clips/take#2.mp4?", "Re:why? all the rest", "take#1", "and/or? a:/b#c", "https://x/y R&D=fun #1?",
    ],
)  # fmt: skip
def test_text_that_signs_nothing_is_kept(text):
    assert unsigned(text) == strip_text(text) == text
    assert json.loads(redact(json.dumps(text).encode())) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://a/x?s3cret and https://b/y#s3cret too", "https://a/x and https://b/y too"),
        ("take#2:https://b/y?u=https://c/s3cret", "take#2:https://b/y"),
        ('{"u":"https:\\/\\/x\\/y?s3cret"}', '{"u":"https:\\/\\/x\\/y'),
        ("s3://b/a?name=my clip&part=s3cret.", "s3://b/a clip"),
        ("https://x/y?title=a b X-Amz-Signature=s3cret", "https://x/y"),
        ("https://x/y?sig=s3 cret", "https://x/y"),
        (" https://x/y?sv=1&amp;sig=s3\u00a0cret", " https://x/y"),
        ("at https://x/y?x=a b;token=s3cret", "at https://x/y b"),
    ],
)
def test_queries_are_cut_out_of_text_up_to_the_end_of_their_word(text, kept):
    assert strip_text(text) == json.loads(redact(json.dumps(text).encode())) == kept


def test_an_answer_that_no_parser_reads_is_looked_through_in_linear_time():
    assert decode_job(b'{"id":' + b'"id":' * 200_000, 5).id is None  # an hour, if each match took the rest along


def test_integers_beyond_64_bits_are_read():
    assert item(start_frame=2**70).job.start_frame == 2**70


@pytest.mark.parametrize(
    "change",
    [
        {"input_video": source(file=f"{STORAGE}/7.mp4?X-Amz-Signature=another")},
        {"input_video": source(file=f"{STORAGE}/7.mp4#part")},
        {"input_video": source(thumbnail=f"{STORAGE}/7.jpg?X-Amz-Date=tomorrow#part")},
    ],
)
def test_another_signature_leaves_the_fingerprint_alone(change):
    assert item(**change).fingerprint == item().fingerprint


CHANGES: list[dict[str, Any]] = [
    {"eta_s": 5.0},
    {"processing_progress": 0.5},
    {"description": "is this a.mp4?X-Amz-Signature=another"},
    {"description": '"file":"https://x/y?z"'},
    {"ml_models": [model(name="renamed")]},
    {"ml_models": [model(cost_weight=9.0)]},
    {"status": 1},
    {"description": ""},
    {"cost_usd": "1.5001"},
    {"finished": "2026-11-01T09:10:00Z"},
    {"preview": False},
    {"grain": 0.0},
    {"input_video": None},
    {"input_video": source(8)},
    {"input_video": source(name="other.mp4")},
    {"input_video": source(file=f"{STORAGE}/8.mp4{SECRET}")},
    {"input_video": source(file=None)},
    {"output_video": output()},
    {"output_video": output(quality_score=1)},
    {"output_video": output(preview_videos={"before_video": "https://x/b", "after_video": None})},
    {"output_video": output(preview_videos={"before_video": None, "after_video": "https://x/b"})},
    {"ml_models": []},
    {"ml_models": None},
    {"ml_models": [model(45)]},
    {"ml_models": [model(44), model(45)]},
    {"ml_models": [model(45), model(44)]},
    {"container": "mov"},
    {"container": None},
    {"input_video": source(container="mov")},
    {"start_frame": 10**40},
    {"start_frame": 10**40 + 1},
]


def test_every_other_change_changes_the_fingerprint():
    seen = [item().fingerprint, *(item(**change).fingerprint for change in CHANGES)]
    assert len(set(seen)) == len(seen)


def test_a_fingerprint_is_of_a_job_as_the_list_and_its_own_address_show_it():
    (shown,) = decode_listing(envelope([job()])).items
    assert isinstance(shown, RawJob)
    assert (shown.id, shown.fingerprint) == (1, item().fingerprint)
    found = shown.decode()
    assert isinstance(found, ParsedJob)
    assert found.job == item().job


URL = b"https://x/a.mp4"


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        (b'{"file":"%s?sig=1&e=2"}' % URL, b'{"file":"%s"}' % URL),
        (b'{"thumbnail": "%s?a" , "file": "%s#b?"}' % (URL, URL), b'{"thumbnail": "%s" , "file": "%s"}' % (URL, URL)),
        (b'[{"before_video":"%s?a\\u0026b\\/c"}]' % URL, b'[{"before_video":"%s"}]' % URL),
        (b'{"after_video":"http://x?"}', b'{"after_video":"http://x"}'),
    ],
)
def test_queries_are_cut_out_of_an_answer_before_it_is_read(body, cut):
    assert cut_queries(body) == cut


@pytest.mark.parametrize(
    "body",
    [
        b'{"file":"%s"}' % URL,
        b'{"name":"%s?why"}' % URL,
        b'{"name":"\\"file\\":\\"%s?why\\""}' % URL,
        b'{"file":"s3://b/k?secret"}',
        b'{"file":"%s?a\x01"}' % URL,
        b'{"file":"%s?a\xff"}' % URL,
        b'{"file":"%s?a\\x"}' % URL,
        b'{"file":"%s?cut off' % URL,
    ],
)
def test_what_is_no_plain_url_or_no_json_is_cut_by_whoever_reads_it(body):
    assert cut_queries(body) == body


def test_cutting_takes_time_in_proportion():
    for hostile in (
        b'"file":"https:' * 70_000,
        b'"file":"https:?' + b"\\/" * 500_000,
        b'"file":"https:' + b"?" * 10**6,
    ):
        assert cut_queries(hostile) == hostile  # minutes, if anything were tried twice


@pytest.mark.parametrize(
    ("url", "stripped"),
    [
        (None, None),
        ("", ""),
        ("https://x/a.mp4", "https://x/a.mp4"),
        ("https://x/a.mp4?X-Amz-Signature=1&b=?", "https://x/a.mp4"),
        ("https://x/a#f?q", "https://x/a"),
        ("https://x/a?q#f", "https://x/a"),
        ("?only", ""),
    ],
)
def test_urls_lose_query_and_fragment(url, stripped):
    assert strip_query(url) == stripped


def test_a_redacted_payload_loses_the_queries_of_its_urls_and_nothing_else():
    raw = b'{"id": 1e2, "a": "\\u0000", "id": 2, "u": "https:\\/\\/x\\/y?k=\\u0022s", "t": "why? because", "n": 1.50}'
    shown = redact(raw)
    assert shown == '{"id": 1e2, "a": "\\u0000", "id": 2, "u": "https://x/y", "t": "why? because", "n": 1.50}'
    assert shown.isascii()


def test_a_redacted_payload_is_the_same_json_but_for_queries():
    shown = job(input_video=source(name='O\'Brien "the best" 家族 \U0001f3ac\\'))
    assert json.loads(redact(encoded(shown))) == json.loads(encoded(shown).replace(SECRET.encode(), b""))


@pytest.mark.parametrize(
    "text", ["HTTPS://X/Y?secret", " https://x/y?secret", "s3://bucket/key?secret", "https:/x?secret"]
)
def test_urls_are_recognized_in_any_dress(text):
    assert "secret" not in redact(json.dumps({"u": text}).encode())


@pytest.mark.parametrize(
    ("text", "held"),
    [("plain", "plain"), ("a\0b", "a\u2400b"), ("\ud800", "\ufffd"), ("\U0001f3ac\0", "\U0001f3ac\u2400")],
)
def test_text_is_made_holdable(text, held):
    assert clean(text) == held


@pytest.mark.parametrize(
    "broken",
    [
        b'{"id":4,"started":"2026-11-01,"n":1,"file":"%s"}',  # a quote lost: strings and what is between change places
        b'{"id":4,"started":"2026-11-01"","n":1,"file":"%s"}',
        b'{"id":4,"file":"%s',
        b'{"id":4,"name":"a\\xb","file":%s}',
        b'{"id":4,"file":"%s of a \\"secret\\" \\x"}',
    ],
)
@pytest.mark.parametrize(
    "url",
    [
        b"https://x.example/a.mp4?X-Amz-Signature=secret",
        b"https:\\/\\/x.example\\/a.mp4\\u003fsig\\u003dsecret",
        b"https://x.example/a.mp4?key=secret",
    ],
)
def test_a_payload_turned_inside_out_keeps_no_query_either(broken, url):
    shown = redact(broken % url)
    assert "secret" not in shown
    assert "x.example" in shown
    assert '"id":4' in shown


PIECES = ["a", "a:", '"a:', '"\\', "X-Amz-", "a?", "\\u0041", "Signature", "/", "aa:/", "aa:\\", "&a", "https://a?b &"]


@pytest.mark.parametrize("start", ["", "https://a?"])
@pytest.mark.parametrize("piece", PIECES)
def test_no_text_takes_long_to_redact(start, piece):
    """A pattern that tried every start against every end would take hours."""
    text = start + piece * 100_000 + "="
    assert redact(text.encode())
    assert redact(json.dumps(text).encode())


def test_keys_that_only_their_secrets_tell_apart_are_numbered_in_time_in_proportion():
    assert len(strip_urls({f"{STORAGE}?{number}": number for number in range(20_000)})) == 20_000


def test_a_long_string_takes_memory_in_proportion():
    """A few times its own, not a hundred times."""
    raw = b'{"id":1,"name":"%s"}' % (b"a" * 2**20)
    tracemalloc.start()
    try:
        redact(raw)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def beginning(text: str) -> bytes:
    """How a page begins that is too large to be read."""
    return b'{"count":3,"next":null,"previous":null,"results":[' + text.encode()


@pytest.mark.parametrize(
    ("text", "job_id"),
    [
        ('{"id": 7, "description": "xx', 7),
        ('{"description": "x]},{", "\\u0069d": "7", "input_video": {"id": 8, "name": "xx', 7),
        ('{"id":7,"grain":0.5}', 7),
        ('{"id":7,"grain":0.5}]', 7),
        ('{"input_video": {"id": 8, "name": "xx', None),
        ('{"id": 7, "id": 8, "description": "xx', None),
        ('{"id": "seven", "description": "xx', None),
        ('{"description": "xx", "id": 7', None),
        ("[" * 1000, None),
    ],
)
def test_of_a_job_that_is_too_large_alone_the_beginning_shows_its_id(text, job_id):
    page = decode_beginning(beginning(text), 1, 4 * 2**20)
    assert page is not None
    (item,) = page.items
    assert isinstance(item, ParseFailure)
    assert (page.count, page.next, item.id) == (3, None, job_id)
    assert item.reason == "larger than 4 MiB, the most that is read of one job: shorten its texts"
    assert item.raw == text.removesuffix("]").encode()


def test_of_a_page_that_is_too_large_fewer_jobs_may_fit():
    assert decode_beginning(beginning('{"id":1},{"id":2},{"id":3,"description":"xx'), 3, 1) is None
    with pytest.raises(ApiError, match=r"asked for 2 jobs, the API answers .* it ignores limit"):
        decode_beginning(beginning('{"id":1},{"id":2},{"id":3,"description":"xx'), 2, 1)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b" " * 5000, "it has no list of results"),
        (b'{"detail":"' + b"x" * 5000, "it has no list of results"),
        (beginning('{"id":1}]}' + " " * 5000), "its list of results ends long before it does"),
        (b'{"next":null,"results":[{"id":1,"description":"xx', "count"),
        (b'{"count":3,"count":4,"results":[{"id":1,"description":"xx', "a key stands in it twice"),
        (b'{"count":-3,"results":[{"id":1,"description":"xx', "counts -3"),
        (b"[" * 50_000, "no list"),
    ],
)
def test_what_is_too_large_and_no_page_is_refused_as_such(body, reason):
    with pytest.raises(TransientError, match=reason):
        decode_beginning(body, 1, 1)


def test_what_is_kept_of_a_job_that_is_too_large_has_no_signature_wherever_it_breaks_off():
    url = 'https://files.example/a.mov?X-Amz-Expires=60\\u0026X-Amz-Signature=5ec3e7"'
    text = f'{{"id":7,"input_video":{{"file":"{url},"name":"see {url},"external_url":"{url}}}}}'
    for end in range(20, len(text)):
        page = decode_beginning(beginning(text[:end]), 1, 1)
        assert page is not None
        (item,) = page.items
        assert item.id == 7
        assert "5ec3e7" not in redact(item.raw)
        assert "X-Amz-E" not in redact(item.raw)


@pytest.mark.parametrize(
    ("url", "bare"),
    [
        ("https://me:hush@host/a.mp4?sig=hush", "https://host/a.mp4"), ("https://hush@host", "https://host"),
        ("HTTPS://me:hu@sh@[::1]:80/x", "HTTPS://[::1]:80/x"), ("s3://hush:hush@bucket/x", "s3://bucket/x"),
        ("https:\\/\\/me:hush@host/x", "https:\\/\\/host/x"), ("https://host/@me/a@b", "https://host/@me/a@b"),
    ],
)  # fmt: skip
def test_urls_lose_user_and_password_wherever_they_stand(url, bare):
    raw = json.dumps({"id": 1, "status": 2, "link": url, "input_video": {"id": 2, "external_url": url}}).encode()
    found = decode_job(raw)
    assert isinstance(found, ParsedJob)
    assert found.input_video is not None
    assert (found.input_video.external_url, found.extra["job"]["link"]) == (bare, bare)
    assert strip_text(f"see {url}") == f"see {bare}"
    assert "hush" not in redact(raw)


def test_another_password_in_a_url_leaves_the_fingerprint_alone():
    first, second = (
        decode_job(encoded(job(input_video={**source(), "external_url": f"https://me:{secret}@host/a"})))
        for secret in ("one", "two")
    )
    assert isinstance(first, ParsedJob)
    assert isinstance(second, ParsedJob)
    assert first.fingerprint == second.fingerprint


FORM = {
    "key": "a.mp4", "policy": "hush", "x-amz-signature": "hush", "X-Amz-Credential": ["hush", "hush"],
    "AWSAccessKeyId": "hush", "expires": "hush",
}  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [FORM, {"Policy": "hush", "Signature": "hush"}, {"GoogleAccessId": "hush", "policy": "hush", "sig": "hush"},
     [{"name": name, "value": value} for name, value in FORM.items()], [[*pair] for pair in FORM.items()],
     {"CloudFront-Signature": "hush"}, {"x-goog-credential": 'a \\"hush'}, json.dumps(FORM)],
)  # fmt: skip
def test_a_presigned_form_loses_what_signs_it_and_keeps_its_fields(form):
    raw = json.dumps({"id": 1, "status": 2, "upload": {"url": "https://host/", "fields": form}}).encode()
    found = decode_job(raw)
    assert isinstance(found, ParsedJob)
    for shown in (json.dumps(found.extra), redact(raw), redact(raw[:-1])):
        assert "hush" not in shown
        assert "https://host/" in shown
    assert "a.mp4" in json.dumps(found.extra) or "a.mp4" not in json.dumps(form)


def test_words_that_a_form_has_too_are_kept_where_there_is_none():
    plain = {"policy": "private", "token": "blue", "expires": "never", "x-amz": "1"}
    assert strip_secrets(plain) == plain


@pytest.mark.parametrize(
    "text",
    ['"policy":' * 20_000, '"signature" "policy":[' * 20_000, "aa://a@" * 20_000, "aa://" + "a" * 100_000,
     '"x-amz-a":["' * 20_000, '"x-amz-a"' + " " * 50_000, '"policy" "signature":"' + "\\" * 50_001],
)  # fmt: skip
def test_no_text_takes_long_to_look_through_for_forms_and_users(text):
    began = time.process_time()
    strip_text(text)
    assert time.process_time() - began < 3
