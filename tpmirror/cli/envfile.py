"""Variables from a file: ``NAME=value`` a line, as Compose, systemd and shells write them; nothing is expanded."""

import re
from pathlib import Path
from typing import Final

from tpmirror.errors import UsageError

_LINE: Final = re.compile(
    r"""\s*(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*=[ \t]*
    (?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)"|(?P<bare>(?:[^\s'"\#]\S*(?:[ \t]+(?!\#)\S+)*)?))
    \s*(?:(?<=\s)\#.*)?""",
    re.VERBOSE | re.ASCII,
)
_ESCAPED: Final = re.compile(r"""\\(["\\$`])""")
"""Characters that a backslash escapes in double quotes; before any other, the backslash is kept, as in a shell."""


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file. Raises UsageError for an unreadable file, and for a line that is no assignment."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UsageError(f"the file {str(path)!r} of --env-file cannot be read: {reason}") from None
    return parse_env_file(text, str(path))


def parse_env_file(text: str, name: str) -> dict[str, str]:
    """The variables of a text; a repeated name has its last value. Raises UsageError with the line's number."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        read = _LINE.fullmatch(line)
        if read is None:  # not shown: it may hold a secret
            message = f"line {number} of {name!r} cannot be read; NAME=value is expected, or NAME='value', in one line"
            raise UsageError(message)
        quoted = read["double"]
        found[read["name"]] = read["single"] or read["bare"] or (_ESCAPED.sub(r"\1", quoted) if quoted else "")
    return found
