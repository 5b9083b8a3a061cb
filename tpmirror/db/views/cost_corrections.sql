-- A change of what a job costs after it was first seen.
-- field_change_id (integer): number of the change in field_changes
-- job_id (integer): job
-- observed_at (time): when the mirror saw it
-- old_cost (text): cost before, as it stands in field_changes; null if upstream stated none
-- new_cost (text): cost after
-- units (integer): by how much it moved, in ten-thousandths of a Credit
-- credits (money): the same in Credits
WITH
  moved AS (
    SELECT
      id,
      entity_id AS job_id,
      observed_at,
      old_value AS old_cost,
      new_value AS new_cost,
      CAST(ROUND(CAST(COALESCE(new_value, '0') AS numeric) * 10000) AS bigint)
        - CAST(ROUND(CAST(COALESCE(old_value, '0') AS numeric) * 10000) AS bigint) AS units
    FROM field_changes
    WHERE entity = 'job' AND field = 'cost_usd'
  )
SELECT
  id AS field_change_id,
  job_id,
  observed_at,
  old_cost,
  new_cost,
  units,
  ROUND(units / 10000.0, 4) AS credits
FROM moved
