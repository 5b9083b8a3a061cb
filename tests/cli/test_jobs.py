"""``tpmirror jobs`` and ``tpmirror show``: the dashboard's filters and its page of a job, on the command line."""

import json
import re

import pytest

from tests.support.account import query
from tests.support.program import Program
from tpmirror.cli.tables import field_text
from tpmirror.db import schema


@pytest.fixture
def tpmirror(lived_mirror, dialect, tmp_path, capsys):
    """The command line on a mirror that has seen much."""
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": lived_mirror[dialect]})
    return lambda *words, code=0: program.call(capsys, *map(str, words), code=code)


@pytest.fixture
def url(lived_mirror, dialect):
    return lived_mirror[dialect]


def ids(tpmirror, *filters):
    return [job["job_id"] for job in json.loads(tpmirror("jobs", *filters, "--json", "--limit", 10_000)[0])]


def expected(url, condition):
    found = query(url, f"SELECT job_id FROM job_overview WHERE {condition} ORDER BY job_id DESC")
    return [row[0] for row in found]


FILTERS = (
    ((), "1 = 1"),
    (("--status", "failed"), "status = -1"),
    (("--status", "-1"), "status = -1"),
    (("--status", "In Queue"), "status = 0"),
    (("--model", "fps boost"), "models LIKE '%FPS Boost%'"),
    (("--resolution", "no resize"), "resolution = 'No Resize'"),
    (("--presence", "gone"), "presence = 'gone'"),
    (("--owner", "STUDIO@"), "input_owner LIKE '%studio@%'"),
    (("--search", "mov_"), "1 = 0"),
    (("--search", "35"), "job_id = 35 OR input_name LIKE '%35%' OR output_name LIKE '%35%' OR description LIKE '%35%'"),
    (("--status", "finished", "--presence", "listed"), "status = 2 AND presence = 'listed'"),
)


@pytest.mark.parametrize(("filters", "condition"), FILTERS, ids=lambda value: " ".join(value) if value else "all")
def test_jobs_shows_those_that_the_filter_lets_through_newest_first(tpmirror, url, filters, condition):
    found = ids(tpmirror, *filters)
    assert found == expected(url, condition)
    assert found or condition == "1 = 0"


def test_jobs_shows_a_table_of_the_newest_and_says_that_there_are_more(tpmirror, url):
    said, complained = tpmirror("jobs", "--limit", 60)
    numbers = [int(found) for found in re.findall(r"^ *(\d+)  ", said, re.MULTILINE)]
    assert numbers == expected(url, "1 = 1")[:60]
    assert "There are more; --limit 600" in said
    assert "There are more" not in tpmirror("jobs", "--status", "failed")[0]
    assert complained == ""


def test_jobs_marks_what_is_gone(tpmirror, url):
    (gone,) = expected(url, "presence = 'gone'")
    assert re.search(rf"^ *{gone}  \w+, gone", tpmirror("jobs", "--presence", "gone")[0], re.MULTILINE)


@pytest.mark.parametrize(
    ("option", "value", "accepted"),
    [
        ("--status", "done", "Finished"),
        ("--model", "nix", "FPS Boost"),
        ("--resolution", "9k", "No Resize"),
        ("--presence", "lost", "listed"),
        ("--limit", "0", "1<=x<=10000"),
    ],
)
def test_a_filter_by_a_name_that_nothing_has_is_exit_2_and_says_what_there_is(tpmirror, option, value, accepted):
    said, complained = tpmirror("jobs", option, value, code=2)
    assert (said, complained.count("\n")) == ("", 1)
    assert all(part in complained for part in (option, value, accepted))


def test_show_shows_every_field_of_a_job_and_of_its_videos_labelled(tpmirror, url):
    said, complained = tpmirror("show", 35)
    assert complained == ""
    names = [column.name for table in (schema.jobs, schema.input_videos, schema.output_videos) for column in table.c]
    labelled = {"id", "status", "output_resolution", "fingerprint"}
    for name in set(names) - labelled:
        assert re.search(rf"^{name.removesuffix('_s').replace('_', ' ')}(  |$)", said, re.MULTILINE), name
    (status, resolution, size) = query(
        url, "SELECT status_name, resolution, input_size FROM job_overview WHERE job_id = 35"
    )[0]
    assert re.search(rf"^status name +{status}$", said, re.MULTILINE)
    assert re.search(rf"^resolution +{re.escape(resolution)}$", said, re.MULTILINE)
    assert f"{size / 1e6:.1f} MB" in said or f"{size / 1e9:.1f} GB" in said
    for title in ("Job 35", "Input video", "Models", "Status of job 35", "Other changes of job 35"):
        assert re.search(rf"^{title}", said, re.MULTILINE)


def test_show_as_json_has_the_row_and_all_that_belongs_to_it(tpmirror, url):
    shown = json.loads(tpmirror("show", 35, "--json")[0])
    assert set(shown["job"]) == {column.name for column in schema.jobs.c} - {"fingerprint"}
    assert (shown["job"]["id"], shown["overview"]["job_id"]) == (35, 35)
    assert shown["input_video"]["id"] == shown["job"]["input_video_id"]
    assert len(shown["models"]) == query(url, "SELECT COUNT(*) FROM job_ml_models WHERE job_id = 35")[0][0]
    assert shown["status_changes"]
    assert {"field_changes", "durations", "corrections"} < set(shown)


def test_show_of_an_unknown_job_is_exit_1_and_names_the_way_to_those_there_are(tpmirror):
    said, complained = tpmirror("show", 99_999, code=1)
    assert (said, complained) == ("", "error: the mirror has no job 99999; tpmirror jobs lists those it has\n")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("size", 702_200_000, "702.2 MB"),
        ("input_size", None, "-"),
        ("eta_s", 4.25, "4.2 s"),
        ("turnaround_s", 1195.4, "19 min 55 s"),
        ("processing_progress", 0.5, "50%"),
        ("framerate", 29.97, "29.97"),
        ("playback_speed", 1.0, "1"),
        ("width", 1920, "1920"),
        ("input_video_id", 5031, "5031"),
        ("preview", False, "no"),
        ("name", "a\x1b[1m", "a\ufffd[1m"),
    ],
)
def test_a_field_is_shown_for_people(name, value, text):
    assert field_text(name, value) == text
