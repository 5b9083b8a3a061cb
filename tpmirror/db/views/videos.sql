-- A video of either kind; an id may stand twice, once as an input and once as an output.
-- kind (text): input or output
-- video_id (integer): id, unique within its kind
-- job_id (integer): job that made it; null for inputs, which may serve many jobs
-- name (text): media name
-- owner (text): inputs: e-mail address (personal data), outputs: user id
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
  'input' AS kind,
  id AS video_id,
  CAST(NULL AS bigint) AS job_id,
  name,
  owner,
  width,
  height,
  CAST(width AS double precision) * height / 1000000 AS megapixels,
  n_frames,
  framerate,
  CASE WHEN framerate > 0.001 THEN n_frames / framerate END AS duration_s,
  size,
  bitrate,
  codec_id,
  bit_depth,
  chroma_subsampling,
  color_space,
  CAST(NULL AS integer) AS quality_score,
  created_at,
  CAST(NULL AS timestamptz) AS deleted_at,
  file,
  first_seen_at,
  changed_at
FROM input_videos
UNION ALL
SELECT
  'output',
  id,
  job_id,
  name,
  CAST(owner AS text),
  width,
  height,
  CAST(width AS double precision) * height / 1000000,
  n_frames,
  framerate,
  CASE WHEN framerate > 0.001 THEN n_frames / framerate END,
  size,
  bitrate,
  codec_id,
  bit_depth,
  chroma_subsampling,
  color_space,
  quality_score,
  created_at,
  deleted,
  file,
  first_seen_at,
  changed_at
FROM output_videos
