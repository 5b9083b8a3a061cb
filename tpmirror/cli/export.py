"""The command that writes the mirror as files."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click

from tpmirror.cli.options import as_json, mirror, with_settings
from tpmirror.config import Settings
from tpmirror.errors import UsageError

FORMATS: Final = ("parquet", "csv", "jsonl")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@with_settings()
@click.option("--format", "format_", type=click.Choice(FORMATS), default="parquet", show_default=True, help="Of files.")
@as_json
def export(settings: Settings, *, folder: Path, format_: str, as_json: bool) -> None:
    """Write every table and view into DIR, as Parquet, CSV or JSON Lines, in one snapshot of the mirror.

    Again into the same DIR: only the months that have changed since are written. --json prints the manifest, which is
    DIR/manifest.json: rows, columns, and SHA-256 of each file.
    """
    from tpmirror import formatting

    exporting = _needing_pyarrow()
    with mirror(settings) as engine, _progress_bar() as progress:
        done = exporting.export(engine, folder, format_, progress)
    if as_json:
        click.echo(formatting.to_json(done.manifest))
        return
    files = [file for part in done.manifest["relations"].values() for file in part["files"]]
    rows, size = (sum(file[name] for file in files) for name in ("rows", "bytes"))
    click.echo(f"{folder} holds {rows:,} rows in {len(files):,} files, {size / 1e6:,.1f} MB")
    if done.written or done.removed:
        click.echo(f"Written {len(done.written):,} files, removed {len(done.removed):,}; the others are as they were")
    else:
        click.echo("Nothing to write: no file would differ from what is there")


def _needing_pyarrow() -> Any:
    try:
        from tpmirror.export import writer as exporting
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        message = "export needs pyarrow; install tpmirror with its export extra: pip install 'tpmirror[export]'"
        raise UsageError(message) from error
    return exporting


@contextmanager
def _progress_bar() -> Iterator[Callable[[str, int], None]]:
    """What is being exported, on stderr, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _name, _rows: None
        return
    from rich import progress
    from rich.console import Console

    from tpmirror.export.datasets import relations

    names = [relation.name for relation in relations()]
    columns = (
        progress.TextColumn("exporting"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.description} {task.fields[rows]:,}"),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=len(names), rows=0)
        yield lambda name, rows: bar.update(task, description=name, completed=names.index(name), rows=rows)
