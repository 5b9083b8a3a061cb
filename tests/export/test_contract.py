"""The data contract says of every exported column what the dictionary says, and of which type its values are."""

import json

from tests.support.account import KEY, mirror
from tests.support.program import Program
from tpmirror.db import dictionary
from tpmirror.export import datasets
from tpmirror.export.contract import document
from tpmirror.simulator.server import Simulator
from tpmirror.simulator.world import World


def test_it_has_every_relation_and_column_with_its_meaning():
    found = json.loads(document())
    assert (found["apiVersion"], found["kind"]) == ("v3.1.0", "DataContract")
    meanings = {(row["table_name"], row["column_name"]): row["description"] for row in dictionary.dictionary()}
    for relation, shown in zip(datasets.relations(), found["schema"], strict=True):
        assert shown["description"] == meanings[relation.name, ""]
        named = {one["name"]: one for one in shown["properties"]}
        assert set(named) == {column.name for column in relation.columns} | {relation.partitioned_by} - {None}
        for column in relation.columns:
            assert named[column.name]["description"] == meanings[relation.name, column.name]
    jobs = {one["name"]: one for one in next(one for one in found["schema"] if one["name"] == "jobs")["properties"]}
    assert jobs["id"].items() >= {"primaryKey": True, "primaryKeyPosition": 1, "required": True}.items()
    assert (jobs["cost_usd"]["logicalType"], jobs["cost_usd"]["physicalType"]) == ("number", "decimal128(10, 4)")
    assert jobs["started_month"]["partitioned"] is True
    assert jobs["extra"]["classification"] == "personal"
    assert '"classification"' not in document(public=True)


def test_the_command_writes_it_beside_an_export(lite_url, tmp_path, capsys):
    with Simulator(World(seed=5, jobs=3), token=KEY) as sim:
        mirror(sim, lite_url)
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": lite_url})
    program.call(capsys, "export", "out", "--contract", "contract.yaml")
    assert (tmp_path / "contract.yaml").read_text(encoding="utf-8") == document()


def test_a_contract_that_cannot_be_written_is_refused_in_one_line(lite_url, tmp_path):
    program = Program(tmp_path, {"TPMIRROR_DATABASE_URL": lite_url})
    complained = program.refuse("export", "out", "--contract", "none/c", code=2)
    assert "there is no folder 'none' for the contract" in complained
    assert not (tmp_path / "out").exists(), "nothing is done before"
    (tmp_path / "c.new").mkdir()
    assert "the export is done, but not the contract 'c'" in program.refuse("export", "out", "--contract", "c", code=1)
