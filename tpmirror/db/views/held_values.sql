-- Columns that hold an older value, because the newest could not be held: a value stays until a good one comes.
-- entity (text): job, input_video, output_video or ml_model
-- entity_id (integer): id of that entity
-- field (text): its column, or ml_models for a job's list of models; null: nothing of the job could be read
-- since (time): when the API first showed a value that could not be held (UTC)
WITH
  faulty AS (
    SELECT
      CASE
        WHEN q.field IS NULL THEN 'job'
        WHEN q.field LIKE 'ml_model %' THEN 'ml_model'
        ELSE substr(q.field, 1, instr(q.field, '.') - 1)
      END AS entity,
      substr(q.field, instr(q.field, '.') + 1) AS field,
      substr(q.field, 10, instr(q.field, '.') - 10) AS model_id,
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
        WHEN 'ml_model' THEN CAST(model_id AS integer)
        ELSE job_id
      END AS entity_id,
      field,
      first_seen_at
    FROM faulty
  )
SELECT entity, entity_id, field, MIN(first_seen_at) AS since
FROM named
GROUP BY entity, entity_id, field
