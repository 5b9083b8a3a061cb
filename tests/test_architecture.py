"""The shape of the code: displays cannot write, all is explained, nothing grows too large, no field is forgotten."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tpmirror.db import schema
from tpmirror.tensorpix import models

PACKAGE = Path(__file__).parents[1] / "tpmirror"

REPORTS = ("asof", "costs", "eta", "failures", "forecast", "storage", "syncs", "transitions", "turnaround")
DISPLAYS = {
    "store.queries",
    "render",
    "tables",
    "store.audit",
    "reports.formats",
    "reports",
    *(f"reports.{name}" for name in REPORTS),
    "export.datasets",
    "export.watermark",
    "export.writer",
    "cli.look",
}
WRITERS = {
    "store.alerts",
    "service.alerting",
    "store.jobs",
    "sync.diff",
    "db.lease",
    "sync.account",
    "sync.ingest",
    "sync.session",
    "sync.full",
    "sync.poll",
    "sync.dryrun",
    "sync.gone",
    "sync.quarantine",
}
PURE = {
    "tensorpix.redaction",
    "tensorpix.decode",
    "tensorpix.page",
    "sync.normalize",
    "store.changes",
    "sync.diff",
    "sync.certify",
    "tensorpix.models",
    "db.labels",
    "store.history",
    "service.due",
    "store.health",
}
FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix("__init__").removesuffix("."): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
DISPLAYS |= {name for name in FILES if name.startswith("web")}
OURS = sorted(name for name in FILES if not name.startswith("simulator"))


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(FILES[name].read_text(encoding="utf-8"))


@cache
def imports(name: str) -> frozenset[str]:
    """The modules of this package that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(owner for full in found if full.split(".")[0] == "tpmirror" if (owner := _module(full)) != name)


def _module(full: str) -> str:
    """The module that a dotted name is, or is in."""
    name = full.removeprefix("tpmirror").removeprefix(".")
    while name not in FILES:
        name = name.rpartition(".")[0]
    return name


def reachable(name: str) -> set[str]:
    """Every module that comes along."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        new = imports(todo.pop()) - seen
        seen |= new
        todo += new
    return seen


def functions(name: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (node for node in ast.walk(tree(name)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def public(node: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Public classes, functions and methods of public classes."""
    for inner in node.body:
        if isinstance(inner, ast.ClassDef | ast.FunctionDef) and not inner.name.startswith("_") and not _sets(inner):
            yield inner
            if isinstance(inner, ast.ClassDef):
                yield from public(inner)


def _sets(node: ast.ClassDef | ast.FunctionDef) -> bool:
    """Whether it is a property's setter: the property itself is explained."""
    return any(isinstance(mark, ast.Attribute) and mark.attr == "setter" for mark in node.decorator_list)


def test_api_and_store_never_meet_but_in_the_run():
    assert "store.jobs" not in reachable("tensorpix.client")
    assert "tensorpix.client" not in reachable("store.jobs")


@pytest.mark.parametrize("name", sorted(DISPLAYS & FILES.keys()))
def test_what_displays_cannot_write(name):
    assert imports(name) & WRITERS == set()
    used = {node.attr for node in ast.walk(tree(name)) if isinstance(node, ast.Attribute)}
    used |= {alias.name for node in ast.walk(tree(name)) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert used & {"write", "patiently", "apply", "upsert", "settle", "confirm", "insert", "update", "delete"} == set()


def test_pure_modules_know_no_database_no_socket_and_no_clock():
    for name in PURE:
        assert reachable(name) & {"db.engine", "tensorpix.client", "tensorpix.transport"} == set(), name
        source = FILES[name].read_text(encoding="utf-8")
        assert [word for word in ("datetime.now", "time.time", "random.", "os.environ") if word in source] == [], name


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_module_and_everything_public_is_explained(name):
    assert ast.get_docstring(tree(name)), name or "tpmirror"
    assert [node.name for node in public(tree(name)) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_module_grows_too_large(name):
    lines = len(FILES[name].read_text(encoding="utf-8").splitlines())
    assert lines <= 300


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_function_grows_too_large(name):
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions(name)}
    assert {name: length for name, length in lengths.items() if length > 40} == {}


NESTED = {"Job": {"input_video", "output_video", "ml_models"}, "OutputVideo": {"preview_videos"}}
WIRES = {
    "jobs": models.Job,
    "input_videos": models.InputVideo,
    "output_videos": models.OutputVideo,
    "ml_models": models.MlModel,
}


def paths(table: str) -> list[str]:
    """Where in the payload the columns of a table come from."""
    return [column.info["api"] for column in schema.metadata.tables[table].columns if "api" in column.info]


@pytest.mark.parametrize("table", WIRES)
def test_every_field_of_the_api_has_exactly_one_column(table):
    wire = WIRES[table]
    nested = NESTED.get(wire.__name__, set())
    plain = [path for path in paths(table) if "." not in path]
    assert sorted(plain) == sorted(set(wire.__struct_fields__) - nested)
    assert {path.partition(".")[0] for path in paths(table) if "." in path} <= nested


def test_fields_inside_of_fields_have_their_columns():
    assert {path for path in paths("jobs") if "." in path} == {"input_video.id", "output_video.id"}
    inner = {f"preview_videos.{name}" for name in models.PreviewVideos.__struct_fields__}
    assert {path for path in paths("output_videos") if "." in path} == inner


DOCUMENTED = {
    models.Envelope: "count next previous results",
    models.Job: """
        id started preview description cost_usd status eta_s finished processing_progress input_video output_video
        ml_models grain codec output_resolution comparison stabilization_smoothing fps_interpolation_factor
        playback_speed sharpen_strength start_frame end_frame
    """,
    models.InputVideo: """
        id name width height created_at n_frames framerate size owner thumbnail external_url bitrate codec_id bit_depth
        chroma_subsampling color_space file
    """,
    models.OutputVideo: """
        id job_id preview_videos name created_at width height owner deleted framerate n_frames bitrate codec_id
        bit_depth chroma_subsampling color_space size file thumbnail quality_score
    """,
    models.PreviewVideos: "before_video after_video",
    models.MlModel: "id name task cost_weight upscale_factor fps_boost_factor priority max_resolution",
}
"""The keys of the API's documented answer, version 1.1."""


@pytest.mark.parametrize("wire", DOCUMENTED, ids=lambda wire: wire.__name__)
def test_every_documented_key_is_known_and_no_other(wire):
    assert sorted(wire.__struct_fields__) == sorted(DOCUMENTED[wire].split())


MIRRORED = {
    "jobs": """
        extra first_seen_at changed_at presence gone_at input_video_detached_at output_video_detached_at fingerprint
    """,
    "input_videos": "extra first_seen_at changed_at",
    "output_videos": "extra first_seen_at changed_at",
    "ml_models": "extra first_seen_at changed_at",
}


@pytest.mark.parametrize("table", MIRRORED)
def test_whatever_the_api_does_not_state_is_the_mirrors_own(table):
    own = {column.name for column in schema.metadata.tables[table].columns if "api" not in column.info}
    assert own == set(MIRRORED[table].split())


def test_only_progress_and_eta_are_volatile():
    volatile = {column.name for column in schema.jobs.columns if column.info.get("volatile")}
    assert volatile == {"eta_s", "processing_progress"}
