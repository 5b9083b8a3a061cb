"""The command line as scripts rely on it: exit codes, one-line errors, what goes to stdout and what to stderr."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import fields
from datetime import datetime
from io import StringIO
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, inspect, make_url, select

import tpmirror
from tests.support.account import KEY, dump, environ, query, row, rows
from tests.support.gate import Gate
from tests.support.program import START, Program, until
from tpmirror import signals
from tpmirror.cli.main import cli, main
from tpmirror.cli.options import default_of
from tpmirror.config import Settings, variable_of
from tpmirror.db import lease, schema
from tpmirror.db.engine import write
from tpmirror.db.revision import newest
from tpmirror.reports.registry import REPORTS
from tpmirror.simulator.world import World

TEXT = {"kind", "outcome", "started_at", "finished_at", "error"}


@pytest.fixture
def world():
    return World(seed=4, jobs=30, in_flight=3, jobs_per_day=0)


@pytest.fixture
def bare(sim, tmp_path):
    """The program with its default database, which is not there yet, in a folder of its own."""
    folder = tmp_path / "bare"
    folder.mkdir()
    return Program(folder, environ(sim.url))


def test_a_refused_key_is_exit_4_and_leaves_no_trace(sim, database_url, tmp_path):
    folder = tmp_path / "bare"
    folder.mkdir()
    program = Program(folder, {**environ(sim.url, "wrong-key"), "TPMIRROR_DATABASE_URL": database_url})
    said = program.refuse("sync", code=4)
    assert "TPMIRROR_API_KEY" in said
    assert "wrong-key" not in said
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "empty.db").exists()
    if database_url.startswith("postgresql"):
        engine = create_engine(database_url)
        assert inspect(engine).get_table_names() == []
        engine.dispose()


def test_a_refused_key_changes_nothing_that_was_mirrored(program, mirror_url, capsys):
    program.call(capsys, "sync")
    before = dump(mirror_url)
    program.variables["TPMIRROR_API_KEY"] = "wrong-key"
    program.call(capsys, "sync", code=4)
    assert dump(mirror_url) == before


def test_no_key_is_exit_2_with_the_way_to_set_it(bare):
    assert "set TPMIRROR_API_KEY" in bare.refuse("sync", code=2, TPMIRROR_API_KEY="")
    assert list(bare.folder.iterdir()) == []


def test_an_api_out_of_reach_is_exit_1(bare):
    said = bare.refuse("sync", code=1, TPMIRROR_API_URL="http://127.0.0.1:9", TPMIRROR_MAX_ATTEMPTS="1")
    assert "cannot reach http://127.0.0.1:9" in said
    assert KEY not in said
    assert list(bare.folder.iterdir()) == []


@pytest.mark.parametrize(
    "url", ["postgresql://me:s3cret@127.0.0.1:9/db", "postgresql://me@127.0.0.1:9/db?password=s3cret"]
)
def test_a_database_out_of_reach_is_exit_1_and_its_password_stays_unsaid(bare, url, capsys):
    bare.variables["TPMIRROR_DATABASE_URL"] = url
    said, complained = bare.call(capsys, "sync", code=1)
    assert (said, complained.count("\n")) == ("", 1)
    assert "127.0.0.1:9" in complained
    assert "s3cret" not in complained


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@host:s3cret/db",
        "postgresql://me:s3c@ret@host/db",
        "postgresql://me:half@s3cret:half@host/db",
        "postgresql://me:s3cret@[::1/db",
        "postgresql://me:s3cret@host:9/db?port=s3cret",
        "postgresql//me:s3cret@host/db",
        "postgresql+s3cret://me@host/db",
        "s3cret",
    ],
)
def test_a_database_url_that_is_none_is_exit_2_and_says_nothing_of_it(bare, url, capsys):
    """A character too many in a password makes parts of it look like a host or a port."""
    bare.variables["TPMIRROR_DATABASE_URL"] = url
    said, complained = bare.call(capsys, "sync", code=2)
    assert (said, complained.count("\n")) == ("", 1)
    assert "s3c" not in complained
    assert "ret@" not in complained
    assert "TPMIRROR_DATABASE_URL" in complained or "PostgreSQL needs psycopg 3" in complained


def test_a_wrong_setting_is_exit_2_by_variable_and_by_option(bare):
    assert "TPMIRROR_PAGE_SIZE is '0'" in bare.refuse("sync", code=2, TPMIRROR_PAGE_SIZE="0")
    assert "--concurrency is '17'" in bare.refuse("sync", "--concurrency", "17", code=2)


WRONG = {
    "TPMIRROR_API_URL": "http://example.com",
    "TPMIRROR_API_KEY": "two words",
    "TPMIRROR_API_KEY_FILE": "/nowhere",
    "TPMIRROR_DATABASE_URL": "mysql://me:s3cret@host/db",
    "TPMIRROR_DATABASE_SCHEMA": "a;b",
    "TPMIRROR_DATABASE_PASSWORD_FILE": "/nowhere",
    "TPMIRROR_PAGE_SIZE": "many",
    "TPMIRROR_CONCURRENCY": "0",
    "TPMIRROR_MAX_RPS": "-1",
    "TPMIRROR_REQUEST_TIMEOUT": "0",
    "TPMIRROR_MAX_ATTEMPTS": "0",
    "TPMIRROR_RETRY_BASE": "x",
    "TPMIRROR_SYNC_INTERVAL": "0",
    "TPMIRROR_POLL_INTERVAL": "0",
    "TPMIRROR_VANISH_LIMIT": "all",
    "TPMIRROR_HTTP_ADDR": "here",
    "TPMIRROR_LOG_FORMAT": "xml",
    "TPMIRROR_LOG_LEVEL": "loud",
}


@pytest.mark.parametrize("variable", WRONG)
def test_every_wrong_setting_is_refused_by_its_name_in_one_line(variable, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["tpmirror", "sync"])
    if variable != "TPMIRROR_API_KEY_FILE":
        monkeypatch.setenv("TPMIRROR_API_KEY", KEY)
    monkeypatch.setenv(variable, WRONG[variable])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert re.search(rf"error: .*\b{variable}\b", said.err)
    assert not {"s3cret", "two words"} & {word for word in ("s3cret", "two words") if word in said.err}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [["snyc"], ["sync", "--now"], ["history"], ["history", "x"], ["history", "0"], ["history", str(2**63)],
     ["gone", "restore", str(2**63)], ["db", "up"]],
)  # fmt: skip
def test_wrong_use_is_exit_2_in_one_line(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tpmirror", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (2, "", 1)


def test_sync_tells_on_stdout_what_it_did_and_nothing_on_stderr(program, capsys):
    said, complained = program.call(capsys, "sync")
    assert "30 new" in said
    assert "Certified" in said
    assert complained == ""


def test_sync_with_json_prints_the_row_of_the_run_and_nothing_else(program, world, mirror_url, capsys):
    world.edit(3, {"container": "mov", "status": 7})
    said, complained = program.call(capsys, "sync", "--json")
    shown = json.loads(said)
    assert list(shown) == [column.name for column in schema.sync_runs.columns]
    stored = row(mirror_url, "sync_runs")
    for name in shown.keys() - TEXT - {"certificate"}:
        assert (type(shown[name]), shown[name]) == (type(stored[name]), stored[name]), name
    assert [datetime.fromisoformat(shown[name]) for name in ("started_at", "finished_at")] == [
        stored["started_at"],
        stored["finished_at"],
    ]
    assert shown["certificate"] == json.loads(stored["certificate"])
    assert (shown["kind"], shown["outcome"], shown["certified"], shown["jobs_inserted"]) == (
        "full",
        "succeeded",
        True,
        30,
    )
    assert "container" in complained


@pytest.mark.parametrize("words", [["-q", "sync"], ["sync", "--quiet"], ["poll", "-q"], ["verify", "-q"]], ids=" ".join)
def test_quiet_says_nothing_of_what_went_well(program, mirrored, capsys, words):
    assert program.call(capsys, *words) == ("", "")


def test_quiet_leaves_warnings_results_and_errors(program, mirrored, capsys):
    said = program.call(capsys, "-q", "sync", "--no-certify", code=3)
    assert said == ("", "Not certified: not asked for\n")
    assert program.call(capsys, "-q", "status")[0].startswith("Mirror ")
    assert json.loads(program.call(capsys, "sync", "-q", "--json")[0])["certified"]
    program.variables["TPMIRROR_API_KEY"] = "wrong-key"
    assert program.call(capsys, "-q", "sync", code=4)[1].startswith("error: ")


def test_a_full_sync_without_proof_is_exit_3(program, capsys):
    said, _ = program.call(capsys, "sync", "--no-certify", "--json", code=3)
    assert json.loads(said)["certified"] is False


def test_a_failed_run_is_exit_1_and_says_why_in_the_database_too(program, sim, mirror_url, capsys):
    sim.respond = lambda request: sim.answer(request) if request.query.get("offset") == "0" else _broken()
    _, said = program.call(capsys, "sync", "--max-attempts", "2", code=1)
    failed = row(mirror_url, "sync_runs")
    assert (failed["outcome"], failed["retries"] > 0) == ("failed", True)
    assert failed["error"] in said
    assert len(rows(mirror_url, "jobs")) == 10


def _broken():
    from tpmirror.simulator.http import Response

    return Response(502)


def test_a_second_writer_is_exit_5_and_is_told_who_holds_the_mirror(program, sim, mirror_url):
    gate = Gate(sim)
    first = program.start("sync")
    try:
        assert gate.reached.wait(60)
        said = program.refuse("sync", code=5)
        assert f"process {first.pid} on " in said
    finally:
        gate.open()
        first.communicate(timeout=60)
    assert first.returncode == 0
    assert [run["outcome"] for run in rows(mirror_url, "sync_runs")] == ["succeeded"]


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_ends_cleanly_and_lets_the_next_one_in(program, sim, mirror_url, how, capsys):
    gate = Gate(sim)
    process = program.start("sync")
    assert gate.reached.wait(60)
    process.send_signal(how)
    _, complained = process.communicate(timeout=60)
    gate.open()
    assert process.returncode == 128 + how
    assert re.fullmatch("\\s*error: interrupted.*\n", complained)
    assert row(mirror_url, "sync_runs")["outcome"] == "interrupted"
    program.call(capsys, "sync")
    assert rows(mirror_url, "sync_runs")[-1]["outcome"] == "succeeded"


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (signals.Terminated, 143)])
def test_a_command_that_is_interrupted_while_it_reads_says_so_by_its_exit_status(
    bare, capsys, monkeypatch, error, code
):
    def interrupted(_engine):
        raise error

    monkeypatch.setattr("tpmirror.db.revision.is_current", interrupted)
    for words in (["status"], ["export", "out"], ["verify"], ["db", "current"]):
        if words[0] == "db":
            monkeypatch.setattr("tpmirror.db.revision.current", interrupted)
        said, complained = bare.call(capsys, *words, code=code)
        assert (said, complained.strip().count("\n")) == ("", 0)
        assert "interrupted" in complained


def is_blocked(mirror_url: str, process: subprocess.Popen[str]) -> bool:
    """Whether a run waits for the lock that a test holds."""
    if mirror_url.startswith("sqlite"):
        opened = (path.readlink().name for path in Path(f"/proc/{process.pid}/fd").iterdir() if path.is_symlink())
        return f"{Path(str(make_url(mirror_url).database)).name}-wal" in list(opened)
    return bool(query(mirror_url, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))


def test_a_run_that_waits_for_the_database_is_stopped_at_once(program, mirror_url, engine):
    with engine.connect().execution_options(tpmirror_writes=True) as other, other.begin():
        other.execute(select(schema.writer_lease).with_for_update())
        process = program.start("sync")
        until(lambda: is_blocked(mirror_url, process))
        time.sleep(0.3)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=60)
    assert (process.returncode, said, complained.strip().count("\n")) == (130, "", 0), complained
    assert time.monotonic() - started < 5  # of the 30 seconds that it would wait
    assert rows(mirror_url, "sync_runs") == []


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("words", [["web"], ["simulate", "--port", "0"]], ids=lambda words: words[0])
def test_what_serves_ends_with_0_also_when_it_is_stopped_while_it_loads(program, words):
    process = program.start(*words, TPMIRROR_HTTP_ADDR="127.0.0.1:0")

    def is_loading() -> bool:
        status = Path(f"/proc/{process.pid}/status").read_text()
        (blocked,) = re.findall(r"SigBlk:\s+(\w+)", status)
        return bool(int(blocked, 16) & (1 << (signal.SIGTERM - 1)))  # what comes now is taken later

    until(is_loading)
    process.send_signal(signal.SIGTERM)
    _, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (0, "stopped\n")


def test_names_that_upstream_makes_up_do_not_steer_the_terminal(program, sim, capsys):
    sim.world.edit(3, {"odd\x1b]0;owned\x07": 1})
    said, complained = program.call(capsys, "sync")
    assert "odd" in complained
    said += complained + program.call(capsys, "status")[0]
    assert "\x1b" not in said
    assert "\x07" not in said


def test_history_shows_every_change_of_a_job(program, world, mirror_url, capsys):
    job_id = world.submit()
    program.call(capsys, "sync")
    world.cancel(job_id)
    program.call(capsys, "sync")
    said, _ = program.call(capsys, "history", str(job_id))
    assert "In Queue" in said
    assert "Canceled" in said
    shown = json.loads(program.call(capsys, "history", str(job_id), "--json")[0])
    assert [(change["from_status"], change["to_status"]) for change in shown["status_changes"]] == [(None, 0), (0, -2)]
    assert {change["field"] for change in shown["field_changes"]} == {"finished"}


def test_history_of_an_unknown_job_is_exit_1(program, capsys):
    said, complained = program.call(capsys, "history", "999", code=1)
    assert (said, complained.count("\n")) == ("", 1)
    assert "no job 999" in complained


@pytest.mark.parametrize("arguments", [["status"], ["history", "1"]])
def test_looking_at_no_mirror_is_exit_1_and_creates_none(bare, arguments, capsys):
    assert "run tpmirror sync" in bare.call(capsys, *arguments, code=1)[1]
    assert list(bare.folder.iterdir()) == []


def test_a_mirror_in_memory_is_not_looked_for_with_another_sync(bare, capsys):
    bare.variables["TPMIRROR_DATABASE_URL"] = "sqlite://"
    for command in ("sync", "status"):
        complained = bare.call(capsys, command, code=2)[1]
        assert "in memory" in complained
        assert "run tpmirror sync" not in complained


def test_an_output_that_takes_nothing_more_is_said_in_one_line(bare):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        process = subprocess.run(
            [sys.executable, "-c", START, "--version"], stdout=full, stderr=subprocess.PIPE, text=True,
            env=bare.variables, check=False,
        )  # fmt: skip
    assert process.returncode == 1
    assert process.stderr.startswith("error: the disk is full")
    assert process.stderr.count("\n") == 1


def shell(program, line, **variables):
    """What a line for the shell ends with, and says on stderr; ``$T`` is the program."""
    start = f"{sys.executable} -c '{START}'"
    done = subprocess.run(
        ["sh", "-c", line.replace("$T", start)], cwd=program.folder, env={**program.variables, **variables},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_command_whose_stderr_is_closed_does_its_work_all_the_same(bare):
    assert shell(bare, "$T sync <&- >out 2>&-") == (0, "")
    assert "Certified" in (bare.folder / "out").read_text()
    assert "as declared" in bare.run("db", "check")[0], "the database file must not get the number of a closed stream"


@pytest.mark.parametrize("sink", [">&-", ">/dev/full"])
def test_a_result_that_cannot_be_written_is_exit_1_and_says_so(bare, sink):
    code, complained = shell(bare, f"$T sync --json {sink}")
    assert (code, complained.count("error: ")) == (1, 1)
    assert "stdout is closed" in complained or "the disk is full" in complained
    assert shell(bare, f"$T status {sink} 2>&-") == (1, "")
    assert shell(bare, "$T history 3 --json | head -1 >/dev/null")[1] == ""


def test_variables_come_from_a_file_that_is_named_and_the_environment_goes_first(bare, sim, capsys):
    path = bare.folder / "settings.env"
    given = {"TPMIRROR_API_KEY": KEY, "TPMIRROR_DATABASE_URL": "sqlite:///named.db"}
    path.write_bytes(b"\xef\xbb\xbf" + b"".join(f'{name}="{value}"\r\n'.encode() for name, value in given.items()))
    del bare.variables["TPMIRROR_API_KEY"]
    assert "no API key" in bare.call(capsys, "sync", code=2)[1]
    bare.call(capsys, "--env-file", "settings.env", "sync")
    assert (bare.folder / "named.db").exists()
    assert {"TPMIRROR_API_KEY", "TPMIRROR_DATABASE_URL"}.isdisjoint(os.environ), "they count for one command"
    bare.variables["TPMIRROR_API_KEY"] = "wrong-key"
    bare.call(capsys, "--env-file", "settings.env", "sync", code=4)
    (bare.folder / "key").write_text(KEY)
    (bare.folder / "key").chmod(0o600)
    assert bare.call(capsys, "--env-file", "settings.env", "sync", "--api-key-file", "key")[1] == ""
    path.write_text(f"TPMIRROR_API_KEY={KEY}\nTPMIRROR_API_KEY_FILE=key\n")
    del bare.variables["TPMIRROR_API_KEY"]
    assert "both set" in bare.call(capsys, "--env-file", "settings.env", "sync", code=2)[1]


def test_a_path_with_a_typo_makes_no_second_mirror_without_a_word(bare, capsys):
    assert "it was created" in bare.call(capsys, "sync")[1]
    assert bare.call(capsys, "sync")[1] == ""
    bare.variables["TPMIRROR_DATABASE_URL"] = "sqlite:///nowhere/tpmirror.db"
    for command in (["sync"], ["poll"], ["run"], ["db", "upgrade"]):
        assert "no folder 'nowhere'" in bare.call(capsys, *command, code=2)[1]
    bare.variables["TPMIRROR_DATABASE_URL"] = "sqlite:///typo.db"
    for command in (["status"], ["verify"], ["quarantine", "retry"], ["export", "out"]):
        assert "run tpmirror sync" in bare.call(capsys, *command, code=1)[1]
    bare.call(capsys, "db", "check", code=3)
    bare.call(capsys, "doctor")
    assert {path.name for path in bare.folder.iterdir()} == {"tpmirror.db"}


def test_a_variable_that_no_setting_has_is_warned_about_with_the_nearest_name(tpmirror, program):
    tpmirror("sync")
    program.variables["TPMIRROR_PAGESIZE"] = "5"
    said, complained = tpmirror("status", "--json")
    assert json.loads(said)
    assert complained == (
        "warning: TPMIRROR_PAGESIZE is no setting and changes nothing; did you mean TPMIRROR_PAGE_SIZE?\n"
    )


def test_a_port_that_is_taken_is_no_use_to_the_simulator(bare, sim, capsys):
    port = sim.url.rpartition(":")[2]
    assert f"port {port}" in bare.call(capsys, "simulate", "--port", port, code=2)[1]


def test_the_database_goes_up_and_down_and_is_checked(database_url, tmp_path, capsys):
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": database_url})
    assert "none" in program.call(capsys, "db", "current")[0]
    program.call(capsys, "db", "check", code=3)
    assert newest() in program.call(capsys, "db", "upgrade")[0]
    assert "as declared" in program.call(capsys, "db", "check")[0]
    assert "--yes" in program.call(capsys, "db", "downgrade", "base", code=2)[1]
    assert newest() in program.call(capsys, "db", "current")[0]
    program.call(capsys, "db", "downgrade", "base", "--yes")
    assert "none" in program.call(capsys, "db", "current")[0]


class Terminal(StringIO):
    """What somebody at a terminal types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_downgrade_asks_what_is_meant_and_a_no_changes_nothing(program, mirror_url, capsys, monkeypatch):
    for typed, code, left in (("n\n", 1, newest()), ("", 1, newest()), ("y\n", 0, "none")):
        monkeypatch.setattr(sys, "stdin", Terminal(typed))
        said, asked = program.call(capsys, "db", "downgrade", "base", code=code)
        assert f"from {mirror_url} every table, history included" in said + asked
        assert f"revision {left} " in program.call(capsys, "db", "current")[0]


def test_a_downgrade_under_a_writer_at_work_is_exit_5_and_changes_nothing(program, mirror_url, engine, capsys):
    with lease.holding() as holder:
        held = write(engine, lambda conn: lease.acquire(conn, holder))
        before = dump(mirror_url)
        assert "another writer" in program.call(capsys, "db", "downgrade", "base", "--yes", code=5)[1]
        assert dump(mirror_url) == before
        write(engine, held.check)
        write(engine, held.release)
    program.call(capsys, "db", "downgrade", "base", "--yes")


@pytest.mark.parametrize("arguments", [["sync"], ["status"], ["db", "upgrade"]])
def test_a_database_newer_than_the_program_is_refused(program, mirror_url, arguments, capsys, engine):

    with engine.begin() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff'")
    assert "newer than the program" in program.call(capsys, *arguments, code=1)[1]
    assert query(mirror_url, "SELECT COUNT(*) FROM sync_runs") == [(0,)]


def test_a_file_that_is_no_database_is_refused_and_left_alone(bare):
    path = bare.folder / "tpmirror.db"
    path.write_bytes(b"This is my diary, and no database at all. " * 40)
    before = path.read_bytes()
    assert "not a database" in bare.refuse("sync", code=1)
    assert path.read_bytes() == before


def test_the_version_is_on_stdout(bare):
    assert bare.run("--version") == bare.run("-V") == (f"tpmirror {tpmirror.__version__}\n", "")


def commands(group=cli, path=()):
    """Every command with its words."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def settings_of(words):
    """The settings that a command takes as options."""
    names = {setting.name: setting for setting in fields(Settings)}
    return [names[param.name] for param in dict(commands())[words].params if param.name in names]


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_help_says_what_a_command_does_and_names_the_variables_of_its_settings(words):
    done = CliRunner().invoke(cli, [*words, "--help"])
    assert done.exit_code == 0
    assert len(done.output.splitlines()) > 4
    for setting in settings_of(words):
        assert re.search(rf"{variable_of(setting)}\b", done.output)
    options = [param for param in dict(commands())[words].params if isinstance(param, click.Option)]
    free = [one for one in options if not one.is_flag and not isinstance(one.type, click.Choice)]
    assert [one.name for one in free if one.metavar in {None, "VALUE"}] == []
    if "--api-url" in done.output:
        assert re.search(r"TPMIRROR_API_KEY\b(?!_)", done.output), "the one setting that everybody needs"


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_help_shows_defaults_as_they_may_be_written(words):
    for setting in settings_of(words):
        if setting.default is not None:
            assert setting.metadata["parse"](default_of(setting)) == setting.default
            assert not re.search("[()\\[]'|True|False", default_of(setting))
    if "sync_interval" in [setting.name for setting in settings_of(words)]:
        assert "default: 15m]" in " ".join(CliRunner().invoke(cli, [*words, "--help"]).output.split())


@pytest.mark.parametrize("words", [(), ("gone",), ("alert",), ("db",), ("quarantine",)], ids=" ".join)
def test_a_group_without_a_command_shows_its_help_and_is_no_error(bare, capsys, words):
    said, complained = bare.call(capsys, *words)
    assert said.startswith(" ".join(("Usage: tpmirror", *words)))
    assert ("Commands:" if words else "Mirror the account:") in said
    assert complained == ""


def test_the_overview_shows_whole_sentences_at_every_width():
    sentences = {name: str(command.help).split("\n\n")[0].split(". ")[0] for name, command in cli.commands.items()}
    for width in (60, 80, 200):
        said = " ".join(CliRunner().invoke(cli, ["--help"], env={"COLUMNS": str(width)}).output.split())
        assert [name for name, text in sentences.items() if " ".join(text.split()) not in said] == []
        assert "... " not in said.partition("Mirror the account:")[2]


def test_help_lists_the_options_of_a_command_before_the_settings():
    said = CliRunner().invoke(cli, ["sync", "--help"]).output
    own, settings = said.split("\nOptions:\n")[1].split("\nSettings:\n")
    assert all(option in own for option in ("--dry-run", "--json", "-q, --quiet", "-h, --help"))
    assert "--api-url" in settings
    assert "[env:" not in own
    assert CliRunner().invoke(cli, ["show", "--help"]).output.count("JOB_ID") == 1


def test_help_of_report_names_every_report():
    said = CliRunner().invoke(cli, ["report", "--help"]).output
    assert [name for name in REPORTS if not re.search(rf"^  {name} +\S", said, re.MULTILINE)] == []


def test_a_wrong_report_suggests_the_nearest(program):
    assert "did you mean costs?" in program.refuse("report", "cost", code=2)


@pytest.mark.parametrize("value", ["abc", "0" * 63, "g" * 64, "0" * 65, ""])
def test_a_head_that_is_no_hash_is_exit_2(bare, capsys, value):
    assert "--head is " in bare.call(capsys, "audit", "--head", value, code=2)[1]


def test_messages_call_a_setting_as_it_was_given(bare, capsys):
    bare.variables["TPMIRROR_API_KEY"] = ""
    assert (
        "error: --api-key-file is '/nowhere/x'" in bare.call(capsys, "sync", "--api-key-file", "/nowhere/x", code=2)[1]
    )
    bare.variables["TPMIRROR_API_KEY_FILE"] = "/nowhere/x"
    assert "error: TPMIRROR_API_KEY_FILE is '/nowhere/x'" in bare.call(capsys, "sync", "--page-size", "5", code=2)[1]
    assert "error: --page-size is '0'" in bare.call(capsys, "sync", "--page-size", "0", code=2)[1]


def test_every_command_has_one_line_in_the_overview():
    said = CliRunner().invoke(cli, ["--help"]).output
    for words, _ in commands():
        assert re.search(rf"^  {words[0]} +\S", said, re.MULTILINE)
    assert "TPMIRROR_API_KEY" in said
    assert "Exit status" in said


def test_key_and_presigned_queries_are_nowhere_to_be_found(bare, world, capsys):
    world.edit(3, {"link": "https://storage.example.com/a?X-Amz-Signature=00", "start_frame": 2**64})
    told = [bare.run("sync", code=3, TPMIRROR_LOG_LEVEL="debug"), bare.call(capsys, "sync", "--json", code=3)]
    told += [bare.call(capsys, "status", "--json"), bare.call(capsys, "history", "3", "--json")]
    held = b"".join(path.read_bytes() for path in bare.folder.iterdir())
    assert b"storage.example.com/a" in held
    for secret in (KEY, "X-Amz-Signature", "X-Amz-Credential"):
        assert secret not in repr(told)
        assert secret.encode() not in held


def test_a_new_database_file_is_for_its_owner_alone(bare):
    bare.run("sync")
    assert {path.name: path.stat().st_mode & 0o777 for path in bare.folder.iterdir()}["tpmirror.db"] == 0o600
