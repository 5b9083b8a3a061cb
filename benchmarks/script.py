"""A quick script, as one writes it in an afternoon: each page with httpx, each row by an upsert of SQLAlchemy Core.

It keeps the newest state and nothing else: no history, no proof, no look at what has changed, no retries.
"""

import sys
from datetime import datetime
from typing import Any, Final

import httpx
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    create_engine,
)
from sqlalchemy.dialects import postgresql, sqlite

PAGE: Final = 100
metadata: Final = MetaData()


def _table(table: str, /, **columns: Any) -> Table:
    key = [Column(column, Integer, primary_key=True) for column in columns.pop("key", ["id"])]
    return Table(f"script_{table}", metadata, *key, *(Column(column, type_) for column, type_ in columns.items()))


_VIDEO: Final = {
    "name": Text, "width": Integer, "height": Integer, "created_at": DateTime(timezone=True), "n_frames": BigInteger,
    "framerate": Float, "size": BigInteger, "thumbnail": Text, "bitrate": BigInteger, "codec_id": Text,
    "bit_depth": Integer, "chroma_subsampling": Text, "color_space": Text, "file": Text,
}  # fmt: skip
JOBS: Final = _table(
    "jobs", status=Integer, started=DateTime(timezone=True), preview=Boolean, description=Text,
    cost_usd=Numeric(10, 4, asdecimal=False), eta_s=Float, finished=DateTime(timezone=True), processing_progress=Float,
    input_video_id=Integer, output_video_id=Integer, grain=Float, codec=Text, output_resolution=Integer,
    comparison=Boolean, stabilization_smoothing=Integer, fps_interpolation_factor=Float, playback_speed=Float,
    sharpen_strength=Float, start_frame=Integer, end_frame=Integer,
)  # fmt: skip
SOURCES: Final = _table("input_videos", **_VIDEO, owner=Text, external_url=Text)
OUTPUTS: Final = _table(
    "output_videos", **_VIDEO, owner=Integer, job_id=Integer, deleted=DateTime(timezone=True), quality_score=Integer
)
MODELS: Final = _table(
    "ml_models", name=Text, task=Integer, cost_weight=Float, upscale_factor=Integer, fps_boost_factor=Integer,
    priority=Integer, max_resolution=Integer,
)  # fmt: skip
LINKS: Final = _table("job_ml_models", key=["job_id", "position"], ml_model_id=Integer)


def main(origin: str, url: str) -> None:
    """Read the whole list, page by page, and upsert what it shows; the tables are there."""
    engine = create_engine(url)
    with httpx.Client(base_url=origin, headers={"authorization": "Token benchmark"}) as client:
        target: str | None = f"/api/jobs/?limit={PAGE}&offset=0"
        while target:
            page = client.get(target).raise_for_status().json()
            target = page["next"] and page["next"].removeprefix(origin)
            with engine.begin() as conn:
                for table, rows in rows_of(page["results"]).items():
                    if rows:
                        upsert(conn, table, list(rows.values()))


def rows_of(jobs: list[dict[str, Any]]) -> dict[Table, dict[Any, dict[str, Any]]]:
    """The rows of a page by table and key."""
    found: dict[Table, dict[Any, dict[str, Any]]] = {SOURCES: {}, OUTPUTS: {}, MODELS: {}, JOBS: {}, LINKS: {}}
    for job in jobs:
        source, output = job["input_video"], job["output_video"]
        for table, shown in ((SOURCES, source), (OUTPUTS, output), *((MODELS, model) for model in job["ml_models"])):
            if shown:
                found[table][shown["id"]] = row(table, shown)
        videos = {"input_video_id": source and source["id"], "output_video_id": output and output["id"]}
        found[JOBS][job["id"]] = row(JOBS, {**job, **videos})
        for position, model in enumerate(job["ml_models"]):
            link = {"job_id": job["id"], "position": position, "ml_model_id": model["id"]}
            found[LINKS][job["id"], position] = link
    return found


def row(table: Table, shown: dict[str, Any]) -> dict[str, Any]:
    """The columns of a table out of what an answer shows, times as such."""
    found = {column.name: shown.get(column.name) for column in table.columns}
    times = (column.name for column in table.columns if isinstance(column.type, DateTime))
    return {**found, **{name: datetime.fromisoformat(shown[name]) for name in times if shown.get(name)}}


def upsert(conn: Any, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or overwrite those with the same key."""
    insert: Any = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert
    statement = insert(table)
    others = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    conn.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others), rows)


if __name__ == "__main__":
    main(*sys.argv[1:3])
