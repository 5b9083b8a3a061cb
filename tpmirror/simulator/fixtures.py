"""The data of the invented account: models, names, codecs, resolutions.

Of the models, the ids 34, 40 and 43 to 48 are seen in public code and documentation, as are the names and weights of
44, 45 and 46. Everything else, the names of 34, 40 and 43 too, is invented so that each of the 15 tasks has a model.
"""

from typing import Any, Final

SUPER_RESOLUTION: Final = 1
SHARPEN: Final = 4
FPS_INTERPOLATION: Final = 10
SLOW_MOTION: Final = 11
STABILIZATION: Final = 13

HD: Final = 1280 * 720
FULL_HD: Final = 1920 * 1080
UHD: Final = 3840 * 2160


def _model(
    model_id: int, name: str, task: int, weight: float, priority: int, limit: int, upscale: int = 1, boost: int = 1
) -> dict[str, Any]:
    return {
        "id": model_id,
        "name": name,
        "task": task,
        "cost_weight": weight,
        "upscale_factor": upscale,
        "fps_boost_factor": boost,
        "priority": priority,
        "max_resolution": limit,
    }


MODELS: Final = (
    _model(12, "Deinterlace 2", 9, 0.25, 10, FULL_HD),
    _model(15, "Audio Denoise", 14, 0.1, 5, UHD),
    _model(18, "Film Damage Repair", 2, 1.0, 20, FULL_HD),
    _model(21, "Dropouts Buster", 6, 0.75, 22, HD),
    _model(23, "VHS Prettify", 5, 0.8, 24, HD),
    _model(27, "Auto Color Balance", 7, 0.2, 60, UHD),
    _model(31, "Decompressor", 8, 0.5, 26, FULL_HD),
    _model(34, "General Denoise 3", 3, 0.5, 30, FULL_HD),
    _model(36, "Face Enhance 2", 12, 1.25, 50, FULL_HD),
    _model(38, "Slow Motion", 11, 1.0, 80, FULL_HD),
    _model(40, "AI Stabilization", 13, 0.3, 15, UHD),
    _model(42, "FPS Boost", 10, 0.75, 80, FULL_HD, boost=2),
    _model(43, "AI Sharpen", 4, 0.4, 70, UHD),
    _model(44, "4x Upscale Ultra 4", 1, 2.0, 40, HD, upscale=4),
    _model(45, "2x Upscale 4", 1, 0.5, 40, FULL_HD, upscale=2),
    _model(46, "4x Upscale", 1, 1.5, 40, HD, upscale=4),
    _model(47, "2x Anime Upscale", 1, 0.5, 40, FULL_HD, upscale=2),
    _model(48, "4x Anime Upscale", 1, 1.5, 40, HD, upscale=4),
    _model(51, "Low Light Enhance", 15, 0.6, 28, FULL_HD),
)
"""All models as an answer shows them. ``cost_weight`` has no unit; ``max_resolution`` is in pixels."""

BY_ID: Final = {model["id"]: model for model in MODELS}

TASK_ODDS: Final = (30, 5, 14, 8, 6, 2, 5, 5, 6, 8, 3, 9, 6, 2, 3)
"""Odds that a job uses each of the tasks 1 to 15."""

USUAL_NAMES: Final = (
    "IMG_{n:04d}.MOV",
    "IMG_{n:04d}.mp4",
    "DJI_{n:04d}.MP4",
    "GX01{n:04d}.MP4",
    "MVI_{n:04d}.AVI",
    "VID_2019{n:04d}.mp4",
    "tape {n:03d} side A.avi",
    "wedding 1998, part {n}.mov",
    "interview-take-{n}.mkv",
    "Super8 reel {n}.mov",
    "clip_{n}_final_FINAL(2).mp4",
    "episode.s01e{n:02d}.webm",
    "Straße & Gärten {n}.mp4",
    "Cafe\u0301 \u2013 no\u0308el {n}.mp4",
    "Zażółć gęślą jaźń {n}.mp4",
    "свадьба {n}.avi",
    "家族旅行_{n}.mov",
    "가족 여행 {n}.mp4",
    "老电影 {n}.mkv",
    "زفاف العائلة {n}.mp4",
    "סרט משפחתי {n}.mov",
    "\U0001f3ac holiday \U0001f469\u200d\U0001f469\u200d\U0001f467 {n}.mp4",
)
"""File names of inputs as people have them; ``{n}`` varies."""

NAMES: Final = (
    *USUAL_NAMES,
    'O\'Brien "the best" {n}.mp4',
    '=cmd("{n}").mp4',
    "+1 -2 @me {n}.mov",
    "<b>{n}</b> & co; --.mp4",
    "100% {n}\\backup.mp4",
    "  padded {n} .mp4",
    "untitled",
)
"""``USUAL_NAMES``, and names that need quoting in CSV, HTML or a shell."""

DESCRIPTIONS: Final = (
    "restore for the anniversary",
    "2nd attempt, stronger denoise",
    "client: ACME; invoice 2026/17",
    "\u0645\u0633\u0648\u062f\u0629",
    "テスト",
    "line one\nline two",
    "=SUM(A1:A9)",
    "\U0001f44d",
)

FRAMERATES: Final = ((23.976, 14), (24.0, 8), (25.0, 26), (29.97, 22), (30.0, 18), (50.0, 5), (59.94, 4), (60.0, 3))
"""Frames per second, with odds."""

SIZES: Final = (
    ((320, 240), 4),
    ((544, 368), 5),
    ((640, 480), 10),
    ((720, 480), 8),
    ((720, 576), 16),
    ((854, 480), 6),
    ((1080, 1920), 5),
    ((1280, 720), 22),
    ((1440, 1080), 5),
    ((1920, 1080), 16),
    ((3840, 2160), 3),
)
"""Width and height of inputs in pixels, with odds."""

FORMATS: Final = (
    (("avc1", 8, "4:2:0", 1.0), 60),
    (("hvc1", 10, "4:2:0", 0.7), 10),
    (("hev1", 8, "4:2:0", 0.7), 3),
    (("mp4v-20", 8, "4:2:0", 1.4), 7),
    (("V_MPEG4/ISO/AVC", 8, "4:2:0", 1.0), 5),
    (("V_VP9", 8, "4:2:0", 0.6), 4),
    (("apch", 10, "4:2:2", 25.0), 5),
    (("dvc", 8, "4:1:1", 4.0), 6),
)
"""Codec, bits per channel, chroma subsampling and how many bits it needs compared with H.264, with odds."""

CODECS: Final = (("libx264", 70), ("libx265", 20), ("prores_ks", 10))
"""Codecs of outputs, with odds."""

OUTPUTS: Final = {
    "libx264": ("avc1", 8, "4:2:0", 1.0, "mp4"),
    "libx265": ("hvc1", 10, "4:2:0", 0.7, "mp4"),
    "prores_ks": ("apcn", 10, "4:2:2", 16.0, "mov"),
}
"""Outputs by ``codec`` of a job: codec of the file, bits per channel, chroma, bits compared with H.264, container."""

RESOLUTIONS: Final = ((-1, 40), (640, 3), (720, 3), (854, 3), (1280, 10), (1920, 26), (2048, 2), (2560, 4), (3840, 9))
"""``output_resolution``: width in pixels or -1 for no resize, with odds."""
