"""Run a program and learn from the kernel what it cost."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program cost: seconds by the clock and of the processor, most memory at once, bytes it wrote to files."""

    wall: float
    cpu: float
    rss: int
    written: int
    said: Any
    """The JSON it printed; None if it printed nothing."""


def run(command: Sequence[str], environ: Mapping[str, str], told: str = "", fine: Sequence[int] = (0,)) -> Cost:
    """Run a program to its end, ``told`` on its stdin. It must exit with one of the codes in ``fine``."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("TPMIRROR_", "TENSORPIX_", "PG"))}
    began = time.monotonic()
    with tempfile.TemporaryFile() as stdin:
        stdin.write(told.encode())
        stdin.seek(0)
        process = subprocess.Popen(command, cwd=ROOT, env={**clean, **environ}, stdin=stdin, stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout as stdout:
            said = stdout.read()
        # Dead, but not yet buried: its account of input and output can still be read.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.monotonic() - began
        written = _written(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in fine, f"{' '.join(command)} ended with {process.returncode}"
    is_json = said.lstrip().startswith(b"{")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(wall, cpu, usage.ru_maxrss * 1024, written, json.loads(said) if is_json else None)


def _written(pid: int) -> int:
    io = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines())
    return int(io["wchar"])


def family_cpu(pid: int) -> float:
    """Processor seconds so far of a process and its children, those that ended included."""
    seconds = sum(_ticks(pid, 13, 17)) / os.sysconf("SC_CLK_TCK")
    for task in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = task.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == pid:  # in nanoseconds: a page may take less than a clock tick
                seconds += int(task.with_name("schedstat").read_text(encoding="ascii").split()[0]) / 1e9
        except OSError:  # it ended meanwhile: its parent counts it
            continue
    return seconds


def _ticks(pid: int, first: int, after: int) -> list[int]:
    """Fields of /proc/PID/stat, counted from 0 as in its manual page minus one."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return [int(value) for value in fields[first - 2 : after - 2]]
