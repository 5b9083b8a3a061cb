-- An output that still takes space upstream, largest first: not deleted, not taken from its job, its job not gone.
-- output_video_id (integer): output video
-- job_id (integer): job that made it
-- name (text): media name
-- size (integer): size in bytes
-- share (real): its part of all that is listed here, 0 to 1
-- cumulative_size (integer): bytes of this output and all larger ones
-- created_at (time): when it was created upstream
-- width (integer): width in pixels
-- height (integer): height in pixels
-- duration_s (real): length in seconds
-- codec (text): codec that the job asked for
-- preview (boolean): whether it is a free preview
-- quality_score (integer): rating by the user, 1 worst to 5 best
-- credits (money): what the job cost; a preview 0
-- description (text): the job's free text
-- file (text): URL without its presigned query string
SELECT
  v.id AS output_video_id,
  j.id AS job_id,
  v.name,
  v.size,
  CAST(v.size AS double precision) / NULLIF(SUM(v.size) OVER (), 0) AS share,
  CAST(SUM(v.size) OVER (ORDER BY v.size DESC, v.id ROWS UNBOUNDED PRECEDING) AS bigint) AS cumulative_size,
  v.created_at,
  v.width,
  v.height,
  CASE WHEN v.framerate > 0.001 THEN v.n_frames / v.framerate END AS duration_s,
  j.codec,
  COALESCE(j.preview, FALSE) AS preview,
  v.quality_score,
  CASE WHEN j.preview THEN 0.0000 ELSE j.cost_usd END AS credits,
  j.description,
  v.file
FROM output_videos AS v
JOIN jobs AS j ON j.output_video_id = v.id
-- A petabyte is no size of a video: a few such numbers would be more than a sum can hold.
WHERE v.deleted IS NULL AND v.size > 0 AND v.size < 1000000000000000 AND j.output_video_detached_at IS NULL AND j.presence <> 'gone'
ORDER BY v.size DESC, v.id
