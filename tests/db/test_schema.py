"""Tables and wire models: no field of the API is forgotten, and none is invented."""

import pytest

from tpmirror.db import schema
from tpmirror.tensorpix import models

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
