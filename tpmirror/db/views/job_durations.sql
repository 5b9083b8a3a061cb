-- Seconds that a job was in a status, lower and upper bound; a status that the mirror never saw it in has no row.
-- job_id (integer): job
-- status (integer): status code; one that is over has no end and no row
-- status_name (text): status
-- visits (integer): how many times the job was seen in it
-- is_open (boolean): whether the job is still in it
-- lower_s (real): it was in it for at least so many seconds
-- upper_s (real): and at most for so many; null if that is open
WITH
  looks AS (
    -- The last run that saw every job in flight, under a right clock: by its number, a clock may have been wrong.
    SELECT julianday((
      SELECT started_at FROM sync_runs WHERE covered AND ABS(COALESCE(clock_ahead, 0)) <= 60 ORDER BY id DESC LIMIT 1
    )) AS seen_at
  ),
  visits AS (
    -- Upstream's own time bounds both ends of a change; else it lies between two looks of the mirror.
    SELECT
      h.job_id,
      h.to_status AS status,
      -- Where started is when processing began, nobody knows since when a job was in the queue.
      julianday(COALESCE(
        h.occurred_at,
        -- Equal bounds: the clock was set back, and nobody knows when the change was.
        CASE WHEN h.not_before < h.observed_at THEN h.not_before END,
        CASE WHEN n.occurred_at = j.started THEN NULL ELSE j.started END
      )) AS entered_first,
      julianday(COALESCE(h.occurred_at, h.observed_at)) AS entered_last,
      -- Of a job that was not seen in processing, the end is stated, not when it left the queue.
      julianday(
        CASE
          WHEN n.occurred_at IS NOT NULL AND NOT (h.to_status = 0 AND n.to_status <> 1) THEN n.occurred_at
          WHEN n.not_before < n.observed_at THEN n.not_before
        END
      ) AS left_first,
      julianday(COALESCE(n.occurred_at, n.observed_at)) AS left_last,
      n.seq IS NULL AS is_open,
      -- Of what lies in quarantine perhaps not even the status could be read.
      j.presence = 'listed' AND NOT EXISTS (
        SELECT 1 FROM quarantined_jobs AS q WHERE q.job_id = j.id AND q.resolved_at IS NULL
      ) AS is_read
    FROM job_status_history AS h
    JOIN jobs AS j ON j.id = h.job_id
    -- The change that ended it; a join, not a window, so that the rows of one job are found by their key.
    LEFT JOIN job_status_history AS n ON n.job_id = h.job_id AND n.seq = h.seq + 1
  ),
  bounds AS (
    SELECT
      v.job_id,
      s.code AS status,
      s.name AS status_name,
      v.is_open,
      MAX(0, 86400 * COALESCE(
        v.left_first - v.entered_last,
        CASE WHEN v.is_open AND v.is_read AND l.seen_at <= julianday('now') THEN l.seen_at - v.entered_last END,
        0
      )) AS lower_s,
      86400 * (v.left_last - v.entered_first) AS upper_s
    FROM visits AS v
    JOIN job_statuses AS s ON s.code = v.status
    CROSS JOIN looks AS l
    WHERE NOT (s.is_terminal AND v.is_open)
  )
SELECT
  job_id,
  status,
  status_name,
  COUNT(*) AS visits,
  MAX(is_open) AS is_open,
  ROUND(SUM(lower_s), 3) AS lower_s,
  -- One visit without an upper bound leaves the sum without one. Clocks may disagree: never below the lower bound.
  CASE WHEN COUNT(upper_s) = COUNT(*) THEN ROUND(SUM(MAX(lower_s, upper_s)), 3) END AS upper_s
FROM bounds
GROUP BY job_id, status, status_name
