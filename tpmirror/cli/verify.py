"""``tpmirror verify``: the mirror compared with the API."""

import click

from tpmirror.cli.options import API_SETTINGS, EXIT_STATUS, Command, as_json, mirror, quiet, with_settings
from tpmirror.cli.progress import reading_bar
from tpmirror.config import Settings
from tpmirror.errors import NeedsAttention


@click.command(cls=Command, epilog=EXIT_STATUS)
@with_settings(*API_SETTINGS)
@as_json
@quiet
def verify(settings: Settings, *, as_json: bool) -> None:
    """Read the whole list and compare every field with the mirror; write nothing.

    Exit status 0: identical; 3: differences, each listed with both values, or values that no column can hold and
    no operator accepted. Progress and ETA, which change with every answer, are not compared.
    """
    from tpmirror.cli.tables import show_comparison
    from tpmirror.sync.verify import verify as compare

    with mirror(settings, read_only=True):
        pass
    with reading_bar() as progress:
        found = compare(settings, progress)
    show_comparison("Differences", found.differences, found.not_held, as_json=as_json)
    if found.needs_attention:
        raise NeedsAttention
