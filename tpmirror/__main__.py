"""The program: ``tpmirror``, and ``python -m tpmirror``."""

import os
import sys

from tpmirror import signals


def main() -> None:
    """Run the command line, with signals blocked until its command handles them."""
    _open_closed_streams()
    signals.hold()
    from tpmirror.cli.main import main as run  # noqa: PLC0415 - after hold(): Ctrl-C during it prints no traceback

    try:
        run()
    except KeyboardInterrupt as error:  # a second Ctrl-C, while the first was reported
        sys.exit(signals.exit_status(error))
    finally:
        signals.kill_at_once()


def _open_closed_streams() -> None:
    """Put /dev/null where the caller closed stdin, stdout or stderr.

    Otherwise the database file would get the descriptor of a closed stream, and output would overwrite it. A caller
    that closes stderr wants no messages; a result for a closed stdout has to fail, so /dev/null is read-only there.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free, which is this one
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


if __name__ == "__main__":
    main()
