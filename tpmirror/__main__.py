"""The program: ``tpmirror``, and ``python -m tpmirror``."""

import sys

from tpmirror import signals


def main() -> None:
    """Run the command line; signals wait until its command is ready for them."""
    signals.hold()
    from tpmirror.cli.main import main as run  # noqa: PLC0415 - loading takes long enough to be stopped in

    try:
        run()
    except KeyboardInterrupt as error:  # a second one, while the first was reported
        sys.exit(signals.exit_status(error))
    finally:
        signals.kill_at_once()


if __name__ == "__main__":
    main()
