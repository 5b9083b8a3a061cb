"""Cells of CSV files: values that a spreadsheet shows as they are, and runs none of as a formula (CWE-1236)."""

import re
from datetime import UTC, datetime
from typing import Any, Final

FORMULA: Final = "^[ \f\v\u00a0\ufeff]*[=+@\t\r\n\0\uff1d\uff0b\uff0d\uff20-]"
"""What a spreadsheet may take for the beginning of a formula (OWASP ASVS 1.2.10), full-width forms and blanks before it
included. A pattern of the kind that Python and RE2 read alike: Arrow searches whole columns with it."""

_formula: Final = re.compile(FORMULA).match


def harmless(text: str) -> str:
    """The text, with an apostrophe before whatever a spreadsheet would take for a formula."""
    return f"'{text}" if _formula(text) else text


def cell(value: Any) -> Any:
    """A value for the csv module: harmless text, times in ISO 8601 UTC; numbers stay numbers, None stays None."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
