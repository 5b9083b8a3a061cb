"""Payloads by hand, as small as a test needs them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tpmirror.store.changes import Observation
from tpmirror.tensorpix.decode import Listing, ParsedJob, ParseFailure, RawJob, decode_job, decode_listing
from tpmirror.tensorpix.page import Page

NOON: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
STORAGE: Final = "https://storage.example.com/media"
SECRET: Final = "?X-Amz-Credential=key&X-Amz-Signature=0123abcd"


def later(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def model(model_id: int = 44, **fields: Any) -> dict[str, Any]:
    """One of a job's models."""
    return {"id": model_id, "name": f"model {model_id}", "task": 1, "cost_weight": 2.0, **fields}


def source(video_id: int = 7, **fields: Any) -> dict[str, Any]:
    """An input video."""
    urls = {"thumbnail": f"{STORAGE}/{video_id}.jpg{SECRET}", "file": f"{STORAGE}/{video_id}.mp4{SECRET}"}
    return {"id": video_id, "name": "clip.mp4", "width": 640, "owner": "me@example.com", **urls, **fields}


def output(video_id: int = 9, **fields: Any) -> dict[str, Any]:
    """An output video."""
    return {"id": video_id, "job_id": 1, "name": "clip_enhanced.mp4", "owner": 4711, "deleted": None, **fields}


def job(job_id: int = 1, **fields: Any) -> dict[str, Any]:
    """A job in the queue."""
    made = {"id": job_id, "status": 0, "started": "2026-11-01T09:00:00Z", "finished": None, "cost_usd": "1.5000"}
    nested = {"input_video": source(), "output_video": None, "ml_models": [model()]}
    return {**made, "eta_s": 60.0, "processing_progress": 0.0, **nested, **fields}


def encoded(payload: Any) -> bytes:
    """As the API sends it."""
    return json.dumps(payload).encode()


def item(payload: dict[str, Any] | None = None, **fields: Any) -> ParsedJob:
    """A decoded job."""
    found = decode_job(encoded(job(**fields) if payload is None else payload))
    assert isinstance(found, ParsedJob), found
    return found


def look(minutes: float = 0, **fields: Any) -> Observation:
    """A job seen so many minutes after noon."""
    return Observation(item(**fields), later(minutes), sent=1, received=2)


def envelope(results: list[Any], **fields: Any) -> bytes:
    """A page of the list."""
    return encoded({"count": len(results), "next": None, "previous": None, "results": results, **fields})


def listing(ids: range | list[int], **fields: Any) -> Listing:
    """A decoded page with these jobs."""
    return decode_listing(envelope([{"id": number, "status": 2} for number in ids], **fields))


def contents(listing: Listing) -> tuple[list[ParsedJob], list[ParseFailure]]:
    """What is in the items of a page: those that can be read, and the others."""
    found = [item.decode() if isinstance(item, RawJob) else item for item in listing.items]
    return [item for item in found if isinstance(item, ParsedJob)], [
        item for item in found if isinstance(item, ParseFailure)
    ]


def page(ids: range | list[int], limit: int, offset: int, **fields: Any) -> Page:
    """A page as it arrived."""
    return Page(listing(ids, **fields), limit, offset, sent=1, received=2, at=NOON)
