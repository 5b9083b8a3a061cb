"""What the repository promises about itself: pins that match, targets that exist, no address of a package registry."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

# Which extras and groups a requirement file pins besides the dependencies, or without these (None); see the target
# "lock" in the Makefile.
EXTRAS = ["postgres", "web", "metrics", "alerts", "export", "iceberg"]
LOCKED: dict[str, tuple[list[str] | None, list[str]]] = {
    "base.txt": ([], []),
    "install.txt": (EXTRAS, ["build"]),
    "test.txt": (EXTRAS, ["build", "test", "release", "lint"]),
    "readers.txt": (None, ["readers"]),
}
PIN = re.compile(r"([a-z0-9][a-z0-9-]*)==([0-9][a-z0-9.]*)( ; [a-z_]+ [=!<>]+ '[\w.]+'(?: (?:and|or) .+)?)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")

# Spelled in two halves: this file is searched too.
REGISTRIES = [
    first + second
    for first, second in [
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("npm", "js.com"),
        ("npm", "js.org"),
        ("crates", ".io"),
        ("ana", "conda.org"),
        ("ruby", "gems.org"),
    ]
]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def pins(name: str) -> dict[str, str]:
    found = [PIN.fullmatch(line) for line in read(f"requirements/{name}").splitlines()]
    return {pin[1]: pin[2] for pin in found if pin}


def declared(extras: list[str] | None, groups: list[str]) -> list[Requirement]:
    """What pyproject.toml asks for: the dependencies and these extras, unless that is None, and these groups."""
    metadata = project()
    named = [metadata["project"]["optional-dependencies"][extra] for extra in extras or ()]
    grouped = [metadata["dependency-groups"][group] for group in groups]
    needed = [metadata["project"]["dependencies"]] if extras is not None else []
    return [Requirement(text) for part in (*needed, *named, *grouped) for text in part]


@pytest.mark.parametrize("name", LOCKED)
def test_requirements_are_pins_and_hashes_only(name: str):
    lines = read(f"requirements/{name}").splitlines()
    assert [line for line in lines if not PIN.fullmatch(line) and not HASH.fullmatch(line)] == []


@pytest.mark.parametrize("name", LOCKED)
def test_every_pin_has_a_hash(name: str):
    text = read(f"requirements/{name}")
    pinned = [line for line in text.splitlines() if PIN.fullmatch(line)]
    assert len(re.findall(r"==.*\\\n    --hash=", text)) == len(pinned) > 0


@pytest.mark.parametrize("name", LOCKED)
def test_every_dependency_is_pinned_within_its_bounds(name: str):
    pinned = pins(name)
    unmet = [want for want in declared(*LOCKED[name]) if not want.specifier.contains(pinned.get(key(want), ""))]
    assert unmet == [], "run make lock"


def test_every_extra_is_pinned():
    assert sorted(project()["project"]["optional-dependencies"]) == sorted(EXTRAS)


def key(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name)


def test_every_requirement_file_is_checked():
    assert {path.name for path in (ROOT / "requirements").iterdir()} == set(LOCKED)


def test_tests_run_with_what_users_install():
    assert pins("base.txt").items() <= pins("install.txt").items() <= pins("test.txt").items()


def test_guide_and_makefile_name_the_same_targets():
    makefile = read("Makefile")
    documented = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    phony = set(" ".join(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)).split())
    assert documented == phony
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", code_in("CONTRIBUTING.md")))
    assert named == documented
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code_in("README.md"))) <= documented


def code_in(name: str) -> str:
    """Fenced blocks and code spans of a document; in prose, "make sure" is no target."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", read(name), re.DOTALL))


def test_no_file_names_a_package_registry():
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in files()
        for host in REGISTRIES
        if host.encode() in path.read_bytes().lower()
    ]
    assert found == []


@pytest.mark.parametrize(
    "name", ["target/manifest.json", "logs/dbt.log", "dbt_packages/x", "package-lock.yml", ".user.yml"]
)
def test_git_ignores_what_dbt_leaves(name: str, tmp_path: Path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text(read(".gitignore"))
    ignored = subprocess.run(["git", "check-ignore", "-q", f"deploy/dbt/{name}"], cwd=tmp_path, check=False)
    assert ignored.returncode == 0


def files() -> Iterator[Path]:
    """Everything of the repository: no environments, caches, builds and databases."""
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name == ".ci" or not re.match(r"\.|__pycache__$|build$|dist$", name)]
        yield from (Path(folder, name) for name in names if not re.search(r"\.db(-wal|-shm)?$", name))
