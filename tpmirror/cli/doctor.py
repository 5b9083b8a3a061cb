"""``tpmirror doctor``: is everything as it should be?"""

import sys

import click

from tpmirror.cli.options import EXIT_STATUS, RUN_SETTINGS, as_json, with_settings
from tpmirror.config import Settings


@click.command(epilog=EXIT_STATUS)
@with_settings(*RUN_SETTINGS)
@as_json
def doctor(settings: Settings, *, as_json: bool) -> None:
    """Check settings, key, API, database, clock, disk and the mirror; say what to do. Changes nothing.

    Exit status 0: works, though there may be warnings; 4: the key is refused; else the first failure's.
    """
    from tpmirror import formatting
    from tpmirror.cli.checks import examine, exit_code

    findings = examine(settings)
    code = exit_code(findings)
    if as_json:
        shown = [{"check": one.check, "state": one.state, "seen": one.seen, "remedy": one.remedy} for one in findings]
        click.echo(formatting.to_json({"healthy": code == 0, "findings": shown}))
    else:
        for one in findings:
            click.echo(formatting.hanging(f"{one.state:4}  {one.check:8}  ", one.seen))
            if one.remedy:
                click.echo(formatting.hanging(f"{'':16}-> ", one.remedy))
    sys.exit(code)
