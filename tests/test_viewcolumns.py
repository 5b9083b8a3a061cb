"""Every view says what its columns are, and both databases agree with what it says."""

import pytest
from sqlalchemy import inspect, text

from tests.support.account import connected
from tpmirror import describe
from tpmirror.columns import Exact
from tpmirror.viewcolumns import TYPES, view_table

WRITTEN = {"timestamptz": "timestamp with time zone"}
"""PostgreSQL's own words for the words of the .sql files."""
VIEWS = sorted(describe.views(""))


def declared(name):
    return describe.view_tables()[name].columns


def words(column):
    if isinstance(column.type, Exact):
        return "numeric"
    (word,) = [word for word, type_ in TYPES.items() if type_ is column.type]
    return WRITTEN.get(word, word)


@pytest.mark.parametrize("name", VIEWS)
def test_declared_columns_are_the_views_columns_in_order(name, mirror_url):
    with connected(mirror_url) as conn:
        there = [column["name"] for column in inspect(conn).get_columns(name)]
    assert [column.name for column in declared(name)] == there


@pytest.mark.parametrize("name", VIEWS)
def test_declared_types_are_those_of_postgres(name, migrated_postgres):
    wanted = (
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute "
        "WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 ORDER BY attnum"
    )
    with connected(migrated_postgres.url("migrated")) as conn:
        there = [tuple(row) for row in conn.execute(text(wanted), {"name": name})]
    assert [(column.name, words(column)) for column in declared(name)] == there


@pytest.mark.parametrize("name", VIEWS)
def test_the_dictionary_explains_every_column_of_a_view(name, mirror_url):
    wanted = "SELECT column_name, description FROM data_dictionary WHERE table_name = :name AND column_name <> ''"
    with connected(mirror_url) as conn:
        explained = {row.column_name: row.description for row in conn.execute(text(wanted), {"name": name})}
    assert explained == {column.name: column.comment for column in declared(name)}
    assert all(explained.values())


def test_a_type_that_is_none_is_an_error():
    with pytest.raises(KeyError):
        view_table("v", "-- A view.\n-- day datum: the day\nSELECT 1 AS day")


def test_only_the_head_of_the_file_declares():
    sql = "-- A view.\n-- prose without a type\n-- day date: the day\nSELECT 1 AS day\n-- other text: not one"
    assert [column.name for column in view_table("v", sql).columns] == ["day"]
