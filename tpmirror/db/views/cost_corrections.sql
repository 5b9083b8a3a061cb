-- A change of what a job costs after it was first seen: of its cost, or of whether it is a free preview.
-- field_change_id (integer): number of the change in field_changes
-- job_id (integer): job
-- observed_at (time): when the mirror saw it
-- field (text): cost_usd or preview
-- old_cost (text): cost before, as it stands in field_changes; null if upstream stated none
-- new_cost (text): cost after
-- old_preview (boolean): whether the job was a free preview before
-- new_preview (boolean): whether it was one after
-- units (integer): by how much the charge moved, in ten-thousandths of a Credit
-- credits (money): the same in Credits
-- stated_units (integer): by how much the cost as stated moved, in ten-thousandths of a Credit
-- stated (money): the same in Credits
WITH
  changed AS (
    -- The change of the other of the two fields that comes next: its old value was in force here.
    SELECT
      f.*,
      (
        SELECT MIN(n.id)
        FROM field_changes AS n
        WHERE n.entity = 'job' AND n.entity_id = f.entity_id AND n.id > f.id AND n.field <> f.field
          AND n.field IN ('cost_usd', 'preview')
      ) AS next_id
    FROM field_changes AS f
    WHERE f.entity = 'job' AND f.field IN ('cost_usd', 'preview')
  ),
  moved AS (
    SELECT
      c.id,
      c.entity_id AS job_id,
      c.observed_at,
      c.field,
      CASE
        WHEN c.field = 'cost_usd' THEN c.old_value
        WHEN c.next_id IS NOT NULL THEN n.old_value
        ELSE CAST(j.cost_usd AS text)
      END AS old_cost,
      CASE
        WHEN c.field = 'cost_usd' THEN c.new_value
        WHEN c.next_id IS NOT NULL THEN n.old_value
        ELSE CAST(j.cost_usd AS text)
      END AS new_cost,
      CASE
        WHEN c.field = 'preview' THEN COALESCE(c.old_value, '') = 'true'
        WHEN c.next_id IS NOT NULL THEN COALESCE(n.old_value, '') = 'true'
        ELSE COALESCE(j.preview, FALSE)
      END AS old_preview,
      CASE
        WHEN c.field = 'preview' THEN COALESCE(c.new_value, '') = 'true'
        WHEN c.next_id IS NOT NULL THEN COALESCE(n.old_value, '') = 'true'
        ELSE COALESCE(j.preview, FALSE)
      END AS new_preview
    FROM changed AS c
    JOIN jobs AS j ON j.id = c.entity_id
    LEFT JOIN field_changes AS n ON n.id = c.next_id
  ),
  counted AS (
    SELECT
      m.*,
      CAST(ROUND(CAST(COALESCE(old_cost, '0') AS numeric) * 10000) AS bigint) AS old_units,
      CAST(ROUND(CAST(COALESCE(new_cost, '0') AS numeric) * 10000) AS bigint) AS new_units
    FROM moved AS m
  ),
  charged AS (
    SELECT
      c.*,
      CASE WHEN new_preview THEN 0 ELSE new_units END - CASE WHEN old_preview THEN 0 ELSE old_units END AS units
    FROM counted AS c
  )
SELECT
  id AS field_change_id,
  job_id,
  observed_at,
  field,
  old_cost,
  new_cost,
  old_preview,
  new_preview,
  units,
  ROUND(units / 10000.0, 4) AS credits,
  new_units - old_units AS stated_units,
  ROUND((new_units - old_units) / 10000.0, 4) AS stated
FROM charged
