"""The program as users run it: in another folder, with nothing of our environment but the path.

A process takes a second to start, so it is started where that matters: signals, a second writer, what is left behind.
Elsewhere the same entry point is called inside the process of the tests.
"""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tpmirror.cli.main import main
from tpmirror.log import OURS

ROOT: Final = Path(__file__).parents[2]
START: Final = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
    "from tpmirror.__main__ import main; main()"
)
"""The program, on which Ctrl-C and SIGHUP work also where the tests run in a background that ignores them."""


def until(true: Callable[[], object]) -> None:
    """Wait for something that another thread or process does."""
    deadline = time.monotonic() + 60  # far more than it takes, for a machine that has much else to do
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def _own_log() -> Iterator[None]:
    """Take back how a command sets up the log: its stderr is gone after it, and the next test would log to that."""
    root, ours = logging.getLogger(), logging.getLogger(OURS)
    handlers, levels = root.handlers[:], (root.level, ours.level)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])


class Program:
    """Runs ``tpmirror`` in a folder with some variables."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        base = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
        self.variables = {**base, **variables}

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start it and go on."""
        return subprocess.Popen(
            [sys.executable, "-c", START, *arguments], cwd=self.folder, env={**self.variables, **variables},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *arguments: str, code: int = 0, **variables: str) -> tuple[str, str]:
        """What it says on stdout and stderr; it must end with this exit code."""
        process = self.start(*arguments, **variables)
        said, complained = process.communicate(timeout=120)
        assert process.returncode == code, f"exit {process.returncode}\n{said}\n{complained}"
        return said, complained

    def call(self, capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
        """The same as ``run``, without a process of its own."""
        with pytest.MonkeyPatch.context() as patch, _own_log():
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["tpmirror", *arguments])
            for name, value in self.variables.items():
                patch.setenv(name, value)
            try:
                main()
                ended: object = 0
            except SystemExit as end:
                ended = end.code
        said = capsys.readouterr()
        assert ended == code, f"exit {ended}\n{said.out}\n{said.err}"
        return said.out, said.err

    def refuse(self, *arguments: str, code: int, **variables: str) -> str:
        """The one line on stderr that it gives up with; stdout stays empty."""
        said, complained = self.run(*arguments, code=code, **variables)
        assert said == ""
        assert complained.startswith("error: ")
        assert complained.count("\n") == 1, complained
        return complained
