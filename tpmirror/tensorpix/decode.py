"""From bytes to payloads: pages, items, jobs; one bad item never spoils its page.

Most items show what they showed last time. So a page is taken apart without reading what is in them: each item's id and
the hash of its bytes show whether the mirror knows it already, and only the others are decoded.
"""

import json
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import msgspec

from tpmirror.tensorpix.envelope import TOKEN, unwrap
from tpmirror.tensorpix.models import InputVideo, Job, MlModel, OutputVideo, PreviewVideos, Wire, WireId
from tpmirror.tensorpix.redaction import cut_queries, strip_query, strip_urls

Extra: TypeAlias = dict[str, dict[str, Any]]
"""Unknown keys by the object they stood in: ``job``, ``input_video``, ``output_video``, ``ml_model 44``."""


class ParsedJob(msgspec.Struct, frozen=True):
    """A readable job as one answer showed it; its URLs without their query strings, but for odd ones in ``raw``."""

    job: Job
    extra: Extra
    fingerprint: str
    raw: bytes | msgspec.Raw

    @property
    def id(self) -> int:
        """The job's id."""
        return self.job.id


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """An item that could not be read; ``id`` is None if not even that could."""

    id: int | None
    reason: str
    raw: bytes | msgspec.Raw


class RawJob(msgspec.Struct, frozen=True):
    """An item as it came, without the query strings of its URLs: a presigned query is a secret, and new at every call.

    Equal fingerprints are equal bytes: what was readable once still is.
    """

    id: int
    fingerprint: str
    raw: bytes | msgspec.Raw

    def decode(self) -> ParsedJob | ParseFailure:
        """What is in it. A key that stands twice makes it mean nothing; an id that does is none."""
        try:
            job = _JOB.decode(self.raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = _with_unknown_keys(self)
        else:
            found = _item(job, {}, self)
        own, some = (False, False) if found.id is None else _repeats(self.raw)
        if own:
            return ParseFailure(None, "its id stands in it twice", self.raw)
        if some and isinstance(found, ParsedJob):
            return ParseFailure(found.id, "a key stands twice in one object", self.raw)
        return found


@dataclass(frozen=True, slots=True)
class Listing:
    """A page: the envelope's values, and its items in order."""

    count: int
    next: str | None
    previous: str | None
    items: list[RawJob | ParseFailure]

    def __len__(self) -> int:
        """How many items were served, readable or not: what offsets count in."""
        return len(self.items)


_JOB: Final = msgspec.json.Decoder(Job)
FINGERPRINT_VERSION: Final = b"tpmirror-3"
"""Part of every fingerprint: raise it when a column is added, and the next full sync compares every job again."""


def decode_listing(body: bytes) -> Listing:
    """A page of the list.

    Raises TransientError if the body is not the list's JSON: half an answer and a proxy's error page look like this.
    """
    envelope = unwrap(cut_queries(body))
    return Listing(envelope.count, envelope.next, envelope.previous, list(map(_raw_item, envelope.results)))


def decode_job(body: bytes, asked_for: int | None = None) -> ParsedJob | ParseFailure:
    """One job: the answer for an id. One that cannot be read is of the job asked for, if it states that id alone."""
    item = _raw_item(cut_queries(body))
    found = item.decode() if isinstance(item, RawJob) else item
    if isinstance(found, ParseFailure) and found.id is None and asked_for is not None and _states(body, asked_for):
        return ParseFailure(asked_for, found.reason, found.raw)
    return found


def _raw_item(raw: bytes | msgspec.Raw) -> RawJob | ParseFailure:
    fingerprint = blake2b(raw, digest_size=16, person=FINGERPRINT_VERSION).hexdigest()
    job_id = _id_of(raw)
    if job_id is not None:
        return RawJob(job_id, fingerprint, raw)
    found = RawJob(0, fingerprint, raw).decode()
    return found if isinstance(found, ParseFailure) else RawJob(found.id, fingerprint, raw)


def _item(job: Job, extra: Extra, raw: RawJob) -> ParsedJob:
    source, made = job.input_video, job.output_video
    if source is not None:
        source.thumbnail, source.file = strip_query(source.thumbnail), strip_query(source.file)
        source.external_url = strip_query(source.external_url)
    if made is not None:
        made.thumbnail, made.file = strip_query(made.thumbnail), strip_query(made.file)
        if (preview := made.preview_videos) is not None:
            preview.before_video = strip_query(preview.before_video)
            preview.after_video = strip_query(preview.after_video)
    return ParsedJob(job, extra, raw.fingerprint, raw.raw)


def _with_unknown_keys(item: RawJob) -> ParsedJob | ParseFailure:
    """The slow way: take out the keys this version does not know, then read the rest as strictly as before."""
    raw = item.raw
    try:
        value = json.loads(bytes(raw).decode())
    except (ValueError, RecursionError) as error:
        return ParseFailure(_id_of(raw), f"not JSON: {_short(error)}", raw)
    job_id = readable_id(value.get("id")) if isinstance(value, dict) else None
    try:
        extra = _take_unknown(value)
        job = msgspec.convert(value, Job)
    except (
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:  # msgspec's ValidationError is a ValueError
        return ParseFailure(job_id, _short(error), raw)
    return _item(job, extra, item)


class _Named(msgspec.Struct):
    """An item of which nothing is asked but its id."""

    id: WireId


_NAMED: Final = msgspec.json.Decoder(_Named)


def _id_of(raw: bytes | msgspec.Raw) -> int | None:
    """The id of an item with something in it that cannot be read: its job is known to be there all the same."""
    try:
        return _NAMED.decode(raw).id
    except (ValueError, RecursionError):
        return None


_STATED: Final = re.compile(rb'"(?:i|\\u0069)(?:d|\\u0064)"\s*:\s*([^\s,}]{0,20})')


def _states(body: bytes, job_id: int) -> bool:
    """Whether an object that no parser reads states this id as its own, and no other: brackets and strings decide."""
    depth, ids = 0, set[bytes]()
    for token in TOKEN.finditer(body):
        mark = token[0]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
        elif depth == 1 and (stated := _STATED.match(body, token.start())):
            ids.add(stated[1])
    whole = body.strip()
    return depth == 0 and whole[:1] + whole[-1:] == b"{}" and ids == {b"%d" % job_id}


def _repeats(raw: bytes | msgspec.Raw) -> tuple[bool, bool]:
    """Whether an item states its own id twice, or may; and whether any object in it has any key twice.

    Parsers keep the last and say nothing. What comes out again as it came in repeats nothing; only where the text
    differs, such as in how it writes a number, the keys have to be compared one by one.
    """
    if _survives(raw):
        return False, False
    keys, some = list[str](), False

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal keys, some
        keys = [key for key, _ in pairs]  # objects end from the inside out: the last one is the item
        some = some or len(set(keys)) < len(keys)

    text = bytes(raw).decode(errors="replace")
    try:
        json.loads(text, object_pairs_hook=note, parse_int=str, parse_float=str, strict=False)
    except (ValueError, RecursionError):
        return True, True
    return keys.count("id") > 1, some


_ANY: Final = msgspec.json.Decoder()


def _survives(raw: bytes | msgspec.Raw) -> bool:
    try:
        return msgspec.json.encode(_ANY.decode(raw)) == bytes(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def readable_id(value: object) -> int | None:
    """The id if it is one: a whole number above 0 that 63 bits hold; not true, not 1.0, not a string."""
    return value if type(value) is int and 0 < value < 2**63 else None


def _take_unknown(value: dict[str, Any]) -> Extra:
    """Remove unknown keys from a decoded job, in place; what was removed, URLs stripped, by where it stood."""
    extra: Extra = {}

    def take(where: str, wire: type[Wire], part: Any) -> None:
        if isinstance(part, dict):
            unknown = {key: part.pop(key) for key in list(part) if key not in wire.__struct_fields__}
            if unknown:
                extra[where] = strip_urls(unknown)

    take("job", Job, value)
    take("input_video", InputVideo, value.get("input_video"))
    made = value.get("output_video")
    take("output_video", OutputVideo, made)
    take("preview_videos", PreviewVideos, made.get("preview_videos") if isinstance(made, dict) else None)
    for model in value.get("ml_models") or []:
        take(f"ml_model {model.get('id')}", MlModel, model)
    return extra


def _short(error: BaseException) -> str:
    """An error's text without what might repeat the payload."""
    text = str(error).partition("; use sys.")[0]  # a hint for the programmer, not for the user
    return re.sub(r"https?:\S+", "(url)", text)[:200]
