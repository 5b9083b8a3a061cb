"""Removes secrets from an answer before anything is kept: signatures of requests, and user and password in a URL.

A presigned URL opens its file by its query string, a presigned form by its fields.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

DEEPEST: Final = 50
"""How deep an unknown value may be nested; the API nests three deep, and every JSON parser has some limit."""

_KEYS: Final = ("thumbnail", "file", "external_url", "before_video", "after_video")
_HERE: Final = "|".join(f'(?<="{key}":{space}"http)' for key in _KEYS for space in ("", " "))
_QUERY: Final = re.compile(
    rf"""(http(?:{_HERE})s?:[^"?#\\\x00-\x1f\x7f-\xff]*)"""
    r"""[?#][^"\\\x00-\x1f\x7f-\xff]*(?:\\(?:/|u[0-9a-fA-F]{4})[^"\\\x00-\x1f\x7f-\xff]*)*(?=")""".encode()
)
"""A URL with its key before it, and the query that is cut. Begins with a rare text, and takes linear time."""


_USER: Final = re.compile(rf"""(http(?:{_HERE})s?://)[^"/?#\\\x00-\x1f\x7f-\xff]*@""".encode())
"""A URL with its key before it, and the user before its host, which is cut."""
_ANY_USER: Final = re.compile(rb'://[^"/@]*@')
"""Whether a URL may have a user: takes a third of the time of a search for keys, and is hardly ever true."""


def cut_queries(body: bytes) -> bytes:
    """An answer without query strings and users of its URLs, where they are written as usual; valid where it was.

    Under these keys stands a URL and nothing else: its query ends with the string, whatever it holds.
    """
    bare = b"".join(_QUERY.split(body))
    return _USER.sub(rb"\1", bare) if _ANY_USER.search(bare) else bare


def may_open(item: bytes) -> bool:
    """Whether a URL in an item without escapes may have a query, a fragment or a user."""
    return b"?" in item or b"#" in item or _ANY_USER.search(item) is not None


def strip_query(url: str | None) -> str | None:
    """A URL without user, query string and fragment: a presigned query is a secret and changes at every call."""
    if url is None:
        return None
    bare = url.partition("?")[0]
    return strip_user(bare.partition("#")[0] if "#" in bare else bare)


def strip_user(text: str) -> str:
    """Text without the users and passwords that stand in its URLs before the host."""
    return _AUTHORITY.sub(r"\1", text) if "@" in text else text


_AUTHORITY: Final = re.compile(r"""([a-z0-9+.-]{2}:\\*/\\*/)[^\s/?#\\"'<>]*@""", re.IGNORECASE)


def redact(raw: bytes | msgspec.Raw) -> str:
    """The item's own JSON in ASCII, nothing lost but the query strings of its URLs.

    Works on the text, string by string: numbers, order and repeated keys stay as they came, and no escape hides a URL.
    """
    text = strip_forms(_PART.sub(_redacted, bytes(raw).decode("utf-8", "backslashreplace")))
    return text.encode("ascii", "backslashreplace").decode().replace("\0", "\\x00")


def _redacted(part: re.Match[str]) -> str:
    """A string of JSON in ASCII, without query if it is a URL; one that is not valid stays as it came, but for that.

    Text between strings has nothing to hide, unless a quote too many or too few has swapped it with the strings.
    """
    if part[1] is not None:
        try:
            return json.dumps(strip_text(json.loads(part[0], strict=False)))
        except ValueError:
            return f'"{_loosely(part[1])}{part[2]}'
    return _loosely(part[0])


def _loosely(text: str) -> str:
    """Text that is no JSON, without the queries of all its URLs; of one that it begins with, up to its end."""
    plain = _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)) if escape[1] else escape[0], text)
    return strip_text(strip_query(plain) or "" if _BEGINS.match(plain) else plain)


_PART: Final = re.compile(r'"((?:[^"\\]++|\\.?)*+)("|\Z)|[^"]+', re.DOTALL)
"""A string, ended or not, or the text between two. Possessive: backtracking would take memory for each character."""
_ESCAPE: Final = re.compile(r"\\(?:u00(2[013-9a-f]|[346][0-9a-f]|5[0-9abdef]|7[0-9a-e])|.)", re.DOTALL | re.IGNORECASE)
"""An escape; its group is the code of a character that needs none."""
_SCHEME: Final = r"[a-z0-9+.-]{2}:\\*/"
"""The end of a URL's scheme. It has two letters at least: what has one is a drive, and ``#`` part of a file's name."""
_BEGINS: Final = re.compile(rf"\s*+[a-z0-9+.-]*{_SCHEME}", re.IGNORECASE)
_WORD: Final = re.compile(rf"(\S*?{_SCHEME}[^\s?#]*+|\S+)\S*", re.IGNORECASE)
"""A word; its group is the part that stays: all of it, unless it is a URL with a query. Every pattern here takes linear
time."""
_PARAMETER: Final = re.compile(r"[&;][^\s&;=]++=[^\s&;]*")


def strip_text(text: str) -> str:
    """Text without the queries of its URLs, wherever in it they stand, and without their signatures.

    A query ends with its word. A query that a space broke in two leaves its parameters behind: they are cut as well. In
    a text that begins with a signed URL everything from the query on is cut, or the rest of its signature would stay.
    """
    if _BEGINS.match(text) and _SIGNATURE.search(text):
        return unsigned(strip_query(text) or "")
    bare = _WORD.sub(r"\1", text)
    return strip_forms(strip_user(unsigned(bare if bare == text else _PARAMETER.sub("", bare))))


_SIGNATURE: Final = re.compile(
    r"""(?:[?&]?(?:[\w-]{0,40}Signature|\b(?:X-Amz-[\w-]{1,40}|X-Goog-[\w-]{1,40}|Key-Pair-Id))"""
    r"""|[?&;#(](?:Sig|Token|Policy|Expires|AWSAccessKeyId|GoogleAccessId))=[^&\s"'<>]*""",
    re.IGNORECASE | re.ASCII,
)
"""A signing parameter. Names that are common words count only where a parameter stands."""


def unsigned(text: str) -> str:
    """Text without the parameters that sign a URL: a user may have named or described a job with a signed URL."""
    return _SIGNATURE.sub("", text) if "=" in text else text


_SIGNS: Final = (
    r"x-(?:amz|goog|oss|obs|cos)-[\w-]{1,40}|cloudfront-[\w-]{1,40}|key-pair-id|\w{0,10}accesskeyid|googleaccessid"
)
_FORM: Final = re.compile(rf'"(?:{_SIGNS})"', re.IGNORECASE | re.ASCII)
"""A field that only a presigned form has."""
_FIELD: Final = re.compile(
    rf"""("(?:{_SIGNS}|policy|signature|sig|token|expires)"\s*[:,]\s*(?:"value"\s*:\s*)?)"""
    r"""(?:"(?:[^"\\]|\\.)*+"|\[(?:[^"\[\]]|"(?:[^"\\]|\\.)*+")*+\])""",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
"""A field of a form, as a key or as a pair of name and value, and what it holds: a text or a list of texts."""


def strip_forms(text: str) -> str:
    """JSON with the signing fields of presigned forms emptied: their values permit anyone to upload."""
    if '"' not in text:
        return text
    is_form = _FORM.search(text) or ('"policy"' in (lower := text.lower()) and '"signature"' in lower)
    return _FIELD.sub(r'\1""', text) if is_form else text


def strip_secrets(value: Any) -> Any:
    """A decoded JSON value without what is secret in its URLs and forms; numbers that JSON lacks become text.

    Raises ValueError if it is nested too deep.
    """
    bare = strip_urls(value)
    text = json.dumps(bare)
    return bare if (stripped := strip_forms(text)) == text else json.loads(stripped)


def strip_urls(value: Any, room: int = DEEPEST) -> Any:
    """A decoded JSON value without the queries of its URLs; numbers that JSON lacks become text.

    Raises ValueError if it is nested too deep.
    """
    if room == 0:
        message = f"a value is nested more than {DEEPEST} deep"
        raise ValueError(message)
    if isinstance(value, str):
        return strip_text(clean(value))
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: strip_urls(inner, room - 1) for key, inner in zip(_distinct(value), value.values(), strict=True)}
    if isinstance(value, list):
        return [strip_urls(inner, room - 1) for inner in value]
    return value


def _distinct(keys: Iterable[str]) -> Iterator[str]:
    """Keys as they may be kept. Keys that differ only in a secret get a number, so that none takes another's place."""
    taken: set[str] = set()
    repeats: Counter[str] = Counter()
    for key in keys:
        bare = name = strip_text(clean(key))
        while name in taken:
            repeats[bare] += 1
            name = f"{bare} ({repeats[bare] + 1})"
        taken.add(name)
        yield name


def clean(text: str) -> str:
    """Text that both databases can hold: NUL becomes U+2400, lone surrogates U+FFFD."""
    if text.isascii():
        return text.replace("\0", "\u2400") if "\0" in text else text
    return text.replace("\0", "\u2400").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
