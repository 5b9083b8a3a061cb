"""What import-linter and ruff do not see: what displays cannot write, what decides has no clock."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "tpmirror").rglob("*.py"))
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
WRITES = {"write", "retry_transient", "apply", "upsert", "write_presence", "confirm", "insert", "update", "delete"}
OTHER_STORES = {f"tpmirror/export/{name}.py" for name in ("iceberg", "objectstore", "snapshots")}
"""Modules that write too, but elsewhere: hashes and object stores have methods of these names as tables have."""
CHANCE = ("datetime.now", "time.time", "random.", "os.environ")


def sources(name: str) -> Iterator[Path]:
    """The files that a contract of import-linter is about."""
    (contract,) = (contract for contract in CONTRACTS if contract["name"] == name)
    for module in contract["source_modules"]:
        path = ROOT / Path(*module.split("."))
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


RETIRED = {
    "Look", "Known", "Plan", "_Planner", "Tally", "Intake", "Rehearsal", "Walk", "Sightings", "Sighting", "_Inquiry",
    "Facts", "Vitals", "Herald", "Watch", "Pace", "Key", "Answer", "RawItem", "Item", "Unreadable", "Memory",
    "Place", "Relation", "Question", "Named", "Gallery", "Agenda", "Life", "Clip", "Choice", "Refused", "Denied",
    "Passing", "Lost", "Fenced", "NotProven", "told", "said", "hold_on", "patiently", "heard", "happened", "settle",
    "suspects", "canary_sings", "explain", "admit", "moment_of", "words", "harmless", "calmed", "unsettle_heirs",
    "heirs", "doubts", "LONGEST", "UNTOLD", "UNSETTLED", "FAILURES", "WINDOW",
}  # fmt: skip
"""Names that had no meaning outside of this project, or several in it; CONTRIBUTING has the ones that replaced them."""


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", list(sources("what displays cannot write")), ids=relative)
def test_what_displays_calls_nothing_that_writes(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    free = {"write"} if relative(path) not in OTHER_STORES else {"write", "update", "delete"}
    used = {one.attr for one in attributes if one.attr not in free or "schema." in ast.unparse(one.value)}
    used |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert used & WRITES == set()


@pytest.mark.parametrize("path", list(sources("what decides opens neither socket nor database")), ids=relative)
def test_what_decides_has_no_clock_and_no_chance(path):
    source = path.read_text(encoding="utf-8")
    assert [word for word in CHANCE if word in source] == []


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_retired_name_comes_back(path):
    defined = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                defined.add(node.name)
            case ast.Name(ctx=ast.Store()):
                defined.add(node.id)
            case ast.arg():
                defined.add(node.arg)
            case ast.Attribute(ctx=ast.Store()):
                defined.add(node.attr)
    assert defined & RETIRED == set()


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_no_function_grows_too_large(path):
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: length for name, length in lengths.items() if length > 40} == {}


def test_the_house_has_ten_rooms_and_a_few_files_on_the_landing():
    package = ROOT / "tpmirror"
    assert len(list(package.glob("*/__init__.py"))) == 10
    assert len(list(package.glob("*.py"))) <= 9
