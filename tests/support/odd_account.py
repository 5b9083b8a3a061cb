"""A small account that shows odd values: sound jobs, and oddities laid over them, for both endpoints or for one."""

import json
import re
from collections import Counter
from itertools import count
from typing import Any, Final

from tests.support.columns import INPUT, JOB, MODEL, OUTPUT, PREVIEWS
from tests.support.odd_values import NO_IDS, NO_ITEMS, NO_OBJECTS, ODD, Unheld, held, parsed
from tests.support.payloads import STORAGE
from tests.support.strategies import Raw, pairs, written
from tpmirror.simulator.http import Request, Response
from tpmirror.simulator.pagination import window

LIST: Final = "/api/jobs/"
DETAIL: Final = re.compile(r"/api/jobs/(\d+)/")
SIGN: Final = b"@signature@"
"""Stands where each answer has another signature."""
ENDPOINTS: Final = ("list", "detail")

FIELDS: Final[dict[str, dict[str, str]]] = {
    "job": JOB, "input_video": INPUT, "output_video": OUTPUT, "preview_videos": dict.fromkeys(PREVIEWS, "url"),
    "ml_models": MODEL,
}  # fmt: skip
"""Every field of every object, and the kind of its column."""
OBJECTS: Final = ("input_video", "output_video", "preview_videos", "ml_models")
"""Fields that are objects, or a list of them."""
UNKNOWN: Final = [
    '"x"', "3", "NaN", "1e999", "null", '{"a":[1,2.5,{"b":null}]}', "[" * 30 + "]" * 30, "[" * 60 + "]" * 60, "0.1",
    '{"a":1,"a":2}', '"\\u0000"',
]  # fmt: skip
"""Values of keys that nobody knows."""
BROKEN: Final = ['{"id":%d,"status":tru}', '{"id":%d,"status":2,"codec":"\\x"}']
TWICE: Final = ['{"id":%d,"status":2,"status":1}', '{"id":%d,"status":2,"x":{"a":1,"a":1}}']
"""Items that cannot be read."""


class OddAccount:
    """Jobs, their videos and their models; what is laid over them; and every answer, without its signatures.

    Of what several jobs share, oddities that can be held are the same in each of them: else every look is a change.
    """

    def __init__(self, jobs: int) -> None:
        self.jobs: dict[int, dict[str, Any]] = {}
        self.inputs = {number: _video(number, owner="me@example.com", external_url=None) for number in (7, 8, 9)}
        self.models = {number: _model(number) for number in (34, 44, 45)}
        self.odd: dict[tuple[Any, ...], str | None] = {}
        self.met: Counter[tuple[str, str, str]] = Counter()
        """By object, field and what is odd: how often that was shown."""
        self.answers: list[tuple[str, list[tuple[int, bytes]]]] = []
        self._numbers, self._signatures = count(1), count(1)
        for number in range(jobs):
            self.submit(number)

    # What users and the service do

    def submit(self, number: int) -> int:
        """A new job, in one of the usual states."""
        job_id = next(self._numbers)
        status = (2, 1, 0, 2, -1)[number % 5]
        self.jobs[job_id] = {
            **_JOB, "id": job_id, "status": status, "description": f"job {job_id}", "preview": number % 3 == 0,
            "finished": "2026-11-02T10:00:00Z" if status not in (0, 1) else None, "input_video": 7 + number % 3,
            "output_video": _output(job_id) if status == 2 else None, "ml_models": _MODELS[number % 4],
        }  # fmt: skip
        return job_id

    def move(self, job_id: int, number: int) -> None:
        """Something happens to a job, as it does in life."""
        job = self.jobs[job_id]
        match number % 6:
            case 0:
                job["status"] = {0: 1, 1: 2, 2: 1}.get(job["status"], 0)
                ended = job["status"] == 2
                job["finished"] = f"2026-11-03T{number % 24:02}:00:00Z" if ended else None
                job["output_video"] = _output(job_id) if ended else job["output_video"]
            case 1:
                job["cost_usd"] = f"{number % 7}.{number % 9000:04}"
            case 2:
                job["description"] = f"news {number}"
            case 3:
                job["input_video"] = (7, 8, 9, None)[number // 6 % 4]
            case 4:
                job["ml_models"] = _MODELS[number // 6 % 5]
            case _:
                job |= {"eta_s": float(number % 100), "processing_progress": number % 100 / 100}

    def rename(self, number: int) -> None:
        """The catalogue of models changes."""
        model = self.models[(34, 44, 45)[number % 3]]
        model["name"], model["cost_weight"] = f"model {number}", number % 9 / 2

    # What should not happen, and does

    def spoil(self, job_id: int, where: str, group: str, places: list[int], spin: int, scope: str) -> None:
        """Some fields of an object have values of one odd group; ``scope``: a look's endpoint, or both."""
        fields = list(FIELDS[where]) if self._has(job_id, where) else []
        for place in (places or range(len(fields))) if fields else ():
            name = fields[place % len(fields)]
            if name == "id":
                continue
            value = ODD[group][(spin + place) % len(ODD[group])]
            self._lay(job_id, where, name, value, scope, alone=spin % 2 == 0)
            self.met[where, name, group] += 1

    def spoil_id(self, job_id: int, where: str, spin: int, scope: str) -> None:
        """The id of an object is none, or is written otherwise; of a job that is none only in the list."""
        if where == "preview_videos" or not self._has(job_id, where):
            return
        job, usual = self.jobs[job_id], spin % 4 == 0
        number = {"input_video": job["input_video"], "ml_models": next(iter(job["ml_models"]), 0)}.get(where, job_id)
        value = (f'"{number}"', f"{number}.0")[spin % 8 // 4] if usual else NO_IDS[spin % len(NO_IDS)]
        self._lay(job_id, where, "id", value, "list" if where == "job" else scope, alone=not usual)
        self.met[where, "id", "otherwise" if usual else "no id"] += 1

    def spoil_object(self, job_id: int, where: str, spin: int, scope: str) -> None:
        """What should be an object is none, or null, or not there; of the models perhaps one entry."""
        value = [*NO_OBJECTS, "null", None][spin % (len(NO_OBJECTS) + 2)]
        if where == "ml_models" and spin % 3 == 0:
            self.odd["job", job_id, scope, "an entry"] = value or "null"
        elif where == "ml_models" and spin % 17 == 0:
            self.odd["job", job_id, scope, where] = "[" + ",".join(f'{{"id":{n}}}' for n in range(1, 1002)) + "]"
        elif where == "preview_videos":
            self.odd["output_video", job_id, scope, where] = value
        else:
            self.odd["job", job_id, scope, where] = value
        self.met[where, "", "null" if value == "null" else "no such key" if value is None else "no object"] += 1

    def spoil_item(self, job_id: int, spin: int, scope: str) -> None:
        """A whole item cannot be read."""
        whole = [*NO_ITEMS, *BROKEN, *TWICE, *TWICE, '{"id":%d,"id":%d}']
        value = whole[spin % len(whole)]
        # By id an answer of no job is no answer: what comes of that has tests of its own.
        scope = "list" if value in NO_ITEMS else scope
        self.odd["item", job_id, scope, ""] = value.replace("%d", str(job_id))
        self.met["item", "", "unreadable"] += 1

    def unknown_key(self, job_id: int, where: str, spin: int, scope: str) -> None:
        """An object has a key that nobody knows."""
        if self._has(job_id, where):
            self._lay(job_id, where, f"odd_{job_id}_{spin % 3}", UNKNOWN[spin % len(UNKNOWN)], scope, alone=True)
            self.met[where, "", "unknown key"] += 1

    def mend(self, number: int) -> None:
        """Some of that is over: everything, all of a job, or one thing."""
        keys = sorted(self.odd, key=repr)
        if not keys:
            return
        chosen = keys[number % len(keys)]
        gone = keys if number % 5 == 0 else [key for key in keys if key[1] == chosen[1]] if number % 5 < 3 else [chosen]
        for key in gone:
            del self.odd[key]

    def _has(self, job_id: int, where: str) -> bool:
        """Whether the sound job has such an object."""
        job = self.jobs[job_id]
        return where == "job" or bool(job["output_video" if where == "preview_videos" else where])

    def _lay(self, job_id: int, where: str, name: str, value: str | None, scope: str, *, alone: bool) -> None:
        """Lay a value over a field; over what is shared for all jobs, unless it cannot be held."""
        job = self.jobs[job_id]
        if where not in {"input_video", "ml_models"}:
            self.odd[where, job_id, scope, name] = value
            return
        key: tuple[Any, ...] = (where, job[where] if where == "input_video" else job[where][0])
        is_known = name in FIELDS[where] and name != "id"
        is_silent = value is None or (is_known and isinstance(held(parsed(value), FIELDS[where][name]), Unheld))
        if alone and (is_silent or not is_known or where == "ml_models"):
            key = (*key, job_id)
        elif not is_silent:
            scope = "both"
        self.odd[(*key, scope, name)] = value

    # What is served

    def item(self, job_id: int, endpoint: str) -> bytes:
        """A job as an endpoint shows it, unsigned."""
        if whole := self._odd("item", job_id, endpoint):
            return str(whole[""]).encode()
        sound = self.jobs[job_id]
        shown: dict[str, Any] = {**sound}
        if sound["input_video"] is not None:
            shown["input_video"] = self._shared("input_video", sound["input_video"], job_id, endpoint)
        if sound["output_video"] is not None:
            made = dict(sound["output_video"])
            made["preview_videos"] = self._laid(made["preview_videos"], "preview_videos", job_id, endpoint)
            shown["output_video"] = self._laid(made, "output_video", job_id, endpoint)
        shown["ml_models"] = [self._shared("ml_models", number, job_id, endpoint) for number in sound["ml_models"]]
        over = self._odd("job", job_id, endpoint)
        if (entry := over.pop("an entry", None)) is not None:
            shown["ml_models"].append(Raw(entry.encode()))
        return written(pairs(_over(shown, over)))

    def _shared(self, where: str, number: int, job_id: int, endpoint: str) -> dict[str, Any]:
        sound = (self.inputs if where == "input_video" else self.models)[number]
        return _over(sound, {**self._odd(where, number, endpoint), **self._odd(where, number, job_id, endpoint)})

    def _laid(self, sound: dict[str, Any], where: str, job_id: int, endpoint: str) -> dict[str, Any]:
        return _over(sound, self._odd(where, job_id, endpoint))

    def _odd(self, *place: Any) -> dict[str, str | None]:
        *object_, endpoint = place
        found: dict[str, str | None] = {}
        for scope in ("both", endpoint):
            key = (*object_, scope)
            found |= {name[-1]: value for name, value in self.odd.items() if name[:-1] == key}
        return found

    def respond(self, request: Request) -> Response | None:
        """The answer to a request, noted."""
        if detail := DETAIL.fullmatch(request.path):
            job_id = int(detail[1])
            if job_id not in self.jobs:
                return Response.detail(404, "Not found.")
            items, body = [(job_id, self.item(job_id, "detail"))], self.item(job_id, "detail")
        else:
            asked = window(request.query, 100, 100)
            ids = sorted(self.jobs, reverse=True)[asked.offset : asked.offset + asked.limit]
            items = [(job_id, self.item(job_id, "list")) for job_id in ids]
            links = {"next": asked.next(request.url, len(self.jobs)), "previous": asked.previous(request.url)}
            body = b'{"count":%d,%s,"results":[%s]}' % (
                len(self.jobs), json.dumps(links)[1:-1].encode(), b",".join(item for _, item in items),
            )  # fmt: skip
        is_sample = not detail and "1" in (request.query.get("limit"), request.query.get("offset"))
        if not is_sample:
            self.answers.append(("detail" if detail else "list", items))
        return Response(200, {"Content-Type": "application/json"}, body.replace(SIGN, b"%d" % next(self._signatures)))


def _over(sound: dict[str, Any], odd: dict[str, str | None]) -> dict[str, Any]:
    spoilt = {name: Raw(value.encode()) for name, value in odd.items() if value is not None}
    return {name: value for name, value in {**sound, **spoilt}.items() if name in spoilt or name not in odd}


def _video(number: int, **fields: Any) -> dict[str, Any]:
    urls = {name: f"{STORAGE}/{number}/{name}?X-Amz-Signature={SIGN.decode()}" for name in ("thumbnail", "file")}
    return {
        "id": number, "name": f"clip {number}", "width": 640, "height": 480, "created_at": "2026-11-01T08:00:00Z",
        "n_frames": 100, "framerate": 25.0, "size": 2**40, "bitrate": 5000, "codec_id": "avc1", "bit_depth": 8,
        "chroma_subsampling": "4:2:0", "color_space": "YUV", **urls, **fields,
    }  # fmt: skip


def _output(job_id: int) -> dict[str, Any]:
    previews = {name: f"{STORAGE}/{job_id}/{name}?sig={SIGN.decode()}" for name in PREVIEWS}
    own = {"job_id": job_id, "owner": 4711, "deleted": None, "quality_score": None, "preview_videos": previews}
    return _video(job_id, **own)


def _model(number: int) -> dict[str, Any]:
    return {
        "id": number, "name": f"model {number}", "task": 1, "cost_weight": 2.0, "upscale_factor": 2,
        "fps_boost_factor": None, "priority": 1, "max_resolution": 1080,
    }  # fmt: skip


_MODELS: Final = [[44], [44, 34], [], [45, 44], [34]]
_JOB: Final = {
    "started": "2026-11-01T09:00:00Z", "cost_usd": "1.5000", "eta_s": 60.0, "processing_progress": 0.5, "grain": 0.5,
    "codec": "libx264", "output_resolution": 1920, "comparison": False, "stabilization_smoothing": 10,
    "fps_interpolation_factor": 1.5, "playback_speed": 1.0, "sharpen_strength": 0.25, "start_frame": 0, "end_frame": 99,
}  # fmt: skip
