-- Credits per day (UTC): a job counts on the day it finished, else the day it started; previews are free and left out.
-- day date: the day; null for jobs without both times
-- jobs bigint: jobs that count on it
-- credits numeric(14,4): their cost in Credits
SELECT
  date(COALESCE(finished, started)) AS day,
  COUNT(*) AS jobs,
  ROUND(SUM(cost_usd), 4) AS credits
FROM jobs
WHERE NOT COALESCE(preview, FALSE)
GROUP BY date(COALESCE(finished, started))
