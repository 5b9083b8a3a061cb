-- A change of what a job costs after it was first seen: of its cost, or of whether it is a free preview.
-- field_change_id (integer): number of the change in field_changes
-- job_id (integer): job
-- reason (text): what changed: cost_usd, or preview (a preview is free whatever its cost)
-- observed_at (time): when the mirror saw it
-- old_cost (text): cost before, as it stands in field_changes; null if something else changed
-- new_cost (text): cost after
-- units (integer): by how much it moved what the job counts, in ten-thousandths of a Credit; 0 for a preview's cost
-- credits (money): the same in Credits
WITH
  changes AS (
    -- Both what a cost became and whether it counted may change; a change weighs with the other one as it then was.
    SELECT
      c.id,
      c.entity_id AS job_id,
      c.field,
      c.observed_at,
      c.old_value,
      c.new_value,
      CASE WHEN c.field = 'cost_usd' THEN CAST(ROUND(CAST(c.old_value AS numeric) * 10000) AS bigint) END AS old_units,
      CASE WHEN c.field = 'cost_usd' THEN CAST(ROUND(CAST(c.new_value AS numeric) * 10000) AS bigint) END AS new_units,
      CASE WHEN c.field = 'preview' AND c.old_value = 'true' THEN 1 ELSE 0 END AS was_preview,
      CASE WHEN c.field = 'preview' AND c.new_value = 'true' THEN 1 ELSE 0 END AS is_preview
    FROM field_changes AS c
    WHERE c.entity = 'job' AND c.field IN ('cost_usd', 'preview')
  ),
  settled AS (
    -- The change of the other one before, else after: what it became, or what it was.
    SELECT
      c.*,
      COALESCE(
        CASE WHEN c.field = 'cost_usd' THEN c.preview_before ELSE c.cost_before END,
        CASE WHEN c.field = 'cost_usd' THEN c.preview_after ELSE c.cost_after END
      ) AS other
    FROM (
      SELECT
        d.*,
        MAX(CASE WHEN d.field = 'cost_usd' THEN d.id END) OVER past AS cost_before,
        MIN(CASE WHEN d.field = 'cost_usd' THEN d.id END) OVER future AS cost_after,
        MAX(CASE WHEN d.field = 'preview' THEN d.id END) OVER past AS preview_before,
        MIN(CASE WHEN d.field = 'preview' THEN d.id END) OVER future AS preview_after
      FROM changes AS d
      WINDOW
        past AS (PARTITION BY d.job_id ORDER BY d.id),
        future AS (PARTITION BY d.job_id ORDER BY d.id DESC)
    ) AS c
  ),
  moved AS (
    SELECT
      c.id,
      c.job_id,
      c.field,
      c.observed_at,
      CASE WHEN c.field = 'cost_usd' THEN c.old_value END AS old_cost,
      CASE WHEN c.field = 'cost_usd' THEN c.new_value END AS new_cost,
      CASE
        WHEN c.field = 'cost_usd'
          THEN (COALESCE(c.new_units, 0) - COALESCE(c.old_units, 0)) * CASE
            WHEN p.id IS NULL THEN CASE WHEN j.preview THEN 0 ELSE 1 END
            WHEN CASE WHEN p.id < c.id THEN p.new_value ELSE p.old_value END = 'true' THEN 0
            ELSE 1
          END
        ELSE (c.was_preview - c.is_preview) * COALESCE(
          CAST(ROUND(10000 * CASE
            WHEN p.id IS NULL THEN j.cost_usd
            ELSE CAST(CASE WHEN p.id < c.id THEN p.new_value ELSE p.old_value END AS numeric)
          END) AS bigint),
          0
        )
      END AS units
    FROM settled AS c
    JOIN jobs AS j ON j.id = c.job_id
    LEFT JOIN field_changes AS p ON p.id = c.other
  )
SELECT
  id AS field_change_id,
  job_id,
  field AS reason,
  observed_at,
  old_cost,
  new_cost,
  units,
  ROUND(units / 10000.0, 4) AS credits
FROM moved
