"""The log: one line per event, the run's number on each, no secret on any."""

import io
import json
import logging

import pytest

from tpmirror import log


@pytest.fixture
def stream():
    root, ours = logging.getLogger(), logging.getLogger(log.OURS)
    before, levels = root.handlers[:], (root.level, ours.level)
    yield io.StringIO()
    root.handlers[:] = before
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_json_object_per_event_with_the_number_of_the_run(stream):
    log.configure("json", "info", stream)
    with log.bound(run=7):
        log.logger("tpmirror.x").info("run %s", "done", jobs=3)
    log.logger("tpmirror.x").debug("too much")
    log.logger("tpmirror.x").info("later")
    first, second = lines(stream)
    assert list(first)[:4] == ["at", "level", "event", "run"]
    assert (first["event"], first["run"], first["jobs"]) == ("run done", 7, 3)
    assert "run" not in second


def test_others_are_heard_from_warnings_on_in_the_same_form(stream):
    log.configure("json", "debug", stream)
    for name in ("httpx", "httpcore.connection", "alembic.runtime", "anybody"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("trouble with %s", name)
    assert {line["event"] for line in lines(stream)} == {
        "trouble with httpx", "trouble with httpcore.connection", "trouble with alembic.runtime",
        "trouble with anybody",
    }  # fmt: skip


def test_others_are_not_heard_where_we_are_silent_too(stream):
    log.configure("json", "error", stream)
    logging.getLogger("httpx").warning("trouble")
    log.logger("tpmirror.x").warning("trouble")
    assert lines(stream) == []


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Token hush-hush-1234",
        "postgresql://me:hush-hush@host/db",
        "https://files.example.com/a.mp4?X-Amz-Signature=hush-hush&x=1",
        "json://user:hush-hush@host/hook",
    ],
)
@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_gets_through_whoever_wrote_it(text, form, stream):
    log.configure(form, "info", stream)
    log.logger("tpmirror.x").warning("said", error=text)
    logging.getLogger("somebody").error("saw %s", text)
    log.logger("tpmirror.x").error("broke", exc_info=ValueError(text))
    assert stream.getvalue().count("\n") >= 3
    assert "hush" not in stream.getvalue()


@pytest.mark.parametrize("piece", ["a", "token ", "https://", "://a:", "https://a?", "token   "])
def test_no_text_takes_long_to_conceal(piece):
    """A pattern that tried every start against every end would take minutes."""
    assert log.concealed(piece * 100_000)


def test_the_rest_of_a_text_is_shown_as_it_is():
    text = "see https://x/y and (http://z) why? a://b/c:d@e token 12345 user:word@host"
    assert log.concealed(text) == text
    assert log.concealed("https://x/y?a#b https://z") == "https://x/y?*** https://z"


def test_unconfigured_it_says_nothing(capsys):
    log.logger("tpmirror.y").info("hello", to="nobody")
    assert capsys.readouterr() == ("", "")
