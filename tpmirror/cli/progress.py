"""Progress on a terminal: a bar on stderr, none elsewhere, nor with ``--quiet``."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tpmirror.cli.options import is_quiet


@contextmanager
def reading_bar() -> Iterator[Callable[[Any], None]]:
    """A bar for reading the API's list; to be called with each ``PassProgress``. It estimates the time left."""
    started = time.monotonic()
    with progress_bar("reading", is_estimated=True) as show:

        def update(reached: Any) -> None:
            done = (reached.number - 1) * reached.expected + reached.rows
            doing = f"pass {reached.number} of {reached.passes}" if reached.passes > 1 else "reading"
            rate = done / (time.monotonic() - started)
            label = f"{reached.rows:,}/{reached.expected:,} jobs, {rate:,.0f}/s"
            show(done, reached.passes * reached.expected, label, doing)

        yield update


@contextmanager
def progress_bar(doing: str, *, is_estimated: bool) -> Iterator[Callable[..., None]]:
    """A bar to be called with how much is done, of how much, the words beside it, and those before it if they change.

    It shows the time left if that ``is_estimated``, else the time that has passed.
    """
    if is_quiet() or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    clock = progress.TimeRemainingColumn() if is_estimated else progress.TimeElapsedColumn()
    columns = (
        progress.TextColumn("{task.fields[doing]}"),
        progress.BarColumn(min(40, max(4, console.width - 60))),
        progress.TextColumn("{task.description}"),
        clock,
    )
    with progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None, doing=doing)

        def update(done: int, total: int, label: str, now: str = doing) -> None:
            bar.update(task, completed=done, total=max(done, total), description=label, doing=now)

        yield update
