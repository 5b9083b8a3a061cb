"""What the documents say is what the code does: settings, commands, statuses, tables, and every example."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from tests.support import manpage
from tpmirror import errors, signals
from tpmirror.cli.main import cli
from tpmirror.config import Settings, variable_of
from tpmirror.db import schema, views
from tpmirror.db.engine import reading

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tpmirror"
PAGES = tuple(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", *PAGES)
WITH_SQL = ("README.md", "docs/tables.md")
"""Documents whose SQL runs on a mirror without rows. Other documents have tests of their own."""
WRAPPERS = (
    "docker compose exec tpmirror ",
    "docker run --rm ",
    "kubectl exec deploy/tpmirror -- ",
    "as_tpmirror /opt/tpmirror/bin/",
    "uvx --from . ",
)
"""What starts this program in a container, as another user, or from a checkout."""


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


def examples() -> list[tuple[str, ...]]:
    """The words after the program's name wherever a block of commands starts it, in any document; each once."""
    printed = [block.replace("\\\n", "") for name in DOCUMENTS for block in blocks(name, "sh")]
    lines = [line for block in printed for line in block.splitlines()]
    return sorted({found for line in lines for found in started(line)})


def started(line: str) -> Iterator[tuple[str, ...]]:
    """The words after the program's name, for each time that a line of a shell starts it."""
    lexer = shlex.shlex(line.replace("...", "x"), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    simple = " ".join(";" if word in {"&&", "||", "|", ";", "(", ")", "do", "<"} else word for word in lexer)
    for command in simple.split(";"):
        text = re.sub(r"^\s*(?:[A-Z_]+=\S* )*", "", command)
        for wrapper in WRAPPERS:
            text = text.removeprefix(wrapper)
        if re.match(r"tpmirror [a-z-]", text):
            yield tuple(text.split()[1:])


def prose(name: str) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", read(name), flags=re.MULTILINE | re.DOTALL)


def mentions() -> list[str]:
    """Every code span that begins with the program's name and a word, in any document; each once."""
    spans = [span for name in DOCUMENTS for span in re.findall(r"`(tpmirror\s[^`]+)`", prose(name))]
    return sorted({" ".join(span.split()) for span in spans})


def statements() -> list[str]:
    """Every statement of the SQL blocks of two documents."""
    found = [part.strip() for name in WITH_SQL for block in blocks(name, "sql") for part in block.split(";")]
    return list(dict.fromkeys(statement for statement in found if statement))


def test_settings_table_names_every_variable():
    assert keys("docs/settings.md", "variable") == [variable_of(setting) for setting in fields(Settings)]


def test_settings_table_shows_the_defaults():
    """As they may be written: what the table shows, given to the setting's own parser, is the default."""
    shown = {row[0].strip("`"): row[1].strip("`") for row in table("docs/settings.md", "variable")}
    for setting in fields(Settings):
        text = shown[variable_of(setting)]
        assert (None if text == "-" else setting.metadata["parse"](text)) == setting.default, setting.name


def test_commands_table_names_every_command():
    assert set(keys("docs/commands.md", "command")) == {" ".join(("tpmirror", *path)) for path in commands(cli)}


def test_exit_statuses_are_those_of_the_errors():
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    codes = {value.exit_code for value in classes if issubclass(value, errors.TpmirrorError)}
    interrupted = {signals.exit_status(KeyboardInterrupt()), signals.exit_status(signals.Terminated())}
    assert [int(code) for code in keys("docs/commands.md", "exit status")] == sorted({0} | codes | interrupted)


def test_tables_list_names_every_table():
    working = re.findall(r"^Working tables, not to be relied on: (.+)\.$", read("docs/tables.md"), re.MULTILINE)
    private = re.findall(r"`(\w+)`", "".join(working))
    assert private, "the sentence about working tables is gone"
    assert set(keys("docs/tables.md", "table")) == set(schema.metadata.tables) - set(private)
    assert set(private) < set(schema.metadata.tables)


def test_views_list_names_every_view():
    assert set(keys("docs/tables.md", "view")) == set(views.sources("sqlite"))


def test_every_kind_of_presence_is_explained():
    column = str(schema.jobs.c.presence.comment)
    kinds = re.findall(r"(?:^|, )(\w+)(?= \(|,|$)", column)
    assert set(kinds) == {"listed", "missing", "unlisted", "gone"}
    assert [kind for kind in kinds if f"`{kind}`" not in section("docs/completeness.md", "Vanished jobs")] == []


@pytest.mark.parametrize("statement", statements())
def test_sql_examples_run(statement: str, mirror_url: str, engine):
    try:
        with reading(engine) as conn:
            conn.exec_driver_sql(statement).all()
    finally:
        engine.dispose()


@pytest.mark.parametrize("example", examples(), ids=" ".join)
def test_shell_examples_use_what_exists(example: tuple[str, ...]):
    command, words = split(example)
    is_missing = isinstance(command, click.Group) and not command.invoke_without_command
    assert not is_missing, f"{words or 'a command'} is no command, or missing"
    command.make_context(command.name, words)  # raises for an option, an argument or a value that it does not take


@pytest.mark.parametrize("mention", mentions())
def test_commands_named_in_prose_exist(mention: str):
    command, words = split(tuple(mention.split()[1:]))
    known = {"--help", *(option for param in command.params for option in param.opts)}
    assert [word for word in words if word.startswith("--") and word not in known] == []
    assert not (isinstance(command, click.Group) and words and re.match("[a-z]", words[0])), words[0]


def split(words: tuple[str, ...]) -> tuple[click.Command, list[str]]:
    """The command that words call, and the words after it. Options before a command are left out."""
    command: click.Command = cli
    rest = list(words)
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    return command, rest


def test_there_are_examples():
    assert len(examples()) >= 30
    assert len(mentions()) >= 40
    assert len(statements()) >= 5


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tpmirror report costs --by model  # a comment", [("report", "costs", "--by", "model")]),
        ("pipx install . && tpmirror demo --web", [("demo", "--web")]),
        ("for a in x y; do A=$a B=c tpmirror db upgrade; done", [("db", "upgrade")]),
        ("docker compose exec tpmirror tpmirror status", [("status",)]),
        ("createdb tpmirror", []),
        ("psql -d tpmirror -c 'DROP SCHEMA all_accounts CASCADE'", []),
    ],
)
def test_calls_of_the_program_are_told_from_its_name(line: str, expected: list[tuple[str, ...]]):
    assert list(started(line)) == expected


def test_options_named_in_prose_exist():
    programs = [cli, *(find(path) for path in commands(cli))]
    known = {option for program in programs for param in program.params for option in param.opts} | {"--help"}
    # Those of other programs stand in fenced blocks, or belong to make and alembic.
    named = {option for name in DOCUMENTS for option in re.findall(r"`(--[a-z][a-z-]*)`", prose(name))}
    assert named <= known


def find(path: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for word in path:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


def test_demo_prints_what_the_guide_shows():
    env = {**os.environ, "COLUMNS": "80", "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-m", "tpmirror", "demo"]
    done = subprocess.run(run, env=env, capture_output=True, text=True, check=True, timeout=120)
    (shown,) = blocks("docs/install.md", "text")
    assert shape(shown) == shape(done.stdout)


def shape(transcript: str) -> list[str]:
    """The lines without their numbers, times and widths, which differ from run to run."""
    lines = (" ".join(re.sub(r"[\d.,:]*\d[\d.,:TZ-]*|─+", "#", line).split()) for line in transcript.splitlines())
    return [line for line in lines if line]


OF_OTHERS = {"name.postgresql.sql"}
"""Paths of documents that are not in the repository."""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_exist(name: str):
    spans = re.findall(r"`([\w.][\w./-]*(?:/|\.(?:md|py|sql|toml|yml|ini)))`", read(name))
    bases = (ROOT, PACKAGE, (ROOT / name).parent)
    missing = [path for path in spans if not any((base / path).exists() for base in bases)]
    assert [path for path in missing if path not in OF_OTHERS] == []


def anchors(page: Path) -> set[str]:
    """What links may name in a page: its headings as GitHub makes anchors of them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_a_page_and_a_heading(name: str):
    page = ROOT / name
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", read(name))
    targets = [((page.parent / path).resolve() if path else page, anchor) for path, anchor in links]
    assert [str(target) for target, _ in targets if not target.exists()] == []
    assert [anchor for target, anchor in targets if anchor and anchor not in anchors(target)] == []


def test_the_index_links_every_document():
    linked = re.findall(r"\]\(([\w-]+\.md)\)", read("docs/index.md"))
    assert sorted(["index.md", *linked]) == [Path(name).name for name in PAGES]
    assert "](docs/index.md)" in read("README.md")


def test_the_readme_is_short():
    assert read("README.md").count("\n") <= 200


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_name_nothing_of_one_machine(name: str):
    assert re.findall(r"(?:/home|/root|/Users|/work|/tmp)/", read(name)) == []


def test_changelog_keeps_what_is_unreleased():
    body = section("CHANGELOG.md", "[Unreleased]")
    assert re.search(r"^### Added\n\n- ", body, re.MULTILINE)


def test_the_manual_page_is_what_the_command_line_says():
    assert (ROOT / "docs" / "tpmirror.1").read_text(encoding="utf-8") == manpage.page(), "run make docs"


def test_the_manual_page_has_every_command_option_and_setting():
    shown = manpage.page().replace("\\-", "-")
    programs = [find(path) for path in commands(cli)]
    assert [path for path in commands(cli) if " ".join(("\\fBtpmirror", *path)) + "\\fR " not in shown] == []
    options = {option for one in programs for param in one.params for option in param.opts if option.startswith("-")}
    assert [option for option in options if option not in shown] == []
    assert [setting.name for setting in fields(Settings) if f"\\fB{variable_of(setting)}\\fR" not in shown] == []


def test_the_manual_page_is_no_trouble_for_roff():
    groff = shutil.which("groff")
    lines = manpage.page().splitlines()
    requests = {line.split()[0] for line in lines if line.startswith((".", "'"))}
    assert requests <= {".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi", ".nh", ".ad"}
    if groff:
        words = [groff, "-man", "-Tutf8", "-ww", "docs/tpmirror.1"]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, check=True)
        assert done.stderr == b""
