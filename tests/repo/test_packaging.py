"""What users get is the wheel: it must carry its migrations and SQL, and work where there is no checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

import tpmirror
from tests.support.account import environ
from tests.support.release import CONTEXT, SBOM, build, faults, metadata_of
from tpmirror.simulator.server import Simulator

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release, as `make release` builds it."""
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    (found,) = built.glob("*.whl")
    return found


def by_pip(python: Path, wheel: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(python), "-q", "--disable-pip-version-check"]
    run(*pip, "install", "--no-deps", "--no-index", "--no-compile", str(wheel), cwd=python.parent)


def by_uv(python: Path, wheel: Path) -> None:
    run(UV, "pip", "install", "-q", "--python", str(python), "--no-deps", "--offline", str(wheel), cwd=python.parent)


def installed(environment: Path, wheel: Path, install: Callable[[Path, Path], None]) -> Path:
    """The program folder of a fresh environment with the wheel in it.

    It borrows the dependencies from the environment of the tests, by a path that comes after its own packages. That
    folder's own path files are not read, so the editable installation of the checkout is out of sight.
    """
    run(sys.executable, "-m", "venv", "--without-pip", str(environment), cwd=wheel.parent)
    python = environment / "bin" / "python"
    install(python, wheel)
    (own,) = environment.glob("lib/python*/site-packages")
    borrowed = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (own / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return python.parent


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs that pip installed."""
    return installed(tmp_path_factory.mktemp("environment"), wheel, by_pip)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """An empty folder to work in: nothing of the checkout is found by accident."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def run(*command: str | Path, cwd: Path, database: str | None = None, code: int = 0) -> str:
    """What the command said; its exit code must be as expected, and of our environment it only sees the path."""
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd)} | ({"TPMIRROR_DATABASE_URL": database} if database else {})
    done = subprocess.run(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def test_wheel_holds_the_package_and_its_migrations(wheel: Path):
    shipped = set(ZipFile(wheel).namelist())
    package = {str(path.relative_to(ROOT)) for path in files_below(ROOT / "tpmirror")}
    migrations = {
        f"tpmirror/db/_migrations/{path.relative_to(ROOT / 'migrations')}" for path in files_below(ROOT / "migrations")
    }
    assert any(name.endswith(".sql") for name in package)
    assert any("/versions/" in name for name in migrations)
    assert shipped >= package | migrations


def test_wheel_holds_nothing_else(wheel: Path):
    information = f"tpmirror-{tpmirror.__version__}.dist-info"
    names = ZipFile(wheel).namelist()
    shared = [name for name in names if name.startswith(f"tpmirror-{tpmirror.__version__}.data/")]
    assert {name.split("/")[0] for name in names if name not in shared} == {"tpmirror", information}
    assert [name.partition("/")[2] for name in shared] == ["data/share/man/man1/tpmirror.1"]
    assert f"{information}/licenses/LICENSE" in names
    assert not [name for name in names if re.search(r"(^|/)(tests?/|test_|conftest)", name)]


def test_installed_wheel_is_what_runs(programs: Path, elsewhere: Path):
    answer = run(programs / "python", "-c", "import tpmirror; print(tpmirror.__file__)", cwd=elsewhere)
    assert Path(answer.strip()).is_relative_to(programs.parent)


def test_installed_program_says_its_version(programs: Path, elsewhere: Path):
    assert tpmirror.__version__ in run(programs / "tpmirror", "--version", cwd=elsewhere)


@pytest.mark.exhaustive
@pytest.mark.parametrize("install", [by_pip, by_uv])
def test_installed_program_runs_demo_and_service_in_an_empty_folder(
    install: Callable[[Path, Path], None], wheel: Path, elsewhere: Path, tmp_path: Path, sim: Simulator
):
    programs = installed(tmp_path / "environment", wheel, install)
    said = run(programs / "tpmirror", "demo", cwd=elsewhere)
    assert said.count("certified complete") == 3
    assert list(elsewhere.iterdir()) == []
    variables = {"PATH": os.environ["PATH"], "HOME": str(elsewhere), "TPMIRROR_HTTP_ADDR": "127.0.0.1:0"}
    with subprocess.Popen(
        [programs / "tpmirror", "run"], cwd=elsewhere, env={**variables, **environ(sim.url)}, stderr=subprocess.PIPE,
        text=True,
    ) as service:  # fmt: skip
        assert service.stderr is not None
        log = map(json.loads, service.stderr)
        url = next(line["url"] for line in log if line["event"] == "started")
        assert next(line["certified"] for line in log if line["event"] == "run succeeded")
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - loopback
            assert b"tpmirror" in answer.read()
        service.terminate()
        service.stderr.read()
    assert service.returncode == 0
    assert (elsewhere / "tpmirror.db").stat().st_size


@pytest.mark.exhaustive
def test_plain_package_serves_dashboard_health_and_metrics(programs: Path, elsewhere: Path):
    absent = (
        "import sys; sys.modules |= dict.fromkeys(('psycopg', 'apprise', 'pyarrow', 'obstore', 'pyiceberg', 'duckdb'))"
    )
    run(programs / "python", "-c", f"{absent}; import tpmirror.service.daemon, tpmirror.web.server", cwd=elsewhere)


def test_the_plain_package_asks_for_what_it_imports_and_nothing_of_its_extras(wheel: Path):
    requirements = metadata_of(wheel).requires_dist or []
    plain = {one.name for one in requirements if one.marker is None}
    assert {"starlette", "uvicorn", "jinja2", "prometheus-client"} <= plain
    assert {one.name for one in requirements} - plain == {"psycopg", "apprise", "pyarrow", "obstore", "pyiceberg"}


def test_what_is_built_can_be_released(built: Path):
    assert faults(built, []) == []
    assert faults(built, [f"v{tpmirror.__version__}", "latest"]) == []


def test_a_tag_of_another_version_is_found(built: Path):
    assert faults(built, ["v7"]) == [f"the commit is tagged v7, tpmirror.__version__ is {tpmirror.__version__}"]


def test_an_sdist_of_another_version_is_found(built: Path, tmp_path: Path):
    for path in built.iterdir():
        shutil.copy(path, tmp_path / path.name.replace(f"{tpmirror.__version__}.tar.gz", "7.tar.gz"))
    assert faults(tmp_path, []) == ["tpmirror-7.tar.gz: its version is wrong or missing"]


def test_a_file_too_many_is_found(built: Path, tmp_path: Path):
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    (tmp_path / "tpmirror-0.0.1-py3-none-any.whl").touch()
    assert "a wheel, " in faults(tmp_path, [])[0]


def test_the_description_leads_nowhere_that_only_the_repository_has(wheel: Path):
    description = metadata_of(wheel).description or ""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    relative = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:)([^)]*)\)")
    links = relative.findall(readme)
    assert {picture for picture, _, _ in links} == {"!", ""}, "the README has a picture, and links to the documents"
    assert relative.findall(description) == []
    for picture, text, path in links:
        assert (f"{text} (`{path}`)" in description) == (not picture)
        assert (text in description) == (not picture)


def test_the_sbom_names_every_pin_with_its_hash(built: Path):
    components = json.loads((built / SBOM).read_text(encoding="utf-8"))["components"]
    listed = {f"{one['name']}=={one['version']}": one for one in components}
    pinned = re.findall(r"^([\w.-]+==[\w.]+)", (ROOT / "requirements" / "install.txt").read_text(), re.MULTILINE)
    assert listed.keys() == set(pinned)
    assert all(one["externalReferences"][0]["hashes"] for one in components)


def test_the_build_context_holds_what_the_image_is_made_of(built: Path, tmp_path: Path):
    with tarfile.open(built / CONTEXT) as archive:
        archive.extractall(tmp_path, filter="data")
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", (tmp_path / "Dockerfile").read_text(), re.MULTILINE)
    for name in (name for line in copied for name in line.split()):
        here = [path.relative_to(ROOT) for path in files_below(ROOT / name)] or [Path(name)]
        assert [path for path in here if (tmp_path / path).read_bytes() != (ROOT / path).read_bytes()] == []
    assert not list(tmp_path.rglob("__pycache__"))


def test_installed_program_migrates_there_and_back(programs: Path, elsewhere: Path, database_url: str):
    from tpmirror.db.revision import newest

    def db(*arguments: str, code: int = 0) -> str:
        return run(programs / "tpmirror", "db", *arguments, cwd=elsewhere, database=database_url, code=code)

    db("upgrade")
    assert newest() in db("current")
    db("check")
    db("downgrade", "base", "--yes")
    assert "revision none" in db("current")
    db("upgrade", newest())
    db("check")
    assert list(elsewhere.iterdir()) == [], "the program left something in the folder it was called from"


def files_below(folder: Path) -> list[Path]:
    """Source files: everything that Python did not make itself."""
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
