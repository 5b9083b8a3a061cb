"""The tables that more than one command prints."""

from typing import Any

from tpmirror import render
from tpmirror.columns import Row


def show_statuses(rows: list[Row]) -> None:
    """Jobs and Credits by status."""
    render.show_table("Jobs by status", rows, {"name": "status", "jobs": "jobs", "credits": "Credits"})


def show_months(rows: list[Row]) -> None:
    """Credits by month."""
    render.show_table("Credits by month", rows, {"month": "month", "jobs": "jobs", "credits": "Credits"})


def show_runs(rows: list[Row]) -> None:
    """Runs of the syncer, newest first."""
    columns = {
        "id": "run",
        "kind": "kind",
        "outcome": "outcome",
        "certified": "certified",
        "started_at": "started",
        "jobs_inserted": "new",
        "jobs_updated": "changed",
        "transitions": "moved",
    }
    render.show_table("Last runs (times in UTC)", rows, columns, empty="none yet; run tpmirror sync")


def show_history(job_id: int, found: dict[str, list[dict[str, Any]]]) -> None:
    """Every transition and change of a job."""
    columns = {"to_name": "status", "not_before": "not before", "observed_at": "observed", "occurred_at": "stated"}
    render.show_table(f"Status of job {job_id} (times in UTC)", found["status_changes"], columns)
    changes = [{**row, "what": _what(row)} for row in found["field_changes"]]
    columns = {"observed_at": "observed", "what": "field", "old_value": "before", "new_value": "after"}
    render.show_table(f"Other changes of job {job_id} and its videos (times in UTC)", changes, columns)


def _what(row: Row) -> str:
    return row["field"] if row["entity"] == "job" else f"{row['entity']}.{row['field']}"
