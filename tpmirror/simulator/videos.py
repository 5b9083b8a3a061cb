"""The videos and options of a job: sizes, lengths, codecs, models, cost. All are drawn from the seed and the id.

Sizes are bytes, bitrates bit/s, framerates frames per second, costs Credits.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any, Final, TypeVar

from tpmirror.simulator import fixtures
from tpmirror.simulator.lifecycle import SOURCES, TRAITS, chance

T = TypeVar("T")

PRICE: Final = Decimal("0.0005")
"""Credits for a frame of a megapixel at weight 1. Invented: the true formula is not published."""

DEAREST: Final = Decimal("999999.9999")
PREVIEW_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Video:
    """A video file: what a probe such as ffprobe would report."""

    name: str
    width: int
    height: int
    n_frames: int
    framerate: float
    size: int
    bitrate: int | None
    codec: str | None
    bit_depth: int | None
    chroma: str | None
    colors: str | None
    age: int = 0
    """Seconds between upload and first use."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """The options with which the user submitted the job. Names and values are those of the API."""

    preview: bool
    description: str
    ml_models: tuple[int, ...]
    grain: float
    codec: str
    output_resolution: int
    comparison: bool
    stabilization_smoothing: int
    fps_interpolation_factor: float
    playback_speed: float
    sharpen_strength: float
    start_frame: int | None
    end_frame: int | None


def pick(rng: Random, odds: Sequence[tuple[T, int]]) -> T:
    """A random thing, weighted by its odds."""
    return rng.choices([thing for thing, _ in odds], [weight for _, weight in odds])[0]


def upload(seed: int, source_id: int, names: Sequence[str] = fixtures.NAMES) -> Video:
    """An input video. Most last a minute or two, few for hours; one in twelve has no bitrate, fewer no codec."""
    rng = chance(seed, SOURCES, source_id)
    width, height = pick(rng, fixtures.SIZES)
    framerate = pick(rng, fixtures.FRAMERATES)
    codec, depth, chroma, hunger = pick(rng, fixtures.FORMATS)
    seconds = min(max(rng.lognormvariate(math.log(90), 1.3), 2.0), 10_800.0)
    bitrate = int(width * height * framerate * hunger * (0.06 + 0.12 * rng.random()))
    known = rng.random()
    return Video(
        name=rng.choice(names).format(n=rng.randrange(1, 9999)),
        width=width,
        height=height,
        n_frames=max(int(seconds * framerate), 1),
        framerate=framerate,
        size=max(int(seconds * bitrate / 8), 100),
        bitrate=bitrate if known > 0.08 else None,
        codec=codec if known > 0.03 else None,
        bit_depth=depth if known > 0.03 else None,
        chroma=chroma if known > 0.05 else None,
        colors="YUV" if known > 0.05 else None,
        age=int(30 + 7200 * rng.random()),
    )


def choose(seed: int, job_id: int, clip: Video) -> JobOptions:
    """The options of a job: one to three models, of different tasks, and settings that suit them."""
    rng = chance(seed, TRAITS, job_id)
    models = _models(rng)
    tasks = {fixtures.BY_ID[model]["task"] for model in models}
    preview = rng.random() < 0.08
    cut = rng.random() < 0.12
    start = rng.randrange(clip.n_frames // 2 + 1) if cut else rng.choice((0, None))
    return JobOptions(
        preview=preview,
        description=rng.choice(fixtures.DESCRIPTIONS) if rng.random() < 0.15 else "",
        ml_models=models,
        grain=rng.choice((0.1, 0.25, 0.5, 1.0)) if rng.random() < 0.1 else 0.0,
        codec=pick(rng, fixtures.CODECS),
        output_resolution=pick(rng, fixtures.RESOLUTIONS),
        comparison=rng.random() < 0.04,
        stabilization_smoothing=rng.randrange(1, 41) if fixtures.STABILIZATION in tasks else 0,
        fps_interpolation_factor=rng.choice((1.5, 2.0, 2.5)) if fixtures.FPS_INTERPOLATION in tasks else 1.0,
        playback_speed=rng.choice((0.25, 0.5)) if fixtures.SLOW_MOTION in tasks else 1.0,
        sharpen_strength=rng.choice((0.5, 1.0, 2.0)) if fixtures.SHARPEN in tasks else 0.0,
        start_frame=start,
        end_frame=None if start is None else rng.randrange(start + 1, clip.n_frames + 1) if cut else clip.n_frames,
    )


def _models(rng: Random) -> tuple[int, ...]:
    tasks: set[int] = set()
    for _ in range(rng.choice((1, 1, 2, 2, 3))):
        tasks.add(pick(rng, tuple(enumerate(fixtures.TASK_ODDS, start=1))))
    chosen = [rng.choice([m["id"] for m in fixtures.MODELS if m["task"] == task]) for task in sorted(tasks)]
    return by_priority(chosen)


def by_priority(models: Sequence[int]) -> tuple[int, ...]:
    """Models in the order of their execution."""
    return tuple(sorted(models, key=lambda model: (fixtures.BY_ID[model]["priority"], model)))


def check(fields: Mapping[str, Any]) -> None:
    """Raise ValueError for an unknown option, model or codec."""
    if strange := sorted(set(fields) - set(JobOptions.__dataclass_fields__)):
        raise ValueError(f"a job has no choice called {', '.join(strange)}")
    if unknown := [model for model in fields.get("ml_models", ()) if model not in fixtures.BY_ID]:
        raise ValueError(f"no models with the ids {unknown}")
    if fields.get("codec", "libx264") not in fixtures.OUTPUTS:
        raise ValueError(f"no codec {fields['codec']!r}: choose one of {', '.join(fixtures.OUTPUTS)}")


def amend(choice: JobOptions, fields: Mapping[str, Any]) -> JobOptions:
    """The options with ``fields`` set by the caller."""
    models = fields.get("ml_models", choice.ml_models)
    return replace(choice, **{**fields, "ml_models": by_priority(models)})


def enhance(clip: Video, choice: JobOptions) -> Video:
    """The output video that a job makes of its input."""
    codec, depth, chroma, hunger, container = fixtures.OUTPUTS[choice.codec]
    width, height = _frame(clip, choice)
    framerate = min(clip.framerate * choice.fps_interpolation_factor, 1000.0)
    longer = 1.0 if choice.preview else choice.fps_interpolation_factor / choice.playback_speed
    frames = max(int(_frames(clip, choice) * longer), 1)
    bitrate = int(width * height * framerate * hunger * 0.1)
    return Video(
        name=f"{clip.name.rpartition('.')[0] or clip.name}_enhanced.{container}",
        width=width,
        height=height,
        n_frames=frames,
        framerate=framerate,
        size=min(max(int(frames / framerate * bitrate / 8), 100), 400_000_000_000),
        bitrate=bitrate if clip.bitrate else None,
        codec=codec,
        bit_depth=depth,
        chroma=chroma,
        colors="YUV",
    )


def cost(clip: Video, choice: JobOptions) -> Decimal:
    """What a job costs in Credits: frames of the output x its megapixels x weight of all models. Previews cost nothing.

    It is fixed when the job is submitted: later changes of the catalogue do not alter it.
    """
    if choice.preview:
        return Decimal("0.0000")
    made = enhance(clip, replace(choice, comparison=False))
    weight = sum((Decimal(str(fixtures.BY_ID[model]["cost_weight"])) for model in choice.ml_models), Decimal())
    megapixels = Decimal(made.width * made.height) / 1_000_000
    return min(made.n_frames * megapixels * weight * PRICE, DEAREST).quantize(Decimal("0.0001"))


def _frames(clip: Video, choice: JobOptions) -> int:
    """How many frames of the input are used."""
    if choice.preview:
        return min(clip.n_frames, max(250, min(600, round(PREVIEW_SECONDS * clip.framerate))))
    end = clip.n_frames if choice.end_frame is None else min(choice.end_frame, clip.n_frames)
    return max(end - (choice.start_frame or 0), 1)


def _frame(clip: Video, choice: JobOptions) -> tuple[int, int]:
    """Width and height of the output in pixels: even, and in the range that the API promises."""
    upscale: int = max((fixtures.BY_ID[model]["upscale_factor"] for model in choice.ml_models), default=1)
    width = min(clip.width * upscale, 3840) if choice.output_resolution == -1 else choice.output_resolution
    height = round(clip.height * width / clip.width)
    if choice.comparison:
        width *= 2
    return _even(width), _even(height)


def _even(pixels: int) -> int:
    return min(max(pixels // 2 * 2, 64), 8192)
