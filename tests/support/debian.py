"""Programs that no wheel brings, from Debian's packages: ``python -m tests.support.debian`` installs what is missing.

Without them the tests that need them fail and name the remedy: none of them is skipped.
"""

import os
import shutil
import subprocess
import sys
from typing import Final

from tests.support import pgbouncer, postgres

PACKAGES: Final = {"pgbouncer": pgbouncer.locate, "postgresql": postgres.locate_older}


def may_install() -> bool:
    """Whether this is Debian, or a system like it, and we may install."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(package: str) -> None:
    """Install a package. Raises OSError or CalledProcessError."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
        subprocess.run(["apt-get", *words], env=quiet, check=True, timeout=600, stdout=subprocess.DEVNULL)


def _missing() -> list[str]:
    missing = []
    for package, locate in PACKAGES.items():
        try:
            locate()
        except RuntimeError:
            missing.append(package)
    return missing


def main() -> None:
    """Install what is missing and may be installed; the tests say what is missing then."""
    for package in _missing() if may_install() else []:
        sys.stderr.write(f"Installing Debian's {package} for the tests ...\n")
        try:
            install(package)
        except (OSError, subprocess.SubprocessError) as error:
            sys.stderr.write(f"no {package}: {error}\n")


if __name__ == "__main__":
    main()
