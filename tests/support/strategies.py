"""Pages that the API might send on its worst day: built from the documented fields, then spoilt in places.

Items are made as bytes, not as Python values: a repeated key, NaN, half a surrogate pair or a byte that is no UTF-8
have no value in Python. Every page has sound items too; whatever the others are, those have to arrive.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from tests.support.payloads import job, model, output, source
from tpmirror.tensorpix.models import InputVideo, Job, MlModel, OutputVideo, PreviewVideos

CANARY: Final = "canary-of-a-presigned-query"
SIGNED: Final = f"https://storage.example.com/a.mp4?X-Amz-Signature={CANARY}"
SOUND: Final = range(1001, 1005)
"""Ids of the sound items."""


@dataclass(frozen=True)
class Raw:
    """A piece of JSON, or of what is none."""

    text: bytes


@dataclass(frozen=True)
class Sent:
    """A page as sent, and what its sound items say."""

    body: bytes
    sound: dict[int, str]
    """Descriptions of the sound items, by id."""
    items: list[bytes]
    whole: bool
    """Whether the envelope is as it should be."""


FRAGMENTS: Final = [
    b"null", b"true", b"false", b"[]", b"{}", b"[[]]", b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-0", b"1.0",
    b"1E2", b"9223372036854775807", b"9223372036854775808", b"9223372036854776000",
    b"-9223372036854775809", b"9" * 40,
    b"9" * 5000, b"0." + b"1" * 400, b"1e-400", b"2147483648", b"32768", b"00", b"", b"-", b"tru", b'"', b'"\\ud800"',
    b'"\\udc00\\ud800"', b'"\\u0000"', b'"a\\u0000b"', b'"\\x41"', b'"\xff"', b'"\xed\xa0\x80"', b'"a\x00b"',
    b'"\x1b[31m"',
    b"[" * 49 + b"]" * 49, b"[" * 51 + b"]" * 51, b"[" * 3000 + b"]" * 3000, b'{"a":' * 60 + b"1" + b"}" * 60, b"[",
    b"]", b"}", b"{", b",", b'{"id":1,"id":2}', b'{"id":null}', b'{"id":"7"}', b'{"id":7}', b'[{"id":44},{"id":44}]',
    b'[{"id":44,"task":99999999999}]', b"[null]", b'"%s"' % SIGNED.encode(), b'["%s"]' % SIGNED.encode(),
    b'{"%s":1}' % SIGNED.encode(), b'"https:\\/\\/x\\/y?X-Amz-Signature=%s"' % CANARY.encode(), b'"-1.5"', b'"1e5"',
    b'"NaN"', b'"sNaN"', b'"1e999999999999999999"', b'"999999.99995"', b'"-999999.9999"', b"-2.5",
    b'"0000-01-01T00:00:00Z"', b'"10000-01-01T00:00:00Z"', b'"2026-02-30T00:00:00Z"',
    b'"2016-12-31T23:59:60Z"', b'"2026-11-01T09:30:00"',
    b'"2026-11-01T09:30:00+05:30"', b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:59-14:00"', b'"2026-11-01"',
    b'"2026-11-01T09:30:00.1234567890123Z"', b'"2026-11-01T24:00:00Z"', b'"infinity"',
]  # fmt: skip

json_text = st.text(st.characters(codec=None), max_size=12).map(lambda text: Raw(json.dumps(text).encode()))
json_number = st.one_of(st.integers(-(2**70), 2**70), st.floats(width=64)).map(lambda value: Raw(repr(value).encode()))
weird = st.one_of(st.sampled_from(FRAGMENTS).map(Raw), json_text, json_number)

KEYS: Final = {
    name: [*wire.__struct_fields__, "new", "count", "results", "\\u0069d"]
    for name, wire in {
        "job": Job,
        "input_video": InputVideo,
        "output_video": OutputVideo,
        "preview_videos": PreviewVideos,
        "ml_models": MlModel,
    }.items()
}


def written(value: Any) -> bytes:
    """JSON; objects are lists of pairs, so that a key may stand in them twice."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, list):
        return b"[" + b",".join(map(written, value)) + b"]"
    if isinstance(value, tuple):
        return b"{" + b",".join(b'"%s":%s' % (key.encode(), written(inner)) for key, inner in value) + b"}"
    return json.dumps(value).encode()


def pairs(value: Any) -> Any:
    """A Python value as ``written`` wants it."""
    if isinstance(value, dict):
        return tuple((key, pairs(inner)) for key, inner in value.items())
    return [pairs(inner) for inner in value] if isinstance(value, list) else value


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A job of which some values, keys or bytes are not as they should be."""
    preview = {"before_video": SIGNED}
    made: Any = job(
        draw(st.integers(1, 9)), status=draw(st.sampled_from([0, 1, 2, -1, -2, 7])),
        eta_s=draw(st.floats(0, 9)), processing_progress=draw(st.floats(0, 1)),
        input_video=draw(st.sampled_from([None, source(draw(st.integers(1, 4)), external_url=SIGNED)])),
        output_video=draw(st.sampled_from([None, output(draw(st.integers(1, 4)), preview_videos=preview)])),
        ml_models=[model(number) for number in draw(st.lists(st.integers(44, 47), max_size=3))],
    )  # fmt: skip
    for _ in range(draw(st.integers(0, 3))):
        made = draw(spoilt_in_one_place(made))
    text = written(made if isinstance(made, tuple) else pairs(made))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.binary(max_size=2)) + text[at + draw(st.integers(0, 3)) :]
    return text


@st.composite
def spoilt_in_one_place(draw: st.DrawFn, made: Any) -> Any:
    """Set, remove or repeat one key, in the job or in an object of it."""
    made = made if isinstance(made, tuple) else pairs(made)
    where = draw(st.sampled_from(["job", "job", "input_video", "output_video", "ml_models"]))
    if where == "job":
        return draw(changed(made, KEYS[where]))
    inner = dict(made).get(where)
    if isinstance(inner, list) and inner and isinstance(inner[0], tuple):
        inner = [draw(changed(inner[0], KEYS[where])), *inner[1:]]
    elif isinstance(inner, tuple):
        inner = draw(changed(inner, KEYS[where]))
    return tuple((key, inner if key == where else value) for key, value in made)


@st.composite
def changed(draw: st.DrawFn, made: tuple[tuple[str, Any], ...], keys: list[str]) -> tuple[tuple[str, Any], ...]:
    """An object with one key set, removed or repeated."""
    key, how = draw(st.sampled_from(keys)), draw(st.sampled_from(["set", "set", "set", "remove", "repeat"]))
    rest = tuple(pair for pair in made if pair[0] != key)
    if how == "remove":
        return rest
    return (*(made if how == "repeat" else rest), (key, draw(weird)))


@st.composite
def pages(draw: st.DrawFn) -> Sent:
    """A page of sound and of spoilt items; once in a while its envelope is spoilt too."""
    sound = {number: draw(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=8)) for number in SOUND}
    items = [written(pairs({"id": number, "status": 2, "description": text})) for number, text in sound.items()]
    items = draw(st.permutations([*items, *draw(st.lists(spoilt(), min_size=1, max_size=4))]))
    glue = draw(st.sampled_from([b",", b" ,\n "]))
    body = b'{"count":%d,"next":null,"previous":null,"results":[%s]}' % (len(items), glue.join(items))
    whole = draw(st.sampled_from([True] * 7 + [False]))
    if not whole:
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=3)) + body[at + draw(st.integers(0, 40)) :]
    return Sent(body, sound, items, whole)


def scanned(text: bytes) -> Any:
    """What a piece of JSON says, to the last digit and in the same order, in a list; None if no parser reads it."""
    try:
        return [json.loads(text.decode(), parse_int=str, parse_float=str, object_pairs_hook=list)]
    except (ValueError, RecursionError):
        return None
