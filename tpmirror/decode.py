"""From bytes to payloads: pages, jobs, fingerprints; one bad item never spoils its page."""

import json
import math
import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import msgspec
from msgspec.structs import replace

from tpmirror.envelope import unwrap
from tpmirror.payload import InputVideo, Job, Key, MlModel, OutputVideo, PreviewVideos, Wire

Extra: TypeAlias = dict[str, dict[str, Any]]
"""Unknown keys by the object they stood in: ``job``, ``input_video``, ``output_video``, ``ml_model 44``."""


class Item(msgspec.Struct, frozen=True):
    """A readable job as one answer showed it; its URLs without their query strings, but for those in ``raw``."""

    job: Job
    extra: Extra
    fingerprint: str
    raw: bytes | msgspec.Raw


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item that could not be read; ``job_id`` is None if not even its id could."""

    job_id: int | None
    reason: str
    raw: bytes | msgspec.Raw


@dataclass(frozen=True, slots=True)
class Listing:
    """A decoded page: what the envelope says, and its items in order."""

    count: int
    next: str | None
    previous: str | None
    items: list[Item]
    unreadable: list[Unreadable]

    def __len__(self) -> int:
        """How many items were served, readable or not: what offsets count in."""
        return len(self.items) + len(self.unreadable)


_JOB: Final = msgspec.json.Decoder(Job)
FINGERPRINT_VERSION: Final = b"tpmirror-2"
"""Part of every fingerprint: raise it when a column is added, and the next walk looks at every job again."""
DEEPEST: Final = 50
"""How deep an unknown value may be nested; the API nests three deep, and every reader of it has a limit somewhere."""


def decode_listing(body: bytes) -> Listing:
    """A page of the list.

    Raises Passing if the body is not the list's JSON: half an answer and a proxy's error page look like this too.
    """
    envelope = unwrap(body)
    items: list[Item] = []
    unreadable: list[Unreadable] = []
    for raw in envelope.results:
        item = decode_job(raw)
        if isinstance(item, Item):
            items.append(item)
        else:
            unreadable.append(item)
    return Listing(envelope.count, envelope.next, envelope.previous, items, unreadable)


def decode_job(raw: bytes | msgspec.Raw) -> Item | Unreadable:
    """One job: an item of the list or the answer for an id."""
    try:
        job = _JOB.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _with_unknown_keys(raw)
    return _item(job, {}, raw)


def _item(job: Job, extra: Extra, raw: bytes | msgspec.Raw) -> Item:
    source, made = job.input_video, job.output_video
    if source is not None:
        source.thumbnail, source.file = strip_query(source.thumbnail), strip_query(source.file)
        source.external_url = strip_query(source.external_url)
    if made is not None:
        made.thumbnail, made.file = strip_query(made.thumbnail), strip_query(made.file)
        if (preview := made.preview_videos) is not None:
            preview.before_video = strip_query(preview.before_video)
            preview.after_video = strip_query(preview.after_video)
    return Item(job, extra, fingerprint(job, extra), raw)


def fingerprint(job: Job, extra: Extra) -> str:
    """Hash of everything that, when it changes, is a change: not the volatile fields, not the query strings of URLs.

    The URLs have lost those already. Models count by id only: their own values are compared apart, once per page and
    not once per job.
    """
    parts = (
        replace(job, eta_s=None, processing_progress=None, ml_models=None),
        None if job.ml_models is None else [model.id for model in job.ml_models],
        {where: keys for where, keys in extra.items() if not where.startswith("ml_model ")} if extra else None,
    )
    try:
        canonical = msgspec.msgpack.encode(parts)
    except (OverflowError, UnicodeEncodeError):  # integers beyond 64 bits: not storable either, but hashable
        canonical = repr(parts).encode("utf-8", "backslashreplace")
    return blake2b(canonical, digest_size=16, person=FINGERPRINT_VERSION).hexdigest()


def strip_query(url: str | None) -> str | None:
    """A URL without query string and fragment: a presigned query is a secret and changes at every call."""
    if url is None:
        return None
    bare = url.partition("?")[0]
    return bare.partition("#")[0] if "#" in bare else bare


def redact(raw: bytes | msgspec.Raw) -> str:
    """The item's own JSON in ASCII, nothing lost but the query strings of its URLs.

    Works on the text, string by string: numbers, order and repeated keys stay as they came, and no escape hides a URL.
    """
    text = _PART.sub(_redacted, bytes(raw).decode("utf-8", "backslashreplace"))
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")


def _redacted(part: re.Match[str]) -> str:
    """A string of JSON in ASCII, without query if it is a URL; one that is not valid stays as it came, but for that.

    Between strings stands nothing to hide, unless a quote too many or too few has turned the text inside out.
    """
    if part[1] is not None:
        try:
            return json.dumps(_strip_if_url(json.loads(part[0], strict=False)))
        except ValueError:
            return f'"{_loosely(part[1])}{part[2]}'
    return _loosely(part[0])


def _loosely(text: str) -> str:
    """Text that is no JSON, without the queries of all its URLs; of one that it begins with, up to its end."""
    plain = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else escape[0], text)
    return _WORD.sub(lambda word: word[1] if ":" in word[1] else word[0], _strip_if_url(plain))


_PART: Final = re.compile(r'"((?:[^"\\]|\\.?)*)("|\Z)|[^"]+', re.DOTALL)
"""A string, ended or not, or what stands between two."""
_ESCAPE: Final = re.compile(r"\\(?:u00(2[013-9a-f]|[346][0-9a-f]|5[0-9abdef]|7[0-9a-e])|.)", re.DOTALL | re.IGNORECASE)
"""An escape; its group is the code of a character that needs none."""
_URL: Final = re.compile(r"\s*[a-z][a-z0-9+.-]*:/*[^\s?#]+[?#]", re.IGNORECASE)
_WORD: Final = re.compile(r"""([^\s?#"]+)([?#][^\s"]*)?""")
"""A word; its second group is the query, if it is a URL that has one. Every pattern here takes linear time."""


def _strip_if_url(value: str) -> str:
    return unsigned(strip_query(value) or "" if _URL.match(value) else value)


_SIGNATURE: Final = re.compile(
    r"""[?&]?(?:[\w-]{0,40}Signature|\b(?:X-Amz-[\w-]{1,40}|X-Goog-[\w-]{1,40}|Sig|Token|Policy|Key-Pair-Id))=[^&\s"'<>]*""",
    re.IGNORECASE | re.ASCII,
)


def unsigned(text: str) -> str:
    """Text without what signs a URL: somebody may have named or described a job with one."""
    return _SIGNATURE.sub("", text) if "=" in text else text


def _strip_urls(value: Any, room: int = DEEPEST) -> Any:
    """The same for a decoded JSON value; numbers that JSON lacks become text. Raises ValueError if nested too deep."""
    if room == 0:
        message = f"a value is nested more than {DEEPEST} deep"
        raise ValueError(message)
    if isinstance(value, str):
        return _strip_if_url(clean(value))
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {_strip_if_url(clean(key)): _strip_urls(inner, room - 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_strip_urls(inner, room - 1) for inner in value]
    return value


def clean(text: str) -> str:
    """Text that both databases can hold: NUL becomes U+2400, lone surrogates U+FFFD."""
    if text.isascii():
        return text.replace("\0", "\u2400") if "\0" in text else text
    return text.replace("\0", "\u2400").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _with_unknown_keys(raw: bytes | msgspec.Raw) -> Item | Unreadable:
    """The slow way: take out the keys this version does not know, then read the rest as strictly as before."""
    try:
        value = json.loads(bytes(raw).decode())
    except (ValueError, RecursionError) as error:
        return Unreadable(_id_of(raw), f"not JSON: {_short(error)}", raw)
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
        return Unreadable(job_id, _short(error), raw)
    return _item(job, extra, raw)


class _Named(msgspec.Struct):
    """An item of which nothing is asked but its id."""

    id: Key


_NAMED: Final = msgspec.json.Decoder(_Named)


def _id_of(raw: bytes | msgspec.Raw) -> int | None:
    """The id of an item with something in it that cannot be read: its job is known to be there all the same."""
    try:
        return _NAMED.decode(raw).id
    except (ValueError, RecursionError):
        return None


def repeats_a_key(raw: bytes | msgspec.Raw) -> bool:
    """Whether an object in the item has a key twice: parsers keep the last and say nothing, so the item means nothing.

    Costs as much as decoding: meant for the jobs that changed. What comes out again as it came in repeats nothing; only
    where the text differs, such as in how it writes a number, the parser has to tell.
    """
    if _survives(raw):
        return False
    found = False

    def check(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({key for key, _ in pairs}) < len(pairs)

    json.loads(bytes(raw).decode(), object_pairs_hook=check, parse_int=str, parse_float=str)
    return found


def _survives(raw: bytes | msgspec.Raw) -> bool:
    try:
        return msgspec.json.encode(msgspec.json.decode(raw)) == bytes(raw)
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
            unknown = {key: _strip_urls(part.pop(key)) for key in part.keys() - set(wire.__struct_fields__)}
            if unknown:
                extra[where] = dict(sorted(unknown.items()))

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
    text = str(error).partition("; use sys.")[0]  # a hint for whoever writes the program, not for whoever runs it
    return re.sub(r"https?:\S+", "(url)", text)[:200]
