-- Credits per day (UTC): a job counts on the day it finished, else the day it started; previews are free and left out.
SELECT
  date(COALESCE(finished, started)) AS day,
  COUNT(*) AS jobs,
  ROUND(SUM(cost_usd), 4) AS credits
FROM jobs
WHERE NOT COALESCE(preview, FALSE)
GROUP BY date(COALESCE(finished, started))
