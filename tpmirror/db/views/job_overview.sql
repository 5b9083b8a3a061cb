-- A job, everything joined and labelled: names instead of codes, both videos' main figures, cost and times.
-- job_id (integer): job
-- status (integer): status code, see job_statuses
-- status_name (text): status
-- is_terminal (boolean): whether the job is over
-- presence (text): listed, missing, unlisted or gone
-- preview (boolean): free preview: not charged; false if upstream does not say
-- description (text): free text
-- day (date): day (UTC) on which the job counts: when it finished, else when it started, else when it was first seen
-- month (text): month of that day, YYYY-MM
-- started (time): upstream's start time, probably the creation
-- finished (time): upstream's finish time
-- credits (money): what the job counts in every sum: its cost in Credits, 0 for a preview; null if upstream states none
-- cost_usd (money): the cost as upstream states it, in Credits despite its name
-- credits_per_output_minute (real): credits by the minutes of the output video
-- models (text): names of the models in the API's order, separated by commas
-- tasks (text): names of the models' tasks, in the same order
-- codec (text): codec of the output
-- resolution (text): output resolution
-- input_video_id (integer): input video
-- input_name (text): its name
-- input_owner (text): e-mail address of its owner (personal data)
-- input_width (integer): its width in pixels
-- input_height (integer): its height in pixels
-- input_megapixels (real): its millions of pixels per frame
-- input_duration_s (real): its length in seconds
-- input_size (integer): its size in bytes
-- output_video_id (integer): output video
-- output_name (text): its name
-- output_width (integer): its width in pixels
-- output_height (integer): its height in pixels
-- output_megapixels (real): its millions of pixels per frame
-- output_duration_s (real): its length in seconds
-- output_size (integer): its size in bytes
-- output_deleted_at (time): when it was deleted upstream; null if it was not
-- quality_score (integer): rating by the user, 1 worst to 5 best
-- queue_s (real): seconds in the queue, the best estimate; null if the mirror did not see it; bounds in job_durations
-- processing_s (real): seconds in processing, likewise
-- turnaround_s (real): seconds from started to finished, as upstream states them
-- processing_progress (real): ratio from 0 to 1
-- eta_s (real): estimated seconds to the end
-- first_seen_at (time): when the mirror first saw the job
-- changed_at (time): when the mirror last saw it change
SELECT
  j.id AS job_id,
  j.status,
  s.name AS status_name,
  s.is_terminal,
  j.presence,
  COALESCE(j.preview, FALSE) AS preview,
  j.description,
  date(COALESCE(j.finished, j.started, j.first_seen_at)) AS day,
  substr(COALESCE(j.finished, j.started, j.first_seen_at), 1, 7) AS month,
  j.started,
  j.finished,
  CASE WHEN j.preview THEN 0.0000 ELSE j.cost_usd END AS credits,
  j.cost_usd,
  CASE
    WHEN NOT COALESCE(j.preview, FALSE) AND o.n_frames > 0 AND o.framerate > 0.001
      THEN j.cost_usd * 60 * o.framerate / o.n_frames
  END AS credits_per_output_minute,
  (
    SELECT group_concat(named.name, ', ')
    FROM (
      SELECT m.name
      FROM job_ml_models AS l JOIN ml_models AS m ON m.id = l.ml_model_id
      WHERE l.job_id = j.id
      ORDER BY l.position
    ) AS named
  ) AS models,
  (
    SELECT group_concat(named.name, ', ')
    FROM (
      SELECT t.name
      FROM job_ml_models AS l JOIN ml_models AS m ON m.id = l.ml_model_id JOIN ml_tasks AS t ON t.code = m.task
      WHERE l.job_id = j.id
      ORDER BY l.position
    ) AS named
  ) AS tasks,
  j.codec,
  r.name AS resolution,
  j.input_video_id,
  i.name AS input_name,
  i.owner AS input_owner,
  i.width AS input_width,
  i.height AS input_height,
  i.width * i.height / 1000000.0 AS input_megapixels,
  CASE WHEN i.framerate > 0.001 THEN i.n_frames / i.framerate END AS input_duration_s,
  i.size AS input_size,
  j.output_video_id,
  o.name AS output_name,
  o.width AS output_width,
  o.height AS output_height,
  o.width * o.height / 1000000.0 AS output_megapixels,
  CASE WHEN o.framerate > 0.001 THEN o.n_frames / o.framerate END AS output_duration_s,
  o.size AS output_size,
  o.deleted AS output_deleted_at,
  o.quality_score,
  -- Processing began between two looks of the mirror: half-way, unless upstream states it. Never below 0: clocks differ.
  ROUND(MAX(0, 86400 * (
    COALESCE(julianday(h.occurred_at), (julianday(h.not_before) + julianday(h.observed_at)) / 2) - julianday(
      -- Where upstream states the start of processing as started, what it stated while the job was in the queue counts.
      CASE
        WHEN h.occurred_at = j.started
          THEN (SELECT q.occurred_at FROM job_status_history AS q WHERE q.job_id = j.id AND q.seq = 1)
        ELSE j.started
      END
    )
  )), 3) AS queue_s,
  ROUND(MAX(0, 86400 * (
    julianday(j.finished) - COALESCE(julianday(h.occurred_at), (julianday(h.not_before) + julianday(h.observed_at)) / 2)
  )), 3) AS processing_s,
  ROUND(86400 * (julianday(j.finished) - julianday(j.started)), 3) AS turnaround_s,
  j.processing_progress,
  j.eta_s,
  j.first_seen_at,
  j.changed_at
FROM jobs AS j
JOIN job_statuses AS s ON s.code = j.status
LEFT JOIN output_resolutions AS r ON r.code = j.output_resolution
LEFT JOIN input_videos AS i ON i.id = j.input_video_id
LEFT JOIN output_videos AS o ON o.id = j.output_video_id
-- A job that was seen in the queue is seen in processing next, unless something odd lies between: then no estimate.
LEFT JOIN job_status_history AS h ON h.job_id = j.id AND h.seq = 2 AND h.from_status = 0 AND h.to_status = 1
