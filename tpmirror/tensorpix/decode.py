"""From bytes to payloads: pages, items, jobs; one bad item never spoils its page.

Most items show what they showed last time. So a page is split without decoding its items: each item's id and the hash
of its bytes show whether the mirror knows it already, and only the others are decoded.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import msgspec

from tpmirror.errors import ApiError, TransientError
from tpmirror.tensorpix.envelope import TOKEN, unwrap, unwrap_beginning
from tpmirror.tensorpix.models import InputVideo, Job, MlModel, OutputVideo, Text, WireId
from tpmirror.tensorpix.reading import Extra, Fault, ItemReader, load
from tpmirror.tensorpix.redaction import cut_queries, may_open, strip_query


class ParsedJob(msgspec.Struct, frozen=True):
    """A job as one answer showed it; its URLs without query strings, but for unusually written ones in ``raw``."""

    id: int
    job: Job
    extra: Extra
    fingerprint: str
    raw: bytes | msgspec.Raw
    faults: tuple[Fault, ...] = ()
    """Faults of the fields that could not be read; they are UNSET in ``job``."""
    is_documented: bool = False
    """Whether the item matches the documented format: every number in it fits its column."""
    is_plain: bool = False
    """Whether, besides, no text in it can hold a character that no database holds, nor a signature of a URL: no text
    has to be cleaned."""

    @property
    def input_video(self) -> InputVideo | None:
        """The video that it reads, if the answer shows one."""
        return self.job.input_video or None

    @property
    def output_video(self) -> OutputVideo | None:
        """The video that it made, if the answer shows one."""
        return self.job.output_video or None

    @property
    def models(self) -> Sequence[MlModel]:
        """The models that it uses, as far as the answer shows them."""
        return self.job.ml_models or ()


@dataclass(frozen=True, slots=True)
class ParseFailure:
    """An item that could not be read; ``id`` is None if not even that could."""

    id: int | None
    reason: str
    raw: bytes | msgspec.Raw


class RawJob(msgspec.Struct, frozen=True):
    """An item as it came, without the query strings of its URLs: a presigned query is a secret, and new at every call.

    Equal fingerprints are equal bytes: an item that was readable once still is.
    """

    id: int
    fingerprint: str
    raw: bytes | msgspec.Raw

    def decode(self) -> ParsedJob | ParseFailure:
        """The job; a failure if it cannot be read, or if a key stands twice in an object and so has no one meaning."""
        try:
            job = _JOB.decode(self.raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _unambiguous(_field_by_field(self))
        raw = bytes(self.raw)
        has_escapes = b"\\" in raw  # without any, texts are as they came, and a quote is the end of one
        if has_escapes or may_open(raw):  # hardly ever: ``cut_queries`` has cut the usual ones
            _strip_queries(job)
        is_plain = not (has_escapes or b"=" in raw or b"\0" in raw)
        found = ParsedJob(job.id, job, {}, self.fingerprint, self.raw, is_documented=True, is_plain=is_plain)
        return found if not has_escapes and _states_each_once(raw, job) else _unambiguous(found)


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


NO_ID: Final = "its id cannot be read"
"""Reason of a parse failure whose item is an object."""
BEGINNING: Final = 2000
"""Bytes that are kept of a job that is too large."""
_JOB: Final = msgspec.json.Decoder(Job)
FINGERPRINT_VERSION: Final = b"tpmirror-4"
"""Part of every fingerprint: raise it when a column is added or read otherwise, and the next full sync compares every
job again."""


def decode_listing(body: bytes) -> Listing:
    """A page of the list.

    Raises TransientError if the body is not the list's JSON: half an answer and a proxy's error page look like this.
    """
    envelope = unwrap(cut_queries(body))
    return Listing(envelope.count, envelope.next, envelope.previous, list(map(_raw_item, envelope.results)))


def decode_beginning(body: bytes, limit: int, room: int) -> Listing | None:
    """A page of which only the first ``room`` bytes were read; None if fewer jobs may fit.

    A single job that does not fit is a parse failure. Raises TransientError if the bytes are not the beginning of a
    page of jobs, ApiError if it has more jobs than asked for: no smaller page can be had then.
    """
    try:
        envelope, items = unwrap_beginning(cut_queries(body), limit)
    except (ValueError, RecursionError) as error:
        message = f"the answer is larger than {room >> 20} MiB, and not a page of jobs: {error}"
        raise TransientError(message) from error
    if len(items) > limit:
        message = (
            f"asked for {limit} jobs, the API answers with more than that and with more than {room >> 20} MiB: it "
            "ignores limit, so no smaller page can be had; check what proxy is in between"
        )
        raise ApiError(message)
    if limit > 1:
        return None
    return Listing(envelope.count, envelope.next, envelope.previous, [_too_large(items[0], room)])


def decode_large_job(body: bytes, room: int) -> ParseFailure:
    """One job of which only the first ``room`` bytes were read."""
    return _too_large(cut_queries(body), room)


def _too_large(beginning: bytes, room: int) -> ParseFailure:
    reason = f"larger than {room >> 20} MiB, the most that is read of one job: shorten its texts"
    _, ids = _stated(beginning)
    job_id = _raw_item(b'{"id":%s}' % ids.pop()).id if len(ids) == 1 else None
    return ParseFailure(job_id, reason, beginning.strip()[:BEGINNING])


def decode_job(body: bytes, asked_for: int | None = None) -> ParsedJob | ParseFailure:
    """One job: the answer for an id. An unreadable answer is of the job asked for, if it states that id alone."""
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


def _strip_queries(job: Job) -> None:
    if source := job.input_video:
        source.thumbnail, source.file = _strip(source.thumbnail), _strip(source.file)
        source.external_url = _strip(source.external_url)
    if made := job.output_video:
        made.thumbnail, made.file = _strip(made.thumbnail), _strip(made.file)
        if preview := made.preview_videos:
            preview.before_video, preview.after_video = _strip(preview.before_video), _strip(preview.after_video)


def _strip(url: Text) -> Text:
    return strip_query(url) if url else url


def _field_by_field(item: RawJob) -> ParsedJob | ParseFailure:
    """Reads field by field, which is slow, an item that differs from the documented format."""
    raw, reader = item.raw, ItemReader()
    try:
        value = load(bytes(raw).decode(errors="replace"))
        job = reader.job(value) if isinstance(value, dict) else None
    except (ValueError, RecursionError) as error:
        return ParseFailure(_id_of(raw), f"not JSON: {_short(error)}", raw)
    if job is None:
        return ParseFailure(None, NO_ID if isinstance(value, dict) else "a job is an object, this is none", raw)
    _strip_queries(job)
    return ParsedJob(job.id, job, reader.extra, item.fingerprint, raw, tuple(reader.faults))


class _Named(msgspec.Struct):
    """An item of which only the id is decoded."""

    id: WireId


_NAMED: Final = msgspec.json.Decoder(_Named)


def _id_of(raw: bytes | msgspec.Raw) -> int | None:
    """The id of an item, even if other fields of it cannot be read, so that its job is known to be there."""
    try:
        return _NAMED.decode(raw).id
    except (ValueError, RecursionError):
        return None


_STATED: Final = re.compile(rb'"(?:i|\\u0069)(?:d|\\u0064)"\s*:\s*([^\s,}]{0,20})')


def _states(body: bytes, job_id: int) -> bool:
    """Whether an object that no parser reads states this id as its own, and no other."""
    depth, ids = _stated(body)
    whole = body.strip()
    return depth == 0 and whole[:1] + whole[-1:] == b"{}" and ids == {b"%d" % job_id}


def _stated(body: bytes) -> tuple[int, set[bytes]]:
    """How deep an object is nested where it ends, and the ids that it states as its own, by brackets and strings alone.

    A value at the very end does not count, because it may be cut off.
    """
    depth, ids = 0, set[bytes]()
    for token in TOKEN.finditer(body):
        mark = token[0]
        if mark in b"[{":
            depth += 1
        elif mark in b"]}":
            depth -= 1
        elif depth == 1 and (stated := _STATED.match(body, token.start())) and stated.end() < len(body):
            ids.add(stated[1])
    return depth, ids


def _unambiguous(found: ParsedJob | ParseFailure) -> ParsedJob | ParseFailure:
    """``found``, or a failure if a key stands twice in one of its objects."""
    own, some = (False, False) if found.id is None else _repeats(found.raw)
    if own:
        return ParseFailure(None, "its id stands in it twice", found.raw)
    if some and isinstance(found, ParsedJob):
        return ParseFailure(found.id, "a key stands twice in one object", found.raw)
    return found


def _repeats(raw: bytes | msgspec.Raw) -> tuple[bool, bool]:
    """Whether an item states its own id twice, or may; and whether any object in it has any key twice.

    A JSON parser silently keeps the last of two. A text that parsing and encoding reproduce has no key twice; only
    where the result differs, in how it writes a number for example, are the keys compared one by one.
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


def _states_each_once(raw: bytes, job: Job) -> bool:
    """Whether a documented item without escapes states no key twice: each repetition adds quotes to it."""
    return raw.count(b'"') == msgspec.json.encode(job).count(b'"')


_ANY: Final = msgspec.json.Decoder()


def _survives(raw: bytes | msgspec.Raw) -> bool:
    try:
        return msgspec.json.encode(_ANY.decode(raw)) == bytes(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _short(error: BaseException) -> str:
    """An error's text without the parts that may repeat the payload."""
    text = str(error).partition("; use sys.")[0]  # a hint for the programmer, not for the user
    return re.sub(r"https?:\S+", "(url)", text)[:200]
