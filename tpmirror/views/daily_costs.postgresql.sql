-- Credits per day (UTC): a job counts on the day it finished, else the day it started; previews are free and left out.
SELECT
  CAST(COALESCE(finished, started) AT TIME ZONE 'UTC' AS date) AS day,
  COUNT(*) AS jobs,
  SUM(cost_usd) AS credits
FROM jobs
WHERE NOT COALESCE(preview, FALSE)
GROUP BY CAST(COALESCE(finished, started) AT TIME ZONE 'UTC' AS date)
