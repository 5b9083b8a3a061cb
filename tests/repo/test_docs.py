"""What the documents say is what the code does: settings, commands, statuses, tables, and every example."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from tpmirror import errors, signals
from tpmirror.cli.main import cli
from tpmirror.config import Settings, variable_of
from tpmirror.db import schema, views
from tpmirror.db.engine import reading

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tpmirror"
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table(name: str, first_column: str) -> list[list[str]]:
    """The rows of the one table whose first column is headed so, code spans opened."""
    head = rf"^\| {re.escape(first_column)} \|.*\n\| --- .*\n((?:\|.*\n)+)"
    (body,) = re.findall(head, read(name), re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]


def keys(name: str, first_column: str) -> list[str]:
    """The first cells of a table. A row for each thing, so no name may come twice."""
    found = [row[0].strip("`") for row in table(name, first_column)]
    assert len(found) == len(set(found))
    return found


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of a document in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", read(name), re.MULTILINE | re.DOTALL)


def section(name: str, title: str) -> str:
    """A document from one heading to the next of the same level."""
    (body,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", read(name), re.MULTILINE | re.DOTALL)
    return str(body)


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Every command below a group, by the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
            yield from [(*path, name)] if command.invoke_without_command else ()
        else:
            yield (*path, name)


def examples() -> list[str]:
    """Every line of a shell block that calls tpmirror, in any document."""
    lines = [line for name in DOCUMENTS for block in blocks(name, "sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("tpmirror")]


def statements() -> list[str]:
    """Every statement of the README's SQL blocks."""
    found = [part.strip() for block in blocks("README.md", "sql") for part in block.split(";")]
    return [statement for statement in found if statement]


def test_settings_table_names_every_variable():
    assert keys("README.md", "variable") == [variable_of(setting) for setting in fields(Settings)]


def test_settings_table_shows_the_defaults():
    """As they may be written: what the table shows, given to the setting's own parser, is the default."""
    shown = {row[0].strip("`"): row[1].strip("`") for row in table("README.md", "variable")}
    for setting in fields(Settings):
        text = shown[variable_of(setting)]
        assert (None if text == "-" else setting.metadata["parse"](text)) == setting.default, setting.name


def test_commands_table_names_every_command():
    assert set(keys("README.md", "command")) == {" ".join(("tpmirror", *path)) for path in commands(cli)}


def test_exit_statuses_are_those_of_the_errors():
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    codes = {value.exit_code for value in classes if issubclass(value, errors.TpmirrorError)}
    interrupted = {signals.exit_status(KeyboardInterrupt()), signals.exit_status(signals.Terminated())}
    assert [int(code) for code in keys("README.md", "exit status")] == sorted({0} | codes | interrupted)


def test_tables_list_names_every_table():
    working = re.findall(r"^Working tables, not to be relied on: (.+)\.$", read("README.md"), re.MULTILINE)
    private = re.findall(r"`(\w+)`", "".join(working))
    assert private, "the sentence about working tables is gone"
    assert set(keys("README.md", "table")) == set(schema.metadata.tables) - set(private)
    assert set(private) < set(schema.metadata.tables)


def test_views_list_names_every_view():
    assert set(keys("README.md", "view")) == set(views.sources("sqlite"))


def test_every_kind_of_presence_is_explained():
    column = str(schema.jobs.c.presence.comment)
    kinds = re.findall(r"(?:^|, )(\w+)(?= \(|,|$)", column)
    assert set(kinds) == {"listed", "missing", "unlisted", "gone"}
    assert [kind for kind in kinds if f"`{kind}`" not in section("README.md", "Vanished jobs")] == []


@pytest.mark.parametrize("statement", statements())
def test_sql_examples_run(statement: str, mirror_url: str, engine):
    try:
        with reading(engine) as conn:
            conn.exec_driver_sql(statement).all()
    finally:
        engine.dispose()


@pytest.mark.parametrize("line", examples())
def test_shell_examples_use_what_exists(line: str):
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        assert words[0] in command.commands, f"{command.name} has no command {words[0]}"
        command = command.commands[words.pop(0)]
    assert not isinstance(command, click.Group) or command.invoke_without_command, "a command is missing"
    command.make_context(command.name, words)  # raises for an option, an argument or a value that it does not take


def test_there_are_examples():
    assert len(examples()) >= 5
    assert len(statements()) >= 3


def test_options_named_in_prose_exist():
    programs = [cli, *(find(path) for path in commands(cli))]
    known = {option for program in programs for param in program.params for option in param.opts} | {"--help"}
    # Those of other programs stand in fenced blocks, or belong to make and alembic.
    named = {option for name in DOCUMENTS for option in re.findall(r"`(--[a-z][a-z-]*)`", read(name))}
    assert named <= known


def find(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for word in path:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


def test_demo_prints_what_the_readme_shows():
    env = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-m", "tpmirror", "demo"]
    done = subprocess.run(run, env=env, capture_output=True, text=True, check=True, timeout=120)
    (shown,) = blocks("README.md", "text")
    assert shape(shown) == shape(done.stdout)


def shape(transcript: str) -> list[str]:
    """The lines without their numbers, times and widths, which differ from run to run."""
    lines = (" ".join(re.sub(r"[\d.,:]*\d[\d.,:TZ-]*|─+", "#", line).split()) for line in transcript.splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_and_links_exist(name: str):
    spans = re.findall(r"`([\w./-]+(?:/|\.(?:md|py|sql|toml|yml|ini)))`", read(name))
    links = re.findall(r"\]\((?!https?:)([^)#]+)", read(name))
    looked = [*spans, *links]
    missing = [path for path in looked if not any((base / path).exists() for base in (ROOT, PACKAGE))]
    assert [path for path in missing if path != "name.postgresql.sql"] == []


def anchors(page: Path) -> set[str]:
    """What links may name in a page: its headings as GitHub makes anchors of them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]), ids=lambda page: page.name
)
def test_links_lead_to_a_page_and_a_heading(page: Path):
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8"))
    targets = [((page.parent / path).resolve() if path else page, anchor) for path, anchor in links]
    assert [str(target) for target, _ in targets if not target.exists()] == []
    assert [anchor for target, anchor in targets if anchor and anchor not in anchors(target)] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_nothing_of_one_machine(name: str):
    assert re.findall(r"(?:/home|/root|/Users|/work|/tmp)/", read(name)) == []


def test_changelog_keeps_what_is_unreleased():
    body = section("CHANGELOG.md", "[Unreleased]")
    assert re.search(r"^### Added\n\n- ", body, re.MULTILINE)
