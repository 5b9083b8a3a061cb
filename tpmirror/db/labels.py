"""Labels of the API's codes, from its documentation (1.1); codes added later are labelled ``unknown (N)``."""

from typing import Final

STATUSES: Final = {0: "In Queue", 1: "Processing", 2: "Finished", -1: "Failed", -2: "Canceled"}
PROCESSING: Final = 1
FINISHED: Final = 2
FAILED: Final = -1
TERMINAL: Final = frozenset({FINISHED, FAILED, -2})
"""Statuses in which a job is over. An unknown status is not: the mirror keeps polling."""

TASKS: Final = {
    1: "Super Resolution",
    2: "Film damage",
    3: "Denoise",
    4: "Sharpen",
    5: "VHS Prettify",
    6: "Dropouts Buster",
    7: "Auto Color Balance",
    8: "Decompressor",
    9: "Deinterlace",
    10: "FPS Interpolation",
    11: "Slow Motion",
    12: "Face Enhance",
    13: "Stabilization",
    14: "Audio Denoise",
    15: "Low Light Enhance",
}

RESOLUTIONS: Final = {
    -1: "No Resize",
    640: "360p",
    720: "SD",
    854: "HQ",
    1280: "720p",
    1920: "1080p",
    2048: "2K",
    2560: "QHD",
    3840: "4K",
}

SEEDS: Final = {
    "job_statuses": [{"code": code, "name": name, "is_terminal": code in TERMINAL} for code, name in STATUSES.items()],
    "ml_tasks": [{"code": code, "name": name} for code, name in TASKS.items()],
    "output_resolutions": [{"code": code, "name": name} for code, name in RESOLUTIONS.items()],
}
"""The rows of the label tables."""


def unknown(code: int) -> str:
    """The label of a code that this version does not know."""
    return f"unknown ({code})"


def unlabelled(table: str, code: int) -> dict[str, object]:
    """The row of a label table for a code that this version does not know."""
    row: dict[str, object] = {"code": code, "name": unknown(code)}
    return {**row, "is_terminal": False} if table == "job_statuses" else row
