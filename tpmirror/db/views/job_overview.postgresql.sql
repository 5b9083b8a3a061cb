-- A job, everything joined and labelled: names instead of codes, both videos' main figures, cost and times.
-- What each column holds: job_overview.sql.
SELECT
  j.id AS job_id,
  j.status,
  s.name AS status_name,
  s.is_terminal,
  j.presence,
  COALESCE(j.preview, FALSE) AS preview,
  j.description,
  CAST(COALESCE(j.finished, j.started, j.first_seen_at) AT TIME ZONE 'UTC' AS date) AS day,
  to_char(COALESCE(j.finished, j.started, j.first_seen_at) AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
  j.started,
  j.finished,
  CASE WHEN j.preview THEN 0.0000 ELSE j.cost_usd END AS credits,
  j.cost_usd,
  CASE
    WHEN NOT COALESCE(j.preview, FALSE) AND o.n_frames > 0 AND o.framerate > 0.001
      THEN CAST(j.cost_usd AS double precision) * 60 * o.framerate / o.n_frames
  END AS credits_per_output_minute,
  (
    SELECT string_agg(m.name, ', ' ORDER BY l.position)
    FROM job_ml_models AS l JOIN ml_models AS m ON m.id = l.ml_model_id
    WHERE l.job_id = j.id
  ) AS models,
  (
    SELECT string_agg(t.name, ', ' ORDER BY l.position)
    FROM job_ml_models AS l JOIN ml_models AS m ON m.id = l.ml_model_id JOIN ml_tasks AS t ON t.code = m.task
    WHERE l.job_id = j.id
  ) AS tasks,
  j.codec,
  r.name AS resolution,
  j.input_video_id,
  i.name AS input_name,
  i.owner AS input_owner,
  i.width AS input_width,
  i.height AS input_height,
  CAST(i.width AS double precision) * i.height / 1000000 AS input_megapixels,
  CASE WHEN i.framerate > 0.001 THEN i.n_frames / i.framerate END AS input_duration_s,
  i.size AS input_size,
  j.output_video_id,
  o.name AS output_name,
  o.width AS output_width,
  o.height AS output_height,
  CAST(o.width AS double precision) * o.height / 1000000 AS output_megapixels,
  CASE WHEN o.framerate > 0.001 THEN o.n_frames / o.framerate END AS output_duration_s,
  o.size AS output_size,
  o.deleted AS output_deleted_at,
  o.quality_score,
  -- Processing began between two looks of the mirror: half-way, unless upstream states it. Never below 0: clocks differ.
  CASE
    -- Where upstream states the start of processing as started, what it stated while the job was in the queue counts.
    WHEN h.occurred_at = j.started THEN (
      SELECT CAST(ROUND(GREATEST(0, EXTRACT(EPOCH FROM h.occurred_at - q.occurred_at)), 3) AS double precision)
      FROM job_status_history AS q
      WHERE q.job_id = j.id AND q.seq = 1 AND q.occurred_at IS NOT NULL
    )
    WHEN h.seq = 2 AND j.started IS NOT NULL THEN CAST(ROUND(GREATEST(0, EXTRACT(EPOCH FROM
      COALESCE(h.occurred_at, h.not_before + (h.observed_at - h.not_before) / 2) - j.started
    )), 3) AS double precision)
  END AS queue_s,
  CASE
    WHEN h.seq = 2 AND j.finished IS NOT NULL THEN CAST(ROUND(GREATEST(0, EXTRACT(EPOCH FROM
      j.finished - COALESCE(h.occurred_at, h.not_before + (h.observed_at - h.not_before) / 2)
    )), 3) AS double precision)
  END AS processing_s,
  CAST(ROUND(EXTRACT(EPOCH FROM j.finished - j.started), 3) AS double precision) AS turnaround_s,
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
