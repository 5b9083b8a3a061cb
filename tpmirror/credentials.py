"""Secrets: read from files, with a check of the key's characters and the file's mode, and never shown in a repr."""

import errno
import os
import re
import stat
from pathlib import Path
from typing import Final

from tpmirror.errors import UsageError

FILE_LIMIT: Final = 4096
"""Bytes read of a secret's file: a wrong path may name a file too large for memory."""
_KEY: Final = re.compile(r"[\x21-\x7e]{1,512}")
"""Visible ASCII, as HTTP headers allow: the HTTP client's error for any other character would show the key."""


class Secret:
    """A key, token or URL that its repr does not show."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        """Without the value."""
        return "Secret(***)"

    def reveal(self) -> str:
        """The value itself, for the request or comparison that needs it."""
        return self._value


def exposure(path: Path | None, variable: str = "TPMIRROR_API_KEY_FILE") -> str | None:
    """A warning if every user may read a secret's file and this user, as its owner, can change the mode; else None.

    The file is not refused: Docker and Kubernetes mount world-readable secrets into containers without other users.
    """
    try:
        state = None if path is None else path.stat()
    except OSError:
        return None
    if path is None or state is None or not _open_to_all(state.st_mode) or state.st_uid != os.geteuid():
        return None
    if path.resolve().is_relative_to("/run/secrets"):
        return None
    return f"every user of this machine may read {variable} ({str(path)!r}): chmod 600 it"


def _open_to_all(mode: int) -> bool:
    return stat.S_ISREG(mode) and bool(mode & 0o007)


def read_start(path: Path) -> bytes:
    """The first bytes of a regular file. Raises OSError for a pipe or device: it may block, or be read only once."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is a directory, a pipe or a device, and no file that can be read again")
        return os.read(handle, FILE_LIMIT)
    finally:
        os.close(handle)


def check_key(value: str, source: str) -> Secret:
    """The key, if a header can hold it. Raises UsageError, without the key."""
    wrapped = "" if value.strip("\ufeff\"'") == value else ", no quotes and no byte order mark around it"
    if wrapped or _KEY.fullmatch(value) is None:
        message = f"{source} holds no API key: 1 to 512 visible ASCII characters without spaces are expected{wrapped}"
        raise UsageError(message)
    return Secret(value)


def read_text(variable: str, path: Path) -> str:
    """The text of a file that holds a secret. Raises UsageError with the reason why it cannot be read."""
    try:
        return read_start(path).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        is_path = len(str(path)) < 16 or path.is_absolute() or os.access(path, os.F_OK)
        shown = repr(str(path)) if is_path else "no file's name (not shown: it may be the secret itself)"
        raise UsageError(f"{variable} is {shown}, which cannot be read: {reason}") from None


def read_password(path: Path) -> str:
    """The database password in a file: its one line, without the line's end.

    Raises UsageError with the remedy if there is no password, or an unusable one.
    """
    value = read_text("TPMIRROR_DATABASE_PASSWORD_FILE", path)
    password = value.rstrip("\r\n")
    if re.fullmatch(r"[^\x00-\x1f\x7f]+", password) is None or len(value.encode()) >= FILE_LIMIT:
        message = f"TPMIRROR_DATABASE_PASSWORD_FILE ({str(path)!r}) holds no password: one line of text is expected"
        raise UsageError(message)
    return password
