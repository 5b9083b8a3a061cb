"""The data contract of an export: an ODCS 3.1 document, made from what the code declares of tables, views and columns.

The Open Data Contract Standard (bitol.io) is what catalogs and checkers of data read. It is written as JSON, which is
YAML as well.
"""

import json
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import Column

from tpmirror import __version__
from tpmirror.export import datasets
from tpmirror.export.datasets import Dataset
from tpmirror.export.files import arrow_schema

VERSION: Final = "v3.1.0"
"""Of the standard."""
_LOGICAL: Final = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_decimal, "number"),
    (pa.types.is_floating, "number"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_date, "date"),
    (pa.types.is_string, "string"),
)


def document(*, public: bool = False) -> str:
    """The contract of an export; ``public``: of one without personal data."""
    about = {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": "tpmirror-public" if public else "tpmirror",
        "name": "A mirror of a TensorPix account",
        "version": __version__,
        "status": "active",
        "description": {
            "purpose": "Jobs, videos and models of a TensorPix account, what they cost, and how they came to be.",
            "limitations": "Times are UTC. Money is in Credits, exact decimals, unless a column says otherwise.",
        },
        "schema": [_relation(one) for one in datasets.relations(public=public)],
    }
    return json.dumps(about, indent=1, ensure_ascii=False) + "\n"


def _relation(relation: Dataset) -> dict[str, Any]:
    fields = arrow_schema(relation.columns)
    properties = [_property(column, field) for column, field in zip(relation.columns, fields, strict=True)]
    if relation.partitioned_by:
        properties.append(
            {
                "name": relation.partitioned_by,
                "logicalType": "string",
                "physicalType": "string",
                "description": "month (UTC) by which the files are partitioned; null where the time is",
                "partitioned": True,
                "partitionKeyPosition": 1,
            }
        )
    return {
        "name": relation.name,
        "physicalName": relation.name,
        "logicalType": "object",
        "physicalType": relation.kind,
        "description": relation.table.comment or "",
        "properties": properties,
    }


def _property(column: Column[Any], field: pa.Field) -> dict[str, Any]:
    """A column; a view has no key and no promise that a value is there."""
    about: dict[str, Any] = {
        "name": column.name,
        "logicalType": next(name for fits, name in _LOGICAL if fits(field.type)),
        "physicalType": str(field.type),
        "description": column.comment or "",
        "required": not column.nullable,
    }
    if column.primary_key:
        about |= {"primaryKey": True, "primaryKeyPosition": list(column.table.primary_key).index(column) + 1}
    if column.name in datasets.PERSONAL.get(column.table.name, ()):
        about["classification"] = "personal"
    return about
