"""Colours of states on a terminal: none elsewhere, on a dumb one, or if ``NO_COLOR`` is set (no-color.org)."""

import os
import sys
from typing import Final

import click

STATES: Final = {
    **dict.fromkeys(("ok", "complete", "succeeded", "Finished"), "green"),
    **dict.fromkeys(("warning", "Warning", "interrupted", "abandoned", "Canceled"), "yellow"),
    **dict.fromkeys(("bad", "Wrong", "never", "failed", "Failed"), "red"),
    **dict.fromkeys(("running", "Processing"), "cyan"),
}
"""Colour by state, as commands print it."""


def highlight(text: str, state: str) -> str:
    """A text with the first occurrence of a state in the state's colour."""
    has_colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    colour = STATES.get(state) if has_colours else None
    return text.replace(state, click.style(state, fg=colour), 1) if colour else text
