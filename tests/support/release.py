"""Whether what was built can be given to users: ``python -m tests.support.release FOLDER``.

Checked is what an index and an installer read: names and versions of the files, and metadata that is valid.
"""

import sys
import tarfile
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from packaging.metadata import Metadata
from packaging.utils import parse_sdist_filename, parse_wheel_filename

import tpmirror

EXTRAS: Final = {"postgres", "export", "iceberg", "alerts"}
"""What the plain package does without."""


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


def faults(folder: Path) -> list[str]:
    """What is wrong with the sdist and the wheel in a folder, a line each."""
    files = sorted(path.name for path in folder.iterdir())
    wheels, sdists = sorted(folder.glob("*.whl")), sorted(folder.glob("*.tar.gz"))
    if len(wheels) != 1 or len(sdists) != 1 or len(files) != 2:
        return [f"{folder} holds {', '.join(files) or 'nothing'}; one sdist and one wheel are expected"]
    return [fault for path in (*wheels, *sdists) for fault in _faults_of(path)]


def _faults_of(path: Path) -> list[str]:
    parse = parse_wheel_filename if path.suffix == ".whl" else parse_sdist_filename
    try:
        metadata = metadata_of(path)
    except ExceptionGroup as error:
        return [f"{path.name}: {reason}" for reason in error.exceptions]
    said = {
        "version": {str(metadata.version), str(parse(path.name)[1])} == {tpmirror.__version__},
        "description": bool(metadata.description) and metadata.description_content_type == "text/markdown",
        "license": metadata.license_expression == "MIT",
        "extras": set(metadata.provides_extra or ()) >= EXTRAS,
    }
    return [f"{path.name}: its {name} is wrong or missing" for name, right in said.items() if not right]


if __name__ == "__main__":
    wrong = faults(Path(sys.argv[1]))
    sys.stderr.write("".join(f"error: {line}\n" for line in wrong))
    sys.exit(1 if wrong else 0)
