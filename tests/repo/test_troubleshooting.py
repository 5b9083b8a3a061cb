"""docs/troubleshooting.md has an entry for every message of the program, and none for a message that is gone.

Messages are found in the code itself: what errors are raised with, what problems and findings hold, what the dashboard
refuses with, and every table or variable that is named a remedy.
"""

import ast
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tpmirror import errors

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "tpmirror"
DOCUMENT: Final = ROOT / "docs" / "troubleshooting.md"
ERRORS: Final = frozenset(
    name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, errors.TpmirrorError)
)
REFUSALS: Final = ERRORS | {"PlainTextResponse", "HTTPException", "_fail"}
"""Calls that are given a message; besides those of ``log.warning``, ``log.error``, and ``echo`` on stderr."""
PROBLEMS: Final = {"Problem": 2, "Finding": 3}
"""Calls that are given a remedy, by its place among the arguments; the message stands before it."""
TELLERS: Final = frozenset({"exposure", "_warnings", "beyond", "_wrong_count", "doubt_of"})
"""Functions that return a message."""
VALUE: Final = "\0"
"""Stands in a message for a value."""
EXEMPT: Final = {
    "problem": "its message and its remedy are entries of their own",
    "The command completed with warnings": "never printed: the command has said what they are",
    "stopped": "nothing is wrong",
    "dashboard on": "nothing is wrong",
    "A simulated account": "nothing is wrong",
    "export TPMIRROR_API_URL=": "nothing is wrong: what to type after tpmirror simulate",
    "tpmirror sync": "nothing is wrong: what to type after tpmirror simulate",
}
"""How messages begin that need no entry, each with the reason."""

FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)

Known = dict[str, list[ast.expr]]
"""What each name may stand for."""


class Message(NamedTuple):
    """A message of the program; its remedy is what follows the last semicolon. Either part may be empty."""

    where: str
    text: str
    remedy: str

    def is_in(self, row: list[str]) -> bool:
        """Whether an entry has both parts, each in its column; a message without remedy may fill both."""
        if not self.remedy:
            return bool(pattern(self.text).search(f"{row[0]}; {row[2]}"))
        return bool(pattern(self.text).search(row[0]) and pattern(self.remedy).search(row[2]))


def pattern(text: str) -> re.Pattern[str]:
    """A message as it may stand in the document, with anything in the place of its values."""
    return re.compile(".*".join(map(re.escape, " ".join(text.split()).split(VALUE))))


def rows(document: str) -> list[list[str]]:
    """The entries: what is printed, its cause, what to do; without the marks of code."""
    lines = [line.strip("|").split(" | ") for line in document.splitlines() if line.startswith("| ")]
    found = [[cell.strip().replace("`", "") for cell in line] for line in lines]
    return [row for row in found if row[0] not in {"message", "---"}]


def sources() -> dict[str, str]:
    """The text of every module that a user may meet a message of, by its path."""
    paths = sorted(path for path in PACKAGE.rglob("*.py") if path.parent.name != "simulator")
    return {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in paths}


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


@cache
def messages(name: str, source: str) -> tuple[Message, ...]:
    """The messages in a module."""
    tree = parsed(source)
    scopes = [("", tree), *((node.name, node) for node in ast.walk(tree) if isinstance(node, FUNCTIONS))]
    everywhere = Known()
    for node in own_nodes(tree):
        note(node, everywhere)
    found = (message for function, scope in scopes for message in in_scope(function, scope, everywhere))
    return tuple(Message(f"{name}:{line}", text, remedy) for line, text, remedy in found)


def in_scope(function: str, scope: ast.AST, everywhere: Known) -> Iterator[tuple[int, str, str]]:
    """The messages in a scope, by line. A name stands for what it was given since it was used in a message last."""
    local = Known()
    for node in sorted(own_nodes(scope), key=lambda node: getattr(node, "lineno", 0)):
        found = list(told(function, node, ChainMap(local, everywhere)))
        for text, remedy in found:
            if re.search("[a-z]{2}", text + remedy) and not text.strip().startswith(tuple(EXEMPT)):
                yield getattr(node, "lineno", 0), text.strip(), remedy.strip("; ")
        if found and isinstance(node, ast.Call):
            local.clear()
        note(node, local)


def told(function: str, node: ast.AST, known: Mapping[str, list[ast.expr]]) -> Iterator[tuple[str, str]]:
    """What a node of a function says: messages, each with its remedy."""
    match node:
        case ast.Call(args=args) if place := min((PROBLEMS[name] for name in names(node) & {*PROBLEMS}), default=0):
            remedies = texts(args[place], known) if place < len(args) else ()
            yield from ((text, remedy) for remedy in remedies if remedy for text in texts(args[place - 1], known))
        case ast.Call(args=args) if names(node) & REFUSALS or is_logged(node) or is_on_stderr(node):
            yield from (split(text) for argument in args[:2] for text in texts(argument, known))
        case ast.Raise(exc=ast.Name(id=name)) if name in ERRORS:
            yield split(str(vars(errors)[name].__doc__))
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if "remed" in name.lower():
            yield from (("", text) for text in texts(value, known))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if "remed" in name.lower():
            yield from (("", text) for text in texts(value, known))
        case ast.Return(value=ast.expr() as value) if "remed" in function:
            yield from (("", text) for text in texts(value, known))
        case ast.Return(value=ast.expr() as value) | ast.Yield(value=ast.expr() as value) if function in TELLERS:
            yield from map(split, texts(value, known))


def names(call: ast.Call) -> set[str]:
    """What may be called: both arms of a choice."""
    found = (call.func.body, call.func.orelse) if isinstance(call.func, ast.IfExp) else (call.func,)
    return {part.id if isinstance(part, ast.Name) else getattr(part, "attr", "") for part in found}


def is_logged(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id="log"), attr="warning" | "error"):
            return True
    return False


def is_on_stderr(call: ast.Call) -> bool:
    return "echo" in names(call) and any(keyword.arg == "err" for keyword in call.keywords)


def split(text: str) -> tuple[str, str]:
    """A message and its remedy."""
    head, semicolon, tail = text.rpartition("; ")
    return (head, tail) if semicolon else (text, "")


def texts(node: ast.expr, known: Mapping[str, list[ast.expr]]) -> list[str]:
    """The texts that an expression may be, as far as they are written in it or in what it names."""
    match node:
        case ast.Constant(value=str(text)):
            found = [text]
        case ast.JoinedStr(values=parts):
            found = ["".join(choice) for choice in product(*(pieces(part, known) for part in parts))]
        case ast.IfExp(body=one, orelse=other):
            found = [*texts(one, known), *texts(other, known)]
        case ast.Dict(values=values):
            found = [text for value in values for text in texts(value, known)]
        case ast.Subscript(value=ast.Name() as table):
            found = texts(table, known)
        case ast.Name(id=name) if name in known:
            others = {key: values for key, values in known.items() if key != name}
            found = [text for value in known[name] for text in texts(value, others)]
        case _:
            found = [VALUE]
    return found


def pieces(part: ast.expr, known: Mapping[str, list[ast.expr]]) -> list[str]:
    """What a part of an f-string may be; a choice of two texts is a value."""
    if isinstance(part, ast.Constant):
        return [str(part.value)]
    shown = part.value if isinstance(part, ast.FormattedValue) else part
    given = known.get(shown.id, []) if isinstance(shown, ast.Name) else [shown]
    return [VALUE] if any(isinstance(value, ast.IfExp) for value in given) else texts(shown, known)


def note(node: ast.AST, known: Known) -> None:
    """Remember what a node gives a name, beside what the name has been given before."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            known.setdefault(name, []).append(value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            known.setdefault(name, []).append(value)


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope, without those of the functions in it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, FUNCTIONS):
            yield from own_nodes(child)


ROWS: Final = rows(DOCUMENT.read_text(encoding="utf-8"))
SOURCES: Final = sources()


def missing(name: str, source: str) -> list[Message]:
    """The messages of a module that no entry has."""
    return [message for message in messages(name, source) if not any(map(message.is_in, ROWS))]


def test_every_message_has_an_entry():
    assert [message for name, source in SOURCES.items() for message in missing(name, source)] == []


def test_every_entry_is_of_a_message():
    """What an entry quotes, between two values, is a piece of some text of the program."""
    nodes = [node for source in SOURCES.values() for node in ast.walk(parsed(source))]
    pieces_of_text = [" ".join(str(node.value).split()) for node in nodes if isinstance(node, ast.Constant)]
    whole = [f"{found.text}; {found.remedy}" for name, source in SOURCES.items() for found in messages(name, source)]
    everything = VALUE.join([*pieces_of_text, *whole])
    cells = re.findall(r"^\| (.*?) \| ", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    quoted = [span for cell in cells for span in re.findall(r"`([^`]*)`", cell)]
    parts = [part.strip(" ;:") for span in quoted for part in re.split(r"\.\.\.|; ", span)]
    assert len(parts) > 200
    gone = [part for part in parts if part not in everything]
    assert gone == []


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ('raise UsageError("it is so; do this")', ("it is so", "do this")),
        ('raise (MirrorError if a else UsageError)(f"{a} is so; do {b}")', ("\0 is so", "do \0")),
        ('def f():\n    message = "it is so; do this"\n    raise UsageError(message)', ("it is so", "do this")),
        ('Problem("code", f"{a:,} are so", "do this")', ("\0 are so", "do this")),
        ('Finding("check", BAD, seen, "do this", 1)', ("\0", "do this")),
        ('_REMEDIES: Final = {1: "do this"}', ("", "do this")),
        ('def f():\n    remedy = "do this"', ("", "do this")),
        ('log.warning("it is so; do this")', ("it is so", "do this")),
        ('PlainTextResponse("It is so; do this.", 403)', ("It is so", "do this.")),
        ('HTTPException(400, "it is so; do this")', ("it is so", "do this")),
        ('click.echo("warning: it is so; do this", err=True)', ("warning: it is so", "do this")),
    ],
)
def test_a_new_message_is_found_and_missed(source: str, parts: tuple[str, str]):
    assert [(message.text, message.remedy) for message in missing("new.py", source)] == [parts]
