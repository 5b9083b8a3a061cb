"""Replaces owners' e-mail addresses by keyed hashes, before anything of an answer is read.

All later steps (fingerprints, rows, quarantine, the check of the account) see hashes only. The same functions take the
addresses out of the rows that a mirror holds already, so that the next answer shows no change.
"""

import hmac
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import msgspec

from tpmirror.tensorpix.reading import NUMBER
from tpmirror.tensorpix.redaction import clean, unsigned

_HASHED: Final = re.compile(r"owner-[0-9a-f]{16}")
_STRING: Final = r'"(?:[^"\\]++|\\.)*+"'
_OWNER: Final = re.compile(rf'("owner"\s*+:\s*+)({_STRING})'.encode(), re.DOTALL)
_TEXT: Final = re.compile(
    rf'("(?:name|description|thumbnail|file|external_url|before_video|after_video)"\s*+:\s*+{_STRING})'
    rf'|"(?:[^"\\@]++|\\(?!u0040).)*+(?:@|\\u0040)(?:[^"\\]++|\\.)*+"'.encode(),
    re.DOTALL,
)
"""A string with an @; its group is a key with a free text, which stays, because ``name@2x.mov`` looks like an
address."""
_LOCAL: Final = r"[^\s\"'<>(),:;\\\[\]{}@/=]"
_ADDRESS: Final = re.compile(
    rf"[a-z0-9+.-]{{2}}://[^\s/?#]*+|(?<!{_LOCAL})(?P<address>{_LOCAL}{{1,64}}@[\w-]++(?:\.[\w-]++)++)", re.IGNORECASE
)
"""An e-mail address, or the beginning of a URL, in which a user may stand before an @."""
_JSON: Final = msgspec.json.Decoder(msgspec.Raw)


class Pseudonyms:
    """The owners of one mirror: an address becomes ``owner-`` and 16 hex digits of its HMAC-SHA-256 by a key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._of_owner = lru_cache(maxsize=10_000)(lambda quoted: self._string(quoted, self.owner))
        self.key_id = f"hmac-sha256 {self._digest('tpmirror: which key is it?')}"
        """Tells keys apart and shows nothing of them."""

    def owner(self, text: str) -> str:
        """An owner as the mirror holds it. Users' numbers stay, and so do hashes."""
        held = unsigned(clean(text))
        is_person = held and not NUMBER.fullmatch(held) and not _HASHED.fullmatch(held)
        return f"owner-{self._digest(held)}" if is_person else text

    def prose(self, text: str) -> str:
        """A text with every e-mail address in it replaced."""
        if "@" not in text:
            return text
        return _ADDRESS.sub(lambda found: self.owner(found["address"]) if found["address"] else found[0], text)

    def answer(self, body: bytes) -> bytes:
        """An answer of the API, or a part of one: owners replaced, and addresses in all but names and free texts.

        In a body that is no JSON every address is replaced.
        """
        bare = _OWNER.sub(lambda found: found[1] + self._of_owner(found[2]), body)
        if b"@" not in bare and b"\\u0040" not in bare:
            return bare
        try:
            _JSON.decode(bare)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.prose(bare.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return _TEXT.sub(lambda found: found[1] or self._string(found[0], self.prose), bare)

    def document(self, text: str) -> str:
        """The JSON of a column, addresses replaced; keys in order stay in order."""
        bare = self.answer(text.encode()).decode()
        try:
            is_sorted = json.dumps(json.loads(text), sort_keys=True) == text
        except (ValueError, RecursionError):
            is_sorted = False
        return json.dumps(json.loads(bare), sort_keys=True) if is_sorted else bare

    def _digest(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()[:16]

    def _string(self, quoted: bytes, replace: Callable[[str], str]) -> bytes:
        """A string of JSON as it came, unless something in it is replaced."""
        try:
            text = json.loads(quoted, strict=False)
        except ValueError:
            return quoted
        return quoted if (bare := replace(text)) == text else json.dumps(bare).encode()
