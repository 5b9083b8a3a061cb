"""What follows from a job's absence from the list, and from its return. Pure: nothing is asked and nothing written."""

from collections.abc import Mapping

from tpmirror.store.presence import FOUND, PresenceResult


def returned(away: Mapping[int, str], where: Mapping[int, str]) -> dict[int, PresenceResult]:
    """Jobs held as not listed (``away``, by job its presence) that an answer of a run showed (``where``, see Reading).

    Whatever run it was, and however it ended: a job that is shown is not gone.
    """
    found = {}
    for job_id, presence in away.items():
        if where[job_id] == "listed":
            found[job_id] = PresenceResult("listed")
        elif presence != "unlisted":
            found[job_id] = PresenceResult("unlisted", FOUND)
    return found
