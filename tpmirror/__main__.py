"""``python -m tpmirror``."""

from tpmirror.cli import main

main()
