"""Settings: what is accepted, what is refused and how, and that a key shows nowhere."""

import dataclasses
import os
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tpmirror.config import (
    Duration,
    Settings,
    VanishLimit,
    beside,
    load,
    read_key,
    read_owners_key,
    unknown,
)
from tpmirror.credentials import Secret, check_key, read_password
from tpmirror.db.engine import open_engine
from tpmirror.errors import UsageError

SECRET = "tpx-very-secret"


def refusal(**environ: str) -> str:
    """The one line that a wrong setting is refused with."""
    with pytest.raises(UsageError) as caught:
        load(environ)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_defaults_are_those_of_the_contract():
    found = load({})
    assert (found.api_url, found.database_url) == ("https://backend.tensorpix.ai", "sqlite:///tpmirror.db")
    assert (found.page_size, found.concurrency, found.max_rps) == (100, 4, 10)
    assert (found.request_timeout, found.max_attempts, found.retry_base) == (30, 6, 1)
    assert (found.sync_interval, found.poll_interval, found.http_addr) == (900, 30, ("127.0.0.1", 8377))
    assert (found.log_format, found.log_level, str(found.vanish_limit)) == (None, "info", "max(5, 2 %)")


@pytest.mark.parametrize(
    ("written", "seconds", "shown"),
    [("90", 90, "90s"), ("15m", 900, "15m"), ("1.5h", 5400, "90m"), ("2 d", 172_800, "2d"), ("7.5s", 7.5, "7.5s")],
)
def test_a_length_of_time_is_seconds_or_has_its_unit(written, seconds, shown):
    assert load({"TPMIRROR_SYNC_INTERVAL": written}).sync_interval == seconds
    assert str(Duration(seconds=seconds)) == shown


def test_a_retention_has_its_unit():
    found = load({"TPMIRROR_RUN_RETENTION": "36h", "TPMIRROR_PROGRESS_RETENTION": "30"})
    assert found.run_retention == timedelta(hours=36)
    assert found.progress_retention == timedelta(days=30)
    assert "without a unit it is in d" in refusal(TPMIRROR_PROGRESS_RETENTION="30x")
    said = refusal(TPMIRROR_RUN_RETENTION="90")
    assert said == "TPMIRROR_RUN_RETENTION is '90'; it accepts a number with s, m, h or d, from 1h to 36500d"


BAD = {
    "TPMIRROR_RUN_RETENTION": ["90", "0d", "59m", "36501d", "1w", "-1d", "d", "1e3d"],
    "TPMIRROR_PROGRESS_RETENTION": ["0", "0.001", "forever"],
    "TPMIRROR_API_URL": [
        "http://backend.tensorpix.ai", "ftp://localhost", "backend.tensorpix.ai", "https://", "https://x/api",
        "https://x?y", "https://x#y", "https://user:pw@x", "https://x:99999", "http://localhost.evil.com", "file:///etc",
        "https://a..b", f"https://{'a' * 64}.com", "https://xn--zzzzzzz99999", "https://①.com", "https://256.1.1.1",
        "https://a b",
    ],
    "TPMIRROR_PAGE_SIZE": ["0", "-1", "10001", "1.5", "many", "1e2"],
    "TPMIRROR_CONCURRENCY": ["0", "17", "four"],
    "TPMIRROR_MAX_RPS": ["-1", "nan", "inf", "fast"],
    "TPMIRROR_REQUEST_TIMEOUT": ["0", "-3", "nan", "3601"],
    "TPMIRROR_MAX_ATTEMPTS": ["0", "101", "1.0"],
    "TPMIRROR_RETRY_BASE": ["-1", "61", "nan"],
    "TPMIRROR_SYNC_INTERVAL": ["0", "604801"],
    "TPMIRROR_POLL_INTERVAL": ["0", "86401"],
    "TPMIRROR_VANISH_LIMIT": ["", "x", "-1", "5 jobs", "101 %", "max()", "max(5, 2 %", "5, ", "5)", "(5)", "5 2", "%",
        "min(5, 2 %)", "2.5"],
    "TPMIRROR_HTTP_ADDR": ["8377", "localhost", "localhost:", ":8377", "x:65536", "x:-1", "x:http"],
    "TPMIRROR_HTTP_OPEN": ["true", "1"],
    "TPMIRROR_HTTP_HOSTS": ["https://mirror.example.com", "mirror.example.com:8377", "a b", "*"],
    "TPMIRROR_HTTP_PREFIX": ["tpmirror", "/", "//", "/a//b", "/..", "/a/../b", "/.", "/a/./b", "/a?b", "/a#b", "/a b",
        "https://mirror.example.com/a", "/%2e%2e", "/a\\b", '/"><script>'],
    "TPMIRROR_EXPORT_URL": ["ftp://host/x", "s3://", "s3:///x", "file://host/x", "s3://key:secret@bucket/x",
        "s3://bucket/x?X-Amz-Signature=y", "https://bucket.s3.amazonaws.com/x"],
    "TPMIRROR_EXPORT_INTERVAL": ["0", "8d"],
    "TPMIRROR_EXPORT_PERSONAL": ["true"],
    "TPMIRROR_LOG_FORMAT": ["xml"],
    "TPMIRROR_LOG_LEVEL": ["verbose"],
    "TPMIRROR_CREDIT_PRICE": ["0.10", "EUR", "0 EUR", "0.000000 EUR", "10000 EUR", "0.0000001 EUR", "-1 EUR",
        "0,10 EUR", "0.10 eur", "0.10 EURO", "0.10EUR", "EUR 0.10", "1e2 EUR", "nan EUR", ".5 EUR", "1. EUR",
        "0.10 XXX", "1 EUR 2"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "value"), [(name, value) for name, values in BAD.items() for value in values if value]
)
def test_a_wrong_value_is_refused_with_its_variable_its_value_and_what_is_accepted(variable, value):
    said = refusal(**{variable: value})
    assert said.startswith(f"{variable} is ")
    assert "it accepts " in said
    assert repr(value) in said or re.search("[?@#]|:[^/0-9]", value)


@pytest.mark.parametrize("value", ["/tpmirror", "/tpmirror/", "/tools/tp-mirror_2.x~/"])
def test_a_prefix_is_a_path_and_needs_no_last_slash(value):
    assert load({"TPMIRROR_HTTP_PREFIX": value}).http_prefix == value.rstrip("/")


@pytest.mark.parametrize(
    "value",
    [f"https://me:{SECRET}@host", f"https://host?token={SECRET}", f"https://host#{SECRET}", f"https://me:{SECRET}",
     f"me:{SECRET}", f"https://[::1?{SECRET}"],
)  # fmt: skip
def test_a_refusal_never_shows_a_secret_in_the_place_of_something_else(value):
    assert SECRET not in refusal(TPMIRROR_API_URL=value)


@pytest.mark.parametrize(
    "value",
    [f"postgresql://me:a@b/{SECRET}@host/db", f"postgresql://me:{SECRET}@b@host/db",
     "sqlite:///file:x.db?uri=true", "sqlite:///x.db?uri=maybe", "sqlite:///x.db?timeout=abc"],
)  # fmt: skip
def test_a_database_url_that_is_not_what_it_seems_is_refused(value):
    with pytest.raises(UsageError) as caught:
        open_engine(value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("key", ["two words", "tpx\nkey", "schlüssel", "a" * 513, "tpx\x00"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(key):
    said = refusal(TPMIRROR_API_KEY=key)
    assert said.startswith("TPMIRROR_API_KEY ")
    assert key not in said


@pytest.mark.parametrize("token", ["tiny", "fifteen letters", "x" * 513])
def test_a_token_that_can_be_guessed_is_refused_without_being_shown(token):
    said = refusal(TPMIRROR_HTTP_TOKEN=token)
    assert said.startswith("TPMIRROR_HTTP_TOKEN ")
    assert token not in said


def test_empty_variables_count_as_unset():
    assert load({"TPMIRROR_PAGE_SIZE": "", "TPMIRROR_API_KEY": "", "TENSORPIX_API_KEY": ""}) == Settings()


def test_options_override_variables():
    assert load({"TPMIRROR_PAGE_SIZE": "50"}, {"page_size": "20"}).page_size == 20
    assert load({"TPMIRROR_PAGE_SIZE": "50"}, {"page_size": None}).page_size == 50


def test_the_other_name_of_the_key_is_accepted_and_ours_goes_first():
    assert read_key(load({"TENSORPIX_API_KEY": "a"})).reveal() == "a"
    assert read_key(load({"TENSORPIX_API_KEY": "a", "TPMIRROR_API_KEY": "b"})).reveal() == "b"


def test_key_and_key_file_together_are_refused(tmp_path):
    said = refusal(TPMIRROR_API_KEY=SECRET, TPMIRROR_API_KEY_FILE=str(tmp_path / "key"))
    assert "TPMIRROR_API_KEY" in said
    assert "TPMIRROR_API_KEY_FILE" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        ("https://backend.tensorpix.ai/", "https://backend.tensorpix.ai"),
        ("http://localhost:8378", "http://localhost:8378"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://[::1]:81", "http://[::1]:81"),
        ("HTTPS://API.example.COM", "https://api.example.com"),
        ("https://my-proxy_1.example.", "https://my-proxy_1.example."),
        ("https://10.0.0.1:8443", "https://10.0.0.1:8443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(value, origin):
    assert load({"TPMIRROR_API_URL": value}).api_url == origin


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        ("5", VanishLimit(5, Decimal(0))),
        ("0", VanishLimit(0, Decimal(0))),
        ("2 %", VanishLimit(0, Decimal(2))),
        ("2%", VanishLimit(0, Decimal(2))),
        ("100 %", VanishLimit(0, Decimal(100))),
        ("0.5 %", VanishLimit(0, Decimal("0.5"))),
        ("max(5, 2 %)", VanishLimit(5, Decimal(2))),
        (" max( 10 , 1% ) ", VanishLimit(10, Decimal(1))),
    ],
)
def test_a_vanish_limit_is_a_number_a_share_or_the_larger_of_both(value, limit):
    assert load({"TPMIRROR_VANISH_LIMIT": value}).vanish_limit == limit


def test_a_vanish_limit_may_be_written_as_it_is_shown():
    for limit in (VanishLimit(), VanishLimit(0, Decimal("0.5")), VanishLimit(7, Decimal(0))):
        assert load({"TPMIRROR_VANISH_LIMIT": str(limit)}).vanish_limit == limit


def test_a_vanish_limit_is_the_larger_of_number_and_share():
    assert [VanishLimit().of(listed) for listed in (0, 100, 250, 1000)] == [5, 5, 5, 20]


def test_an_address_may_be_ipv6():
    assert load({"TPMIRROR_HTTP_ADDR": "[::1]:8377"}).http_addr == ("::1", 8377)
    assert load({"TPMIRROR_HTTP_ADDR": "0.0.0.0:0"}).http_addr == ("0.0.0.0", 0)  # noqa: S104 - only parsed


@pytest.mark.parametrize(
    ("value", "shown"), [("0.10 EUR", "0.10 EUR"), (" 12 JPY ", "12.00 JPY"), ("9999.999999 USD", "9999.999999 USD")]
)
def test_a_price_is_read_and_may_be_written_as_it_is_shown(value, shown):
    price = load({"TPMIRROR_CREDIT_PRICE": value}).credit_price
    assert str(price) == shown
    assert load({"TPMIRROR_CREDIT_PRICE": shown}).credit_price == price


def test_the_key_shows_in_no_text():
    settings = load({"TPMIRROR_API_KEY": SECRET})
    assert SECRET not in f"{settings} {settings!r} {settings.api_key} {vars(Secret)} {dataclasses.asdict(settings)}"


def test_no_key_is_refused_with_the_remedy():
    with pytest.raises(UsageError, match="set TPMIRROR_API_KEY"):
        read_key(load({}))


def test_a_key_file_is_read_afresh_each_time_without_its_line_end(tmp_path):
    path = tmp_path / "key"
    settings = load({"TPMIRROR_API_KEY_FILE": str(path)})
    for value in ("first", "second"):
        path.write_text(f"{value}\n")
        assert read_key(settings).reveal() == value


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"\xff\xfe", b"a\nb"])
def test_a_key_file_without_a_key_is_refused_by_its_name(tmp_path, content):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="TPMIRROR_API_KEY_FILE"):
        read_key(load({"TPMIRROR_API_KEY_FILE": str(path)}))


def test_a_key_file_that_is_missing_or_a_folder_is_refused_with_the_reason(tmp_path):
    for path, reason in ((tmp_path / "none", "No such file"), (tmp_path, "directory")):
        with pytest.raises(UsageError, match=reason):
            read_key(load({"TPMIRROR_API_KEY_FILE": str(path)}))


def test_every_visible_ascii_character_may_stand_in_a_key():
    key = "".join(map(chr, range(0x21, 0x7F)))
    assert check_key(key, "here").reveal() == key


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"secret", "secret"),
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b" two w\xc3\xb6rds \n", " two wörds "),
    ],
)
def test_a_database_password_is_the_files_line_without_its_end(tmp_path, content, password):
    (tmp_path / "password").write_bytes(content)
    assert read_password(tmp_path / "password") == password


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"a\nb", b"a\0b", b"a\tb", 4096 * b"a"])
def test_a_password_file_without_a_password_is_refused_by_its_name(tmp_path, content):
    (tmp_path / "password").write_bytes(content)
    with pytest.raises(UsageError, match="TPMIRROR_DATABASE_PASSWORD_FILE"):
        read_password(tmp_path / "password")


def test_a_password_file_has_to_be_one_that_can_be_read_again(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, reason in ((tmp_path / "none", "No such file"), (tmp_path, "directory"), (tmp_path / "pipe", "a pipe")):
        with pytest.raises(UsageError, match=reason):
            read_password(path)
    with pytest.raises(UsageError) as refused:
        read_password(Path("correct horse battery staple"))
    assert "horse" not in str(refused.value), "somebody gave the password where the file's name belongs"


@pytest.mark.parametrize("name", ["team_a", "Team_B", "_", "a1", "public", 63 * "x", "pgs"])
def test_a_schema_may_have_any_plain_name(name):
    assert load({"TPMIRROR_DATABASE_SCHEMA": name}).database.schema == name


@pytest.mark.parametrize(
    "name", ["1a", "a b", "a-b", 'a"b', "a;b", "a.b", "pg_toast", "information_schema", 64 * "x", "ä"]
)
def test_a_schema_with_another_name_is_refused(name):
    assert "it accepts a schema of at most 63 letters" in refusal(TPMIRROR_DATABASE_SCHEMA=name)


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load({}).page_size = 5  # type: ignore[misc]


TWINS = {
    "TPMIRROR_HTTP_TOKEN": "sixteen characters",
    "TPMIRROR_ALERT_URLS": "json://a json://b",
    "TPMIRROR_WEBHOOK_URLS": "crm=https://a chat=https://b",
}


@pytest.mark.parametrize("variable", TWINS)
def test_a_secret_may_come_from_a_file_and_both_together_are_refused(tmp_path, variable):
    path = tmp_path / "secret"
    path.write_text(f"{TWINS[variable]}\n")
    name = variable.removeprefix("TPMIRROR_").lower()
    given, read = (getattr(load({one: value}), name) for one, value in
                   ((variable, TWINS[variable]), (f"{variable}_FILE", str(path))))  # fmt: skip
    secrets = [[*found.values()] if isinstance(found, dict) else found for found in (given, read)]
    shown = [[one.reveal() for one in (found if isinstance(found, (tuple, list)) else [found])] for found in secrets]
    assert shown[0] == shown[1] != []
    said = refusal(**{variable: TWINS[variable], f"{variable}_FILE": str(path)})
    assert f"{variable} and {variable}_FILE are both set" in said


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe", b"tpx-very-secret", b"'tpx-very-secret-in-quotes'"])
def test_a_file_without_a_usable_secret_is_refused_without_showing_it(tmp_path, content):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    said = refusal(TPMIRROR_HTTP_TOKEN_FILE=str(path))
    assert said.startswith("TPMIRROR_HTTP_TOKEN")
    assert SECRET not in said


@pytest.mark.parametrize("setting", dataclasses.fields(Settings), ids=lambda setting: setting.name)
@pytest.mark.parametrize("wrapped", ["{}\r", "{}\n", "{}\0x", "\x1b{}", "\ufeff{}", '"{}"', "'{}'"])
def test_a_value_with_what_another_program_put_around_it_is_refused_whatever_the_setting(setting, wrapped):
    value = {"alert_urls": "json://h", "http_token": "x" * 16}.get(setting.name, SECRET)
    if setting.name in {"alert_urls", "webhook_urls"} and wrapped in {"{}\r", "{}\n"}:
        return  # several URLs may stand on several lines
    variable = f"TPMIRROR_{setting.name.upper()}"
    said = refusal(**{variable: wrapped.format(value)})
    assert said.startswith(variable)
    assert value not in said
    assert re.search("quotes|control character|byte order mark", said)


def test_a_higher_source_replaces_a_key_and_its_file_and_leaves_the_rest():
    file = {"TPMIRROR_API_KEY": "a", "TPMIRROR_HTTP_TOKEN_FILE": "t", "TPMIRROR_PAGE_SIZE": "5", "PGPASSWORD": "p"}
    for higher in ("TPMIRROR_API_KEY_FILE", "TPMIRROR_API_KEY", "TENSORPIX_API_KEY"):
        left = {name: value for name, value in file.items() if name != "TPMIRROR_API_KEY"}
        assert beside({higher: "x"}, file) == left
    assert beside({"TPMIRROR_API_KEY": "", "TPMIRROR_PAGE_SIZE": ""}, file) == file
    assert "TPMIRROR_HTTP_TOKEN_FILE" not in beside({"TPMIRROR_HTTP_TOKEN": "t" * 16}, file)


def test_an_option_that_names_a_key_file_replaces_the_key_of_the_environment(tmp_path):
    found = load({"TPMIRROR_API_KEY": "a"}, {"api_key_file": str(tmp_path)})
    assert (found.api_key, found.api_key_file) == (None, tmp_path)


def test_variables_that_no_setting_has_are_found_with_the_nearest_one():
    named = ["TPMIRROR_PAGESIZE", "TPMIRROR_XYZZY", "TPMIRROR_PAGE_SIZE", "TPMIRROR_TEST_PG_BIN", "PATH"]
    assert unknown(named) == {"TPMIRROR_PAGESIZE": "TPMIRROR_PAGE_SIZE", "TPMIRROR_XYZZY": None}


def test_owners_are_hashed_by_a_key_that_is_long_enough(tmp_path):
    path = tmp_path / "owners"
    assert "TPMIRROR_OWNERS_KEY_FILE" in refusal(TPMIRROR_OWNERS="hash")
    settings = load({"TPMIRROR_OWNERS": "hash", "TPMIRROR_OWNERS_KEY_FILE": str(path)})
    assert read_owners_key(load({"TPMIRROR_OWNERS_KEY_FILE": str(path)})) is None
    path.write_text(f"{'k' * 32}\n")
    assert read_owners_key(settings) == b"k" * 32
    for content in (b"", b"short", b"x" * 5000, b"\xff" * 40):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="TPMIRROR_OWNERS_KEY_FILE"):
            read_owners_key(settings)
