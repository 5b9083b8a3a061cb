"""Builds what users are given, and checks it: ``python -m tests.support.release FOLDER``, by ``make release``.

The folder gets sdist and wheel, an SBOM of what ``make install`` and the image install, and the image's build context.
Checked is what an index and an installer read: names and versions of the files, metadata that is valid, a description
that renders.
"""

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from packaging.metadata import Metadata
from packaging.utils import parse_sdist_filename, parse_wheel_filename

import tpmirror
from tests.support.program import ROOT

EXTRAS: Final = {"postgres", "export", "iceberg", "alerts"}
"""What the plain package does without."""
SBOM: Final = f"tpmirror-{tpmirror.__version__}.cdx.json"
CONTEXT: Final = f"tpmirror-{tpmirror.__version__}-image.tar"


def build(folder: Path) -> None:
    """Fill a folder with what a release consists of. Nothing is downloaded: the backend is the pinned one."""
    _python("hatchling", "build", "-d", str(folder))
    (folder / ".gitignore").unlink(missing_ok=True)  # the backend adds one, and a release is what lies in the folder
    _python(
        "cyclonedx_py", "requirements", "requirements/install.txt", "--pyproject", "pyproject.toml",
        "--mc-type", "application", "--output-reproducible", "--output-file", str(folder / SBOM),
    )  # fmt: skip
    with tarfile.open(folder / CONTEXT, "w") as archive:
        for name in ("Dockerfile", ".dockerignore", *sent_to_docker()):
            archive.add(ROOT / name, name, filter=_by_nobody)


def sent_to_docker() -> list[str]:
    """The files and folders that .dockerignore lets through."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line[1:] for line in lines if line.startswith("!")]


def metadata_of(path: Path) -> Metadata:
    """What a wheel or an sdist says of itself. Raises ExceptionGroup for what is not valid."""
    if path.suffix == ".whl":
        with ZipFile(path) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            return Metadata.from_email(archive.read(name))
    with tarfile.open(path) as archive:
        (member,) = (member for member in archive if member.name.count("/") == 1 and member.name.endswith("/PKG-INFO"))
        found = archive.extractfile(member)
        assert found is not None
        return Metadata.from_email(found.read())


def faults(folder: Path, tags: list[str]) -> list[str]:
    """What is wrong with a release, a line each. ``tags`` are those of the commit that it was built from."""
    files = sorted(path.name for path in folder.iterdir())
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1 or len(files) != 4 or not {SBOM, CONTEXT} < set(files):
        return [f"{folder} holds {', '.join(files) or 'nothing'}; an sdist, a wheel, {SBOM} and {CONTEXT} are expected"]
    found = [fault for path in (*wheels, *sdists) for fault in _faults_of(path)]
    if tags and f"v{tpmirror.__version__}" not in tags:
        found.append(f"the commit is tagged {', '.join(tags)}, tpmirror.__version__ is {tpmirror.__version__}")
    return found


def tags_here() -> list[str]:
    """The tags of the commit that is checked out; none outside a repository."""
    run = ["git", "tag", "--points-at", "HEAD"]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()


def _faults_of(path: Path) -> list[str]:
    parse = parse_wheel_filename if path.suffix == ".whl" else parse_sdist_filename
    try:
        metadata = metadata_of(path)
    except ExceptionGroup as error:
        return [f"{path.name}: {reason}" for reason in error.exceptions]
    twine = [sys.executable, "-m", "twine", "check", "--strict", str(path)]
    said = {
        "version": {str(metadata.version), str(parse(path.name)[1])} == {tpmirror.__version__},
        "description": subprocess.run(twine, capture_output=True, check=False).returncode == 0,
        "license": metadata.license_expression == "MIT",
        "extras": set(metadata.provides_extra or ()) >= EXTRAS,
    }
    return [f"{path.name}: its {name} is wrong or missing" for name, right in said.items() if not right]


def _python(*words: str) -> None:
    subprocess.run([sys.executable, "-m", *words], cwd=ROOT, check=True)


def _by_nobody(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """A member as anybody would have packed it; none for what Python wrote itself."""
    if "__pycache__" in member.name:
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    target = Path(sys.argv[1])
    build(target.resolve())
    wrong = faults(target, tags_here())
    sys.stderr.write("".join(f"error: {line}\n" for line in wrong))
    sys.exit(1 if wrong else 0)
