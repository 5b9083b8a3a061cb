"""Owners by a keyed hash: what of an answer is replaced, what stays, and that stored text becomes the same."""

import json
import re
import time

import pytest

from tpmirror.tensorpix.decode import ParsedJob, decode_job
from tpmirror.tensorpix.owners import Pseudonyms
from tpmirror.tensorpix.redaction import redact

JANE = "jane.doe+x@mail.example.com"
OWNERS = Pseudonyms(b"k" * 32)
NAME = OWNERS.owner(JANE)


def shown(value: object) -> object:
    return json.loads(OWNERS.answer(json.dumps(value).encode()))


def test_an_owner_becomes_sixteen_digits_of_a_hash_that_only_the_key_gives():
    assert re.fullmatch("owner-[0-9a-f]{16}", NAME)
    assert OWNERS.owner(NAME) == NAME
    assert Pseudonyms(b"l" * 32).owner(JANE) not in {NAME, JANE}
    assert Pseudonyms(b"l" * 32).key_id != OWNERS.key_id == Pseudonyms(b"k" * 32).key_id


@pytest.mark.parametrize(
    ("value", "held"),
    [
        ({"owner": JANE}, {"owner": NAME}), ({"owner": "Jane"}, {"owner": OWNERS.owner("Jane")}),
        ({"by": f"for {JANE}, and"}, {"by": f"for {NAME}, and"}), ({JANE: [JANE]}, {NAME: [NAME]}),
        ({"x": f"mailto:{JANE}"}, {"x": f"mailto:{NAME}"}), ({"x": f"<{JANE}>"}, {"x": f"<{NAME}>"}),
        ({"x": f"https://h/{JANE}/"}, {"x": f"https://h/{NAME}/"}),
    ],
)  # fmt: skip
def test_owners_and_addresses_are_replaced_wherever_they_stand(value, held):
    assert shown(value) == held
    assert shown(held) == held


@pytest.mark.parametrize(
    "value",
    [
        {"owner": 5}, {"owner": "5"}, {"owner": None}, {"owner": ""}, {"owner": []}, {"x": "a@b"}, {"x": "@"},
        {"name": "title@2x.mov"}, {"description": f"for {JANE}"}, {"external_url": "https://a@h.example/b@c.mp4"},
        {"x": "https://me@h.example/"},
    ],
)  # fmt: skip
def test_numbers_names_free_texts_and_urls_stay_as_they_are(value):
    assert shown(value) == value


@pytest.mark.parametrize(
    "raw", [b'{"owner" : "%b"', b'{"owner":"%b","x":NaN}', b'{"x":%b}', b'{"owner":"a"b %b"}', b"\xff%b"]
)
def test_in_what_is_no_json_the_addresses_go_too(raw):
    assert JANE.encode() not in OWNERS.answer(raw % JANE.encode())


def test_an_address_written_with_escapes_is_the_same_address():
    escaped = json.dumps(JANE).replace("@", "\\u0040").encode()
    assert OWNERS.answer(b'{"owner":%b,"\\u006fwner":%b}' % (escaped, escaped)).count(NAME.encode()) == 2


def test_what_was_stored_becomes_what_the_next_answer_shows():
    raw = json.dumps({"id": 1, "status": 2, "by": {JANE: f"{JANE} é", "a": 1}, "input_video": {"id": 2, "owner": JANE}})
    before, after = decode_job(raw.encode()), decode_job(OWNERS.answer(raw.encode()))
    assert isinstance(before, ParsedJob)
    assert isinstance(after, ParsedJob)
    assert OWNERS.document(redact(before.raw)) == redact(after.raw)
    stored, wanted = (json.dumps(item.extra["job"], sort_keys=True) for item in (before, after))
    assert OWNERS.document(stored) == wanted
    assert before.fingerprint != after.fingerprint


@pytest.mark.parametrize(
    "body",
    [
        b'"@' * 50_000, b'"a":"' + b"\\" * 100_001, b'{"a":"' + b"@" * 100_000 + b'"}',
        b'{"a":"' + b"a@b." * 30_000 + b'"}', b'{"a":"' + b"aa://" * 30_000 + b'@"}',
        b'{"a":"' + b"x" * 100_000 + b'@"}', b'"owner":"' * 20_000,
    ],
)  # fmt: skip
def test_no_answer_takes_long(body):
    began = time.process_time()
    OWNERS.answer(body)
    assert time.process_time() - began < 3
