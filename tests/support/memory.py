"""Where tests keep their databases: in memory if there is room, for no test is about how long a disk takes."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - private folders are made in it
ROOM: Final = 4 * 2**30
"""Bytes that must be free; a container often has 64 MB."""


def folder() -> str:
    """The folder for temporary files: short, as a socket's path may have 107 bytes only."""
    if SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free > ROOM and _runs_programs(SHARED_MEMORY):
        return str(SHARED_MEMORY)
    # The system's own temporary folder may be long (macOS).
    return "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()  # noqa: S108


def _runs_programs(path: Path) -> bool:
    """Whether programs in a folder may run: environments and servers are made there; a container may forbid it."""
    return not os.statvfs(path).f_flag & getattr(os, "ST_NOEXEC", 0)
