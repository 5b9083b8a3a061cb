"""Every block of commands that a document prints is typed into a shell, as it stands there, on a mirror with troubles.

Other people's programs are stand-ins that do nothing, or start the program that they are given. No other program is
found: a new one in a document needs its stand-in here.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.account import KEY, mirror, query
from tests.support.objectstore import ObjectStore
from tests.support.program import ROOT
from tests.support.webhook import Webhook
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World

ELSEWHERE: Final = {
    "docs/accounts.md": "needs PostgreSQL: tests/db/test_union.py",
    "docs/backup.md": "tests/repo/test_backup.py",
    "docs/postgresql.md": "needs PostgreSQL: tests/db/test_roles.py",
}
"""Documents whose commands other tests run."""
TOOLS: Final = ("cat", "chmod", "env", "mkdir", "openssl", "sh", "timeout")
"""Programs that do what they always do, in a home folder of the test."""
NOTHING: Final = "exit 0"
STAND_INS: Final = {
    "jq": "exec cat",
    **dict.fromkeys(("curl", "journalctl", "make", "pip", "pipx", "sudo"), NOTHING),
    "uvx": 'shift 2; exec "$@"',
    "kubectl": 'if [ "$1" = exec ]; then shift 3; exec "$@"; fi',
    "docker": 'case "$1 $2" in "compose exec") shift 3; exec "$@";; "run --rm") shift 2; exec "$@";; esac',
}
PROGRAM: Final = """\
if [ -n "$TPMIRROR_API_KEY_FILE" ]; then unset TPMIRROR_API_KEY; else export TPMIRROR_API_KEY={key}; fi
export TPMIRROR_API_URL={url} TPMIRROR_MAX_RPS=0 PYTHONPATH={root} HOME="$PWD"
case "$*" in
  run*|web*) set -- "$@" --http-addr 127.0.0.1:0; until="timeout --preserve-status 10";;
  simulate*|"demo --web"*) set -- "$@" --port 0; until="timeout --preserve-status 10";;
  "export s3:"*|"export iceberg:"*) . {lake};;
  "events --follow"*) until="timeout --preserve-status -s INT 5";;
  "events redeliver"*) export TPMIRROR_WEBHOOK_URLS=crm TPMIRROR_WEBHOOK_SECRET_FILE={secrets};;
esac
if [ -n "$TPMIRROR_WEBHOOK_URLS" ]; then export TPMIRROR_WEBHOOK_URLS=crm={sink}; fi
echo "tpmirror $*" >> typed
$until {python} -m tpmirror "$@"
status=$?
[ $status = 3 ] || exit $status  # completed, with warnings: the mirror has troubles
"""
"""This program, on the simulator whatever a block exports; a program that goes on is stopped as a supervisor does."""


def blocks() -> list[tuple[str, str]]:
    """Each block that calls this program, by its document."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    found = [
        (str(page.relative_to(ROOT)), block)
        for page in pages
        for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    ]
    return [(name, block) for name, block in found if re.search(r"\btpmirror [a-z]", block) and name not in ELSEWHERE]


@pytest.fixture(scope="module")
def account() -> Iterator[Any]:
    """An account of the size of the demo's, in which 999 is a job."""
    with Simulator(World(1, jobs=1000), token=KEY) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def troubled(account: Any, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirror with jobs that wait for an operator, and a value that could not be held."""
    path = shutil.copyfile(migrated_file, tmp_path_factory.mktemp("troubled") / "tpmirror.db")
    url = f"sqlite:///{path}"
    mirror(account, url)
    ids = account.world.ids()
    account.world.edit(ids[10], {"finished": "soon"})
    for job_id in ids[20:60]:
        account.world.delete(job_id)
    assert not mirror(account, url)["certified"]
    assert query(url, "SELECT COUNT(*) FROM quarantined_jobs WHERE field = 'job.finished'") == [(1,)]
    mirror(account, url)
    return path


@pytest.fixture(scope="module")
def sink() -> Iterator[str]:
    """The address of a receiver of events, whatever host a block names."""
    with Webhook() as receiver:
        yield receiver.address


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What a shell reads to reach a real object store and its catalog, whatever host a block names."""
    with ObjectStore() as store:
        path = tmp_path_factory.mktemp("lake") / "variables"
        variables = store.variables | store.catalog_variables("LAKE")
        path.write_text("".join(f"export {name}={value}\n" for name, value in variables.items()))
        yield path


@pytest.fixture
def home(troubled: Path, account: Any, sink: str, lake: Path, tmp_path: Path) -> Path:
    """An empty home folder with the mirror in it, and the programs that a shell finds."""
    shutil.copyfile(troubled, tmp_path / "tpmirror.db")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in TOOLS:
        (programs / name).symlink_to(str(shutil.which(name)))
    secrets = tmp_path / "secrets"
    secrets.write_text("crm whsec_" + 43 * "A" + "=\n")
    places = {"sink": sink, "secrets": secrets, "lake": lake}
    own = PROGRAM.format(key=KEY, url=account.url, root=ROOT, python=sys.executable, **places)
    for name, script in {**STAND_INS, "tpmirror": own}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    return tmp_path


@pytest.mark.exhaustive
@pytest.mark.parametrize(("document", "block"), blocks())
def test_printed_commands_run(document: str, block: str, home: Path):
    done = subprocess.run(
        ["sh", "-e", "-c", block], cwd=home, env={"PATH": str(home / "bin"), "HOME": str(home)}, input=f"{KEY}\n",
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, f"{document}\n{block}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    assert (home / "typed").exists() or "sudo" in block, "no command of this program was started"


def test_blocks_are_found():
    assert len(blocks()) >= 15
    assert len({name for name, _ in blocks()}) >= 8
