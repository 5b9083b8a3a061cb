"""What BI tools are given says what the code says: the data dictionary, dbt's source."""

import re

import yaml

from tests.support.account import connected
from tests.support.dictionary import page
from tests.support.program import ROOT
from tpmirror.db import schema
from tpmirror.export.datasets import relations

SOURCE = yaml.safe_load((ROOT / "deploy" / "dbt" / "models" / "tpmirror.yml").read_text(encoding="utf-8"))


def test_the_data_dictionary_is_as_declared():
    assert (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8") == page(), "run make docs"


def test_dbt_names_every_table_and_only_columns_that_exist():
    there = {relation.name: {column.name for column in relation.columns} for relation in relations()}
    tables = SOURCE["sources"][0]["tables"]
    named = {table["name"]: {column["name"] for column in table.get("columns", ())} for table in tables}
    promised = {table.name for table in schema.metadata.sorted_tables} - {table.name for table in schema.WORKING}
    assert promised - {"data_dictionary"} <= named.keys() <= there.keys()
    assert {(name, column) for name, columns in named.items() for column in columns - there[name]} == set()


def test_working_tables_are_those_that_the_list_warns_of():
    text = (ROOT / "docs" / "tables.md").read_text("utf-8")
    (named,) = re.findall(r"^Working tables, not to be relied on: (.+)\.$", text, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", named)) == {table.name for table in schema.WORKING}


def test_dbts_own_statements_find_nothing_wrong(migrated_postgres):
    """On an empty mirror; that they run at all is what can break."""
    with connected(migrated_postgres.url("migrated")) as conn:
        for path in sorted((ROOT / "deploy" / "dbt" / "tests").glob("*.sql")):
            sql = re.sub(r"\{\{ source\('tpmirror', '(\w+)'\) \}\}", r"\1", path.read_text(encoding="utf-8"))
            assert conn.exec_driver_sql(sql).all() == []
