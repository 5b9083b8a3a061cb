"""The JSON templates of an account's jobs, made when first served and cached until the job changes.

The store also holds the changes by tests: fields laid over a job, bytes in place of a job, corrected costs.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tpmirror.simulator import fixtures, serializer, videos
from tpmirror.simulator.models import Job


class PayloadStore:
    """The payloads of all jobs. A cached template takes about 3 kB."""

    def __init__(self, seed: int, owner: serializer.Owner, names: Sequence[str] = fixtures.NAMES) -> None:
        self.models: dict[int, dict[str, Any]] = {model["id"]: dict(model) for model in fixtures.MODELS}
        self._seed = seed
        self._owner = owner
        self._names = names
        self._chosen: dict[int, Mapping[str, Any]] = {}
        self._costs: dict[int, Decimal] = {}
        self._edits: dict[int, Mapping[str, Any]] = {}
        self._raw: dict[int, bytes] = {}
        self._templates: dict[int, bytes] = {}

    def encoded(self, job: Job, now: int) -> bytes:
        """The job as a template, cached unless the job is in flight: its progress changes with the clock."""
        known = self._raw.get(job.id) or self._templates.get(job.id)
        if known is not None:
            return known
        made = self._template(job, now)
        if not job.active:
            self._templates[job.id] = made
        return made

    def _template(self, job: Job, now: int) -> bytes:
        clip, choice = self._traits(job)
        document = serializer.payload(job, clip, choice, self._cost(job, clip, choice), self.models, self._owner, now)
        if job.id in self._edits:
            return serializer.odd_template(serializer.merge(document, self._edits[job.id]))
        return serializer.template(document)

    def _traits(self, job: Job) -> tuple[videos.Video, videos.JobOptions]:
        clip = videos.upload(self._seed, job.source.id, self._names)
        choice = videos.choose(self._seed, job.id, clip)
        chosen = self._chosen.get(job.id)
        return clip, videos.amend(choice, chosen) if chosen else choice

    def _cost(self, job: Job, clip: videos.Video, choice: videos.JobOptions) -> Decimal:
        corrected = self._costs.get(job.id)
        return videos.cost(clip, choice) if corrected is None else corrected

    def cost(self, job: Job) -> Decimal:
        """The cost of the job in Credits, corrections included, edits not."""
        return self._cost(job, *self._traits(job))

    def forget(self, job_id: int) -> None:
        """Drop the template of a changed job; the next request makes a new one."""
        self._templates.pop(job_id, None)

    def choose(self, job_id: int, fields: Mapping[str, Any]) -> None:
        """Set some options of a job in place of the drawn ones."""
        self._chosen[job_id] = fields

    def correct(self, job_id: int, cost: Decimal) -> None:
        """Correct the cost of a job."""
        self._costs[job_id] = cost
        self.forget(job_id)

    def edit(self, job_id: int, fields: Mapping[str, Any]) -> None:
        """Merge fields into the payload of the job from now on."""
        self._edits[job_id] = serializer.merge(self._edits.get(job_id, {}), fields)
        self.forget(job_id)

    def raw(self, job_id: int, body: bytes) -> None:
        """Serve these bytes for the job, from now on; no bytes: the job itself again."""
        self._raw[job_id] = body

    def edit_model(self, model_id: int, fields: Mapping[str, Any]) -> None:
        """Change a model of the catalogue, and so the payload of every job with it."""
        self.models[model_id] = serializer.merge(self.models[model_id], fields)
        self._templates.clear()
