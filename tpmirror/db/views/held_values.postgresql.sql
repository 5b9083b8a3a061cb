-- Columns that hold an older value, because the newest could not be held: a value stays until a good one comes.
-- What each column holds: held_values.sql.
WITH
  faulty AS (
    SELECT
      COALESCE(split_part(split_part(q.field, '.', 1), ' ', 1), 'job') AS entity,
      split_part(q.field, '.', 2) AS field,
      CASE WHEN q.field LIKE 'ml_model %' THEN split_part(substr(q.field, 10), '.', 1) END AS model_id,
      q.first_seen_at,
      j.id AS job_id,
      j.input_video_id,
      j.output_video_id
    FROM quarantined_jobs AS q
    JOIN jobs AS j ON j.id = q.job_id
    WHERE q.resolved_at IS NULL
  ),
  named AS (
    SELECT
      entity,
      CASE entity
        WHEN 'input_video' THEN input_video_id
        WHEN 'output_video' THEN output_video_id
        WHEN 'ml_model' THEN CAST(model_id AS bigint)
        ELSE job_id
      END AS entity_id,
      field,
      first_seen_at
    FROM faulty
  )
SELECT entity, entity_id, field, MIN(first_seen_at) AS since
FROM named
GROUP BY entity, entity_id, field
