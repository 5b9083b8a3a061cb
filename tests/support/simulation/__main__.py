"""Live some days again, of one seed: ``python -m tests.support.simulation SEED DAYS``."""

import sys
import tempfile
from pathlib import Path

from tests.support.simulation import Universe

seed, days = map(int, sys.argv[1:])
with tempfile.TemporaryDirectory() as folder, Universe(seed, Path(folder)) as universe:
    print(universe.live(days))  # noqa: T201 - a command prints
