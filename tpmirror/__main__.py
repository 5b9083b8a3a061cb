"""The program: ``tpmirror``, and ``python -m tpmirror``."""

from tpmirror import signals


def main() -> None:
    """Run the command line; signals wait until its command is ready for them."""
    signals.hold()
    from tpmirror.cli.main import main as run  # noqa: PLC0415 - loading takes long enough to be stopped in

    run()


if __name__ == "__main__":
    main()
