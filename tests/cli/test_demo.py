"""``tpmirror demo --web``: a living account and its dashboard, until a signal ends it, and nothing is left."""

import re
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.support.program import Program, until


@pytest.fixture
def program(tmp_path):
    """With a folder of its own for what is thrown away."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "tmp").mkdir()
    # What the environment says is about another account, and none of the demo's business.
    others = {"TPMIRROR_API_URL": "https://127.0.0.1:9", "TPMIRROR_HTTP_ADDR": "127.0.0.1:9"}
    return Program(tmp_path / "folder", {"TMPDIR": str(tmp_path / "tmp"), **others})


def left(program):
    """What lies in the folder it was called from, and in that for temporary files."""
    return [*program.folder.iterdir(), *thrown_away(program)]


def thrown_away(program):
    return list(Path(program.variables["TMPDIR"]).iterdir())


def served(program):
    """A demo that serves: the process and the URL of its dashboard."""
    process = program.start("demo", "--web", "--port", "0")
    lines = iter(process.stdout.readline, "")
    (url,) = next(filter(None, (re.findall(r"dashboard on (http://127\.0\.0\.1:\d+)/", line) for line in lines)))
    return process, url


def test_a_living_account_is_mirrored_and_shown_until_a_signal_ends_it(program):
    process, url = served(program)
    first = httpx.get(url + "/").text
    assert re.search(r"1,\d\d\d jobs in the mirror", first), "there is something to see from the start"
    assert "Processing" in first
    assert len(thrown_away(program)) == 1
    until(lambda: re.search(r'tpmirror_runs_total\{kind="poll",outcome="succeeded"\} [1-9]', metrics(url)))
    process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (0, "")
    assert "For your own account" in said
    assert left(program) == []


def metrics(url):
    return httpx.get(f"{url}/metrics").text


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals_end_it_as_well_and_twice_is_no_more_than_once(program, number):
    process, _ = served(program)
    process.send_signal(number)
    process.send_signal(number)
    _, complained = process.communicate(timeout=60)
    assert (process.returncode, complained, left(program)) == (0, "", [])


def test_stopped_while_it_loads_it_ends_with_0_and_leaves_nothing(program):
    process = program.start("demo", "--web", "--port", "0")

    def is_loading() -> bool:
        (blocked,) = re.findall(r"SigBlk:\s+(\w+)", Path(f"/proc/{process.pid}/status").read_text())
        return bool(int(blocked, 16) & (1 << (signal.SIGTERM - 1)))

    until(is_loading)
    process.send_signal(signal.SIGTERM)
    _, complained = process.communicate(timeout=60)
    assert (process.returncode, complained, left(program)) == (0, "", [])


def test_a_port_that_is_taken_is_refused_before_anything_is_done(program, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said, complained = program.call(capsys, "demo", "--web", "--port", port, code=2)
    assert (said, complained.count("\n")) == ("", 1)
    assert f"port {port}" in complained
    assert "--port" in complained
    assert left(program) == []


def test_a_port_for_no_dashboard_is_refused(program, capsys):
    assert "--web" in program.call(capsys, "demo", "--port", "8377", code=2)[1]


@pytest.mark.exhaustive
def test_a_plain_demo_is_interrupted_as_other_commands_are(program):
    process = program.start("demo", "--jobs", "20000")
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert (process.returncode, left(program)) == (143, [])
