"""Files of variables: the usual syntax, what other systems put around it, and lines that mean nothing."""

import contextlib
import time

import pytest

from tpmirror.cli.envfile import parse_env_file, read_env_file
from tpmirror.errors import UsageError


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"), ("  A=b  ", "b"), ("export A=b", "b"), ("A = b", "b"), ("A=", ""), ("A=''", ""), ("A= # c", ""),
        ("A=b c # d", "b c"), ("A=b#c", "b#c"), ("A='b c' # d", "b c"), ("A='$b\\n'", "$b\\n"), ("A=$B", "$B"),
        (r'A="b\"c\\d\$e"', r'b"c\d$e'), (r'A="\n"', r"\n"), ("A=https://x/?a=b&c#d", "https://x/?a=b&c#d"),
        ("A=1\nA=2", "2"),
    ],
)  # fmt: skip
def test_a_line_is_a_name_and_a_value(line, value):
    assert parse_env_file(f"# head\n\n{line}\n", "env") == {"A": value}


def test_line_ends_quotes_and_a_byte_order_mark_of_another_system_are_no_part_of_a_value(tmp_path):
    path = tmp_path / "env"
    path.write_bytes(b"\xef\xbb\xbfA=\"b\"\r\nB='c'\r\n\r\nC=sqlite:///m.db\r\n# end\r\n")
    assert read_env_file(path) == {"A": "b", "B": "c", "C": "sqlite:///m.db"}


@pytest.mark.parametrize(
    "line", ["hush", "=hush", "A='hush", 'A="hush', "A='hush'er", 'A="b"hush', "A-B=hush", "1=hush"]
)
def test_a_line_that_means_nothing_is_refused_by_its_number_and_not_shown(line):
    with pytest.raises(UsageError, match="line 2 of 'env'") as caught:
        parse_env_file(f"A=b\n{line}\n", "env")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfeA\0"])
def test_a_file_that_cannot_be_read_is_refused_by_its_name(tmp_path, content):
    path = tmp_path / "env"
    if content:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"env' of --env-file cannot be read: (No such file|it is not text)"):
        read_env_file(path)


@pytest.mark.parametrize("line", ["A=" + "x " * 20_000 + "'", "A='b'" + " " * 20_000 + "x", 'A="' + "\\\\" * 20_000])
def test_a_long_line_takes_no_long_time(line):
    began = time.process_time()
    with contextlib.suppress(UsageError):
        parse_env_file(line, "env")
    assert time.process_time() - began < 2
