-- A year of a mirror: a run every half a minute, a job every per_job runs, each over after 32 of them.
-- Times count back from now, so that a young mirror (fewer runs, fewer samples) has the same jobs.

INSERT INTO ml_models (id, name, task, cost_weight, first_seen_at, changed_at)
WITH RECURSIVE model(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM model WHERE id < 20)
SELECT id, 'Model ' || id, 1 + id % 5, 0.5 + id % 4, to_timestamp(:now - 40000000), to_timestamp(:now - 40000000)
FROM model;

INSERT INTO sync_runs (
  kind, outcome, certified, certificate, started_at, finished_at, requests, pages, upstream_count, jobs_seen,
  jobs_inserted, jobs_updated, jobs_unchanged, transitions, error, covered
)
WITH RECURSIVE
  run(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM run WHERE id < :runs),
  placed AS (
    SELECT
      id,
      :now - (:runs - id) * :every AS at,
      CASE WHEN (:runs - id) % :per_job = 0 THEN 1 ELSE 0 END AS inserted,
      CASE WHEN (:runs - id + 1) % :per_job = 0 THEN 1 ELSE 0 END
        + CASE WHEN (:runs - id + 32) % :per_job = 0 THEN 1 ELSE 0 END AS updated
    FROM run
  )
SELECT
  CASE WHEN id % 30 = 0 THEN 'full' ELSE 'poll' END,
  CASE WHEN id % 1000 = 7 THEN 'failed' ELSE 'succeeded' END,
  id % 30 = 0,
  CASE
    WHEN id % 30 = 0
    THEN '{"count": 100000, "counted_at": "2026-11-30T12:00:00.000000Z", '
      || '"counted_by": "/api/jobs/?limit=1&offset=0", "method": "pass", "pages": 1000, "passes": 1, "ids_proven": true, "unreadable": 0, "incomplete": 0, '
      || '"accepted": 0}'
  END,
  to_timestamp(at),
  to_timestamp(at + 3),
  CASE WHEN id % 30 = 0 THEN 1001 ELSE 4 END,
  CASE WHEN id % 30 = 0 THEN 1000 ELSE 1 END,
  100000,
  CASE WHEN id % 30 = 0 THEN 100000 ELSE 103 END,
  CASE WHEN id % 1000 = 7 THEN 0 ELSE inserted END,
  CASE WHEN id % 1000 = 7 THEN 0 ELSE updated END,
  CASE WHEN id % 30 = 0 THEN 100000 ELSE 103 END,
  CASE WHEN id % 1000 = 7 THEN 0 ELSE updated END,
  CASE WHEN id % 1000 = 7 THEN 'GET /api/jobs/: no answer within 30 s' END,
  id % 1000 <> 7
FROM placed
ORDER BY id;

INSERT INTO input_videos (
  id, name, width, height, created_at, n_frames, framerate, size, owner, bitrate, codec_id, file, first_seen_at,
  changed_at
)
WITH RECURSIVE
  job(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM job WHERE id < :jobs),
  placed AS (SELECT id, to_timestamp(:now - (:jobs - id) * :per_job * :every) AS at FROM job)
SELECT
  id, 'holiday ' || id || '.mp4', 1280, 720, at, 900 + id % 9000, 25.0, 1000000 + id % 977 * 100000,
  'somebody@example.org', 4000000, 'avc1', 'https://media.example.org/in/' || id || '.mp4', at, at
FROM placed;

INSERT INTO output_videos (
  id, job_id, name, width, height, created_at, n_frames, framerate, size, owner, bitrate, codec_id, file, deleted,
  first_seen_at, changed_at
)
WITH RECURSIVE
  job(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM job WHERE id < :jobs),
  placed AS (SELECT id, to_timestamp(:now - (:jobs - id) * :per_job * :every) AS at FROM job)
SELECT
  id, id, 'holiday ' || id || '_enhanced.mp4', 2560, 1440, at, 900 + id % 9000, 25.0, 4000000 + id % 977 * 400000,
  7, 16000000, 'hvc1', 'https://media.example.org/out/' || id || '.mp4', CASE WHEN id % 10 <> 0 THEN at END, at, at
FROM placed;

INSERT INTO jobs (
  id, status, preview, description, cost_usd, started, finished, input_video_id, output_video_id, codec,
  output_resolution, first_seen_at, changed_at, presence, fingerprint
)
WITH RECURSIVE
  job(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM job WHERE id < :jobs),
  placed AS (
    SELECT
      id,
      :now - (:jobs - id) * :per_job * :every AS at,
      CASE
        WHEN (:jobs - id) * :per_job = 0 THEN 0
        WHEN (:jobs - id) * :per_job < 32 THEN 1
        WHEN id % 20 = 0 THEN -1
        WHEN id % 33 = 0 THEN -2
        ELSE 2
      END AS status
    FROM job
  )
SELECT
  id, status, id % 9 = 0, 'holiday, part ' || id, 0.5 + id % 400 / 100.0, to_timestamp(at),
  CASE WHEN status NOT IN (0, 1) THEN to_timestamp(at + 32 * :every) END, id, id, 'libx265', 1 + id % 4,
  to_timestamp(at), to_timestamp(at), 'listed', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' || id
FROM placed;

INSERT INTO job_ml_models (job_id, position, ml_model_id, cost_weight)
WITH RECURSIVE job(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM job WHERE id < :jobs)
SELECT id, 0, 1 + id % 10, 1.0 FROM job
UNION ALL
SELECT id, 1, 11 + id % 10, 0.5 FROM job WHERE id % 2 = 0;

INSERT INTO job_status_history (
  job_id, seq, from_status, to_status, not_before, observed_at, occurred_at, sync_run_id, row_hash, entry
)
WITH RECURSIVE
  job(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM job WHERE id < :jobs),
  step(seq, later) AS (SELECT 1, 0 UNION ALL SELECT 2, 1 UNION ALL SELECT 3, 32),
  placed AS (
    SELECT
      id,
      seq,
      :now - ((:jobs - id) * :per_job - later) * :every AS at,
      :runs - (:jobs - id) * :per_job + later AS run
    FROM job CROSS JOIN step
    WHERE later <= (:jobs - id) * :per_job
  )
SELECT
  id,
  seq,
  CASE seq WHEN 2 THEN 0 WHEN 3 THEN 1 END,
  CASE WHEN seq < 3 THEN seq - 1 WHEN id % 20 = 0 THEN -1 WHEN id % 33 = 0 THEN -2 ELSE 2 END,
  CASE WHEN seq > 1 THEN to_timestamp(at - :every) END,
  to_timestamp(at),
  CASE WHEN seq <> 2 THEN to_timestamp(at) END,
  CASE WHEN run < 1 THEN 1 ELSE run END,
  'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb' || (1000000 + id),
  3 * id + seq
FROM placed
ORDER BY id, seq;

INSERT INTO field_changes (entity, entity_id, field, old_value, new_value, observed_at, sync_run_id)
WITH RECURSIVE
  job(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM job WHERE id < :jobs),
  placed AS (
    SELECT
      id,
      :now - ((:jobs - id) * :per_job - 32) * :every AS at,
      :runs - (:jobs - id) * :per_job + 32 AS run
    FROM job
    WHERE (:jobs - id) * :per_job > 32 AND id % 20 = 3
  )
SELECT
  'job', id, CASE WHEN id % 100 = 3 THEN 'cost_usd' ELSE 'description' END,
  CASE WHEN id % 100 = 3 THEN '0.2500' ELSE 'before' END,
  CASE WHEN id % 100 = 3 THEN '0.5000' ELSE 'after' END,
  to_timestamp(at), CASE WHEN run < 1 THEN 1 ELSE run END
FROM placed
ORDER BY id;

INSERT INTO quarantined_jobs (
  job_id, field, fault, reason, payload, first_seen_at, last_seen_at, sync_run_id, resolved_at
)
WITH RECURSIVE
  job(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM job WHERE id < :jobs),
  placed AS (
    SELECT
      id,
      to_timestamp(:now - (:jobs - id) * :per_job * :every) AS at,
      :runs - (:jobs - id) * :per_job AS run
    FROM job
    WHERE id % 500 = 1
  )
SELECT
  id, 'job.grain', 'out of range', 'grain is 1e400, no double', '{"id": 1}', at, at,
  CASE WHEN run < 1 THEN 1 ELSE run END,
  CASE WHEN id < :jobs - 2500 THEN at END
FROM placed;

INSERT INTO job_progress_samples (job_id, observed_at, processing_progress, eta_s)
WITH RECURSIVE
  job(id) AS (SELECT 1 + :jobs - :samples / 30 UNION ALL SELECT id + 1 FROM job WHERE id < :jobs),
  look(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM look WHERE number < 30)
SELECT
  id,
  to_timestamp(:now - ((:jobs - id) * :per_job - number - 1) * :every),
  number / 31.0,
  (31 - number) * :every * (0.7 + id % 7 / 10.0)
FROM job CROSS JOIN look
WHERE number < (:jobs - id) * :per_job
ORDER BY id, number;

INSERT INTO eta_errors (job_id, progress_from, samples, error_s, abs_error_s, relative_error)
WITH RECURSIVE
  job(id) AS (SELECT 1 + :jobs - :samples / 30 UNION ALL SELECT id + 1 FROM job WHERE id < :jobs),
  look(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM look WHERE number < 30),
  error AS (
    SELECT id, number * 10 / 31 AS tenth, 31.0 - number AS looks_left, (31 - number) * (0.7 + id % 7 / 10.0) AS predicted
    FROM job CROSS JOIN look
    WHERE (:jobs - id) * :per_job >= 32 AND id % 20 <> 0 AND id % 33 <> 0
  )
SELECT
  id, 10 * tenth, COUNT(*), :every * SUM(predicted - looks_left), :every * SUM(ABS(predicted - looks_left)),
  SUM(ABS(predicted - looks_left) / looks_left)
FROM error
GROUP BY id, tenth
ORDER BY id, tenth;
