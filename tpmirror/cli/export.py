"""``tpmirror export``: tables and views as files."""

from pathlib import Path
from typing import Final

import click

from tpmirror.cli.options import Command, as_json, extra, mirror, print_json, quiet, summarize, with_settings
from tpmirror.cli.progress import progress_bar
from tpmirror.config import Settings
from tpmirror.formatting import count

FORMATS: Final = ("parquet", "csv", "jsonl")


@click.command(cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@with_settings()
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="parquet", show_default=True, help="Of the files."
)
@click.option("--public", is_flag=True, help="Leave out personal data: owners, unknown keys, payloads.")
@as_json
@quiet
def export(settings: Settings, *, folder: Path, format_: str, public: bool, as_json: bool) -> None:
    """Write every table and view into DIR, as Parquet, CSV or JSON Lines, in one snapshot of the mirror.

    Into a DIR that holds an export already, only the months that changed are written. --json prints the manifest, which
    is also in DIR/manifest.json: rows, columns, and SHA-256 of each file.
    """
    with extra("export", "export"):
        from tpmirror.export import datasets, writer
    names = [relation.name for relation in datasets.relations()]
    with mirror(settings, read_only=True) as engine, progress_bar("exporting", is_estimated=False) as show:

        def progress(name: str, rows: int) -> None:
            place = names.index(name)
            show(place, len(names), f"{place + 1}/{len(names)} {name}, {count(rows, 'row')}")

        done = writer.export(engine, folder, format_, progress, public=public)
    if as_json:
        print_json(done.manifest)
        return
    files = [file for part in done.manifest["relations"].values() for file in part["files"]]
    rows, size = (sum(file[name] for file in files) for name in ("rows", "bytes"))
    summarize(f"{folder} holds {count(rows, 'row')} in {count(len(files), 'file')}, {size / 1e6:,.1f} MB")
    if done.written or done.removed:
        written = count(len(done.written), "file")
        summarize(f"Written {written}, removed {len(done.removed):,}; the others are as they were")
    else:
        summarize("Nothing to write: no file would differ from what is there")
