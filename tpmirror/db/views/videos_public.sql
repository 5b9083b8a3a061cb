-- A video of either kind as in videos, without its owner: no personal data, for roles and tools that may not see any.
-- kind (text): input or output
-- video_id (integer): id, unique within its kind
-- job_id (integer): job that made it; null for inputs, which may serve many jobs
-- name (text): media name
-- width (integer): width in pixels
-- height (integer): height in pixels
-- megapixels (real): millions of pixels per frame
-- n_frames (integer): number of frames
-- framerate (real): frames per second
-- duration_s (real): length in seconds
-- size (integer): size in bytes
-- bitrate (integer): bits per second
-- codec_id (text): codec as MediaInfo names it
-- bit_depth (integer): bits per sample
-- chroma_subsampling (text): for example 4:2:0
-- color_space (text): for example YUV
-- quality_score (integer): rating of an output, 1 worst to 5 best
-- created_at (time): when it was created upstream
-- deleted_at (time): when an output was deleted upstream; null if it was not
-- file (text): URL without its presigned query string
-- first_seen_at (time): when the mirror first saw it
-- changed_at (time): when the mirror last saw it change
SELECT
  kind,
  video_id,
  job_id,
  name,
  width,
  height,
  megapixels,
  n_frames,
  framerate,
  duration_s,
  size,
  bitrate,
  codec_id,
  bit_depth,
  chroma_subsampling,
  color_space,
  quality_score,
  created_at,
  deleted_at,
  file,
  first_seen_at,
  changed_at
FROM videos
