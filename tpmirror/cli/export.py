"""``tpmirror export``: tables and views as files."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from tpmirror.cli import completion
from tpmirror.cli.options import Command, as_json, mirror, print_json, quiet, summarize, with_settings
from tpmirror.cli.progress import progress_bar
from tpmirror.config import Settings
from tpmirror.errors import TpmirrorError, UsageError
from tpmirror.formatting import count

FORMATS: Final = ("parquet", "csv", "jsonl")


@click.command(cls=Command)
@click.argument("destination", metavar="DEST", shell_complete=completion.file)
@with_settings()
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), default="parquet", show_default=True, help="Format of the files."
)
@click.option("--public", is_flag=True, help="Leave out personal data: owners, unknown keys, payloads.")
@click.option("--dry-run", is_flag=True, help="Write nothing; list the months of Iceberg tables that would be written.")
@click.option(
    "--contract",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Also write what every table and column means, as a data contract (ODCS 3.1).",
)
@as_json
@quiet
def export(
    settings: Settings,
    *,
    destination: str,
    format_: str,
    public: bool,
    dry_run: bool,
    contract: Path | None,
    as_json: bool,
) -> None:
    """Write every table and view to DEST, as Parquet, CSV or JSON Lines, in one snapshot of the mirror.

    DEST is a folder, or s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX, with credentials and endpoint
    from the variables of that store (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, ...), or iceberg:NAMESPACE@CATALOG, with the
    catalog from the configuration of pyiceberg. To a DEST that holds an export already, only the months that changed
    are written. --json prints the manifest, which is also in DEST/manifest.json: rows, columns, and SHA-256 of each
    file.
    """
    from tpmirror.export import datasets
    from tpmirror.export.destination import export, load

    # Before the mirror is opened: what is wrong with the places is said first.
    load(destination, format_)
    _check_folder(contract)
    places = {relation.name: place for place, relation in enumerate(datasets.relations(), 1)}
    with mirror(settings, read_only=True) as engine, progress_bar("exporting", is_estimated=False) as show:

        def progress(name: str, rows: int) -> None:
            show(places[name] - 1, len(places), f"{places[name]}/{len(places)} {name}, {count(rows, 'row')}")

        done = export(engine, destination, format_, progress, public=public, dry_run=dry_run)
    if contract is not None and not dry_run:
        _write_contract(contract, public=public)
    if as_json:
        print_json(done.manifest)
    elif done.manifest["format"] == "iceberg":
        _show_tables(destination, done, dry_run=dry_run)
    else:
        _show_files(destination, done)


def _check_folder(contract: Path | None) -> None:
    if contract is not None and not contract.absolute().parent.is_dir():
        folder = str(contract.parent)
        raise UsageError(f"there is no folder {folder!r} for the contract; create it, or correct the path")


def _write_contract(path: Path, *, public: bool) -> None:
    """Raises TpmirrorError where the file cannot be written, which leaves an older one as it was."""
    from tpmirror.export.contract import document

    new = path.with_name(f"{path.name}.new")
    try:
        new.write_text(document(public=public), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        with suppress(OSError):  # what stands in the way may be no file of ours
            new.unlink()
        message = f"the export is done, but not the contract {str(path)!r}: {error.strerror}"
        raise TpmirrorError(f"{message}; free some space or repair it, and export again") from error


def _show_files(destination: str, done: Any) -> None:
    """What an export as files did."""
    files = [file for part in done.manifest["relations"].values() for file in part["files"]]
    rows, size = (sum(file[name] for file in files) for name in ("rows", "bytes"))
    summarize(f"{destination} holds {count(rows, 'row')} in {count(len(files), 'file')}, {size / 1e6:,.1f} MB")
    if done.written or done.removed:
        written = count(len(done.written), "file")
        summarize(f"Written {written}, removed {len(done.removed):,}; the others are as they were")
    else:
        summarize("Nothing to write: no file would differ from what is there")


def _show_tables(destination: str, done: Any, *, dry_run: bool) -> None:
    """What an export into a catalog did, or would do, table by table."""
    parts = done.manifest["relations"].values()
    rows = sum(part["rows"] for part in parts)
    verb = "would hold" if dry_run else "holds"
    summarize(f"{destination} {verb} {count(rows, 'row')} in {count(len(parts), 'table')}, tag {done.manifest['tag']}")
    by_table: dict[str, list[str]] = {}
    for written in done.written:
        name, month = written.split()
        by_table.setdefault(name, []).append(month)
    for name, months in by_table.items():
        listed = "" if months == ["-"] else ": " + ", ".join(sorted(months))
        summarize(f"{'would write' if dry_run else 'written'} {name}{listed}")
    if not by_table:
        summarize("Nothing to write: no month would differ from what is there")
